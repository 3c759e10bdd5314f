"""How the fast engine scales: the hardened protocol in scopes from 10^4 to 10^8 states, each explored to its end.

    python -m cutproof.checks.cutover.scale          # measure, and print the table; some minutes
    python -m cutproof.checks.cutover.scale --write  # ... and write it into docs/evidence.md, with docs/scale.svg

Each scope has a process of its own, with every *always* and *sometimes* claim judged. *Whole* begins at the command:
Python's start, and what is learnt of the protocol, are in it. *Set* is what the set of states found takes, and *peak*
the most that the process held.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as File

from cutproof.checks.common.measured import measured
from cutproof.checks.common.svg_plot import Point, Series, plot
from cutproof.checks.cutover.evidence import replaced

SCOPES = (
    "base",
    "crash,writes=3",
    "abort,writes=3",
    "reads_and_faults,writes=2,partitions=0,overlap=0,skew=0,restarts=0,strays=0",
    "reads_and_faults,writes=2,partitions=0,overlap=0,skew=0,restarts=0",
    "reads_and_faults,writes=2",
    "reads_and_faults,writes=2,partitions=0,overlap=0,skew=0,restarts=0,searches=1",
)
PLOT = File("docs/scale.svg")


@dataclass(frozen=True)
class Measured:
    """One scope, explored to its end. Seconds; bytes."""

    scope: str
    states: int
    transitions: int
    depth: int
    search: float
    whole: float
    set_bytes: int
    peak_bytes: int
    holds: bool


def one(text: str) -> dict[str, object]:
    """Explore one scope in this process: what only it knows of its run."""
    from cutproof.checks.engines.exploration import Limits
    from cutproof.checks.engines.fast.explore import default_workers
    from cutproof.checks.engines.fast.search import BROKEN, VectorSearch
    from cutproof.model.cutover.coordinator import build
    from cutproof.model.cutover.scopes import parse_scope

    protocol = build(parse_scope(text))
    claims = [c for c in protocol.claims if c.form != "can_always"]
    start = time.perf_counter()
    search = VectorSearch(protocol, claims, Limits(), workers=default_workers())
    search.run()
    seconds = time.perf_counter() - start
    wrong = [c for c, _ in search.first if c == BROKEN or claims[c].form == "always"]
    found: dict[str, object] = {
        "states": search.states, "transitions": int(search.engine.fired.sum()), "depth": search.depth,
        "search": seconds, "set_bytes": search.visited.bytes, "holds": not search.ended and not wrong,
    }  # fmt: skip
    search.close()
    return found


def measure(scope: str) -> Measured:
    """Explore one scope in a process of its own. Raises RuntimeError if it fails."""
    out, whole, peak = measured([sys.executable, "-m", __spec__.name, "--one", scope])
    return Measured(scope, whole=whole, peak_bytes=peak, **json.loads(out))


def text(found: Sequence[Measured]) -> str:
    """The table, as a part of a document."""
    lines = [
        "| scope | states | transitions | depth | whole, s | search, s | states/s | set, bytes a state | peak, MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for m in found:
        each = f"{m.set_bytes / m.states:.1f} | {m.peak_bytes / 1e6:,.0f}"
        counts = f"{m.states:,} | {m.transitions:,} | {m.depth}"
        lines.append(
            f"| {m.scope} | {counts} | {m.whole:.1f} | {m.search:.1f} | {m.states / m.search:,.0f} | {each} |"
        )
    said = "hold in all of them" if all(m.holds for m in found) else "do not hold in all of them"
    return "\n".join([*lines, "", f"The *always* claims {said}."])


def picture(found: Sequence[Measured]) -> str:
    """Time against states, as SVG."""
    points = [Point(m.states, m.search, m.search, m.search) for m in found]
    whole = [Point(m.states, m.whole, m.whole, m.whole) for m in found]
    largest = found[-1]
    rate = largest.search / largest.states
    return plot(
        "The hardened protocol, explored to its end",
        "states",
        "seconds",
        [Series("search", "#1f77b4", points), Series("whole, from the command", "#d62728", whole)],
        "as many states a second as the largest",
        [(m.states, m.states * rate) for m in (found[0], largest)],
        spelled=lambda value: f"{value:,.0f}" if value >= 1 else f"{value:g}",
    )


def main(arguments: list[str]) -> int:
    """Measure each scope in a process of its own; print the table, or write it. Exit code 2 for wrong usage."""
    if arguments[:1] == ["--one"] and len(arguments) == 2:
        print(json.dumps(one(arguments[1])))
        return 0
    if arguments not in ([], ["--write"]):
        print("usage: python -m cutproof.checks.cutover.scale [--write]", file=sys.stderr)
        return 2
    found = list[Measured]()
    for scope in SCOPES:
        found.append(measure(scope))
        print(
            f"{scope}: {found[-1].states:,} states in {found[-1].search:.1f} s", file=sys.stderr, flush=True
        )
    part = text(found)
    print(part)
    if arguments:
        page = File("docs/evidence.md")
        page.write_text(replaced(page.read_text(encoding="utf-8"), "scale", part), encoding="utf-8")
        PLOT.write_text(picture(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
