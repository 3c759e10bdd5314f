"""The choice of fast fields: whatever kernels count, the same fields, and never more values than a mask has bits."""

from math import prod
from random import Random
from unittest.mock import patch

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rows import KERNELS, drawn, grouped, layout_of, strewn

from cutproof.checks.engines.fast import fields
from cutproof.checks.engines.fast.fields import MOST, Fields, states_a_row
from cutproof.model.language.circuit import Layout


@given(st.integers(0, 60), st.integers(0, 10**6))
@examples(25)
def test_the_choice_does_not_hang_on_the_kernels(protocol: int, seed: int) -> None:
    rng = Random(seed)
    made, states = drawn(protocol)
    layout = layout_of(made, 1, rng)
    without = {f.name for f in made.fields if rng.random() < 0.2}
    rows = strewn(list(grouped(layout, states).items()), 1, 1, rng)
    found = []
    for kernels in KERNELS:
        with patch.object(fields, "kernels", kernels), patch.object(fields, "STATES", 60):
            chooser = Fields(without)
            found.append([chooser.chosen(layout, rows) for _ in range(2)] + [chooser.hinted])
    assert all(one == found[0] for one in found)
    for names in found[0][:2]:
        assert not without & set(names)
        assert prod(len(layout.values[n]) for n in names) <= MOST
        assert Layout(made, names).size <= MOST


def test_fields_that_are_free_of_one_another_are_chosen() -> None:
    """Of all combinations of some fields, one row is left for each combination of the others."""
    made, states = max((drawn(seed) for seed in range(12)), key=lambda found: len(found[1]))
    layout = Layout(made)
    rows = strewn(list(grouped(layout, states).items()), 1, 1, Random(0))
    names = Fields(()).chosen(layout, rows)
    assert names
    assert len(grouped(Layout(made, names), states)) < len(states) / 2


@given(st.integers(0, 60), st.integers(0, 10**6), st.booleans())
@examples(25)
def test_states_a_row_are_those_of_the_rows_there_would_be(protocol: int, seed: int, in_part: bool) -> None:
    """Of all rows exactly; of a part of them too, where there are all combinations of the fast fields in each."""
    rng = Random(seed)
    made, states = drawn(protocol)
    layout = layout_of(made, 1, rng)
    names = [name for name in layout.values if rng.random() < 0.4 and len(layout.values[name]) > 1]
    while prod(len(layout.values[n]) for n in names) > MOST:
        names.pop()
    if in_part:
        order = [f.name for f in made.fields]
        for name in names:
            at = order.index(name)
            states = [(*s[:at], value, *s[at + 1 :]) for s in states for value in layout.values[name]]
        states = list(dict.fromkeys(states))
    rows = strewn(list(grouped(layout, states).items()), 1, 1, rng)
    with patch.object(fields, "LOOKED_AT", 200 if in_part else rows.shape[1] + 1):
        found = states_a_row(layout, rows, names)
    expected = len(states) / len(grouped(Layout(made, names), states))
    assert found == expected or (in_part and found == 1.0)  # where no row was looked at
