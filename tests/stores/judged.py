"""What `conform` says of the strangers' stores: a table of every wrong one and every right one.

python tests/stores/judged.py                       all wrong ones with seed 0, all right ones with two seeds
python tests/stores/judged.py PagesByOffset Dual    only these
python tests/stores/judged.py --seeds 50 --right    the right ones alone, with as many seeds
python tests/stores/judged.py --write               the table goes to docs/strangers.md
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from strangers import RIGHT, WRONG, parent
from strangers.kit import Store

from cutproof.checks import conform
from cutproof.checks.drivers.wire import client, server

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "strangers.md"
HEAD = """# What `conform` catches

{wrong} stores with one defect each, which happened in public or is a safeguard of [the protocol](protocol.md) left
out, and {right} right ones of different designs: `tests/stores/`. Each is judged with the defaults, in process.
Drawn by `python tests/stores/judged.py --write`; each defect is also shown in `tests/stores/schedules.py` by a
schedule written by hand.

Caught: {caught} of {wrong}. Right ones accused: {accused} of {right}.
"""


@dataclass
class Judged:
    """What came of a store: `run` is 0 if nothing was found."""

    run: int
    steps: int
    seconds: float  # of the processor
    said: str


def spent() -> float:
    """The processor's seconds, of this process and of those that it has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def judge(store: type[Store], seed: int, runs: int | None, wire: bool) -> Judged:
    """Judge a store. All that depends on how `conform` is called is here."""
    begun = spent()
    judged: Any = client.adapter_of([sys.executable, __file__, "--serve", store.__name__]) if wire else store
    more = {} if runs is None else {"runs": runs}
    run, steps = 0, 0
    try:
        report = conform.check(judged, seed=seed, **more)
        said = "; ".join([report.verdict, *report.missing()])
    except conform.NotConforming as found:
        run, steps, said = found.run, len(found.schedule), found.reason
    if wire:
        judged.close()
    return Judged(run, steps, spent() - begun, said)


def of_wrong(store: type[Store], runs: int | None, wire: bool) -> tuple[bool, list[str]]:
    """Whether a wrong store is caught, and its row."""
    one = judge(store, 0, runs, wire)
    caught = [str(one.run), str(one.steps)] if one.run else ["**missed**", ""]
    row = [store.__name__, parent(store).__name__, store.bug, store.source, store.harm, *caught]  # type: ignore[attr-defined]
    return bool(one.run), [*row, f"{one.seconds:.1f}", one.said]


def of_right(store: type[Store], seeds: int, runs: int | None, wire: bool) -> tuple[bool, list[str]]:
    """Whether a right store is accused, and its row."""
    all_of_it = [judge(store, seed, runs, wire) for seed in range(seeds)]
    accused = [f"seed {seed}: {one.said}" for seed, one in enumerate(all_of_it) if one.run]
    said = accused or sorted({one.said for one in all_of_it})
    seconds = sum(one.seconds for one in all_of_it) / seeds
    described = " ".join(str(store.__doc__).split())
    return bool(accused), [store.__name__, described, str(seeds), f"{seconds:.1f}", "; ".join(said)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def main() -> None:
    """Judge, print rows as they come, and write the document if asked."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("names", nargs="*", help="stores; all if none is named")
    options.add_argument("--seeds", type=int, default=2, help="how many seeds the right ones are judged with")
    options.add_argument(
        "--runs", type=int, help="schedules for each store; the default of `conform` otherwise"
    )
    options.add_argument("--right", action="store_true", help="only the right ones")
    options.add_argument("--wrong", action="store_true", help="only the wrong ones")
    options.add_argument("--wire", action="store_true", help="over the wire: each store is a program")
    options.add_argument("--serve", metavar="STORE", help="be the program of a store")
    options.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    chosen = options.parse_args()
    names = {store.__name__ for store in (*RIGHT, *WRONG)}
    if unknown := {*chosen.names, *([chosen.serve] if chosen.serve else [])} - names:
        options.error(f"there is no store {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}")
    if chosen.serve:
        server.serve(next(store for store in (*RIGHT, *WRONG) if store.__name__ == chosen.serve))
        return
    if chosen.seeds < 1:
        options.error("--seeds: at least one")
    if chosen.write and (chosen.names or chosen.right or chosen.wrong or chosen.wire):
        options.error("--write: the document is of all stores, in process")

    def wanted(stores: tuple[type[Store], ...]) -> list[type[Store]]:
        return [store for store in stores if not chosen.names or store.__name__ in chosen.names]

    wrong, right = [], []
    for store in [] if chosen.right else wanted(WRONG):
        wrong.append(of_wrong(store, chosen.runs, chosen.wire))
        print(" | ".join([wrong[-1][1][0], *wrong[-1][1][5:]]), flush=True)
    for store in [] if chosen.wrong else wanted(RIGHT):
        right.append(of_right(store, chosen.seeds, chosen.runs, chosen.wire))
        print(" | ".join([right[-1][1][0], *right[-1][1][2:]]), flush=True)
    caught, accused = sum(c for c, _ in wrong), sum(a for a, _ in right)
    print(f"caught: {caught} of {len(wrong)}; accused: {accused} of {len(right)}")
    if chosen.write:
        head = HEAD.format(wrong=len(wrong), right=len(right), caught=caught, accused=accused)
        first = ["wrong store", "derives from", "bug", "source", "harm", "run", "steps", "CPU s", "said"]
        second = ["right store", "how it works", "seeds", "CPU s a seed", "verdict"]
        rows = [row for _, row in wrong], [row for _, row in right]
        DOCUMENT.write_text(f"{head}\n{table(first, rows[0])}\n\n{table(second, rows[1])}\n", "utf-8")


if __name__ == "__main__":
    main()
