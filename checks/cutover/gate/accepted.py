"""Whether what a gate accepts in its two small scopes is safe in others too.

    python -m cutproof.checks.cutover.gate.accepted          # a line for each scope
    python -m cutproof.checks.cutover.gate.accepted --write  # ... and the table in docs/findings.md

The gates are exact about the scopes `gate` and `gate_alone`: one write, one migration. More can happen elsewhere: a
retry, a way back, a crash, deletes that are collected. Strictly, `cutproof prove` has one proof for every accepted
policy in each of its scopes. Eventually, all accepted policies are explored here at once (`wide.search`), in scopes
made wider in one direction each, and in some that are wide in many. One that breaks the eventual gate is not among
them, but in `safeguards/necessity.py` (`OPEN`), until that is mended.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path as File

from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.cutover.gate import wide
from cutproof.checks.cutover.gate.lattice import Run
from cutproof.checks.engines.verdict import HOLDS, SAFETY, UNKNOWN
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, Strength, policies, resolve, sound_gate
from cutproof.model.cutover.properties import LIVELY, no_permanent_loss
from cutproof.model.cutover.scopes import parse_scope

EVENTUALLY = tuple(p.name for p in (no_permanent_loss, *LIVELY))
_FAULTS = "attempts=2,aborts=1,crashes=1,strays=1,zombies=1,failing_tasks=1,losses=1,restarts=1,partitions=1"
QUICK = (
    "gate_alone,attempts=2,aborts=1",
    "gate_alone,attempts=2,back=1",
    "gate_alone,attempts=2,aborts=1,crashes=1,strays=1,zombies=1",
    "gate_alone,writes=2",
    "gate_alone,writes=2,queues=0,deletes=1,collect=1",
    "gate,crashes=1,strays=1,zombies=1",
)
WIDER = (
    *QUICK,
    "gate,attempts=2,aborts=1",
    "gate,attempts=2,back=1",
    "gate,failing_tasks=1,losses=1,restarts=1,partitions=1",
    "gate,writes=2,queues=0,deletes=1",
    "kinds",
    "two_documents",
    "gate_alone,documents=2,attempts=2,aborts=1",
    "leftovers,repairs=1",
    "leftovers,repairs=1,writes=3,before=0",
    "leftovers,replica=1,repairs=1",
    f"gate_alone,{_FAULTS},writes=2,deletes=1,collect=1",
    f"gate,{_FAULTS},duplicates=1,reads=1,skew=1",
)


@dataclass(frozen=True)
class Wider:
    """What was found in one scope: how many policies were explored, the states, and by policy and property the fewest
    steps to a violation."""

    scope: str
    policies: int
    states: int
    violated: dict[tuple[Policy, str], int]


def in_scope(name: str, tell: wide.Tell = lambda text: None) -> Wider:
    """Every policy that the eventual gate accepts, in one scope. Raises ValueError for an unknown scope."""
    scope = parse_scope(name)
    accepted = [
        p for p in policies() if p.replicas is scope.replica and sound_gate(p, Strength.EVENTUAL) is None
    ]
    named = dict[Mechanisms, Policy]()
    for policy in accepted:
        named.setdefault(resolve(policy), policy)
    run = wide.search(scope, tuple(named), steps=False, tell=tell)
    violated, bad = dict[tuple[Policy, str], int](), {run.records[n]: None for n, _, _ in _eventually(run)}
    if bad:  # layers are several times as dear, and seldom needed
        for number, name_of, steps in _eventually(run_of_bad := wide.search(scope, tuple(bad), tell=tell)):
            found = named[run_of_bad.records[number]], name_of
            violated[found] = min(steps, violated.get(found, steps))
    return Wider(name, len(accepted), run.states, violated)


def _eventually(run: Run) -> list[tuple[int, str, int]]:
    """What is violated of the properties that are asked for: the number of the record, the name, the steps."""
    names = {i: c.property for i, c in enumerate(run.claims) if c.property in EVENTUALLY}
    return [
        (number, names[claim], way if isinstance(way, int) else way.steps)
        for (number, claim), way in sorted(run.found.items())
        if claim in names
    ]


def text(found: list[Wider]) -> str:
    """The table, as a part of a document."""
    rows = [f"| `{w.scope}` | {w.policies} | {w.states:,} | {len(w.violated)} |" for w in found]
    return "\n".join(["| scope | accepted policies | states | violations |", "|---|---|---|---|", *rows])


def main(arguments: list[str]) -> int:
    """Explore what the gates accept in wider scopes; print the table, or write it. Exit code 2 for wrong usage."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m cutproof.checks.cutover.gate.accepted [--write]", file=sys.stderr)
        return 2
    found = []
    for name in WIDER:
        start = time.perf_counter()

        def tell(said: str, name: str = name) -> None:
            print(f"{name}: {said}", file=sys.stderr, flush=True)

        try:
            found.append(in_scope(name, tell))
        except KeyboardInterrupt:
            print("interrupted: nothing is written", file=sys.stderr)
            return UNKNOWN
        seconds = time.perf_counter() - start
        print(f"{name}: {found[-1].states:,} states, {seconds:.0f} s", file=sys.stderr, flush=True)
    part = text(found)
    print(part)
    for wider in found:
        for (policy, name), steps in wider.violated.items():
            print(f"{wider.scope}: {name} is violated after {steps} steps under {policy.changed()}")
    if arguments:
        page = File("docs/findings.md")
        page.write_text(replaced(page.read_text(encoding="utf-8"), "accepted", part), encoding="utf-8")
    return SAFETY if any(w.violated for w in found) else HOLDS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
