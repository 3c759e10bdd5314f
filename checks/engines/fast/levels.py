"""The levels of a search: the words that were first found after so many steps. In memory, or one file each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xxhash

from cutproof.checks.common import files
from cutproof.checks.engines.fast.clusters import Layout, Words

KEPT = 1 << 22  # words that are kept in memory; what is beyond goes to disk


class Levels:
    """Levels by number, from 0. With a `folder` each is a file there (`level-0007.npy`, written beside and renamed);
    without one they are in memory until there are KEPT words, and then in a folder that is removed at the end."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder, self._own = folder, None if folder else ""
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.sizes: list[int] = []
        self.widths: list[tuple[int, ...]] = []
        self.sums: list[str] = []  # a checksum of the words of each, where they are on disk
        self._words: dict[int, Words] = {}

    def __len__(self) -> int:
        return len(self.sizes)

    def add(self, words: Words, widths: tuple[int, ...]) -> None:
        """The next level, laid out with `widths`."""
        number = len(self.sizes)
        self.sizes.append(len(words))
        self.widths.append(widths)
        if self.folder is None and sum(map(len, self._words.values())) + len(words) <= KEPT:
            self._words[number] = words
            self.sums.append("")
            return
        if self.folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="cutproof-levels-")
            self.folder = Path(self._temporary.name)
        write(self.folder / name_of(number), words)
        self.sums.append(sum_of(words))

    def raw(self, number: int) -> Words:
        """The words of a level, as they were laid out when it was added."""
        words = self._words.get(number)
        if words is None:
            assert self.folder is not None
            files.ordinary(self.folder / name_of(number))
            words = np.load(self.folder / name_of(number), mmap_mode="r", allow_pickle=False)
        return words

    def get(self, number: int, layout: Layout) -> Words:
        """The words of a level, as they are laid out now."""
        return layout.moved(self.raw(number), self.widths[number])

    def chunks(self, number: int, layout: Layout, rows: int) -> Iterator[Words]:
        """The words of a level, some at a time."""
        words = self.get(number, layout)
        for low in range(0, len(words), rows):
            yield np.ascontiguousarray(words[low : low + rows])

    def close(self) -> None:
        """Remove what was on disk for this run alone."""
        if self._temporary:
            self._temporary.cleanup()


def name_of(number: int) -> str:
    """The name of the file of a level."""
    return f"level-{number:04}.npy"


def sum_of(words: Words) -> str:
    """The checksum of the words of a level."""
    return xxhash.xxh3_64_hexdigest(np.ascontiguousarray(words).data)


def write(file: Path, words: Words) -> None:
    """Write an array beside and rename: there is never half a file under the name."""
    beside = file.with_name(file.name + ".part")
    beside.unlink(missing_ok=True)  # whatever a run that was killed has left
    with beside.open("xb") as out:
        np.save(out, words, allow_pickle=False)
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, file)
