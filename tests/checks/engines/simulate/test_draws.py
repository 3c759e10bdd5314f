"""Draws of many generators at once: each draws what `random.Random` of the same seed draws."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.simulate.draws import NUMBERS, Draws

SEEDS = st.one_of(
    st.integers(0, 3), st.integers(0, 2**130), st.sampled_from([2**32 - 1, 2**32, 2**64, 3**13_000])
)


@given(
    SEEDS, st.one_of(st.integers(0, 5), st.integers(0, NUMBERS - 9)), st.integers(1, 8), st.integers(1, 12)
)
def test_each_draws_what_its_generator_draws(seed: int, first: int, count: int, draws: int) -> None:
    together = Draws(seed, first, first + count)
    alone = [Random(seed << 64 | number) for number in range(first, first + count)]
    for _ in range(draws):
        assert together.next().tolist() == [random.random() for random in alone]
    assert together.several(3).tolist() == [[random.random() for _ in range(3)] for random in alone]


def test_long_after_all_words_were_renewed() -> None:
    """A round is 312 draws; a generator begins anew on its own words."""
    together, alone = Draws(5, 10, 13), [Random(5 << 64 | number) for number in range(10, 13)]
    drawn = [together.next().tolist() for _ in range(1000)]
    assert drawn == [[random.random() for random in alone] for _ in range(1000)]
