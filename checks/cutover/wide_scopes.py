"""How far decision diagrams reach: the hardened protocol in scopes from 10^4 to 10^12 states, all of each.

    python -m cutproof.checks.cutover.wide_scopes            # measure, and print the table; some minutes
    python -m cutproof.checks.cutover.wide_scopes --write    # ... and write it into docs/evidence.md
    python -m cutproof.checks.cutover.wide_scopes SCOPE ...  # of other scopes

Each scope has a process of its own, in which every *always*, *sometimes* and *can always* claim is judged; in the
widest, `FOR_STATES`, no *can always*. *Whole* begins at the command; *all states* is from the protocol to the set of
all of them, with how often each transition is taken; *peak* is the most that the process held, and the most nodes that
there were at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from cutproof.checks.common.measured import measured
from cutproof.checks.cutover.evidence import replaced

SCOPES = (
    "base",
    "reads_and_faults,writes=2,partitions=0,overlap=0,skew=0,restarts=0,strays=0",
    "reads_and_faults,writes=2",
    "reads_and_faults,writes=2,partitions=0,overlap=0,skew=0,restarts=0,searches=1",
    "reads_and_faults,writes=2,searches=1",
    "reads_and_faults,writes=2,searches=1,deletes=1,table=1",
    "reads_and_faults,writes=3",
    "reads_and_faults,writes=2,searches=1,deletes=1,replica=1",
    "reads_and_faults,writes=4",
    "reads_and_faults,writes=2,documents=2",
    "reads_and_faults,writes=5",
    "reads_and_faults,writes=2,documents=2,searches=1",
)
FOR_STATES = SCOPES[-2:]


@dataclass(frozen=True)
class Measured:
    """One scope, all of it. Seconds; bytes."""

    scope: str
    states: int
    transitions: int
    nodes: int
    peak_nodes: int
    search: float
    judged: float
    whole: float
    peak_bytes: int
    verdict: str


def one(text: str) -> dict[str, Any]:
    """All states of one scope, in this process: what only it knows of its run."""
    from cutproof.checks.engines.verdict import Holds
    from cutproof.checks.engines.zdd.explore import explore
    from cutproof.model.cutover.coordinator import build
    from cutproof.model.cutover.scopes import parse_scope

    def tell(said: str) -> None:
        print(f"{text}: {said}", file=sys.stderr, flush=True)

    protocol = build(parse_scope(text))
    forms = ("always", "sometimes") if text in FOR_STATES else ("always", "sometimes", "can_always")
    names = {c.property for c in protocol.claims if c.form in forms}
    found = explore(protocol, properties=names, cycles=False, witnesses=False, told=tell)
    holds = all(isinstance(v, Holds) for v in found.verdicts if v.form != "sometimes")
    return {
        "states": found.distinct, "transitions": found.transitions, "nodes": getattr(found.states, "nodes", 0),
        "peak_nodes": getattr(found.states, "peak_nodes", 0), "search": found.counted_after, "judged": found.seconds,
        "verdict": found.ended or ("holds" if holds else "violated"),
    }  # fmt: skip


def measure(scope: str) -> Measured:
    """One scope in a process of its own. Raises RuntimeError if it fails."""
    out, whole, peak = measured([sys.executable, "-m", __spec__.name, "--one", scope])
    return Measured(scope, whole=whole, peak_bytes=peak, **json.loads(out))


def text(found: Sequence[Measured]) -> str:
    """The table, as a part of a document."""
    lines = [
        "| scope | states | transitions | nodes | whole, s | all states, s | judged, s | peak, nodes | peak, MB | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for m in found:
        counts = f"{m.states:,} | {m.transitions:,} | {m.nodes:,}"
        seconds = f"{m.whole:.1f} | {m.search:.1f} | {m.judged - m.search:.1f}"
        peak = f"{m.peak_nodes:,} | {m.peak_bytes / 1e6:,.0f}"
        lines.append(f"| {m.scope} | {counts} | {seconds} | {peak} | {m.verdict} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Measure each scope; print the table, or write it. Exit code 2 for wrong usage."""
    if arguments[:1] == ["--one"] and len(arguments) == 2:
        print(json.dumps(one(arguments[1])))
        return 0
    if any(a.startswith("-") for a in arguments) and arguments != ["--write"]:
        print("usage: python -m cutproof.checks.cutover.wide_scopes [--write | SCOPE ...]", file=sys.stderr)
        return 2
    write = arguments == ["--write"]
    found = list[Measured]()
    for scope in SCOPES if write or not arguments else arguments:
        found.append(measure(scope))
    part = text(found)
    print(part)
    if write:
        page = File("docs/evidence.md")
        page.write_text(replaced(page.read_text(encoding="utf-8"), "wide", part), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
