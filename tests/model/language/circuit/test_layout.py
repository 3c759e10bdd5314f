"""Where the bits of a state are: there and back, however many words it takes."""

from collections.abc import Sequence
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.model.language import action, boolean, count, each, family, guard, when
from cutproof.model.language.circuit import Layout
from cutproof.model.language.circuit.layout import WORD
from cutproof.model.language.protocol import Protocol, State

DOMAINS = st.lists(
    st.tuples(
        st.integers(-(2**40), 2**40), st.sampled_from([0, 1, 2, 3, 7, 8, 300, 2**20, 2**33 - 1, 2**60])
    ),
    min_size=1,
    max_size=12,
)


def of_domains(domains: Sequence[tuple[int, int]]) -> Protocol:
    """A protocol with a field for each (low, how many more values)."""
    return Protocol(
        "fields", {f"f{i}": count(low, low + more) for i, (low, more) in enumerate(domains)}, [], []
    )


def everything(protocol: Protocol) -> dict[str, Sequence[int]]:
    """All values of the domains, as if all were possible."""
    return {f.name: range(f.domain.low, f.domain.high + 1) for f in protocol.fields}


def drawn_state(data: st.DataObject, protocol: Protocol) -> State:
    return tuple(data.draw(st.integers(f.domain.low, f.domain.high)) for f in protocol.fields)


@given(DOMAINS, st.data())
def test_a_state_comes_back(domains: list[tuple[int, int]], data: st.DataObject) -> None:
    protocol = of_domains(domains)
    few = [f.name for f in protocol.fields if f.domain.high - f.domain.low <= 3]
    fast = data.draw(st.lists(st.sampled_from(few), max_size=3, unique=True)) if few else []
    names = [f.name for f in protocol.fields]
    first = data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
    widths = {f.name: (f.domain.high - f.domain.low).bit_length() for f in protocol.fields}
    while sum(widths[n] for n in first if n not in fast) > WORD:
        first.pop()
    layout = Layout(protocol, fast, first=first, possible=everything(protocol))
    taken = 0
    for place in layout.places.values():
        bits = (1 << place.width) - 1 << place.offset
        assert place.width and not taken & bits, "two fields share a bit"
        assert place.offset // WORD == (place.offset + place.width - 1) // WORD, "a field lies in two words"
        taken |= bits
    assert taken.bit_length() == layout.bits <= WORD * layout.words
    slow = [n for n in first if n in layout.places]
    assert not slow or layout.places[slow[0]].offset == 0
    assert all(layout.places[n].offset < WORD for n in slow), "what begins a key is not in its first word"
    states = [drawn_state(data, protocol) for _ in range(5)]
    packed = [layout.pack(state) for state in states]
    assert [layout.unpack(key, bit) for key, bit in packed] == states
    assert all(not key & ~taken and 0 <= bit < layout.size for key, bit in packed)
    assert len(set(packed)) == len(set(states))


def test_wide_states_take_several_words() -> None:
    for number, words in ((3, 1), (4, 2), (6, 2), (7, 3), (30, 10)):  # three of 20 bits a word
        protocol = of_domains([(0, 2**20 - 1)] * number)
        layout = Layout(protocol, possible=everything(protocol))
        assert layout.words == words
        key, bit = layout.pack(tuple(range(5, 5 + number)))
        assert (key.bit_length() > WORD * (words - 1), bit) == (True, 0)
        assert layout.unpack(key, bit) == tuple(range(5, 5 + number))


def test_a_field_fills_the_room_that_is_left_in_a_word_before() -> None:
    protocol = of_domains([(0, 2**60 - 1), (0, 2**10 - 1), (0, 15)])
    layout = Layout(protocol, possible=everything(protocol))
    assert {name: place.offset for name, place in layout.places.items()} == {"f0": 0, "f1": 64, "f2": 60}


def small(high: int = 3) -> Protocol:
    """Two blocks of alike fields, of which one has a value more that is possible, and two others."""

    @action
    def go(s: Any) -> Any:
        return when(guard("room", s.n == 0)).then(n=high, b=each(s.b, True))

    variables = {"n": count(0, 9), "b": family("i", of=boolean()), "level": family("i", of=count(0, 5))}
    return Protocol("small", variables, [go], [], indices={"i": range(2)}, initial={"level": [0, 5]})


