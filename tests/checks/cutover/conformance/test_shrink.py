"""Schedules made short: whatever makes them fail, in the end no step, and no two, can be left out."""

from __future__ import annotations

from itertools import combinations

from hypothesis import example, given
from hypothesis import strategies as st

from cutproof.checks.cutover.conformance.shrink import shrink
from cutproof.checks.cutover.conformance.steps import Step, Steps
from cutproof.checks.drivers.finding import AdapterFailed, NotConforming

MARKS = [Step("put", key=f"doc-{i}") for i in range(4)] + [Step("heal"), Step("scan")]
MADE = st.lists(st.sampled_from(MARKS), min_size=1, max_size=14).map(tuple)


@example((MARKS[0], MARKS[4], MARKS[0], MARKS[5]), {MARKS[4], MARKS[5]}, 1)  # two that are apart
@given(MADE, st.sets(st.sampled_from(MARKS), max_size=3), st.integers(0, 2))
def test_nothing_and_no_two_things_can_be_left_out(made: Steps, needed: set[Step], parity: int) -> None:
    """It fails if all that is needed is there, and one kind of step an even number of times: what alternates."""

    def fails(seed: int, steps: Steps) -> NotConforming | None:
        odd = parity and steps.count(MARKS[0]) % 2 != made.count(MARKS[0]) % 2
        return None if odd or not needed <= set(steps) else NotConforming("it", ())

    short = shrink(made, 0, fails)
    if fails(0, made) is None:
        assert short is None
        return
    assert short is not None
    assert short.whole
    assert fails(short.seed, short.steps) is not None
    for left_out in (1, 2):
        for chosen in combinations(range(len(short.steps)), left_out):
            rest = tuple(s for i, s in enumerate(short.steps) if i not in chosen)
            assert fails(short.seed, rest) is None


def test_what_fails_otherwise_is_something_else() -> None:
    def fails(seed: int, steps: Steps) -> NotConforming | None:
        return NotConforming("it", ()) if len(steps) > 2 else AdapterFailed("other", ())

    short = shrink(tuple(MARKS), 0, fails)
    assert short is not None
    assert type(short.best) is NotConforming
    assert len(short.steps) == 3


def test_steps_are_taken_less_often_and_a_put_reads_easier_than_a_delete() -> None:
    def fails(seed: int, steps: Steps) -> NotConforming | None:
        many = sum(step.times for step in steps if step.do == "advance")
        written = any(step.do in ("put", "delete") for step in steps)
        return NotConforming("it", ()) if many >= 5 and written else None

    made = (
        Step("advance", times=9),
        Step("delete", key="doc-0", client="client-2"),
        Step("advance", times=30),
    )
    short = shrink(made, 0, fails)
    assert short is not None
    assert sorted(short.steps, key=lambda s: s.do) == [
        Step("advance", times=5), Step("put", key="doc-0", client="client-1")
    ]  # fmt: skip


def test_a_budget_that_was_spent_is_told() -> None:
    short = shrink(tuple(MARKS * 5), 0, lambda seed, steps: NotConforming("it", ()), budget=3)
    assert short is not None
    assert not short.whole
