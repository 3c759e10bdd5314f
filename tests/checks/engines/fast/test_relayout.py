"""Rows in another layout are the same states, and back again."""

from random import Random
from unittest.mock import patch

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rows import WIDTHS, drawn, grouped, kernels_for, layout_of, pairs_of, states_of, strewn

from cutproof.checks.engines.fast import relayout
from cutproof.checks.engines.fast.relayout import Move

seeds, widths = st.integers(0, 10**6), st.sampled_from(WIDTHS)


@given(st.integers(0, 60), seeds, widths, widths)
@examples(40)
def test_states_move_there_and_back(protocol: int, seed: int, here: int, there: int) -> None:
    rng = Random(seed)
    made, states = drawn(protocol)
    old, new = layout_of(made, here, rng), layout_of(made, there, rng)
    for kernels in kernels_for(here) if there in (1, 3) else kernels_for(there):
        with (
            patch.object(relayout, "kernels", kernels),
            patch.object(relayout, "CHUNK", rng.choice([100, 1 << 14])),
        ):
            rows = strewn(list(grouped(old, states).items()), here, 1, rng)
            for first, then in ((old, new), (new, old)):
                move, found = Move(first, then), []
                for part in move.rows(rows):
                    found += [pair for pair in pairs_of(part) if pair[1]]
                assert sorted(states_of(then, found)) == sorted(states)
                assert move.same or all(mask.bit_count() == 1 for _, mask in found)
                rows = strewn(found, then.words, 1, rng)


def test_a_layout_that_stays_moves_nothing() -> None:
    made, states = drawn(1)
    layout = layout_of(made, 1, Random(1))
    rows = strewn(list(grouped(layout, states).items()), 1, 1, Random(1))
    assert [part is rows for part in Move(layout, layout).rows(rows)] == [True]
