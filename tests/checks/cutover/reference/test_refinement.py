"""The implementation refines the specification, exhaustively, in both directions; a wrong map is reported."""

from typing import Any

import networkx as nx
import pytest

from cutproof.checks.cutover.reference import refinement
from cutproof.checks.cutover.reference.abstraction import Names
from cutproof.checks.cutover.reference.lockstep import Disagreement
from cutproof.checks.cutover.reference.refinement import Refinement, refine
from cutproof.checks.cutover.reference.twin import STUTTERS, Twin
from cutproof.checks.cutover.safeguards.necessity import (
    BOTH_ACKNOWLEDGE,
    CLEAN_PASS,
    DEFAULT,
    HEALED_LATER,
)
from cutproof.impl.shard import Shard
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.cutover.slot import Node

# Each fault and each kind of message is in one of all these; `nightly` are the larger ones.
BY_DAY = (
    "base,writes=1", "page_fails", "gate_alone", "leftovers,writes=1", "collection,writes=1", "table,writes=1",
)  # fmt: skip
BY_NIGHT = (
    "zombie", "replica", "offsets,writes=1", "policy_changes,late=0", "abort,writes=1", "deletes_after_dual",
    "duplicates=1,restarts=1,partitions=1,losses=1", "searches=1,failures=1,restarts=1", "base",
    "two_documents,searches=0", "kinds,writes=1", "collection_and_repairs,writes=1", "crash,writes=1",
    "reads,writes=1", "two_repairs,writes=1", "two_migrations,late=0", "overlap=1,attempts=2,aborts=1",
)  # fmt: skip


def edges(graph: Any, image: dict[int, int] | None = None) -> set[tuple[int, int, str]]:
    """The edges of a graph, or their images."""
    at = image.__getitem__ if image else int
    return {(at(a), at(b), name) for a, b, name in graph.edges(keys=True)}


def assert_refined(found: Refinement) -> None:
    assert found.holds, str(found)
    assert str(found).endswith("all matched")
    assert isinstance(found.implementation, nx.MultiDiGraph)
    # Told once more, from the graphs alone: without the stuttering steps, the images are the specification's edges.
    image = dict(found.implementation.nodes(data="image"))
    mine = edges(found.implementation, image)
    steps = {e for e in mine if e[2].partition("(")[0] not in STUTTERS}
    assert steps == edges(found.specification)
    assert all(a == b for a, b, _ in mine - steps)
    assert set(image.values()) == set(found.specification.nodes)


@pytest.mark.parametrize("scope", BY_DAY)
def test_every_edge_matches_in_both_directions(scope: str) -> None:
    assert_refined(refine(parse_scope(scope)))


@pytest.mark.nightly
@pytest.mark.parametrize("scope", BY_NIGHT)
def test_every_edge_matches_in_larger_scopes(scope: str) -> None:
    assert_refined(refine(parse_scope(scope)))


@pytest.mark.nightly
@pytest.mark.parametrize(
    "scope",
    [
        "another_policy,queues=0,late=0,stale=0,before=0,repairs=0",
        "another_policy,queues=0,late=0,stale=0,before=0",
        "another_policy,queues=0,late=0",
    ],
)
def test_a_second_migration_under_another_policy_matches_too(scope: str) -> None:
    assert_refined(refine(parse_scope(scope), HEALED_LATER))
    if "repairs=0" not in scope:
        assert_refined(refine(parse_scope(scope), HEALED_LATER, ["healed_before_next"]))


@pytest.mark.parametrize("safeguard", ["fence_epoch", "tombstones", "delta_always", "one_owner_record"])
def test_it_refines_without_a_safeguard_too(safeguard: str) -> None:
    assert_refined(refine(parse_scope("writes=1"), removed=[safeguard]))


@pytest.mark.parametrize(
    "scope", ["crashes=1,stale=0,queues=0", pytest.param("crash,writes=1", marks=pytest.mark.nightly)]
)
def test_a_source_that_was_scanned_and_deleted_is_scanned_again_where_the_record_is_lost(scope: str) -> None:
    assert_refined(refine(parse_scope(scope), removed=["durable_record"]))


