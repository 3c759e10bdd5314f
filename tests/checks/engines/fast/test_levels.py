"""Levels in memory, and on disk where they are many; as they were laid out, and as rows are laid out now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.fast import levels
from cutproof.checks.engines.fast.states import rows_of, states_of
from cutproof.checks.engines.fast.visited import merged
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.language.circuit import Layout

PROTOCOL = small_cutover(1, 1)


def test_levels_beyond_what_is_kept_are_on_disk_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "KEPT", 10)
    kept = levels.Levels(Layout(PROTOCOL))
    some = [np.arange(n * 3, dtype=np.uint64).reshape(-1, n)[: kept.layout.words + 1] for n in (1, 8, 30, 5)]
    for rows in some:
        kept.add(rows)
    assert kept.folder is not None and len(list(kept.folder.iterdir())) == 2
    for number, rows in enumerate(some):
        assert (kept.get(number) == rows).all()
        assert (np.concatenate(list(kept.chunks(number, 7)), axis=1) == rows).all()
    folder: Path = kept.folder
    kept.close()
    assert not folder.exists()


def test_a_level_is_laid_out_anew_when_it_is_looked_at() -> None:
    states = sorted(set(plain(PROTOCOL).states))
    names = [f.name for f in PROTOCOL.fields if f.domain.high - f.domain.low == 1][:3]
    kept = levels.Levels(Layout(PROTOCOL))
    kept.add(rows_of(kept.layout, states))
    for fast_fields in (names[:2], [], names[1:]):
        kept.use(Layout(PROTOCOL, fast_fields))
        assert not kept.as_now(0) and kept.raw(0).shape[1] == len(states)
        assert sorted(states_of(kept.layout, kept.get(0))) == states
    assert merged(kept.get(0), kept.layout.words).shape[1] < len(states)


def said(found: Exploration) -> list[str]:
    return [str(v).replace(str(v.seconds), "") for v in found.verdicts]


def test_a_search_whose_levels_are_on_disk_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = small_cutover(2, 1)
    before = fast.explore(protocol)
    monkeypatch.setattr(levels, "KEPT", 100)
    after = fast.explore(protocol)
    assert said(after) == said(before)
    assert (len(after.states), after.fired) == (len(before.states), before.fired)
