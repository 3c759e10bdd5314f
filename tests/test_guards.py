"""Dropping a guard: the properties notice where it matters."""

from __future__ import annotations

import pytest

from cutproof.checks import guards


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
