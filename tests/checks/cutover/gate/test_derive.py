"""The gate is what was derived: equal by Z3 and by counting, minimal, and no small change of it goes unnoticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from places import DOCS

from cutproof.checks.cutover.gate import derive
from cutproof.checks.cutover.gate.derive import differ, main, mutants, shortest, written, wrongly_accepted
from cutproof.impl.miroir import UnsafeCutover, check_policy
from cutproof.model.cutover.mechanisms import Acknowledge, Cleanup
from cutproof.model.cutover.policy import (
    CLAUSES,
    Clause,
    Policy,
    Strength,
    gate_of,
    knobs,
    policies,
    refusing_clause,
    seed_gate,
    sound_gate,
)

ALL = list(policies())
SAFE = derive.safe_of(DOCS / "policies.csv")
BOTH = pytest.mark.parametrize("strength", list(Strength), ids=lambda s: s.value)


def unsafe(strength: Strength) -> list[Policy]:
    return [p for p in ALL if p not in SAFE[strength]]


def refused_by(products: Sequence[Mapping[str, Any]]) -> set[Policy]:
    """By counting, without Z3."""
    return {p for p in ALL if any(all(getattr(p, n) in vs for n, vs in one.items()) for one in products)}


def refuses(clauses: Sequence[Clause]) -> list[Mapping[str, tuple[Any, ...]]]:
    return [c.refuses for c in clauses]


# ------------------------------------------------------------------ the gate that runs


@BOTH
def test_the_predicate_that_runs_refuses_what_is_unsafe_and_nothing_else(strength: Strength) -> None:
    gate = gate_of(strength)
    for policy in ALL:
        try:
            check_policy(policy, gate)
        except UnsafeCutover:
            assert policy not in SAFE[strength]
        else:
            assert policy in SAFE[strength]
        assert (refusing_clause(policy, strength) is None) is (gate(policy) is None)


def test_the_implementation_asks_the_strict_gate_unless_it_is_told_otherwise() -> None:
    for policy in ALL:
        with nullcontext() if policy in SAFE[Strength.STRICT] else pytest.raises(UnsafeCutover):
            check_policy(policy)
        assert sound_gate(policy) == gate_of(Strength.STRICT)(policy)


@BOTH
def test_the_derived_formula_is_the_table_of_clauses(strength: Strength) -> None:
    derived = shortest(unsafe(strength))
    assert differ(derived, refuses(CLAUSES[strength])) is None  # proved
    assert refused_by(derived) == set(unsafe(strength))  # counted
    assert {frozenset(p.items()) for p in derived} == {
        frozenset(c.refuses.items()) for c in CLAUSES[strength]
    }


def test_what_is_safe_strictly_is_safe_eventually() -> None:
    assert SAFE[Strength.STRICT] < SAFE[Strength.EVENTUAL]
    assert [len(SAFE[s]) for s in Strength] == [54, 195]


# ------------------------------------------------------------------ minimal


def spanned(one: Policy, other: Policy) -> Iterator[Policy]:
    """Every valid policy in the smallest product that has both."""
    values = [dict.fromkeys((getattr(one, n), getattr(other, n))) for n in knobs()]
    for point in product(*values):
        with suppress(ValueError):  # no policy
            yield Policy(**dict(zip(knobs(), point, strict=True)))


@BOTH
def test_no_formula_is_shorter(strength: Strength) -> None:
    """One unsafe policy for each product, no two of which fit into one product without a safe policy: so there are that
    many products in any formula. It needs no trust in the integer programme."""
    safe, chosen = SAFE[strength], list[Policy]()
    only = [
        [p for p in unsafe(strength) if [c for c in CLAUSES[strength] if c.holds_of(p)] == [clause]]
        for clause in CLAUSES[strength]
    ]

    def fits(policy: Policy) -> bool:
        return all(any(between in safe for between in spanned(policy, other)) for other in chosen)

    def choose(number: int) -> bool:
        if number == len(only):
            return True
        for policy in sorted(only[number], key=lambda p: len(p.changed())):
            if fits(policy):
                chosen.append(policy)
                if choose(number + 1):
                    return True
                chosen.pop()
        return False

    assert choose(0)
    assert len(chosen) == {Strength.STRICT: 6, Strength.EVENTUAL: 13}[strength]


@BOTH
def test_every_product_is_as_wide_as_it_can_be(strength: Strength) -> None:
    for clause in CLAUSES[strength]:
        for name, values in clause.refuses.items():
            for value in set(knobs()[name]) - set(values):
                wider = {**clause.refuses, name: (*values, value)}
                assert refused_by([wider]) & SAFE[strength], f"{clause.name}: {name} may be {value} too"


def literals(products: Sequence[Mapping[str, Any]]) -> int:
    """How long they are: a value, or all values but one, is one literal."""
    return sum(min(len(vs), len(knobs()[n]) - len(vs)) for one in products for n, vs in one.items())


some_products = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            n: st.lists(st.sampled_from(values), min_size=1, max_size=len(values) - 1, unique=True).map(tuple)
            for n, values in knobs().items()
        },
    ),
    max_size=4,
)


@examples(8)
@given(some_products)
def test_any_set_of_policies_has_a_formula_that_is_no_longer(products: list[dict[str, Any]]) -> None:
    refused = refused_by(products)
    derived = shortest(refused)
    assert refused_by(derived) == refused
    assert (len(derived), literals(derived)) <= (len(products), literals(products))
    assert derived == shortest(sorted(refused, key=str))  # in whatever order they come
    assert differ(derived, products) is None


# ------------------------------------------------------------------ mutations


@BOTH
def test_every_mutation_is_refuted_with_a_policy(strength: Strength) -> None:
    clauses = CLAUSES[strength]
    every = mutants(clauses)
    literals = sum(len(c.refuses) for c in clauses)
    assert len(every) >= len(clauses) + 2 * literals
    for text, changed in every:
        shown = differ(changed, refuses(clauses))
        assert shown is not None, text
        assert (shown in refused_by(changed)) is (shown in SAFE[strength]), text


def narrowed(strength: Strength) -> Iterator[tuple[str, Any, list[Mapping[str, Any]]]]:
    """Each value taken away from a literal: the clause, the value, and the gate without it."""
    clauses = CLAUSES[strength]
    for i, clause in enumerate(clauses):
        for name, values in clause.refuses.items():
            for value in values if len(values) > 1 else ():
                fewer = {**clause.refuses, name: tuple(v for v in values if v != value)}
                yield clause.name, value, [*refuses(clauses[:i]), fewer, *refuses(clauses[i + 1 :])]


def test_a_literal_is_narrowed_unnoticed_only_where_another_clause_refuses_the_rest() -> None:
    """A product is as wide as it can be, so products overlap. Who skips the delta and waits for a proof, and whose
    acknowledgement rests on anybody, is refused by clauses of their own."""
    unnoticed: dict[Any, list[str]] = {}
    for strength in Strength:
        for name, value, changed in narrowed(strength):
            shown = differ(changed, refuses(CLAUSES[strength]))
            assert (shown is None) is (refused_by(changed) == set(unsafe(strength)))
            if shown is None:
                unnoticed.setdefault(value, []).append(name)
    assert unnoticed == {
        Cleanup.AFTER_PROOF: ["waits, no repair", "waits, no replica", "delta, one copy"],
        Acknowledge.ANY: ["delta, no repair", "drain, no repair", "drain, one copy", "delta, one copy"],
    }


def test_two_formulas_that_differ_on_invalid_input_alone_are_equal() -> None:
    there, alone = {"replica_ack": knobs()["replica_ack"][1:]}, {"replicas": (False,)}
    assert differ([{**there, **alone}], []) is None
    assert differ([there], []) is not None


# ------------------------------------------------------------------ the seed's gate


@BOTH
def test_what_the_seeds_gate_wrongly_accepts_is_told_apart_by_reason(strength: Strength) -> None:
    wrongly = [p for p in unsafe(strength) if seed_gate(p) is None]
    rows = wrongly_accepted(unsafe(strength), strength)
    assert [clause for clause, _, _ in rows] == list(CLAUSES[strength])
    assert (
        sum(first for _, first, _ in rows)
        == len(wrongly)
        == {Strength.STRICT: 2106, Strength.EVENTUAL: 1971}[strength]
    )
    for clause, first, alone in rows:
        assert first == sum(refusing_clause(p, strength) == clause for p in wrongly)
        assert alone == sum([c for c in CLAUSES[strength] if c.holds_of(p)] == [clause] for p in wrongly)


# ------------------------------------------------------------------ as a part of a document


def test_a_product_is_written_in_the_words_of_an_operator() -> None:
    assert [written(c.refuses) for c in CLAUSES[Strength.STRICT]] == [
        "skip_delta_pass = true",
        "drain_on_timeout = force",
        "cutover_writes in {source_only, dual}",
        "rollback = routing_revert",
        "acknowledge = any",
        "replica_ack = counts",
    ]


def test_the_part_says_whether_the_gate_that_runs_is_the_derived_one(monkeypatch: pytest.MonkeyPatch) -> None:
    part = derive.text(SAFE)
    assert part.count("is equivalent (Z3)") == 2
    assert "22 of 22 mutations" in part
    assert "2,538 of 2,592 policies are refused, by 6 products" in part
    monkeypatch.setitem(CLAUSES, Strength.STRICT, CLAUSES[Strength.STRICT][1:])
    monkeypatch.setattr(derive, "mutants", lambda _: [])
    monkeypatch.setattr(derive, "wrongly_accepted", lambda *_: [])
    assert "DIFFERS" in derive.text(SAFE)


def test_it_is_placed_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "policies.csv").symlink_to(DOCS / "policies.csv")
    page = tmp_path / "docs" / "findings.md"
    page.write_text("before\n<!-- begin derived -->\nof last year\n<!-- end derived -->\nafter\n")
    monkeypatch.chdir(tmp_path)
    assert main(["--write"]) == 0
    said = page.read_text()
    assert said.startswith("before\n<!-- begin derived -->\n")
    assert said.endswith("<!-- end derived -->\nafter\n")
    assert "of last year" not in said
    assert "skip_delta_pass = true" in said
    capsys.readouterr()
    assert main(["--products"]) == 0
    assert "\n  replica_ack = counts\neventual\n" in capsys.readouterr().out
    assert main(["--wrote"]) == 2
    assert "usage" in capsys.readouterr().err