def test_what_stands_at_one_place_of_two_blocks_has_as_many_bits() -> None:
    blocks = [[["b[0]", "level[0]"], ["b[1]", "level[1]"]]]
    layout = Layout(small(), blocks=blocks)
    one, two = (layout.places[f"level[{i}]"] for i in (0, 1))
    assert (one.width, one.low) == (two.width, two.low) == (3, 0)
    assert one.offset - layout.places["b[0]"].offset == two.offset - layout.places["b[1]"].offset == 1
    assert {"level[0]": 0, "level[1]": 5}.items() <= Layout(small()).fixed.items()


def test_what_has_one_value_takes_no_bit_and_comes_back() -> None:
    protocol = small()
    layout = Layout(protocol, ["b[0]"])
    assert set(layout.places) == {"n", "b[1]"} and set(layout.fast) == {"b[0]"}
    assert layout.unpack(*layout.pack(protocol.initial)) == protocol.initial


@given(st.data())
def test_the_mask_of_some_fast_values(data: st.DataObject) -> None:
    protocol = of_domains([(0, 3), (-1, 2), (5, 1)])
    layout = Layout(protocol, ["f0", "f1", "f2"], possible=everything(protocol))
    assert layout.size == 24 == prod(len(v) for v in layout.fast.values())
    known = {
        name: data.draw(st.sampled_from(list(values)))
        for name, values in layout.fast.items()
        if data.draw(st.booleans())
    }
    fields = [f.name for f in protocol.fields]
    for bit in range(layout.size):
        values = dict(zip(fields, layout.unpack(0, bit), strict=True))
        assert bool(layout.having(known) >> bit & 1) == (known.items() <= values.items())
    assert layout.having({}) == layout.everything


def test_what_does_not_fit_is_refused() -> None:
    protocol = of_domains([(0, 7), (0, 8)])
    with pytest.raises(ValueError, match=r"72 fast values, and 64"):
        Layout(protocol, ["f0", "f1"], possible=everything(protocol))
    with pytest.raises(ValueError, match=r"n: 12 is not what it can be"):
        Layout(small()).pack((12, 0, 0, 0, 5))


def test_what_begins_a_key_is_in_its_first_word() -> None:
    protocol = of_domains([(0, 2**40), (0, 2**40), (0, 1)])
    assert Layout(protocol, first=["f1", "f2"]).places["f1"].offset == 0
    with pytest.raises(ValueError, match=r"f0, f1 take more than the 64 bits of a word"):
        Layout(protocol, first=["f0", "f1"])


def test_a_field_may_fill_a_word_and_no_more() -> None:
    layout = Layout(of_domains([(0, 3), (-5, 2**64 - 1)]), ["f0"])
    assert layout.words == 1 and layout.unpack(*layout.pack((0, 2**64 - 6))) == (0, 2**64 - 6)
    for high in (2**64, 2**70):
        with pytest.raises(ValueError, match=r"f0: its values take (65|71) bits, and 64 are in a word"):
            Layout(of_domains([(0, high)]))


def test_equal_layouts_say_so_and_others_do_not() -> None:
    assert Layout(small()).described() == Layout(small()).described()
    others = [Layout(small(), ["n"]), Layout(small(high=9)), Layout(small(), first=["b[0]"])]
    assert all(other.described() != Layout(small()).described() for other in others)
    assert "fast: n, 2 values" in repr(others[0])


def test_wide_twins_are_not_counted_out() -> None:
    """Of a domain of 2^60 values nobody makes a list."""
    protocol = of_domains([(-5, 2**60), (0, 2**60 + 9), (3, 2)])
    layout = Layout(protocol, blocks=[[["f0"], ["f1"]]], possible=everything(protocol))
    assert {name: (p.low, p.width) for name, p in layout.places.items()} == {
        "f0": (-5, 61),
        "f1": (-5, 61),
        "f2": (3, 2),
    }
