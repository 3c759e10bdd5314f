"""Dropping a guard: the properties notice where it matters."""

from __future__ import annotations

import pytest

from cutproof.checks.cutover.safeguards import guards
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import SCOPES


@pytest.mark.parametrize(
    ("action", "guard", "prop"),
    [
        ("start_drain", "fences confirmed", "no_regress"),
        ("source_drained", "queue empty", "no_regress"),
        ("repaired", "applied", "no_regress"),
        ("raise_fence", "the source is fenced before the target opens", "single_owner"),
        ("read_page", "next page", "domain"),
    ],
)
def test_a_guard_that_matters_is_noticed(action: str, guard: str, prop: str) -> None:
    dropped = guards.drop(action, guard, scopes=["base"])
    assert (dropped.scope, dropped.property) == ("base", prop)


def test_a_guard_that_another_one_implies_is_not() -> None:
    assert guards.drop("page_landed", "copying", scopes=["two_migrations", "base"]).scope == ""


def test_every_guard_has_its_name_in_the_list() -> None:
    named = guards.guards(["base", "zombie"])
    assert ("activate", "proved") in named
    assert len(named) == len(set(named)) > 60


@pytest.mark.nightly
def test_most_guards_are_noticed() -> None:
    found = list(guards.drop_all(["two_migrations", "zombie", "base", "replica", "reads"]))
    assert sum(bool(d.scope) for d in found) > len(found) // 3


BY_DAY = ("base", "zombie", "replica")


@pytest.mark.parametrize(
    "scope", [n if n in BY_DAY else pytest.param(n, marks=pytest.mark.nightly) for n in SCOPES]
)
def test_nothing_needs_the_wait_for_the_queue_of_the_target(scope: str) -> None:
    """docs/findings.md says so; the wait for the source's queue is another matter (above)."""
    whole = cutover(SCOPES[scope]).resolve(Mechanisms())
    found = explore(whole.without_guard("target_drained", "queue empty"), cycles=False)
    assert not [v for v in found.verdicts if v.form != "sometimes" and not isinstance(v, Holds)]
