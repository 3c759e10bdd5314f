"""The words of the cutover: every step and every change has some, in every scope, whatever is removed."""

import random
import re
from enum import Enum
from typing import Any

import pytest

from cutproof.model.cutover.coordinator import build, cutover
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED
from cutproof.model.cutover.scopes import SCOPES, Scope, parse_scope
from cutproof.model.cutover.words import WORDS
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol
from cutproof.model.language.words import Changed, Run, Taken, index_names

# Their general sentences say what they do: there is nothing that could differ.
GENERAL = {"change_policy", "other_migration_ends", "other_migration_hangs"}
RAW = re.compile(r"\[|\{|False|None|-> -?\d+$|rank|doc\b")


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    return value.name if isinstance(value, Enum) else value


def walk(protocol: Protocol, seed: int, steps: int) -> Run:
    """A random run in plain values."""
    draw, successors = random.Random(seed), compile_protocol(protocol).successors
    state, taken = protocol.initial, []
    for _ in range(steps):
        if not (found := successors(state)):
            break
        number, after = draw.choice(found)
        transition = protocol.transitions[number]
        arguments = {k: plain(v) for k, v in transition.arguments}
        before, then = (plain(protocol.decode(s)) for s in (state, after))
        taken.append(Taken(protocol, transition.action, arguments, before, then))
        state = after
    return Run(protocol, tuple(taken), plain(protocol.decode(state)))


def changes(taken: Taken) -> list[Changed]:
    found = []
    for cell in taken.protocol.cells:
        old, new = taken.before[cell.variable], taken.after[cell.variable]
        for index in map(plain, cell.where):
            old, new = old[index], new[index]
        if old != new:
            where = dict(zip(index_names(taken.protocol, cell.variable), map(plain, cell.where), strict=True))
            found.append(Changed(cell.variable, where, old, new, taken))
    return found


@pytest.mark.parametrize("name", SCOPES)
def test_everything_that_happens_has_words(name: str) -> None:
    for removed in ((), tuple(HARDENED - AS_WRITTEN)):
        protocol = build(SCOPES[name], None, removed)
        for seed in range(4):
            run = walk(protocol, seed, 150)
            for taken in run.steps:
                said = WORDS.step(taken)
                assert taken.action in GENERAL or (said[0].isupper() and said.endswith(".")), taken.action
                told = [said, *(WORDS.change(c) for c in changes(taken) if c.variable != "cursor")]
                assert [text for text in told if RAW.search(text)] == [], taken.action
            head, *rows = WORDS.ending(run) if WORDS.ending else []
            assert all(len(row) == len(head) == SCOPES[name].documents + 1 for row in rows)


def test_every_action_and_every_variable_has_words() -> None:
    protocol = cutover(Scope())
    assert {a.name for a in protocol.actions} - set(WORDS.steps) == GENERAL
    told_by_name = {"phase"}
    assert {c.variable for c in protocol.cells} - set(WORDS.variables) == told_by_name


def test_what_a_client_was_told_is_kept_in_order() -> None:
    def taken(action: str, rank: int) -> Taken:
        arguments = {"doc": 0, "rank": rank, "erases": rank == 2, "view": 0}
        return Taken(protocol, action, arguments, state, state)

    protocol = build(parse_scope("deletes"))
    state = plain(protocol.decode(protocol.initial))
    state["erased"][0][2] = True
    steps = (taken("write", 1), taken("acknowledge", 1), taken("write", 2), taken("time_out", 2))
    assert WORDS.ending
    rows = dict(row for row in WORDS.ending(Run(protocol, steps, state)))
    assert rows["clients were told"] == "write 1: succeeded, delete 2: no answer"
    assert rows["O (owner) holds"] == rows["N holds"] == rows["a read of O shows"] == "nothing"
