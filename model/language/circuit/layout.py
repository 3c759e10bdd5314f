"""Where the bits of a state are: most fields in a *key*, a few *fast* ones in a mask.

The fast fields together have few values (64 at most). All states that differ only in these are one *row*: a key, and a
mask with a bit for each of them. A key is a number of `words` words of 64 bits; no field lies in two words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cutproof.model.language.circuit.possible import possible as values_of
from cutproof.model.language.protocol import Protocol, State

WORD = 64  # bits of a word, and of a mask


class TooWide(ValueError):
    """A field has more values than a word of a key can tell apart."""


@dataclass(frozen=True)
class Place:
    """The bits of a field in the key: its value less `low`."""

    low: int
    offset: int
    width: int


class Layout:
    """The bits of a protocol's fields. `fast` names the fast ones, `first` those that begin the key, in its first word.

    `blocks` has, for each set of interchangeable values, the names of the fields of each: none of them may be fast, and
    what stands at one place in two blocks has as many bits. `possible` are the values of each field, if they are known
    already. Raises TooWide for a field that is wider than a word, and ValueError where all of `first` is, or
    where there are more fast values than a mask has bits."""

    def __init__(
        self,
        protocol: Protocol,
        fast: Iterable[str] = (),
        *,
        first: Sequence[str] = (),
        blocks: Sequence[Sequence[Sequence[str]]] = (),
        possible: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self.protocol = protocol
        self.values = dict(values_of(protocol) if possible is None else possible)
        for twins in (names for same in blocks for names in zip(*same, strict=True)):
            self.values.update(dict.fromkeys(twins, _together([self.values[n] for n in twins])))
        wanted = set(fast)
        self.fast = {f.name: self.values[f.name] for f in protocol.fields if f.name in wanted}
        self.strides, self.size = dict[str, int](), 1  # of the number of a fast value; how many there are
        for name, values in self.fast.items():
            self.strides[name] = self.size
            self.size *= len(values)
        if self.size > WORD:
            raise ValueError(f"{self.size} fast values, and {WORD} is what a mask has")
        self.fixed = {n: v for n, v in protocol.start.items() if n not in self.values}
        self.fixed |= {n: v[0] for n, v in self.values.items() if v[0] == v[-1] and n not in self.fast}
        self.places = self._placed(first, blocks)
        self.words = max(1, 1 + max((p.offset // WORD for p in self.places.values()), default=0))

    def _placed(self, first: Sequence[str], blocks: Sequence[Sequence[Sequence[str]]]) -> dict[str, Place]:
        """Each field into the first word with room for it; those of one block beside one another where they fit."""
        free, places = [0], dict[str, Place]()

        def put(names: Sequence[str]) -> None:
            need = {n: (self.values[n][-1] - self.values[n][0]).bit_length() for n in names}
            total = sum(need.values())
            if total > WORD and len(names) == 1:
                raise TooWide(f"{names[0]}: its values take {total} bits, and {WORD} are in a word")
            if total > WORD:
                for name in names:
                    put([name])
                return
            word = next((w for w, used in enumerate(free) if used + total <= WORD), len(free))
            free.extend([0] * (word - len(free) + 1))
            for name, width in need.items():
                places[name] = Place(self.values[name][0], WORD * word + free[word], width)
                free[word] += width

        left = [f.name for f in self.protocol.fields if f.name not in self.fast and f.name not in self.fixed]
        for name in first:
            if name in left:
                put([name])
        if len(free) > 1:
            raise ValueError(f"{', '.join(first)} take more than the {WORD} bits of a word")
        for same in blocks:
            for block in same:
                put([name for name in block if name in left])
        for name in left:
            if name not in places:
                put([name])
        return places

    @property
    def bits(self) -> int:
        """Bits of a key: the inputs of a circuit."""
        return max((p.offset + p.width for p in self.places.values()), default=0)

    @cached_property
    def _fields(self) -> list[tuple[int, int, int, int, int, Sequence[int]]]:
        """Of each field that varies: (number, offset, low, greatest bits, stride, fast values); stride 0 if slow."""
        found = list[tuple[int, int, int, int, int, Sequence[int]]]()
        for number, f in enumerate(self.protocol.fields):
            if f.name in self.places:
                p = self.places[f.name]
                found.append((number, p.offset, p.low, (1 << p.width) - 1, 0, ()))
            elif f.name in self.fast:
                found.append((number, 0, 0, 0, self.strides[f.name], self.fast[f.name]))
        return found

    def pack(self, state: State) -> tuple[int, int]:
        """The key of a state, and the number of its fast value: the bit of the mask. ValueError for a value that its
        field cannot have."""
        key = bit = 0
        for number, offset, low, most, stride, values in self._fields:
            value = state[number]
            if stride:
                bit += values.index(value) * stride
            elif 0 <= value - low <= most:
                key |= value - low << offset
            else:
                raise ValueError(f"{self.protocol.fields[number].name}: {value} is not what it can be")
        return key, bit

    def unpack(self, key: int, bit: int) -> State:
        """The state with this key and this fast value."""
        state = [self.fixed.get(f.name, 0) for f in self.protocol.fields]
        for number, offset, low, most, stride, values in self._fields:
            state[number] = values[bit // stride % len(values)] if stride else (key >> offset & most) + low
        return tuple(state)

    def having(self, known: Mapping[str, int]) -> int:
        """The mask of the fast values in which some fields have these values."""
        return sum(
            1 << bit
            for bit in range(self.size)
            if all(self.fast[n][bit // self.strides[n] % len(self.fast[n])] == v for n, v in known.items())
        )

    @cached_property
    def everything(self) -> int:
        """The mask of all fast values."""
        return (1 << self.size) - 1

    def described(self) -> list[tuple[str, int, int, int]]:
        """The layout as plain data: (field, low, offset, width) of the slow fields, (field, 0, -1, values) of the fast
        ones. Equal layouts have equal ones."""
        slow = [(name, p.low, p.offset, p.width) for name, p in self.places.items()]
        return slow + [(name, 0, -1, len(values)) for name, values in self.fast.items()]

    def __repr__(self) -> str:
        return f"Layout({self.bits} bits; fast: {', '.join(self.fast) or 'none'}, {self.size} values)"


def _together(several: Sequence[Sequence[int]]) -> Sequence[int]:
    """All values of several fields, in order; of wide ones those between too."""
    if any(isinstance(values, range) for values in several):
        return range(min(v[0] for v in several), max(v[-1] for v in several) + 1)
    return sorted(set().union(*several))
