"""The cutover in small: it holds, each guard that is dropped loses a write, and its states are counted."""

import pytest

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Violated
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.language.protocol import Protocol


def test_it_holds_and_can_be_finished_from_everywhere() -> None:
    found = explore(small_cutover(1, 2))
    assert {v.form for v in found.verdicts} == {"always", "sometimes", "can_always", "deadlock", "cycle"}
    assert all(isinstance(v, Holds) for v in found.verdicts)
    assert found.never_fired == []


@pytest.mark.parametrize(
    ("documents", "versions", "states", "transitions", "depth"),
    [(1, 1, 89, 197, 12), (1, 2, 628, 2_183, 14), (2, 1, 2_031, 8_133, 19), (3, 1, 62_099, 373_546, 26)],
)
def test_counts(documents: int, versions: int, states: int, transitions: int, depth: int) -> None:
    found = explore(small_cutover(documents, versions), properties=["no_lost_write"])
    assert (len(found.states), found.transitions, found.depth) == (states, transitions, depth)
    assert isinstance(found.verdicts[0], Holds)


@pytest.mark.parametrize(
    ("action", "guard", "steps"),
    [
        ("write", "writers are not held", 9),
        ("drain", "nothing is on its way to O", 9),
        ("activate", "N has all that O has", 9),
        ("hear_from_new", "N is the owner", 4),
    ],
)
def test_without_a_guard_a_write_is_lost(action: str, guard: str, steps: int) -> None:
    protocol = small_cutover(1, 1).without_guard(action, guard)
    (verdict,) = explore(protocol, properties=["no_lost_write"], stop_at_first=True).verdicts
    assert isinstance(verdict, Violated) and verdict.path is not None
    assert verdict.path.steps == steps
    last = protocol.decode(verdict.path.states[-1])
    moved = last["phase"].name in ("ACTIVE", "DONE")
    assert last["new" if moved else "old"][0] < last["acked"][0]


def test_documents_can_be_exchanged() -> None:
    """What is reached stays the same, as a whole, when the two documents change places in every state."""
    protocol = small_cutover(2, 1)
    found = explore(protocol, properties=["no_lost_write"])
    reached = set(found.states)
    assert len(reached) == 2_031
    assert reached == {exchanged(protocol, state) for state in reached}


def exchanged(protocol: Protocol, state: tuple[int, ...]) -> tuple[int, ...]:
    named = protocol.named(state)
    other = {"0": "1", "1": "0"}

    def swapped(name: str) -> str:
        head, bracket, rest = name.partition("[")
        return f"{head}[{other[rest[0]]}{rest[1:]}" if bracket else name

    return tuple(named[swapped(f.name)] for f in protocol.fields)