@pytest.mark.parametrize(
    ("scope", "policy", "safeguard"),
    [
        ("retry,late=0,stale=0,before=0", BOTH_ACKNOWLEDGE, "abort_forgets_cursor"),
        ("two_migrations,late=0,overlap=0,zombies=0,stale=0,before=0", DEFAULT, "proof_of_this_attempt"),
        pytest.param("retry", BOTH_ACKNOWLEDGE, "abort_forgets_cursor", marks=pytest.mark.nightly),
        pytest.param("retry", DEFAULT, "proof_of_this_attempt", marks=pytest.mark.nightly),
        pytest.param("two_migrations,overlap=0", DEFAULT, "proof_of_this_attempt", marks=pytest.mark.nightly),
        pytest.param(
            "gate,attempts=2,back=1,late=0,queues=0,stale=0,before=0,failures=0", CLEAN_PASS,
            "proof_of_this_attempt", marks=pytest.mark.nightly,
        ),
    ],
)  # fmt: skip
def test_what_an_attempt_leaves_to_the_next_is_the_same_without_a_safeguard(
    scope: str, policy: Policy, safeguard: str
) -> None:
    assert_refined(refine(parse_scope(scope), policy, [safeguard]))


def test_stuttering_steps_are_the_listed_ones_and_happen() -> None:
    found = refine(parse_scope("losses=1"))
    assert_refined(found)
    assert set(found.stutters) == set(STUTTERS)


class Wrong(Names):
    """A map that takes the fence of N for one lower than it is."""

    def abstract(self, shard: Shard) -> dict[str, Any]:
        values = super().abstract(shard)
        values["fence"] = {n: max(0, f - (n is Node.N)) for n, f in values["fence"].items()}
        return values


def test_a_broken_map_is_reported_with_the_step_and_the_difference() -> None:
    found = refine(parse_scope("writes=1"), names=Wrong)
    assert not found.holds
    said = str(found).splitlines()
    assert said[1] == "after step 2, raise_fence(node=N, epoch=1): the states differ"
    assert said[2] == "fence[N]: the implementation has 0, the specification 1"
    assert said[-3:] == ["the path:", "  1. begin()", "  2. raise_fence(node=N, epoch=1)"]


class Unknown(Names):
    """A map to a value that the specification does not have."""

    def abstract(self, shard: Shard) -> dict[str, Any]:
        return {**super().abstract(shard), "cursor": 7}


class Elsewhere(Names):
    """A map to a state that the specification never reaches."""

    def abstract(self, shard: Shard) -> dict[str, Any]:
        values = super().abstract(shard)
        return {**values, "cursor": 1} if not shard.record.moves else values


@pytest.mark.parametrize(("names", "words"), [(Unknown, "has no name"), (Elsewhere, "never reaches")])
def test_a_state_that_means_nothing_is_reported(names: type[Names], words: str) -> None:
    found = refine(parse_scope("writes=1"), names=names)
    assert words in str(found)


def test_what_the_implementation_can_do_alone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "_within", lambda self, choice: choice.action != "crash")
    found = refine(parse_scope("writes=1"))
    assert "what may happen next differs" in str(found)
    assert "only the implementation can do cut_off(pair=O)" in str(found)


def test_what_the_specification_can_do_alone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    within = Twin._within
    monkeypatch.setattr(
        Twin, "_within", lambda self, choice: choice.action != "prove" and within(self, choice)
    )
    assert "only the specification can do prove()" in str(refine(parse_scope("writes=1")))


def test_an_edge_that_is_never_performed_is_reported() -> None:
    found = refine(parse_scope("writes=1"))
    search = object.__new__(refinement._Search)
    search.found, search.came = found, [(0, "")]
    search.images = [image for _, image in sorted(found.implementation.nodes(data="image"))]
    found.implementation = nx.MultiDiGraph(
        (a, b, key) for a, b, key in found.implementation.edges(keys=True) if not key.startswith("begin")
    )
    with pytest.raises(Disagreement, match=r"never performs this step\nonly the specification can do begin"):
        search.compare()


def test_a_stuttering_step_that_changes_something_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STUTTERS, "begin", "by mistake")
    assert "it should change nothing" in str(refine(parse_scope("writes=1,before=0")))


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    refine(parse_scope("base,writes=1"), progress=lambda *numbers: told.append(numbers))
    assert told and all(expanded <= found for found, expanded in told)
