"""What the examples share: their command, and how it is told what clients saw."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutproof.checks.drivers.histories.judge import Undecided, Unexplained, judge
from cutproof.checks.drivers.histories.operation import Operation
from cutproof.checks.drivers.histories.pairing import read
from cutproof.checks.drivers.histories.timeline import timeline
from cutproof.checks.drivers.recording.shorten import Attempt, shorten

PAGE = Path(__file__).resolve().parents[2] / "real-stores.md"
WIDTH, REPEATS, MOST = 118, 2, 60
COLUMNS = (
    "| way | runs | acknowledged | refused, unknown | runs that no order explains | keys of these |"
    " increments lost | items lost |"
)


class CannotRun(Exception):
    """Something that the example needs is not here: one line says what."""


Names = frozenset[str] | None  # of the operations that are performed; None: all
Perform = Callable[[str, int, Path, Names], "Told"]  # a way, a seed, where the history goes


@dataclass(frozen=True)
class Variant:
    """A way to move a shard: its docstring says what is done."""

    does: Callable[[Any], None]
    loses: bool

    @property
    def text(self) -> str:
        """What is done, on one line."""
        return " ".join((self.does.__doc__ or "").split())


@dataclass(frozen=True)
class Told:
    """What the clients of one run were told, and what is wrong with it."""

    keys: int
    answers: Mapping[str, int]  # how many operations were "acknowledged", "refused" and "failed"
    faulty: list[Unexplained]  # a key each
    undecided: int
    increments: int  # acknowledged, and not in the counters at the end
    items: int  # acknowledged, and not in the lists at the end
    attempt: Attempt


def told(file: Path, final: Mapping[str, Any], performed: Mapping[str, list[str]]) -> Told:
    """Judge a recorded history. `final` are the values that were read at the end, `performed` the names that the load
    gave to the operations of each client."""
    answers, faulty, undecided, increments, items = dict[str, int](), list[Unexplained](), 0, 0, 0
    recorded = read(str(file))
    for key, operations in recorded.keys.items():
        for o in operations:
            answers[o.outcome] = answers.get(o.outcome, 0) + 1
        verdict = judge(operations, versioned=False, place="line")
        undecided += isinstance(verdict, Undecided)
        if isinstance(verdict, Unexplained):
            faulty.append(verdict)
        if key in final:
            increments += (
                max(sum(_known(operations, "add")) - final[key], 0) if key.startswith("counter") else 0
            )
            items += len(set(_known(operations, "append")) - set(final[key])) if key.startswith("list") else 0
    attempt = _attempt(recorded.keys, faulty, performed)
    return Told(len(recorded.keys), answers, faulty, undecided, increments, items, attempt)


def _attempt(
    keys: Mapping[Any, list[Operation]], faulty: list[Unexplained], performed: Mapping[str, list[str]]
) -> Attempt:
    """Which operations were performed, and which of them no order explains, by the names that the load gave them."""
    every = sorted((o for operations in keys.values() for o in operations), key=lambda o: o.invoked)
    left = {client: iter(names) for client, names in performed.items()}
    names = {id(o): next(left[o.client]) for o in every}
    if not faulty:
        return Attempt(tuple(names.values()))
    shown = _shortest(faulty)
    beside = [names[id(o)] for o in every if o.key == shown.operations[0].key]
    return Attempt(tuple(names.values()), tuple(names[id(o)] for o in shown.operations), tuple(beside))


def _shortest(faulty: list[Unexplained]) -> Unexplained:
    return min(faulty, key=lambda verdict: (len(verdict.operations), verdict.reason))


def _known(operations: list[Operation], kind: str) -> list[Any]:
    return [o.argument for o in operations if o.kind == kind and o.outcome == "acknowledged"]


def say(name: str, seed: int, seen: Told) -> None:
    """A run in a few lines: the key whose fault takes the fewest operations to show, and how many more there are."""
    what = f"{name}, seed {seed}: {seen.answers.get('acknowledged', 0):,} operations acknowledged on {seen.keys} keys; "
    if not seen.faulty:
        print(
            what
            + (
                f"{seen.undecided} keys were not decided"
                if seen.undecided
                else "some order explains them all"
            )
        )
        return
    print(what + f"no order explains those on {len(seen.faulty)}")
    shown = _shortest(seen.faulty)
    print(shown.reason)
    print(*(f"  {row}" for row in timeline(shown.operations, WIDTH)), sep="\n")
    print(f"increments lost: {seen.increments}; items of lists lost: {seen.items}")


def say_shortened(name: str, seed: int, file: Path, run: Perform, most: int) -> None:
    """Shorten a run that no order explains, and tell the shortest; its history is what `file` has then."""
    last = list[Told]()

    def again(only: Names) -> Attempt:
        try:
            seen = run(name, seed, file, only)
        except (
            RuntimeError,
            TimeoutError,
        ) as error:  # what a fault waits for does not come without some operation
            print(f"a try did not come to its end: {error}", file=sys.stderr)
            return Attempt(())
        if seen.faulty:
            last[:] = [seen]
            kept.write_bytes(file.read_bytes())
        return seen.attempt

    kept = file.with_name(f"{file.name}.shortest")
    found = shorten(
        again, REPEATS, most, lambda n, runs: print(f"{n} operations, after {runs} runs", file=sys.stderr)
    )
    if found is None:
        print(f"not again in {REPEATS} runs")
        return
    kept.replace(file)
    more = "" if found.whole else f"; not more, for want of runs ({most})"
    print(f"shortened from {found.of} to {len(found.kept)} operations, in {found.runs} runs{more}:")
    say(name, seed, last[0])


def row(name: str, runs: list[Told]) -> str:
    """The line of a way in the table."""
    answers = [sum(t.answers.get(word, 0) for t in runs) for word in ("acknowledged", "refused", "failed")]
    bad = [t for t in runs if t.faulty]
    cells: list[object] = [
        name, len(runs), f"{answers[0]:,}", f"{answers[1]:,}, {answers[2]:,}", len(bad),
        f"{sum(len(t.faulty) for t in bad)} of {sum(t.keys for t in bad)}",
        f"{sum(t.increments for t in runs):,}", f"{sum(t.items for t in runs):,}",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def write(mark: str, variants: Mapping[str, Variant], rows: list[str]) -> None:
    """Draw the table of the page anew, and what its rows mean."""
    lines = [
        COLUMNS,
        "|---|" + "---:|" * 7,
        *rows,
        "",
        *(f"- *{name}*: {v.text}." for name, v in variants.items()),
    ]
    text, table = PAGE.read_text("utf-8"), "\n".join(lines)
    begin, end = f"<!-- begin {mark} -->\n", f"<!-- end {mark} -->"
    PAGE.write_text(
        re.sub(f"{begin}.*?{end}", lambda _: f"{begin}{table}\n{end}", text, flags=re.DOTALL), "utf-8"
    )


def main(mark: str, text: str | None, variants: Mapping[str, Variant], run: Perform) -> None:
    """The command of an example. Ends the program: 0 explained, 12 not, 3 undecided, 2 it cannot run here."""
    ways = "\n".join(f"  {name:19} {v.text}" for name, v in variants.items())
    parser = argparse.ArgumentParser(
        description=(text or "").splitlines()[0],
        epilog=f"ways:\n{ways}",
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "way", nargs="?", default=next(iter(variants)), choices=[*variants, "all"], metavar="WAY"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next one has the next")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument(
        "--history", type=Path, metavar="FILE", help="keep what the clients of the last run saw"
    )
    parser.add_argument(
        "--write", action="store_true", help=f"draw the table of {PAGE.name} anew, of all ways"
    )
    parser.add_argument(
        "--shorten", type=int, nargs="?", const=MOST, default=0, metavar="RUNS",
        help=f"find which operations are enough, in at most so many runs ({MOST}); each try is made {REPEATS} times",
    )  # fmt: skip
    given = parser.parse_args()
    if given.runs < 1:
        parser.error("--runs: at least one")
    if given.shorten < 0:
        parser.error("--shorten: at least one run")
    try:
        if given.history:
            given.history.write_text("")
    except OSError as error:
        parser.error(f"--history {given.history}: {error.strerror}")
    chosen = list(variants) if given.write or given.way == "all" else [given.way]
    rows, code = list[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        file = given.history or Path(folder) / "history.jsonl"
        for name in chosen:
            seen = []
            for seed in range(given.seed, given.seed + given.runs):
                try:
                    seen.append(run(name, seed, file, None))
                except CannotRun as error:
                    sys.exit(_cannot(error))
                say(name, seed, seen[-1])
                if given.shorten and seen[-1].faulty:
                    say_shortened(name, seed, file, run, given.shorten)
            rows.append(row(name, seen))
            found = 12 if any(t.faulty for t in seen) else 3 if any(t.undecided for t in seen) else 0
            code = max(code, found)
    if given.write:
        write(mark, variants, rows)
    sys.exit(code)


def _cannot(error: Exception) -> int:
    print(f"cannot run: {error}", file=sys.stderr)
    return 2
