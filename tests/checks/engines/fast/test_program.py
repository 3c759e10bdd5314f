"""A program is its translation: the same cases, with planes that gates in runs of one kind compute."""

from random import Random
from unittest.mock import patch

import numpy as np
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rows import WIDTHS, drawn, layout_of, split

from cutproof.checks.engines.fast import program
from cutproof.checks.engines.fast.program import Gates, Judging, Program
from cutproof.model.language.circuit import AND, ANDN, NOR, Circuit, Layout, Translation, told_of


def planes_of(gates: Gates, inputs: list[int], ones: int) -> list[int]:
    """The planes of a program, by its runs; each gate reads what stands before it."""
    planes, done = [0, *inputs], 0
    for kind, low, high in gates.runs.tolist():
        assert low == done
        for p, q in zip(gates.a[low:high].tolist(), gates.b[low:high].tolist(), strict=True):
            a, b = planes[p], planes[q]
            planes.append(
                a & b
                if kind == AND
                else a & ~b
                if kind == ANDN
                else ones & ~(a | b)
                if kind == NOR
                else a ^ b
            )
        done = high
    assert done == len(gates.a)
    return [*planes, ones]


def told_by(circuit: Circuit, layout: Layout, states: list, ones: int) -> tuple[list[int], list[int]]:
    """The planes of the inputs of a program, and of the nodes of the circuit."""
    keys = [layout.pack(state)[0] for state in states]
    inputs = [sum((key >> bit & 1) << i for i, key in enumerate(keys)) for bit in range(64 * layout.words)]
    return inputs, circuit.planes(inputs[: circuit.inputs], ones)


@given(st.integers(0, 60), st.sampled_from(WIDTHS), st.integers(0, 10**6), st.sampled_from([1, 2, 128]))
@examples(40)
def test_a_program_is_its_translation(protocol: int, width: int, seed: int, together: int) -> None:
    made, states = drawn(protocol)
    layout, ones = layout_of(made, width, Random(seed)), (1 << len(states)) - 1
    terms = [told_of(claim) for claim in made.claims]
    with patch.object(program, "CASES", together):
        found, judged = Program(layout), Judging(layout, terms)
    translation, judging = Translation(layout), Translation(layout)
    cases, leaving = translation.cases()
    told = judging.told(terms)
    inputs, nodes = told_by(translation.circuit, layout, states, ones)
    planes = planes_of(found.gates, inputs, ones)

    def plane(edge: int) -> int:
        return nodes[edge >> 1] ^ (ones if edge & 1 else 0)

    expected = [
        (plane(c.condition), c.transition, c.mask, c.shift,
         [split(word, width) for word in (c.effect.keep, c.effect.put, c.effect.add)],
         [(plane(edge), split(bit, width)) for edge, bit in c.effect.computed])
        for c in cases
    ]  # fmt: skip
    steps, mine = found.steps, []
    for (count, first, computed, first_bit), words in zip(
        steps.spans.tolist(), steps.words.tolist(), strict=True
    ):
        assert 1 <= count <= together
        bits = [
            (planes[steps.bits[q]], steps.bit_words[q].tolist())
            for q in range(first_bit, first_bit + computed)
        ]
        for c in range(first, first + count):
            at, transition, up, down = steps.cases[c].tolist()
            mine.append((planes[at], transition, int(steps.masks[c]), up - down, words, bits))
    assert sorted(mine) == sorted(expected)
    assert [
        (planes[at], t, int(mask))
        for (at, t), mask in zip(steps.leaving.tolist(), steps.leaving_masks, strict=True)
    ] == [(plane(x.condition), x.transition, x.mask) for x in leaving]
    inputs, nodes = told_by(judging.circuit, layout, states, ones)
    planes = planes_of(judged.gates, inputs, ones)
    assert [
        (planes[at], t, int(mask)) for (at, t), mask in zip(judged.told.tolist(), judged.masks, strict=True)
    ] == [(plane(t.condition), t.term, t.mask) for t in told]
    assert judged.nodes >= len(planes)
    assert found.nodes >= 2 + 64 * width + len(found.gates.a)


def test_gates_of_one_kind_follow_one_another() -> None:
    """Neighbouring runs are of different kinds, and only what is needed is there."""
    for seed in range(8):
        found = Program(Layout(drawn(seed)[0]))
        kinds = found.gates.runs[:, 0]
        assert (kinds[1:] != kinds[:-1]).all()
        read = {*found.gates.a.tolist(), *found.gates.b.tolist(), *found.steps.cases[:, 0].tolist()}
        read |= {*found.steps.bits.tolist(), *found.steps.leaving[:, 0].tolist()}
        first = 1 + 64 * found.k
        assert set(range(first, first + len(found.gates.a))) <= read
        assert np.array_equal(found.gates.runs[1:, 1], found.gates.runs[:-1, 2])
