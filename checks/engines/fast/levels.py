"""The levels of a search: the states first found after so many steps, as rows. In memory, or one file each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xxhash

from cutproof.checks.common import files
from cutproof.checks.engines.fast.program import Words
from cutproof.checks.engines.fast.relayout import Move
from cutproof.model.language.circuit import Layout

KEPT = 1 << 23  # rows that are kept in memory; what is beyond goes to disk


class Levels:
    """Levels by number, from 0. With a `folder` each is a file there (`level-0007.npy`, written beside and renamed);
    without one they are in memory until there are KEPT rows, and then in a folder that is removed at the end.

    `layouts` has each that was used, and `laid_out` of which of them each level is."""

    def __init__(self, layout: Layout, folder: Path | None = None) -> None:
        self.folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.layouts, self.laid_out = [layout], list[int]()
        self.sizes: list[int] = []  # rows
        self.sums: list[str] = []  # a checksum of the rows of each, where they are on disk
        self._rows: dict[int, Words] = {}

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def layout(self) -> Layout:
        """How rows are laid out now."""
        return self.layouts[-1]

    def use(self, layout: Layout) -> None:
        """Rows are laid out so from now on: those of earlier levels when they are looked at."""
        self.layouts.append(layout)

    def add(self, rows: Words) -> None:
        """The next level."""
        number = len(self.sizes)
        self.sizes.append(rows.shape[1])
        self.laid_out.append(len(self.layouts) - 1)
        if self.folder is None and sum(r.shape[1] for r in self._rows.values()) + rows.shape[1] <= KEPT:
            self._rows[number] = rows
            self.sums.append("")
            return
        if self.folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="cutproof-levels-")
            self.folder = Path(self._temporary.name)
        write(self.folder / name_of(number), rows)
        self.sums.append(sum_of(rows))

    def raw(self, number: int) -> Words:
        """The rows of a level, as they were laid out when it was added."""
        rows = self._rows.get(number)
        if rows is None:
            assert self.folder is not None
            files.ordinary(self.folder / name_of(number))
            rows = np.load(self.folder / name_of(number), mmap_mode="r", allow_pickle=False)
        return rows

    def as_now(self, number: int) -> bool:
        """Whether a level is laid out as rows are now, so that no two of its rows have one key."""
        return self.laid_out[number] == len(self.layouts) - 1

    def get(self, number: int) -> Words:
        """The rows of a level, as they are laid out now."""
        return np.concatenate(
            [np.zeros((self.layout.words + 1, 0), np.uint64), *self.chunks(number, 1 << 20)], axis=1
        )

    def chunks(self, number: int, size: int) -> Iterator[Words]:
        """The rows of a level as they are laid out now, some `size` at a time, or more where each becomes several."""
        rows, move = self.raw(number), Move(self.layouts[self.laid_out[number]], self.layout)
        for low in range(0, rows.shape[1], size):
            yield from move.rows(np.ascontiguousarray(rows[:, low : low + size]))

    def close(self) -> None:
        """Remove what was on disk for this run alone."""
        if self._temporary:
            self._temporary.cleanup()


def name_of(number: int) -> str:
    """The name of the file of a level."""
    return f"level-{number:04}.npy"


def sum_of(rows: Words) -> str:
    """The checksum of the rows of a level."""
    return xxhash.xxh3_64_hexdigest(np.ascontiguousarray(rows).data)


def write(file: Path, rows: Words) -> None:
    """Write an array beside and rename: there is never half a file under the name."""
    beside = file.with_name(file.name + ".part")
    beside.unlink(missing_ok=True)  # whatever a run that was killed has left
    with beside.open("xb") as out:
        np.save(out, np.ascontiguousarray(rows), allow_pickle=False)
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, file)
