"""Levels in memory, and on disk where they are many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.fast import levels
from cutproof.checks.engines.fast.clusters import layout_of
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.language.codegen import compile_protocol


def test_levels_beyond_what_is_kept_are_on_disk_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "KEPT", 10)
    layout = layout_of(compile_protocol(small_cutover(1, 1)))
    kept, words = levels.Levels(), [np.arange(n, dtype=np.uint64) for n in (1, 8, 30, 5)]
    for some in words:
        kept.add(some, layout.widths)
    assert kept.folder is not None and len(list(kept.folder.iterdir())) == 2
    for number, some in enumerate(words):
        assert (kept.get(number, layout) == some).all()
        assert (np.concatenate(list(kept.chunks(number, layout, 7))) == some).all()
    folder: Path = kept.folder
    kept.close()
    assert not folder.exists()


def test_a_search_whose_levels_are_on_disk_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = small_cutover(2, 1)
    before = fast.explore(protocol)
    monkeypatch.setattr(levels, "KEPT", 100)
    after = fast.explore(protocol)
    assert [str(v).replace(str(v.seconds), "") for v in after.verdicts] == [
        str(v).replace(str(v.seconds), "") for v in before.verdicts
    ]
    assert (len(after.states), after.fired) == (len(before.states), before.fired)
