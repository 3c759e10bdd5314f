"""The gate as a map: every policy, whether it is safe, by which clauses it is refused, and how it fails.

The clauses are those of `model/cutover/policy.py`; the steps of the shortest run to each violation are searched for
here (`checks/cutover/gate/wide.py`, some ten seconds), where the inner loops are compiled, and left out where not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from string import ascii_letters

import msgspec

from cutproof.checks.cutover.gate import lattice, wide
from cutproof.checks.engines.choose import compiled
from cutproof.checks.pages.parts import Cell, Column, Markup, section, table
from cutproof.checks.pages.viewed import Views
from cutproof.checks.traces import stored
from cutproof.model.cutover.policy import CLAUSES, Clause, Policy, Strength, knobs, policies

ACROSS = ("rollback", "skip_delta_pass", "drain_on_timeout", "cutover_writes", "cleanup")
DOWN = ("acknowledge", "anti_entropy", "replicas", "replica_ack")
WORTHS = ("strict", "eventual", "refused")
ABOUT = (
    "Every policy that an operator can write, as a square. ● is safe at every moment; a small letter is safe in the "
    "end, while anti-entropy repairs; a capital letter loses for good, or never ends. The letter is the first clause "
    "that refuses it. Choose values, or a clause; press a square, or move with the arrow keys and press Enter."
)


class Refusing(msgspec.Struct, frozen=True):
    """A clause as the page shows it. `view` is the page of the run that shows what it prevents."""

    letter: str
    strength: str
    name: str
    refuses: str
    why: str
    view: str
    steps: int


class Square(msgspec.Struct, frozen=True, array_like=True):
    """A policy: the number of each knob's value, its worth, the numbers of the clauses that refuse it, and by the
    number of a property the fewest steps to a violation, 0 where it holds."""

    values: tuple[int, ...]
    worth: int
    clauses: tuple[int, ...]
    steps: tuple[int, ...] = ()


class Map(msgspec.Struct, frozen=True):
    """What the script of the map reads."""

    knobs: tuple[tuple[str, tuple[str, ...]], ...]
    across: tuple[str, ...]
    down: tuple[str, ...]
    clauses: tuple[Refusing, ...]
    properties: tuple[str, ...]
    squares: tuple[Square, ...]


def decided() -> list[lattice.Decided]:
    """Every policy with its violations, by one search; nothing where that would take long."""
    if not compiled():
        return []
    return lattice.lattice([wide.search(*lattice.scope_of(alone)) for alone in (False, True)])


def the_map(found: Sequence[lattice.Decided], views: Views) -> Map:
    """The map; `found` says how policies fail, where that is known."""
    every = [(strength, clause) for strength in Strength for clause in CLAUSES[strength]]
    small, large = ascii_letters[:26], ascii_letters[26:]
    letters = [*small[: len(CLAUSES[Strength.STRICT])], *large[: len(CLAUSES[Strength.EVENTUAL])]]
    clauses = tuple(_refusing(s, c, letter, views) for (s, c), letter in zip(every, letters, strict=True))
    names = tuple(sorted({name for d in found for name in d.steps}))
    values = {name: [_word(value) for value in of] for name, of in knobs().items()}
    steps = {d.policy: tuple(d.steps.get(name, 0) for name in names) for d in found}
    squares = tuple(_square(policy, every, steps) for policy in policies())
    return Map(tuple((n, tuple(of)) for n, of in values.items()), ACROSS, DOWN, clauses, names, squares)


def _square(
    policy: Policy, every: Sequence[tuple[Strength, Clause]], steps: dict[Policy, tuple[int, ...]]
) -> Square:
    refused = tuple(i for i, (_, clause) in enumerate(every) if clause.holds_of(policy))
    strengths = {every[i][0] for i in refused}
    worth = 2 if Strength.EVENTUAL in strengths else 1 if Strength.STRICT in strengths else 0
    values = tuple(list(of).index(getattr(policy, name)) for name, of in knobs().items())
    return Square(values, worth, refused, steps.get(policy, ()))


def _refusing(strength: Strength, clause: Clause, letter: str, views: Views) -> Refusing:
    ending = f"gate-{strength.value}-{re.sub('[^a-z]+', '-', clause.name)}"
    trace = next((name for name in stored.names() if name.endswith(ending)), "")
    view, steps = (views.stored(trace), views.steps(trace)) if trace else ("", 0)
    return Refusing(letter, strength.value, clause.name, str(clause), clause.why, view, steps)


def gate(found: Sequence[lattice.Decided], views: Views) -> tuple[Markup, Map]:
    """The section, and what its script reads."""
    whole = the_map(found, views)
    counts = [sum(square.worth == worth for square in whole.squares) for worth in range(len(WORTHS))]
    said = f"{len(whole.squares):,} policies: {counts[0]:,} strict, {counts[1]:,} eventual, {counts[2]:,} refused."
    if found:
        wrong = sum(d.strict is not (s.worth == 0) for d, s in zip(found, whole.squares, strict=True))
        said += (
            " The search finds each policy exactly as safe as the strict gate says."
            if not wrong
            else f" The search and the strict gate differ on {wrong:,}."
        )
    else:
        said += " How many steps it takes is not searched for here: it needs the extra `fast`."
    inside = (Markup('<div id="policies"></div>'), _told(whole))
    return section("gate", "The gate, policy by policy", *inside, about=f"{said} {ABOUT}"), whole


def _told(whole: Map) -> Markup:
    """The clauses as a table, for readers without scripts, and for those who look for a clause."""
    rows: list[list[Cell]] = [
        [c.letter, c.strength, c.name, c.refuses, c.why, sum(i in s.clauses for s in whole.squares)]
        for i, c in enumerate(whole.clauses)
    ]
    columns = (
        Column("letter"), Column("gate", choose=True), Column("clause"), Column("refuses", wide=True),
        Column("since", wide=True), Column("policies", number=True),
    )  # fmt: skip
    return table("clauses", "The clauses of the gates", columns, rows)


def _word(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value).lower()
