"""Every policy in one search, against each policy on its own."""

from __future__ import annotations

import csv
from functools import cache

import pytest
from places import DOCS

from cutproof.checks.cutover.gate import census, lattice
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Violated
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, policies, resolve, seed_gate, sound_gate
from cutproof.model.cutover.scopes import SMALL_SCOPES

TABLE = DOCS / "policies.csv"
ALONE = [p for p in policies() if not p.replicas]


# By day one record in 23, so that every value of every knob is among them.
every_share = pytest.mark.parametrize("share", [23, pytest.param(1, marks=pytest.mark.nightly)])


@cache
def alone(share: int) -> lattice.Run:
    """One record in so many, in one search."""
    if share == 1:
        return lattice.decide(True)
    records = tuple(dict.fromkeys(resolve(p) for p in ALONE))[::share]
    return lattice.search(SMALL_SCOPES["gate_alone"], records, workers=1)


def policies_of(run: lattice.Run) -> list[Policy]:
    """A policy for each record."""
    return list({resolve(p): p for p in ALONE if resolve(p) in run.records}.values())


def fields_of(run: lattice.Run, number: int) -> Mechanisms:
    return run.records[number]


@every_share
def test_one_copy_every_policy_is_decided_as_the_census_does(share: int) -> None:
    """A sample of the 648 records, each explored on its own by the plain engine."""
    run = alone(share)
    assert len(run.records) == -(-len({resolve(p) for p in ALONE}) // share)
    for policy in policies_of(run)[:: 20 if share == 1 else 5]:
        judged, number = census.judge(policy), run.records.index(resolve(policy))
        found = {run.claims[c].property for n, c in run.found if n == number}
        assert found - {lattice.HEALS} == set(judged.violated), policy
        assert (lattice.HEALS in found) is judged.heals


@every_share
def test_each_violation_has_the_shortest_trace_that_the_plain_engine_finds(share: int) -> None:
    run, compared = alone(share), 0
    for policy in policies_of(run)[:: 48 if share == 1 else 9]:
        number = run.records.index(resolve(policy))
        protocol = cutover(SMALL_SCOPES["gate_alone"]).resolve(resolve(policy))
        for verdict in explore(protocol, cycles=False).verdicts:
            if isinstance(verdict, Violated) and verdict.form in lattice.JUDGED and verdict.path:
                claim = next(
                    i
                    for i, c in enumerate(run.claims)
                    if (c.property, c.harm) == (verdict.property, verdict.harm)
                )
                mine = run.found[number, claim]
                assert not isinstance(mine, int)
                steps = [str(run.protocol.transitions[t]) for t in mine.transitions]
                assert steps == [str(protocol.transitions[t]) for t in verdict.path.transitions]
                named = run.protocol.named(mine.states[-1])
                assert all(named[k] == v for k, v in protocol.named(verdict.path.states[-1]).items())
                compared += 1
    assert compared > 3


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_stored_table_is_of_every_policy_and_the_gates_say_what_it_says() -> None:
    stored, every = rows(), list(policies())
    assert len(stored) == len(every) == 2592
    for row, policy in zip(stored, every, strict=True):
        assert row["cleanup"] == policy.cleanup.value and row["replicas"] == str(policy.replicas).lower()
        assert row["seed_gate"] == ("refuses" if seed_gate(policy) else "accepts")
        assert row["sound_gate"] == ("refuses" if sound_gate(policy) else "accepts")
        assert (row["sound_gate"] == "accepts") is (row["strict"] == "true")


@pytest.mark.nightly
def test_every_policy_is_decided_as_the_census_does() -> None:
    found = lattice.lattice([lattice.decide(False, traces=False), lattice.decide(True, traces=False)])
    assert lattice.table(found) == TABLE.read_text(encoding="utf-8")
    assert lattice.differ(found, census.census()) == []
