"""A search on disk: its levels, and what else it takes to go on from the last whole one.

After each level, `search.json` is written beside and renamed. A run that is killed at any moment goes on from the last
whole level and ends with the same report: the set of rows is filled from the levels.
"""

from __future__ import annotations

import os
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import xxhash

from cutproof.checks.common import files
from cutproof.checks.engines.exploration import LOCK, CheckpointError
from cutproof.checks.engines.fast.levels import name_of, sum_of
from cutproof.checks.engines.fast.program import Words
from cutproof.checks.engines.fast.states import columns
from cutproof.checks.engines.fast.visited import Visited, merged
from cutproof.model.language.circuit import Layout

if TYPE_CHECKING:
    from cutproof.checks.engines.fast.search import VectorSearch

NAME, FORMAT = "search.json", 2
LIMIT = 1 << 30  # bytes of it
BROKEN_OR_STUCK = -2  # the least number of what is told beside claims


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """A claim (by number, or `BROKEN`, `STUCK`) was first told of an origin at this level, of these rows of it."""

    claim: int
    origin: int
    depth: int
    rows: list[list[int]]


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    """`search.json`: all that a search takes to go on, its levels apart. `seconds` is what it took so far."""

    format: int
    search: str  # what is searched for: SHA-256 of the protocol, and the options that matter
    fast: list[list[str]]  # the fast fields of each layout that was used
    laid_out: list[int]  # which of them each level is laid out by
    sizes: list[int]
    sums: list[str]
    fired: list[int]
    next_choice: int
    hinted: list[str]
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
        fast=[list(layout.fast) for layout in search.levels.layouts],
        laid_out=search.levels.laid_out,
        sizes=search.levels.sizes,
        sums=search.levels.sums,
        fired=search.engine.fired.tolist(),
        next_choice=search.next_choice,
        hinted=search.fields.hinted,
        expanded=search.expanded,
        depth=search.depth,
        seconds=search.spent,
        ended=not search.front_rows,
        told=[Told(c, o, depth, rows.T.tolist()) for (c, o), (depth, rows) in search.first.items()],
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
    except (ValueError, OSError) as error:  # of bytes that are no text too
        raise CheckpointError(f"{file} cannot be read: {error}; give an empty folder") from None
    if saved.format != FORMAT:
        raise CheckpointError(f"{file} has format {saved.format}, not {FORMAT}: give an empty folder")
    if saved.search != what:
        raise CheckpointError(f"{folder} is of another search (scope, policy, safeguards or claims differ)")
    if saved.checksum != _checksum(saved):
        raise CheckpointError(f"{file} is damaged: give an empty folder")
    return saved


def layouts(search: VectorSearch, folder: Path, saved: Saved) -> list[Layout]:
    """Each layout that the search used, the last one at the end. Raises CheckpointError for such as no search has."""
    names = {field.name for field in search.protocol.fields} - search.fields.without
    try:
        if not saved.fast or not all(names.issuperset(fast) for fast in saved.fast):
            raise ValueError("its fast fields are none of this search")
        return [search.laid_out(fast) for fast in saved.fast]
    except ValueError as error:
        raise CheckpointError(f"{folder}: {error}; give an empty folder") from None


def restore(search: VectorSearch, folder: Path, saved: Saved) -> None:
    """Bring a search that has not begun to where the saved one was. Raises CheckpointError for damaged files."""
    levels = search.levels
    try:
        levels.layouts = layouts(search, folder, saved)
        if len(saved.laid_out) != len(saved.sizes) or not all(
            0 <= n < len(levels.layouts) for n in saved.laid_out
        ):
            raise ValueError("its levels are of no layout")
        levels.sizes, levels.laid_out, levels.sums = list(saved.sizes), list(saved.laid_out), list(saved.sums)
        states = [_pour(search, number) for number in range(len(levels))]
        search.engine.fired[:] = saved.fired
        _look_over(search, saved, states)
        _compare(search, saved)
        if saved.ended:
            search.front, search.front_rows = search.front[:, :0], 0
        search.before = search.visited.states - states[-1]
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise CheckpointError(f"{folder}: {error}; give an empty folder") from None
    search.expanded, search.depth, search.seconds = saved.expanded, saved.depth, saved.seconds
    search.next_choice, search.fields.hinted = saved.next_choice, list(saved.hinted)
    search.watch()


