"""Snapshots: what was saved is taken up again as it was, as often as wanted, whatever became of it meanwhile."""

from __future__ import annotations

from random import Random

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cutover.reference import snapshots
from cutproof.checks.cutover.reference.twin import Twin
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import parse_scope

SCOPES = ("two_repairs", "crash", "deletes=1,reads=1,searches=1", "collection", "zombie")


def walked(scope: str, seed: int, steps: int) -> Twin:
    """The implementation after some steps at random."""
    draw, chosen = Random(seed), parse_scope(scope)
    twin = Twin(chosen, resolve(Policy(replicas=chosen.replica)))
    for _ in range(steps):
        if not (moves := twin.enabled()):
            break
        moves[draw.choice(sorted(moves))].do()
    return twin


@examples(15)
@given(st.sampled_from(SCOPES), st.integers(0, 999), st.integers(0, 25))
def test_what_was_saved_is_taken_up_as_it_was(scope: str, seed: int, steps: int) -> None:
    twin = walked(scope, seed, steps)
    saved, key, offered = twin.save(), twin.key(), sorted(twin.enabled())
    for name in offered:
        twin.load(saved)
        assert (twin.key(), sorted(twin.enabled())) == (key, offered)
        twin.enabled()[name].do()
    twin.load(saved)
    assert twin.key() == key


def test_what_never_changes_is_shared_and_nothing_else_is() -> None:
    shard = walked("two_repairs", 1, 12).shard
    first, second = (snapshots.loaded(snapshots.saved(shard)) for _ in range(2))
    assert first.mechanisms is second.mechanisms and first.mechanisms == shard.mechanisms
    assert first.record.phase is shard.record.phase
    assert first is not second and first.replicas.keys() == second.replicas.keys()
    for at, replica in first.replicas.items():
        assert replica is not second.replicas[at] and replica.documents is not second.replicas[at].documents
