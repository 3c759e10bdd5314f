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
from cutproof.model.cutover.policy import policies, resolve, seed_gate, sound_gate
from cutproof.model.cutover.scopes import SMALL_SCOPES

TABLE = DOCS / "policies.csv"
ALONE = [p for p in policies() if not p.replicas]


@cache
def alone() -> lattice.Run:
    return lattice.decide(True)


def fields_of(run: lattice.Run, number: int) -> Mechanisms:
    return run.records[number]


@pytest.mark.parametrize("step", [163, pytest.param(41, marks=pytest.mark.nightly)])
def test_one_copy_every_policy_is_decided_as_the_census_does(step: int) -> None:
    """A sample of the 648 records, each explored on its own by the plain engine."""
    run = alone()
    assert len(run.records) == len({resolve(p) for p in ALONE})
    for policy in ALONE[::step]:
        judged, number = census.judge(policy), run.records.index(resolve(policy))
        found = {run.claims[c].property for n, c in run.found if n == number}
        assert found - {lattice.HEALS} == set(judged.violated), policy
        assert (lattice.HEALS in found) is judged.heals


@pytest.mark.parametrize("step", [311, pytest.param(97, marks=pytest.mark.nightly)])
def test_each_violation_has_the_shortest_trace_that_the_plain_engine_finds(step: int) -> None:
    run, compared = alone(), 0
    for policy in ALONE[::step]:
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


def test_the_stored_table_has_what_the_search_finds_for_one_copy() -> None:
    run, stored = alone(), rows()
    steps: dict[tuple[int, str], int] = {}
    for (number, claim), way in run.found.items():
        name = run.claims[claim].property
        length = way if isinstance(way, int) else way.steps
        steps[number, name] = min(length, steps.get((number, name), length))
    for row, policy in zip(stored, policies(), strict=True):
        if not policy.replicas:
            number = run.records.index(resolve(policy))
            for name in {c.property for c in run.claims} - {lattice.HEALS}:
                assert row.get(name, "") == str(steps.get((number, name), "")), (policy, name)


@pytest.mark.nightly
def test_every_policy_is_decided_as_the_census_does() -> None:
    found = lattice.lattice([lattice.decide(False, traces=False), lattice.decide(True, traces=False)])
    assert lattice.table(found) == TABLE.read_text(encoding="utf-8")
    assert lattice.differ(found, census.census()) == []
