"""States as one 64-bit word: fields that vary together share a *cluster*, whose values are numbered as they appear.

A field for itself would take three bits for the stage of a message that follows from the phase anyway. Of all
values that, say, phase, epoch and fences could have together, some hundred occur. So each such cluster has a few
bits of the word for the number of its value, given out when a value is first seen. That is exact: a number stands
for one value and the other way round. Where the numbers run out of bits, the bits are laid out anew.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.symmetry import Interchangeable
from cutproof.model.language.codegen import Compiled, DomainError
from cutproof.model.language.packing import Packing
from cutproof.model.language.protocol import Field

Words = npt.NDArray[np.uint64]

BITS = 63  # of a word; the last one tells an empty place in a table from a state
SAMPLED, STEPS, LONGEST = (
    8_000,
    16_000,
    150,
)  # states to group fields by, steps to find them, steps of one walk
GROUPED = 64  # values of a cluster among the sampled states, at most
SPARE = 5  # bits of the word that are kept for clusters that turn out to have more values
SLACK = 2  # bits of a cluster beyond what the sampled states need


class TooWide(Exception):
    """The states of a protocol do not fit into one word."""


@dataclass(eq=False)
class Cluster:
    """Some fields of the state, `mask` their bits in the packed state. `codes` has the value of each number."""

    fields: tuple[Field, ...]
    mask: int
    seen: int = 1  # values among the sampled states
    apart: bool = False  # a field by itself, because it says where a run began
    offset: int = 0
    width: int = 0
    codes: list[int] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    twins: tuple[
        Cluster, ...
    ] = ()  # of interchangeable indices, in order, this one among them: they share numbers

    @property
    def whole(self) -> int:
        """The bits for every value that a single field can have; 0 for several fields."""
        (low, high) = (self.fields[0].domain.low, self.fields[0].domain.high)
        return (high - low).bit_length() if len(self.fields) == 1 else 0

    @property
    def least(self) -> int:
        """The bits that the values seen so far need."""
        return ((len(self.codes) or self.seen) - 1).bit_length()

    @property
    def bits(self) -> int:
        """The bits of the cluster in the word."""
        return ((1 << self.width) - 1) << self.offset


Blocks = list[list[Cluster]]  # the clusters of each interchangeable value, in corresponding order


class Layout:
    """Where in the word each cluster is, and what its numbers stand for. Raises TooWide if they do not fit."""

    def __init__(
        self,
        packing: Packing,
        clusters: Sequence[Cluster],
        sampled: Sequence[int] = (),
        alike: Sequence[Blocks] = (),
    ) -> None:
        self.packing, self.clusters, self.sampled, self._alike = packing, list(clusters), sampled, alike
        self.place([c.whole or room_for(c.seen) for c in self.clusters])

    def place(self, widths: Sequence[int]) -> None:
        """Give each cluster so many bits, or fewer of what it does not need yet if there is not room for all."""
        widths = list(widths)
        tied = [
            [i for i, c in enumerate(self.clusters) if c in (mine.twins or (mine,))] for mine in self.clusters
        ]
        widths = [max(widths[i] for i in same) for same in tied]
        while sum(widths) > BITS:
            spare = [w - c.least for w, c in zip(widths, self.clusters, strict=True)]
            most = max(range(len(widths)), key=lambda i: (spare[i], widths[i]))
            if spare[most] <= 0:
                raise TooWide(f"a state needs {sum(widths)} bits, and {BITS} is what a word has")
            for i in tied[most]:
                widths[i] -= 1
        offset = 0
        for cluster, width in zip(self.clusters, widths, strict=True):
            cluster.offset, cluster.width = offset, width
            offset += width

    @property
    def blocks(self) -> list[tuple[int, int, int]]:
        """Of the indices that are interchangeable: how many blocks, the offset of the first, the width of each."""
        return [(len(some), some[0][0].offset, sum(c.width for c in some[0])) for some in self._alike]

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(c.width for c in self.clusters)

    @property
    def used(self) -> int:
        """Bits of a word that are used."""
        return sum(self.widths)

    def number(self, cluster: Cluster, code: int) -> int:
        """The number of a value; a new one for a value that was not seen before. `place` must have made room."""
        number = cluster.numbers.get(code)
        if number is None:
            number = len(cluster.codes)
            for twin in cluster.twins or (cluster,):
                mine = code if twin is cluster else self._translated(code, cluster, twin)
                twin.numbers[mine] = number
                twin.codes.append(mine)
        return number

    def _translated(self, code: int, one: Cluster, other: Cluster) -> int:
        """The value of one cluster as a value of its twin."""
        offsets = self.packing.offsets
        pairs = zip(one.fields, other.fields, strict=True)
        return sum(
            (code & self.packing.masks[a.name]) >> offsets[a.name] << offsets[b.name] for a, b in pairs
        )

    @property
    def full(self) -> bool:
        """Whether some number does not fit into the bits of its cluster."""
        return any(len(c.codes) > 1 << c.width for c in self.clusters)

    def widen(self) -> None:
        """More bits for each cluster that has used up its numbers, or more than half of them. Raises TooWide."""
        self.place(
            [w if c.least < w else c.least + 2 for c, w in zip(self.clusters, self.widths, strict=True)]
        )

    def word(self, packed: int) -> int:
        """The word of a packed state."""
        return sum(self.number(c, packed & c.mask) << c.offset for c in self.clusters)

    def canonical(self, word: int) -> int:
        """One word for all that differ only by which of some interchangeable indices is which."""
        for count, offset, width in self.blocks:
            mask = (1 << width) - 1
            parts = sorted(word >> offset + i * width & mask for i in range(count))
            word &= ~(((1 << count * width) - 1) << offset)
            word |= sum(part << offset + i * width for i, part in enumerate(parts))
        return word

    def packed(self, word: int) -> int:
        """The packed state of a word."""
        return sum(c.codes[word >> c.offset & (1 << c.width) - 1] for c in self.clusters)

    def cut(self, word: int, clusters: Iterable[int]) -> int:
        """The packed bits of some clusters of a word."""
        return sum(
            c.codes[word >> c.offset & (1 << c.width) - 1] for c in (self.clusters[i] for i in clusters)
        )

    def bits(self, clusters: Iterable[int]) -> int:
        """The bits of the word that some clusters take."""
        return sum(self.clusters[i].bits for i in clusters)

    def moved(self, words: Words, old: Sequence[int]) -> Words:
        """Words that were laid out with the widths `old`, as they are laid out now."""
        if tuple(old) == self.widths:
            return words
        found, offset = np.zeros_like(words), 0
        for cluster, width in zip(self.clusters, old, strict=True):
            part = (words >> np.uint64(offset)) & np.uint64((1 << width) - 1)
            found |= part << np.uint64(cluster.offset)
            offset += width
        return found

    def columns(self, words: Words, names: Iterable[str]) -> dict[str, npt.NDArray[np.int64]]:
        """The values of some fields, one for each word."""
        found, wanted = dict[str, npt.NDArray[np.int64]](), set(names)
        for c in self.clusters:
            if not any(f.name in wanted for f in c.fields):
                continue
            numbers = ((words >> np.uint64(c.offset)) & np.uint64((1 << c.width) - 1)).astype(np.int64)
            for f in c.fields:
                if f.name in wanted:
                    offset, mask = self.packing.offsets[f.name], self.packing.masks[f.name]
                    values = [((code & mask) >> offset) + f.domain.low for code in c.codes]
                    found[f.name] = np.array(values, dtype=np.int64)[numbers]
        return found


# ------------------------------------------------------------------ which fields belong together


def layout_of(
    compiled: Compiled,
    apart: Iterable[str] = (),
    starts: Sequence[int] = (),
    alike: Sequence[Interchangeable] = (),
) -> Layout:
    """A layout by what varies together among states of random walks from `starts` (packed; or the initial states).

    Each field whose name is in `apart` is a cluster of its own. The same for the same protocol."""
    sampled = _walks(compiled, starts or [compiled.pack(s) for s in compiled.protocol.initials])
    try:
        return _laid_out(compiled.packing, sampled, set(apart), alike, whole=False)
    except TooWide:
        return _laid_out(compiled.packing, sampled, set(apart), alike, whole=True)


def _laid_out(
    packing: Packing, sampled: Sequence[int], apart: set[str], alike: Sequence[Interchangeable], whole: bool
) -> Layout:
    """With `whole`, all fields of one of the interchangeable values are one cluster; else each is."""
    by_name = {f.name: f for f in packing.fields}

    def cluster(names: Sequence[str]) -> Cluster:
        mask = packing.mask(names)
        return Cluster(tuple(by_name[n] for n in names), mask, len({state & mask for state in sampled}))

    blocks = list[Blocks]()
    for same in alike:
        pieces = [[list(names)] if whole else [[n] for n in names] for names in same.blocks]
        blocks.append([[cluster(names) for names in piece] for piece in pieces])
    within = {f.name for some in blocks for block in some for c in block for f in c.fields}
    taken = sum(room_for(c.seen) if whole else c.whole for some in blocks for block in some for c in block)
    groups = _grouped(packing, sampled, apart, within, BITS - SPARE - taken)
    order = {f.name: i for i, f in enumerate(packing.fields)}
    clusters = [cluster(sorted(names, key=order.__getitem__)) for names in groups]
    for c in clusters:
        c.apart = c.fields[0].name in apart
    for some in blocks:
        for position in range(len(some[0])):
            twins = tuple(block[position] for block in some)
            seen = max(c.seen for c in twins)
            for c in twins:
                c.twins, c.seen = twins, seen
        clusters += [c for block in some for c in block]
    return Layout(packing, clusters, sampled, blocks)


def room_for(values: int) -> int:
    """Bits for the numbers of a cluster of which the sampled states had so many values."""
    return max(1, (values - 1).bit_length()) + SLACK


def _walks(compiled: Compiled, starts: Sequence[int]) -> list[int]:
    """States of random walks that come to no state twice, in the order in which they were met."""
    draw, met, steps = random.Random(0), dict[int, None](), 0
    while len(met) < SAMPLED and steps < STEPS:
        state, walked = draw.choice(starts), set[int]()
        while len(walked) < LONGEST:
            steps += 1
            met[state] = None
            walked.add(state)
            try:
                after = [a for _, a in compiled.successors_packed(state) if a not in walked]
            except DomainError:
                break
            if not after:
                break
            state = draw.choice(after)
    return list(met)


def _grouped(
    packing: Packing, sampled: Sequence[int], apart: set[str], without: set[str], bits: int
) -> list[list[str]]:
    """Names of fields, but for those of `without`, in groups: two that make a small cluster and save most bits are
    joined, until all fit into so many bits. No more than that: what a transition reads should be few clusters with few
    values each."""
    groups: dict[int, list[str]] = {}
    columns: dict[int, npt.NDArray[np.int64]] = {}
    counts: dict[int, int] = {}
    needs: dict[int, int] = {}
    joined: dict[tuple[int, int], tuple[int, int, float]] = {}

    def enter(place: int, names: list[str], column: npt.NDArray[np.int64], need: int | None = None) -> None:
        values, codes = np.unique(column, return_inverse=True)
        counts[place] = len(values)
        needs[place] = room_for(len(values)) if need is None else need
        if not apart.intersection(names):
            for other, named in groups.items():
                if not apart.intersection(named):
                    both = len(np.unique(codes * counts[other] + columns[other]))
                    saved = needs[place] + needs[other] - room_for(both)
                    if saved > 0 and both <= GROUPED:
                        joined[other, place] = -both.bit_length(), saved, counts[other] * counts[place] / both
        groups[place], columns[place] = names, codes

    for place, f in enumerate(packing.fields):
        if f.name in without:
            continue
        offset, mask = packing.offsets[f.name], packing.masks[f.name]
        column = np.array([(state & mask) >> offset for state in sampled], dtype=np.int64)
        enter(place, [f.name], column, (mask >> offset).bit_length())
    place = len(packing.fields)
    while joined and sum(needs[p] for p in groups) > bits:
        one, two = max(joined, key=lambda pair: (joined[pair], pair))
        column = columns[one] * counts[two] + columns[two]
        names = groups.pop(one) + groups.pop(two)
        for pair in [p for p in joined if one in p or two in p]:
            del joined[pair]
        enter(place, names, column)
        place += 1
    return list(groups.values())


def as_dict(layout: Layout) -> list[dict[str, Any]]:
    """The layout as plain data, for a checkpoint; codes as texts, since they may have more than 64 bits."""
    return [
        {
            "fields": [f.name for f in c.fields],
            "width": c.width,
            "codes": [format(code, "x") for code in c.codes],
        }
        for c in layout.clusters
    ]


def restored(layout: Layout, data: Sequence[Mapping[str, Any]]) -> None:
    """Give `layout`, which has no numbers yet, what `as_dict` told of it. Raises ValueError if it is of another."""
    if [[f.name for f in c.fields] for c in layout.clusters] != [entry["fields"] for entry in data]:
        raise ValueError("they are of other clusters")
    for cluster, entry in zip(layout.clusters, data, strict=True):
        codes = [int(code, 16) for code in entry["codes"]]
        cluster.codes[:] = codes
        cluster.numbers = {code: number for number, code in enumerate(codes)}
        if len(cluster.numbers) != len(codes) or any(code & ~cluster.mask for code in codes):
            raise ValueError(f"the values of {', '.join(entry['fields'])} are not what they should be")
    layout.place([int(entry["width"]) for entry in data])
    if layout.widths != tuple(entry["width"] for entry in data) or layout.full:
        raise ValueError("more values than bits for them")
