"""What a loss run samples and counts."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cutover.loss.sample import (
    ASKED,
    CALM,
    HARMS,
    KINDS,
    NEAR,
    NOT_NEAR,
    PUTS,
    Counts,
    Mix,
    Rates,
    Setup,
    parse_mix,
)
from cutproof.model.cutover.policy import Policy

numbers = st.integers(0, 9)


@st.composite
def some_counts(draw: st.DrawFn) -> Counts:
    counts = Counts()
    for f in fields(Counts):
        if f.name in ("permanent", "healed"):
            setattr(counts, f.name, {k: draw(numbers) for k in KINDS})
        elif f.name == "seen":
            counts.seen = {k: draw(numbers) for k in HARMS}
        elif f.name == "in_vain":
            counts.in_vain = {k: draw(numbers) for k in ASKED}
        elif f.name == "first":
            counts.first = {k: (draw(numbers), "d") for k in sorted(draw(st.sets(st.sampled_from(KINDS))))}
        else:
            setattr(counts, f.name, draw(numbers))
    return counts


@given(some_counts(), some_counts(), some_counts())
def test_counts_add_up_in_any_order(a: Counts, b: Counts, c: Counts) -> None:
    assert (a + b) + c == a + (b + c) == (c + a) + b
    assert a + Counts() == a
    total = a + b
    assert total.lost == a.lost + b.lost
    for kind, (migration, _) in total.first.items():
        assert migration == min(x.first[kind][0] for x in (a, b) if kind in x.first)


@pytest.mark.parametrize("name", [f.name for f in fields(Rates)])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "1"])
def test_a_rate_is_from_zero_to_one(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name}=.*from 0 to 1"):
        replace(CALM, **{name: value})  # type: ignore[arg-type]


def test_what_happens_to_deliveries_is_at_most_all_of_them() -> None:
    with pytest.raises(ValueError, match=r"adds up to 1\.2;"):
        replace(CALM, failures=0.6, losses=0.6)
    assert replace(CALM, failures=0.5, losses=0.5, task_failures=1.0).losses == 0.5


def test_rates_near_the_boundary_are_higher() -> None:
    used = [f.name for f in fields(Rates) if f.name not in NOT_NEAR]
    assert all(getattr(NEAR, name) > getattr(Rates(), name) for name in used)
    assert all(getattr(NEAR, name) == 0 for name in NOT_NEAR)


def test_a_mix_is_shares() -> None:
    assert parse_mix("puts=1, deletes=3").shares() == (0.25, 0.25, 0.25, 1.0)
    assert parse_mix("puts=2") == replace(PUTS, puts=2)
    assert Mix().shares()[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("puts", "'puts' is not a share"),
        ("sets=1", "'sets=1' is not a share of writes: there are puts, updates, patches, deletes"),
        ("puts=many", "puts=many: a share is a number"),
        ("puts=-1", "puts=-1.0: a share is 0 or more"),
        ("puts=inf", "puts=inf"),
        ("puts=nan", "puts=nan"),
        ("puts=0", "at least one share above 0"),
    ],
)
def test_a_mix_that_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("[", r"\[")):
        parse_mix(text)


def test_a_setup_is_known_by_all_of_its_facts() -> None:
    plain = Setup()
    others = [
        replace(plain, seed=1),
        replace(plain, policy=Policy()),
        replace(plain, without=("fence_epoch",)),
        replace(plain, gate=None),
        replace(plain, rates=CALM),
        replace(plain, mix=PUTS),
        replace(plain, each=10),
        replace(plain, traffic="seed"),
        replace(plain, scope="base"),
    ]
    assert len({s.digest() for s in (plain, *others)}) == len(others) + 1
    assert len(plain.digest()) == 8


def test_each_migration_has_random_numbers_of_its_own() -> None:
    drawn = {(seed, n): Setup(seed=seed).random(n).random() for seed in range(5) for n in range(50)}
    assert len(set(drawn.values())) == len(drawn)
    assert drawn[3, 4] == Setup(seed=3, each=5).random(4).random()
