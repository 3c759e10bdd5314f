"""Ten runs of all kinds as drawings: each harm, a round, a protocol of strangers, a schedule, a history."""

from __future__ import annotations

import io
import json
from functools import cache

from places import DOCS, TRACES

from cutproof.checks.cli.arguments import protocol_of_trace
from cutproof.checks.cutover.conformance import drawn
from cutproof.checks.cutover.conformance.steps import parsed
from cutproof.checks.drivers.histories import judge, pairing
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Violated
from cutproof.checks.protocols.load import load
from cutproof.checks.traces.counterexample import trace_of
from cutproof.checks.traces.trace import read
from cutproof.checks.views import bare, histories, make
from cutproof.checks.views.drawing import Drawing

STORED = {
    "lost-write": "lost-write-without-fence_epoch",
    "lost-update": "lost-update-without-repairs_fenced",
    "resurrected-delete": "resurrected-delete-without-gc_waits_for_repairs",
    "stale-read": "stale-read-without-grace_before_cleanup",
    "stuck": "stuck-without-durable_record-unserved",
    "round": "stuck-without-copy_waits_for_earlier_alone",
}
SCHEDULE = {
    "format": "cutproof-schedule-1", "seed": 1, "system": "MyAdapter",
    "found": {"kind": "NotConforming", "reason": "lost update: doc-0: put #2 was acknowledged at step 9, and at step 10"
              " a client reads put #1", "run": 142},
    "steps": [
        {"do": "put", "key": "doc-0", "client": "client-1"}, {"do": "advance", "times": 2}, {"do": "begin_migration"},
        {"do": "advance", "times": 1}, {"do": "put", "key": "doc-0", "client": "client-1"},
        {"do": "fault", "fault": "fail", "role": 1}, {"do": "advance", "times": 1},
    ],
    "told": [
        "put #1 of doc-0: pending", "advance 2; put #1 is acknowledged", "begin a migration to node-1",
        "advance 1: wait to copy", "put #2 of doc-0: pending", "fail node-1", "advance 1", "heal",
        "clients go on writing: 2 writes in 12 steps", "get doc-0: #1",
    ],
}  # fmt: skip
APALACHE = {
    "#meta": {"description": "A run of another tool"}, "vars": ["owner", "term"],
    "states": [
        {"owner": {"#map": [["a", True], ["b", False]]}, "term": {"#bigint": "1"}},
        {"owner": {"#map": [["a", True], ["b", True]]}, "term": {"#bigint": "1"}},
    ],
}  # fmt: skip


@cache
def drawings() -> dict[str, Drawing]:
    """By a short name."""
    found = {name: stored(file) for name, file in STORED.items()}
    loaded = load(str(DOCS / "examples" / "leases.py")).without_guards(["arrive:not fenced off"])
    verdict = next(
        v for v in explore(loaded.protocol).verdicts if isinstance(v, Violated) and v.form == "always"
    )
    found["strangers"] = make.of_trace(trace_of(verdict), loaded.protocol)
    found["schedule"] = drawn.of_schedule(
        parsed(json.dumps(SCHEDULE).encode(), "lost.schedule.json"), "lost.json"
    )
    history = pairing.history(io.BytesIO((DOCS / "examples" / "history.jsonl").read_bytes()), "history.jsonl")
    judged = judge.judge(history.keys["doc-1"], versioned=False, most=10_000, place="line")
    found["history"] = histories.of_key("history.jsonl", "doc-1", history.keys["doc-1"], judged, others=1)
    found["bare"] = bare.of_bytes(json.dumps(APALACHE).encode(), "other.itf.json")
    return found


def stored(name: str) -> Drawing:
    """A stored trace as a drawing."""
    trace = read(TRACES / f"{name}.itf.json")
    return make.of_trace(trace, protocol_of_trace(trace, name), name)
