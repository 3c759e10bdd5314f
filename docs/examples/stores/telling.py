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

PAGE = Path(__file__).resolve().parents[2] / "real-stores.md"
WIDTH = 118
COLUMNS = (
    "| way | runs | acknowledged | refused, unknown | runs that no order explains | keys of these |"
    " increments lost | items lost |"
)


class CannotRun(Exception):
    """Something that the example needs is not here: one line says what."""


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


def told(file: Path, final: Mapping[str, Any]) -> Told:
    """Judge a recorded history. `final` are the values that were read at the end."""
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
    return Told(len(recorded.keys), answers, faulty, undecided, increments, items)


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
    shown = min(seen.faulty, key=lambda verdict: (len(verdict.operations), verdict.reason))
    print(shown.reason)
    print(*(f"  {row}" for row in timeline(shown.operations, WIDTH)), sep="\n")
    print(f"increments lost: {seen.increments}; items of lists lost: {seen.items}")


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


def main(
    mark: str, text: str | None, variants: Mapping[str, Variant], run: Callable[[str, int, Path], Told]
) -> None:
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
    given = parser.parse_args()
    if given.runs < 1:
        parser.error("--runs: at least one")
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
                    seen.append(run(name, seed, file))
                except CannotRun as error:
                    sys.exit(_cannot(error))
                say(name, seed, seen[-1])
            rows.append(row(name, seen))
            found = 12 if any(t.faulty for t in seen) else 3 if any(t.undecided for t in seen) else 0
            code = max(code, found)
    if given.write:
        write(mark, variants, rows)
    sys.exit(code)


def _cannot(error: Exception) -> int:
    print(f"cannot run: {error}", file=sys.stderr)
    return 2
