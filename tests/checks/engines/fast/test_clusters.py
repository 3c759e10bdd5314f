"""States as words: exact, there and back, also after they were laid out anew."""

from __future__ import annotations

import random

import numpy as np
import pytest

from cutproof.checks.engines.fast.clusters import BITS, Cluster, Layout, TooWide, as_dict, layout_of, restored
from cutproof.checks.engines.symmetry import interchangeable
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import SCOPES
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.language.codegen import Compiled, compile_protocol


def walked(compiled: Compiled, steps: int = 400) -> list[int]:
    """Packed states of a random walk."""
    draw, state = random.Random(3), compiled.pack(compiled.protocol.initial)
    met = [state]
    while len(met) < steps:
        after = [a for _, a in compiled.successors_packed(state) if a != state]
        state = draw.choice(after) if after else met[0]
        met.append(state)
    return met


@pytest.mark.parametrize("name", ["base", "kinds", "two_documents"])
def test_a_state_is_a_word_and_the_other_way_round(name: str) -> None:
    compiled = compile_protocol(cutover(SCOPES[name]).resolve(Mechanisms()))
    layout = layout_of(compiled)
    packed = walked(compiled)
    words = [layout.word(p) for p in packed]
    assert [layout.packed(w) for w in words] == packed
    assert len(set(words)) == len(set(packed))
    assert max(words).bit_length() <= layout.used <= BITS
    columns = layout.columns(np.array(words, np.uint64), [f.name for f in compiled.packing.fields])
    for row, state in enumerate(map(compiled.unpack, packed)):
        assert tuple(int(columns[f.name][row]) for f in compiled.packing.fields) == state


def test_words_that_are_laid_out_anew_stand_for_the_same_states() -> None:
    compiled = compile_protocol(cutover(SCOPES["kinds"]).resolve(Mechanisms()))
    layout = layout_of(compiled)
    packed = walked(compiled)
    words, old = np.array([layout.word(p) for p in packed], np.uint64), layout.widths
    narrow = min((c for c in layout.clusters if len(c.fields) > 1), key=lambda c: c.width)
    while not layout.full:
        layout.number(narrow, -1 - len(narrow.codes))  # values that no state has
    layout.widen()
    assert layout.widths != old and not layout.full
    moved = layout.moved(words, old)
    assert [layout.packed(w) for w in moved.tolist()] == packed


def test_the_same_protocol_has_the_same_layout_and_a_checkpoint_restores_it() -> None:
    compiled = compile_protocol(cutover(SCOPES["crash"]).resolve(Mechanisms()))
    one, other = layout_of(compiled), layout_of(compiled)
    packed = walked(compiled)
    words = [one.word(p) for p in packed]
    restored(other, as_dict(one))
    assert other.widths == one.widths and [other.word(p) for p in packed] == words


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[0].update(fields=["x"]), "other clusters"),
        (lambda data: data[0].update(codes=["0", "0"]), "not what they should be"),
        (lambda data: data[0].update(width=64), "more values than bits"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(change: object, said: str) -> None:
    compiled = compile_protocol(small_cutover(1, 1))
    layout = layout_of(compiled)
    layout.word(compiled.pack(compiled.protocol.initial))
    data = as_dict(layout)
    change(data)  # type: ignore[operator]
    with pytest.raises(ValueError, match=said):
        restored(layout_of(compiled), data)


def test_what_does_not_fit_into_a_word_is_refused() -> None:
    compiled = compile_protocol(small_cutover(1, 1))
    field = compiled.packing.fields[0]
    wide = [Cluster((field, field), 1, seen=1 << 40), Cluster((field, field), 2, seen=1 << 40)]
    with pytest.raises(TooWide, match="bits"):
        Layout(compiled.packing, wide)


def test_blocks_that_differ_by_an_exchange_have_one_canonical_word() -> None:
    protocol = small_cutover(3, 1)
    compiled = compile_protocol(protocol)
    (alike,) = interchangeable(protocol)
    layout = layout_of(compiled, alike=[alike])
    position = {f.name: i for i, f in enumerate(protocol.fields)}
    draw = random.Random(1)
    for packed in walked(compiled, 200):
        state, order = list(compiled.unpack(packed)), list(range(3))
        draw.shuffle(order)
        exchanged = list(state)
        for to, of in enumerate(order):
            for a, b in zip(alike.blocks[to], alike.blocks[of], strict=True):
                exchanged[position[a]] = state[position[b]]
        one, other = layout.word(packed), layout.word(compiled.pack(tuple(exchanged)))
        assert layout.canonical(one) == layout.canonical(other)
        assert layout.canonical(layout.canonical(one)) == layout.canonical(one)
        again = compiled.unpack(layout.packed(layout.canonical(one)))
        assert sorted(again) == sorted(state)
