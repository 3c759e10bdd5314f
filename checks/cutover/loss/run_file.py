"""The file in which a loss run keeps its finished chunks, so that it can be gone on with.

It is written beside its place and renamed, after each chunk: whenever a run is killed, the file is whole. It is
untrusted: it is parsed into the types declared here, has the digest of what it holds, and counts that its chunks can
have, or it is refused by a ValueError of one line. (Who makes a file by hand, digest and all, is believed where its
counts are possible: only running the chunks again would tell.)
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from cutproof.checks.common import files
from cutproof.checks.cutover.loss.sample import KINDS, Counts, Setup

VERSION = 3  # 1 had no digest, 2 did not count who is not served
ABSURD = 2**53  # no run counts so far
LIMIT = 64 * 2**20  # bytes of a file


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    run: dict[str, Any]
    chunks: dict[int, Counts]
    digest: str = ""  # SHA-256 of all of this, with none in its place


class _Version(msgspec.Struct):
    version: int


def _digest(kept: _File) -> str:
    return sha256(msgspec.json.encode(msgspec.structs.replace(kept, digest=""))).hexdigest()


def _fits(counts: Counts, size: int) -> bool:
    """These are counts that a chunk of so many migrations can have: each write has one outcome."""
    plain, numbers = Counts(), []
    for f in fields(Counts):
        value = getattr(counts, f.name)
        if f.name == "first":
            numbers += [migration for migration, _ in value.values()]
        else:
            numbers += value.values() if isinstance(value, dict) else [value]
    answered = counts.acknowledged + counts.acknowledged_later + counts.refused + counts.failed
    whole = counts.migrations == size and counts.writes == answered
    kinds = all(
        getattr(counts, n).keys() == getattr(plain, n).keys()
        for n in ("permanent", "healed", "seen", "in_vain")
    )
    parts = counts.lost <= counts.acknowledged <= counts.writes and counts.losing <= counts.migrations
    return (
        whole
        and kinds
        and parts
        and min(numbers) >= 0
        and max(numbers) < ABSURD
        and counts.first.keys() <= set(KINDS)
    )


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
        try:
            data = files.content(self.path, LIMIT)
            version = msgspec.json.decode(data, type=_Version).version
            found = msgspec.json.decode(data, type=_File) if version == VERSION else None
        except (msgspec.MsgspecError, ValueError) as error:
            raise ValueError(f"{self.path}: is not a file of a loss run ({error})") from None
        except OSError as error:
            raise ValueError(f"{self.path}: {error.strerror}") from None
        if found is None:
            raise ValueError(
                f"{self.path}: is of version {version}; this program reads version {VERSION}: choose another file"
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
        if found.digest != _digest(found):
            raise ValueError(
                f"{self.path}: is damaged (its digest is of other contents): choose another file"
            )
        for number, counts in found.chunks.items():
            if number < 0 or not _fits(counts, self.about["chunk"]):
                raise ValueError(f"{self.path}: is not a file of a loss run (chunk {number})")
        self.chunks = dict(sorted(found.chunks.items()))

    def add(self, number: int, counts: Counts) -> None:
        """A chunk is finished. Raises OSError where the file can't be written."""
        self.chunks[number] = counts
        self.write()

    def write(self) -> None:
        """Write all of it beside its place, and rename it. Raises OSError."""
        kept = _File(VERSION, self.about, dict(sorted(self.chunks.items())))
        kept.digest = _digest(kept)
        data = msgspec.json.encode(kept)
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
