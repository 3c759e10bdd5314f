"""The protocol itself: the hardened one holds, and everything that it claims to survive does happen."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from typing import Any

import pytest

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Unknown, Violated
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Mechanisms, ReplicaAck
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.properties import PROPERTIES
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, Scope, parse_scope
from cutproof.model.cutover.slot import Phase, variables
from cutproof.model.language.protocol import Protocol

LARGE = (
    "abort",
    "crash",
    "reads_and_faults",
    "kinds",
    "two_documents",
    "collection_and_repairs",
    "table_and_deletes",
)
# Distinct states of the hardened protocol, pinned: a change of the specification shows here first.
STATES = {
    "base": 12_239,
    "abort": 47_179,
    "crash": 29_403,
    "zombie": 4_994,
    "reads": 22_669,
    "reads_and_faults": 420_021,
    "replica": 14_663,
    "kinds": 280_209,
    "two_documents": 91_212,
    "two_migrations": 2_094,
}


def hardened(scope: Scope) -> Protocol:
    return cutover(scope).resolve(Mechanisms())


def scopes(names: list[str]) -> list[object]:
    return [pytest.param(n, marks=pytest.mark.nightly) if n in LARGE else n for n in names]


@pytest.mark.parametrize("name", scopes(list(SCOPES)))
def test_the_hardened_protocol_holds(name: str) -> None:
    found = explore(hardened(SCOPES[name]))
    assert not [v for v in found.verdicts if isinstance(v, Unknown)]
    assert not [
        (v.form, v.property) for v in found.verdicts if isinstance(v, Violated) and v.form != "sometimes"
    ]
    assert len(found.states) == STATES[name]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", list(SMALL_SCOPES))
def test_it_holds_in_the_small_scopes_too(name: str) -> None:
    found = explore(hardened(SMALL_SCOPES[name]), cycles=False)
    assert not [v for v in found.verdicts if not isinstance(v, Holds) and v.form != "sometimes"]


def test_every_phase_is_in_a_behaviour_and_every_property_is_listed_once() -> None:
    found = explore(hardened(SCOPES["zombie"]))
    reached = {v.property for v in found.verdicts if isinstance(v, Holds) and v.form == "sometimes"}
    assert {f"reaches_{p.name.lower()}" for p in Phase} <= reached
    assert len({p.name for p in PROPERTIES}) == len(PROPERTIES)


def test_a_dimension_that_is_switched_off_costs_nothing() -> None:
    """Its variables have one value, so the state has no field for them and the protocol no action on them."""
    plain = cutover(Scope())
    used = {f.variable for f in plain.fields}
    for gone in (
        "reading",
        "floor",
        "search",
        "repair",
        "stray",
        "born",
        "erased",
        "cut",
        "rival",
        "missed",
        "version",
    ):
        assert gone in variables(Scope())
        assert gone not in used
    names = {t.action for t in plain.resolve(Mechanisms()).transitions}
    assert not names & {
        "read",
        "search",
        "repair",
        "sweep",
        "collect",
        "crash",
        "cut_off",
        "abort",
        "wipe",
        "late_wipe",
    }


def test_a_write_that_only_the_source_applied_reaches_the_target_by_the_delta() -> None:
    found = explore(hardened(SCOPES["base"]), properties=["delta_repairs", "completes"])
    assert all(isinstance(v, Holds) for v in found.verdicts if v.form == "sometimes")


def test_the_delta_is_what_makes_the_acknowledgement_by_the_source_safe() -> None:
    skipped = resolve(Policy(skip_delta_pass=True))
    found = explore(cutover(SCOPES["base"]).resolve(skipped), only=("no_lost_write", "LAW"), cycles=False)
    assert isinstance(found.verdicts[0], Violated)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("nowhere", "unknown scope 'nowhere'"),
        ("writes=10", "out of range"),
        ("documents=0", "out of range"),
        ("writes=two", "whole number"),
        ("late=2", "0 or 1"),
        ("colour=1", "unknown bound"),
        ("writes=1,base", "base is a named scope: it stands first"),
        ("writes=9999", "whole number"),
        ("writes=", "whole number"),
        ("", "unknown scope"),
        ("writes=0", "writes is 1..9"),
        ("back=1", "there and back"),
        ("aborts=2", "needs attempts"),
    ],
)
def test_a_scope_that_cannot_be_is_refused_in_one_line(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part) as error:
        parse_scope(text)
    assert "\n" not in str(error.value)


def test_a_scope_is_read_back_from_its_description() -> None:
    for scope in (*SCOPES.values(), *SMALL_SCOPES.values()):
        assert parse_scope(scope.describe() or "writes=1") == scope
    assert parse_scope("base,writes=1") == replace(SCOPES["base"], writes=1)
    assert parse_scope("docs=2") == Scope(documents=2)


@pytest.mark.parametrize(
    "text", ["writes=1,sweep=1", "writes=1,sweep=1,replica=1,repairs=1,queues=0,stale=0"]
)
def test_a_sweep_of_the_only_write_stays_inside_its_domain(text: str) -> None:
    found = explore(hardened(parse_scope(text)), cycles=False)
    assert not [v for v in found.verdicts if v.form != "sometimes" and not isinstance(v, Holds)]


def any_scope(rng: random.Random) -> Scope:
    """Some bounds, most switches off, that are allowed together."""
    switches = [f.name for f in fields(Scope) if f.type == "bool" and f.name != "back"]
    while True:
        chosen: dict[str, Any] = {name: rng.random() < 0.3 for name in switches}
        chosen |= {"documents": rng.choice([1, 1, 1, 2]), "writes": rng.choice([1, 2, 2, 3])}
        chosen |= {"attempts": rng.choice([1, 1, 2]), "aborts": rng.choice([0, 1, 2])}
        chosen |= {"queues": rng.random() < 0.6, "stale": rng.random() < 0.7}
        if rng.random() < 0.15:
            chosen |= {"back": True, "attempts": 2, "aborts": 0}
        try:
            return Scope(**chosen)
        except ValueError:
            continue


SOUND = (
    Policy(),
    Policy(acknowledge=Acknowledge.ALL),
    Policy(replica_ack=ReplicaAck.REQUIRED),
    Policy(anti_entropy=AntiEntropy.OFF),
)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(60))
def test_it_holds_in_scopes_that_nobody_chose(seed: int) -> None:
    """As far as 150,000 states go: nothing is violated; what was not seen is unknown, and not claimed."""
    rng = random.Random(seed)
    protocol = cutover(any_scope(rng)).resolve(resolve(rng.choice(SOUND)))
    found = explore(protocol, limits=Limits(states=150_000), stop_at_first=True, cycles=False)
    wrong = [v for v in found.verdicts if isinstance(v, Violated) and v.form != "sometimes"]
    assert not wrong, f"{protocol.scope.describe()}: {wrong[0].property}"


def test_repair_and_the_collection_of_tombstones_come_to_an_end() -> None:
    """A tombstone that one replica has forgotten is not sent there again by another that may forget it too."""
    scope = parse_scope("collection_and_repairs,attempts=2,orderly=1")
    found = fast.explore(hardened(scope), properties=["complete_at_last"], workers=1)
    kinds = {v.form: v for v in found.verdicts}
    assert isinstance(kinds["cycle"], Holds) and isinstance(kinds["can_always"], Holds)


@pytest.mark.parametrize("asked", ["reads", "searches"])
def test_a_copy_that_forgot_a_delete_is_not_stale(asked: str) -> None:
    """The source forgot the delete of an expired document after an abort, and answers a reader with nothing, while the
    target already shows a newer write."""
    scope = Scope(
        attempts=2, aborts=1, writes=2, sweep=True, collect=True, queues=False, stale=False, before=False,
        orderly=True, **{asked: True},
    )  # fmt: skip
    found = fast.explore(
        hardened(scope), properties=["no_stale_read", "search_complete"], cycles=False, workers=1
    )
    assert [v for v in found.verdicts if not isinstance(v, Holds)] == []
