"""A search on disk: its levels, and what else it takes to go on from the last whole one.

After each level, `search.json` is written beside and renamed. A run that is killed at any moment goes on from the last
whole level and ends with the same report: what it had learnt is learnt again, and the set of states is filled from the
levels.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import xxhash

from cutproof.checks.common import files
from cutproof.checks.engines.fast.clusters import Layout, as_dict, restored
from cutproof.checks.engines.fast.levels import name_of, sum_of

if TYPE_CHECKING:
    from cutproof.checks.engines.fast.search import VectorSearch

NAME, FORMAT = "search.json", 1
LIMIT = 1 << 30  # bytes of it
LOCK = "search.lock"  # held by the run that is in the folder
BROKEN_OR_STUCK = -2  # the least number of what is told beside claims


class CheckpointError(Exception):
    """A folder that this search cannot go on from; one line that says why."""


class Cluster(msgspec.Struct, forbid_unknown_fields=True):
    """Fields whose values together are one number of so many bits: the number of a code is its place in `codes`."""

    fields: list[str]
    width: int
    codes: list[str]


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """A claim (by number, or `BROKEN`, `STUCK`) was first told of an origin at this level, of these of its words."""

    claim: int
    origin: int
    depth: int
    words: list[int]


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    """`search.json`: all that a search takes to go on, its levels apart. `seconds` is what it took so far."""

    format: int
    search: str  # what is searched for: SHA-256 of the protocol, and the options that matter
    clusters: list[Cluster]
    sizes: list[int]
    widths: list[list[int]]
    sums: list[str]
    fired: list[int]
    degrees: list[int]
    expanded: int
    depth: int
    seconds: float
    ended: bool
    told: list[Told]
    checksum: str = ""  # of all of this, with none in its place


def save(search: VectorSearch, folder: Path, what: str) -> None:
    """Write what the search is at, between two levels."""
    saved = Saved(
        format=FORMAT,
        search=what,
        clusters=[Cluster(**entry) for entry in as_dict(search.layout)],
        sizes=search.levels.sizes,
        widths=[list(w) for w in search.levels.widths],
        sums=search.levels.sums,
        fired=search.engine.fired.tolist(),
        degrees=search.degrees.tolist(),
        expanded=search.expanded,
        depth=search.depth,
        seconds=search.spent,
        ended=not len(search.front),
        told=[Told(c, o, depth, words.tolist()) for (c, o), (depth, words) in search.first.items()],
    )
    saved.checksum = _checksum(saved)
    beside = folder / (NAME + ".part")
    beside.unlink(missing_ok=True)  # whatever a run that was killed has left
    with beside.open("xb") as out:
        out.write(msgspec.json.encode(saved))
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, folder / NAME)


def _checksum(saved: Saved) -> str:
    return xxhash.xxh3_64_hexdigest(msgspec.json.encode(msgspec.structs.replace(saved, checksum="")))


def read(folder: Path, what: str) -> Saved | None:
    """What the folder holds of this search; None if it is new. Raises CheckpointError if it is of something else."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / NAME
    if not file.exists():
        strange = sorted(f.name for f in folder.iterdir() if not f.name.startswith(("level-", NAME, LOCK)))
        if strange:
            raise CheckpointError(f"{folder} holds {strange[0]}, which is of no search: give an empty folder")
        return None
    try:
        saved = msgspec.json.decode(files.content(file, LIMIT), type=Saved)
    except (msgspec.DecodeError, OSError) as error:
        raise CheckpointError(f"{file} cannot be read: {error}; give an empty folder") from None
    if saved.format != FORMAT:
        raise CheckpointError(f"{file} has format {saved.format}, not {FORMAT}: give an empty folder")
    if saved.search != what:
        raise CheckpointError(f"{folder} is of another search (scope, policy, safeguards or claims differ)")
    if saved.checksum != _checksum(saved):
        raise CheckpointError(f"{file} is damaged: give an empty folder")
    return saved


def restore(search: VectorSearch, folder: Path, saved: Saved) -> None:
    """Bring a search that has not begun to where the saved one was. Raises CheckpointError for damaged files."""
    levels, layout = search.levels, search.layout
    try:
        levels.sizes, levels.widths = list(saved.sizes), [tuple(w) for w in saved.widths]
        levels.sums = list(saved.sums)
        for number in range(len(levels)):
            _pour(search, number)
        search.engine.fired[:] = saved.fired
        search.degrees[:] = saved.degrees
        _look_over(search, saved)
        search.first = {(t.claim, t.origin): (t.depth, np.array(t.words, np.uint64)) for t in saved.told}
        search.front = np.array([] if saved.ended else levels.get(len(levels) - 1, layout), np.uint64)
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise CheckpointError(f"{folder}: {error}; give an empty folder") from None
    search.expanded, search.depth, search.seconds = saved.expanded, saved.depth, saved.seconds
    search.watch()


def _look_over(search: VectorSearch, saved: Saved) -> None:
    """Whether the numbers of a search fit one another and its levels. Raises ValueError where they do not: whoever made
    such a file, it is not what a search wrote."""
    levels, degrees = search.levels, saved.degrees
    if saved.depth != len(levels) - 1 or saved.seconds < 0:
        raise ValueError("its depth or its time is not that of its levels")
    whole = sum(saved.sizes if saved.ended else saved.sizes[:-1])
    if not sum(degrees) == saved.expanded <= whole or min(degrees) < 0:
        raise ValueError("its states and their steps were counted otherwise")
    steps = sum(degree * many for degree, many in enumerate(degrees))
    if min(saved.fired, default=0) < 0 or (not degrees[-1] and steps != sum(saved.fired)):
        raise ValueError("its steps were counted in two ways")
    for told in saved.told:
        if not BROKEN_OR_STUCK <= told.claim < len(search.claims) or not 0 <= told.depth < len(levels):
            raise ValueError("a claim or a level that is told of is not there")
        if not 0 <= told.origin < search.origin_count or not told.words:
            raise ValueError("what is told is of no search for these settings")
        words = np.array(told.words, np.uint64)
        if not np.isin(words, levels.get(told.depth, search.layout)).all():
            raise ValueError(f"{name_of(told.depth)} has no such state as is told of it")


def _pour(search: VectorSearch, number: int) -> None:
    """Put a level into the set of states found. Raises ValueError for one that is not as it was written."""
    levels, layout = search.levels, search.layout
    try:
        kept = levels.raw(number)
    except FileNotFoundError:
        raise ValueError(f"{name_of(number)} is missing") from None
    except (OSError, ValueError, EOFError):
        raise ValueError(f"{name_of(number)} cannot be read") from None
    whole = isinstance(kept, np.ndarray) and kept.dtype == np.uint64 and kept.shape == (levels.sizes[number],)
    if not whole or sum_of(kept) != levels.sums[number]:
        raise ValueError(f"{name_of(number)} is not as it was written")
    words = levels.get(number, layout)
    for c in layout.clusters:
        if len(words) and (words >> np.uint64(c.offset) & np.uint64((1 << c.width) - 1)).max() >= len(
            c.codes
        ):
            raise ValueError(f"{name_of(number)} has a state that was not given a number")
    if search.visited.pour(words) != len(words):
        raise ValueError(f"{name_of(number)} has a state twice")


def relayout(layout: Layout, saved: Saved) -> None:
    """Lay out as the saved words are. Raises CheckpointError if they are not of this protocol."""
    try:
        restored(layout, [msgspec.to_builtins(c) for c in saved.clusters])
    except (ValueError, KeyError) as error:
        raise CheckpointError(f"the saved states do not fit: {error}; give an empty folder") from None
