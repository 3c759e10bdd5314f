"""Whatever fields are fast, and however often rows are laid out anew: the same answers as the plain engine's."""

from functools import partial
from math import prod
from random import Random

import pytest
from agreement import differences, told_by
from examples import by_night
from random_protocols import made, source

from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.fast import search as vector
from cutproof.checks.engines.fast.fields import MOST
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.symmetry import interchangeable
from cutproof.model.language.protocol import Protocol

PROTOCOLS = (100, 10_000)  # by day and by night; each comes to every way in which fields may be made fast
WAYS = ("chosen early", "given", "chosen as ever")


def some_fields(protocol: Protocol, rng: Random) -> list[str]:
    """Fields that may be fast together, at random."""
    apart = {n for same in interchangeable(protocol) for block in same.blocks for n in block}
    names = [f.name for f in protocol.fields if f.name not in apart]
    rng.shuffle(names)
    sizes = {f.name: f.domain.high - f.domain.low + 1 for f in protocol.fields}
    while prod(sizes[name] for name in names) > MOST:
        names.pop()
    return names


@pytest.mark.parametrize("seventh", range(7))
def test_random_protocols_grouped_and_laid_out_anew(seventh: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of five states, so that small graphs are grouped; one worker and two, reduced by symmetry and not."""
    for seed in range(seventh, PROTOCOLS[by_night()], 7):
        protocol, rng = made(source(seed)), Random(seed)
        with monkeypatch.context() as here:
            way = WAYS[seed % 3]
            if way == "chosen early":
                here.setattr(vector, "FIRST", 5)
                here.setattr(vector, "MORE", 2)
            elif way == "given":
                given = partial(vector.VectorSearch, fast=some_fields(protocol, rng))
                here.setattr(fast, "VectorSearch", given)
            judge = plain(protocol)
            assert differences(judge, fast.explore(protocol, workers=1 + seed // 3 % 2)) == [], (seed, way)
            if seed % 4 == 0 or interchangeable(protocol):
                reduced = fast.explore(protocol, symmetry=True, workers=2 - seed // 3 % 2)
                assert [v[:4] for v in told_by(reduced)] == [v[:4] for v in told_by(judge)], (seed, way)


def test_small_graphs_are_grouped_and_laid_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the test above: or it would say little."""
    monkeypatch.setattr(vector, "FIRST", 5)
    monkeypatch.setattr(vector, "MORE", 2)
    layouts = list[int]()
    real = vector.VectorSearch.close

    def closed(search: vector.VectorSearch) -> None:
        layouts.append(len(search.levels.layouts))
        real(search)

    monkeypatch.setattr(vector.VectorSearch, "close", closed)
    for seed in range(60):
        fast.explore(made(source(seed)), workers=1)
    assert sum(n > 1 for n in layouts) > 20 and max(layouts) > 2
