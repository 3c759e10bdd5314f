"""The checks that hold the reference implementation to the specification; each is seen failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cutproof.checks.cutover.reference import hunt as hunts
from cutproof.checks.engines.verdict import HOLDS, LIVENESS, SAFETY
from cutproof.checks.ladder.reference import lockstep_rows, refinement_rows, tasks
from cutproof.impl.node import Replica


def test_the_graphs_of_a_scope_are_compared() -> None:
    told: list[int] = []
    [row] = refinement_rows(lambda states, *_: told.append(states), "crash,writes=1")
    assert (row.verdict, row.code) == ("holds", HOLDS)
    states, edges = row.facts["specified"]
    assert f"{states:,} and {edges:,} of the specification matched" in row.detail
    assert row.states >= states
    assert told == sorted(told)


def test_an_implementation_that_does_otherwise_is_violated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Replica, "is_open", lambda self, epoch: True)
    [row] = refinement_rows(None, "base,writes=1")
    assert (row.verdict, row.code, row.property) == ("violated", SAFETY, "refinement")
    assert row.detail.startswith("after step ")


def test_a_wide_scope_is_walked_in_lock_step() -> None:
    [row] = lockstep_rows(None, "there_and_back", 20)
    assert (row.verdict, row.code) == ("holds", HOLDS)
    assert "rule steps" in row.detail
    assert row.transitions > 0
    assert "dual" in row.facts["phases"]


def test_runs_that_come_nowhere_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hunts, "WIDE_STEPS", 1)
    [row] = lockstep_rows(None, "there_and_back", 5)
    assert (row.verdict, row.code) == ("never", LIVENESS)


def test_what_parts_in_lock_step_is_violated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Replica, "is_open", lambda self, epoch: True)
    [row] = lockstep_rows(None, "there_and_back", 100)
    assert (row.verdict, row.code, row.property) == ("violated", SAFETY, "refinement")
    assert row.trace is not None
    assert (tmp_path / row.trace).exists()


def test_the_full_ladder_has_more_scopes_and_more_runs() -> None:
    some, full = tasks(False), tasks(True)
    assert {t.name for t in some} < {t.name for t in full}
    assert {t.arguments[1] for t in full if t.make is lockstep_rows} == {1_000}
