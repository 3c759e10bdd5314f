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

from cutproof.checks.clusters import Layout, as_dict, restored

if TYPE_CHECKING:
    from cutproof.checks.vector import VectorSearch

NAME, FORMAT = "search.json", 1


class CheckpointError(Exception):
    """A folder that this search cannot go on from; one line that says why."""


class Cluster(msgspec.Struct, forbid_unknown_fields=True):
    fields: list[str]
    width: int
    codes: list[str]


class Told(msgspec.Struct, forbid_unknown_fields=True):
    claim: int
    origin: int
    depth: int
    words: list[int]


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    search: str  # what is searched for: SHA-256 of the protocol, and the options that matter
    clusters: list[Cluster]
    sizes: list[int]
    widths: list[list[int]]
    fired: list[int]
    degrees: list[int]
    expanded: int
    depth: int
    seconds: float
    ended: bool
    told: list[Told]


def save(search: VectorSearch, folder: Path, what: str) -> None:
    """Write what the search is at, between two levels."""
    saved = Saved(
        format=FORMAT,
        search=what,
        clusters=[Cluster(**entry) for entry in as_dict(search.layout)],
        sizes=search.levels.sizes,
        widths=[list(w) for w in search.levels.widths],
        fired=search.engine.fired.tolist(),
        degrees=search.degrees.tolist(),
        expanded=search.expanded,
        depth=search.depth,
        seconds=search.spent,
        ended=not len(search.front),
        told=[Told(c, o, depth, words.tolist()) for (c, o), (depth, words) in search.first.items()],
    )
    beside = folder / (NAME + ".part")
    with beside.open("wb") as out:
        out.write(msgspec.json.encode(saved))
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, folder / NAME)


def read(folder: Path, what: str) -> Saved | None:
    """What the folder holds of this search; None if it is new. Raises CheckpointError if it is of something else."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / NAME
    if not file.exists():
        strange = sorted(f.name for f in folder.iterdir() if not f.name.startswith(("level-", NAME)))
        if strange:
            raise CheckpointError(f"{folder} holds {strange[0]}, which is of no search: give an empty folder")
        return None
    try:
        saved = msgspec.json.decode(file.read_bytes(), type=Saved)
    except (msgspec.DecodeError, OSError) as error:
        raise CheckpointError(f"{file} cannot be read: {error}") from None
    if saved.format != FORMAT:
        raise CheckpointError(f"{file} has format {saved.format}, not {FORMAT}: give an empty folder")
    if saved.search != what:
        raise CheckpointError(f"{folder} is of another search (scope, policy, safeguards or claims differ)")
    return saved


def restore(search: VectorSearch, folder: Path, saved: Saved) -> None:
    """Bring a search that has not begun to where the saved one was. Raises CheckpointError for damaged files."""
    levels, layout = search.levels, search.layout
    try:
        levels.sizes, levels.widths = list(saved.sizes), [tuple(w) for w in saved.widths]
        for number, size in enumerate(saved.sizes):
            words = levels.get(number, layout)
            if len(words) != size or words.dtype != np.uint64:
                raise ValueError(f"level {number} has {len(words)} states, not {size}")
            if search.visited.pour(words) != size:
                raise ValueError(f"level {number} has a state twice")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder}: {error}; give an empty folder") from None
    search.engine.fired[:] = saved.fired
    search.degrees[:] = saved.degrees
    search.expanded, search.depth, search.seconds = saved.expanded, saved.depth, saved.seconds
    search.first = {(t.claim, t.origin): (t.depth, np.array(t.words, np.uint64)) for t in saved.told}
    search.front = np.array([] if saved.ended else levels.get(len(levels) - 1, layout), np.uint64)
    search.watch()


def relayout(layout: Layout, saved: Saved) -> None:
    """Lay out as the saved words are. Raises CheckpointError if they are not of this protocol."""
    try:
        restored(layout, [msgspec.to_builtins(c) for c in saved.clusters])
    except (ValueError, KeyError) as error:
        raise CheckpointError(f"the saved states do not fit: {error}; give an empty folder") from None
