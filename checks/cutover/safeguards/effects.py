"""Every effect of every action mutated, one at a time: does any property notice, and where none does, why not?

    python -m cutproof.checks.cutover.safeguards.effects               # the tables; an hour of one core
    python -m cutproof.checks.cutover.safeguards.effects --write       # ... into docs/effects.md
    python -m cutproof.checks.cutover.safeguards.effects abort. .proof # a line for each mutant with such a word

Guards and safeguards are taken away one by one elsewhere (`guards.py`, `necessity.py`). This is about what a step
changes: an effect that something notices is a safeguard too, whether or not it has a name.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path

from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.cutover.safeguards.judged import LARGE, LARGER, SCOPES, Judged, Setting, hardened, judge
from cutproof.checks.cutover.safeguards.mutants import Kind, Mutant, mutants

FILE = Path("docs/effects.md")
USAGE = "usage: python -m cutproof.checks.cutover.safeguards.effects [--write | WORD...]"


def every_mutant() -> list[Mutant]:
    """The mutants of every effect that there is in some scope, in the order of the actions."""
    return mutants(hardened(Setting(scope)) for scope in (*SCOPES, *LARGER, *LARGE))


def judge_all(chosen: Iterable[Mutant], workers: int = 2) -> Iterator[Judged]:
    """Each in turn, in their order, whatever the number of workers."""
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(judge, chosen)


def said(found: Judged) -> str:
    """What became of a mutant, in a few words."""
    if found.by is not None:
        return str(found.by)
    return f"*{found.why}*"


def summary(found: Sequence[Judged]) -> str:
    """How many are noticed, and why the others are not."""
    counts = Counter(j.why for j in found if j.by is None)
    effects = {j.mutant.effect for j in found}
    bad = {j.mutant.effect for j in found if j.by is not None and j.mutant.kind is Kind.LEFT_OUT}
    why = ", ".join(f"{number} {word}" for word, number in counts.most_common())
    return (
        f"{len(found)} mutants of {len(effects)} effects: {len(found) - counts.total()} are noticed by a property "
        f"under the default policy. The others: {why or 'none'}.\nLeft out, {len(bad)} of the effects are noticed."
    )


def table(found: Sequence[Judged]) -> str:
    """A row for each effect: what notices that it is left out, kept in one cell of several, or another value."""
    lines = ["| effect | left out | kept in one cell | another value |", "|---|---|---|---|"]
    for effect, group in groupby(found, key=lambda j: j.mutant.effect):
        mine = list(group)
        cells = {kind: [j for j in mine if j.mutant.kind is kind] for kind in Kind}
        kept = cells[Kind.KEPT]
        noticed = f"{sum(j.by is not None for j in kept)} of {len(kept)}" if kept else ""
        left, other = (", ".join(map(said, cells[kind])) for kind in (Kind.LEFT_OUT, Kind.NEXT))
        lines.append(f"| {effect} | {left} | {noticed} | {other} |")
    return "\n".join(lines)


def unnoticed(found: Iterable[Judged]) -> str:
    """A row for each mutant that nothing notices under the default policy: why not."""
    lines = ["| mutant | why not | it is noticed by |", "|---|---|---|"]
    lines += [f"| {j.mutant} | {j.why} | {j.about} |" for j in found if j.by is None]
    return "\n".join(lines)


def page(text: str, found: Sequence[Judged]) -> str:
    """The page with its generated parts anew."""
    for name, part in (
        ("summary", summary(found)),
        ("effects", table(found)),
        ("unnoticed", unnoticed(found)),
    ):
        text = replaced(text, name, part)
    return text


def main(arguments: list[str]) -> int:
    """Exit code 0, or 2 for wrong usage."""
    words = [a for a in arguments if not a.startswith("-")]
    if any(a.startswith("-") and a != "--write" for a in arguments) or (words and "--write" in arguments):
        print(USAGE, file=sys.stderr)
        return 2
    if "--write" in arguments and not FILE.is_file():
        print("docs/ is not here; run this from the root of a checkout", file=sys.stderr)
        return 2
    chosen = [m for m in every_mutant() if not words or any(word in str(m) for word in words)]
    if not chosen:
        print(f"no effect has {words[0]!r} in its name; they are named as abort.cursor", file=sys.stderr)
        return 2
    found: list[Judged] = []
    for judged in judge_all(chosen):
        found.append(judged)
        line = f"{judged.mutant}: {judged.by or ' '.join(filter(None, (judged.why, judged.about)))}"
        print(line, file=sys.stdout if words else sys.stderr, flush=True)
    if "--write" in arguments:
        FILE.write_text(page(FILE.read_text(encoding="utf-8"), found), encoding="utf-8")
    elif not words:
        print(summary(found), table(found), unnoticed(found), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
