"""The file in which a loss run keeps its finished chunks, so that it can be gone on with.

It is written beside its place and renamed, after each chunk: whenever a run is killed, the file is whole. It is
untrusted: it is parsed into the types declared here, or refused by a ValueError of one line.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from cutproof.checks.cutover.loss.sample import KINDS, Counts, Setup

VERSION = 1
LIMIT = 64 * 2**20  # bytes of a file


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    run: dict[str, Any]
    chunks: dict[int, Counts]


def _fits(counts: Counts) -> bool:
    """These are counts that a chunk can have."""
    plain, numbers = Counts(), []
    for f in fields(Counts):
        value = getattr(counts, f.name)
        if f.name == "first":
            numbers += [migration for migration, _ in value.values()]
        else:
            numbers += value.values() if isinstance(value, dict) else [value]
    kinds = all(
        getattr(counts, n).keys() == getattr(plain, n).keys() for n in ("permanent", "healed", "seen")
    )
    parts = counts.lost <= counts.acknowledged <= counts.writes and counts.losing <= counts.migrations
    return kinds and parts and min(numbers) >= 0 and counts.first.keys() <= set(KINDS)


class RunFile:
    """The finished chunks of the run of a setup. Raises ValueError for a file of another run, or none of ours."""

    def __init__(self, path: Path, setup: Setup, chunk: int) -> None:
        self.path = path
        self.about = msgspec.json.decode(msgspec.json.encode({**setup.facts(), "chunk": chunk}))
        self.chunks: dict[int, Counts] = {}
        if path.exists():
            self._read()
        elif not path.parent.is_dir():
            raise ValueError(f"{path}: there is no such folder")

    def _read(self) -> None:
        if not self.path.is_file() or self.path.stat().st_size > LIMIT:
            raise ValueError(f"{self.path}: is not a file of a loss run")
        try:
            found = msgspec.json.decode(self.path.read_bytes(), type=_File)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ValueError(f"{self.path}: is not a file of a loss run ({error})") from None
        except OSError as error:
            raise ValueError(f"{self.path}: {error.strerror}") from None
        if found.version != VERSION:
            raise ValueError(
                f"{self.path}: is of version {found.version}; this program reads version {VERSION}"
            )
        if found.run != self.about:
            differs = next(k for k in {**self.about, **found.run} if found.run.get(k) != self.about.get(k))
            if differs == "chunk":
                raise ValueError(
                    f"{self.path}: counts its migrations {found.run.get('chunk')} at a time, and a run of so many "
                    f"writes {self.about['chunk']} at a time: choose another file"
                )
            was, asked = (
                msgspec.json.encode(facts.get(differs)).decode() for facts in (found.run, self.about)
            )
            raise ValueError(f"{self.path}: is of another run: its {differs} is {was}, not {asked}")
        for number, counts in found.chunks.items():
            if number < 0 or not _fits(counts):
                raise ValueError(f"{self.path}: is not a file of a loss run (chunk {number})")
        self.chunks = dict(sorted(found.chunks.items()))

    def add(self, number: int, counts: Counts) -> None:
        """A chunk is finished. Raises OSError where the file can't be written."""
        self.chunks[number] = counts
        self.write()

    def write(self) -> None:
        """Write all of it beside its place, and rename it. Raises OSError."""
        data = msgspec.json.encode(_File(VERSION, self.about, dict(sorted(self.chunks.items()))))
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        finally:
            with suppress(FileNotFoundError):
                beside.unlink()