def _compare(search: VectorSearch, saved: Saved) -> None:
    """Whether what is told of claims is what the levels say, which were judged again (`_pour`); what is told beside
    claims is believed. Raises ValueError where a claim is told otherwise, or not at all."""
    told = {(t.claim, t.origin): (t.depth, merged(_rows(search, t), search.layout.words)) for t in saved.told}
    of_claims = {key for key in told if key[0] >= 0}
    for key in search.first.keys() | of_claims:
        depth, rows = search.first.get(key, (-1, None))
        if rows is None or key not in told or told[key][0] != depth or not np.array_equal(told[key][1], rows):
            raise ValueError("its levels say otherwise of a claim than it does")
    search.first = told


def _rows(search: VectorSearch, told: Told) -> Words:
    return np.array(told.rows, np.uint64).reshape(-1, search.layout.words + 1).T.copy()


def _look_over(search: VectorSearch, saved: Saved, states: list[int]) -> None:
    """Whether the numbers of a search fit one another and its levels. Raises ValueError where they do not: whoever made
    such a file, it is not what a search wrote."""
    levels = search.levels
    if saved.depth != len(levels) - 1 or saved.seconds < 0:
        raise ValueError("its depth or its time is not that of its levels")
    if saved.expanded != sum(states if saved.ended else states[:-1]):
        raise ValueError("its states were counted otherwise")
    if min(saved.fired, default=0) < 0:
        raise ValueError("a transition was not taken less than never")
    for told in saved.told:
        if not BROKEN_OR_STUCK <= told.claim < len(search.claims) or not 0 <= told.depth < len(levels):
            raise ValueError("a claim or a level that is told of is not there")
        if not told.rows:
            raise ValueError("what is told is of no search for these settings")
        rows = _rows(search, told)
        there = Visited(search.layout.words)
        there.pour(levels.get(told.depth))
        if (rows[-1] & ~there.masks(rows)).any() or (search.origins(rows) != np.uint64(told.origin)).any():
            raise ValueError(f"{name_of(told.depth)} has no such state as is told of it")


def _pour(search: VectorSearch, number: int) -> int:
    """Put a level into the set of rows found, and make it the frontier: how many states it has. Raises ValueError for
    one that is not as it was written."""
    levels = search.levels
    layout = levels.layouts[levels.laid_out[number]]
    try:
        kept = levels.raw(number)
    except FileNotFoundError:
        raise ValueError(f"{name_of(number)} is missing") from None
    except (OSError, ValueError, EOFError, SyntaxError, TokenError):  # what NumPy lets out of a damaged head
        raise ValueError(f"{name_of(number)} cannot be read") from None
    shape = layout.words + 1, levels.sizes[number]
    if not isinstance(kept, np.ndarray) or kept.dtype != np.uint64 or kept.shape != shape:
        raise ValueError(f"{name_of(number)} is not as it was written")
    rows = np.ascontiguousarray(kept)
    if sum_of(rows) != levels.sums[number]:
        raise ValueError(f"{name_of(number)} is not as it was written")
    if rows.size and (rows[-1] & ~np.uint64(layout.everything)).any():
        raise ValueError(f"{name_of(number)} has a state with a value that no field has")
    for name, column in columns(layout, rows).items():
        if len(column) and not (
            layout.values[name][0] <= column.min() and column.max() <= layout.values[name][-1]
        ):
            raise ValueError(f"{name_of(number)} has a state with a value that {name} never has")
    before, states = search.visited.states, int(np.bitwise_count(rows[-1]).sum())
    for some in levels.chunks(number, 1 << 16):
        search.visited.pour(some)
    search.front, search.front_rows = search.visited.take()
    if search.visited.states != before + states:
        raise ValueError(f"{name_of(number)} has a state twice")
    search.judge_front(number)
    return states
