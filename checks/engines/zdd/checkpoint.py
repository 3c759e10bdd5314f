"""The states that are known, on disk: a search that was ended goes on from the last round that was kept.

`diagram.json` says what is searched, the order of the fields, and which file has the nodes: rows of (level, low, high),
each after those below it, 0 and 1 being no rows. It is written beside and renamed, after the nodes were. That a state
in there can be reached is believed, as long as nothing is damaged: to check it would be the search itself.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path as File

import msgspec
import numpy as np

from cutproof.checks.common import files
from cutproof.checks.engines.exploration import LOCK, CheckpointError
from cutproof.checks.engines.zdd.diagrams import NOTHING, START, Node
from cutproof.checks.engines.zdd.system import System

NAME, FORMAT = "diagram.json", 1
LIMIT = 1 << 20  # bytes of it
NODES = 1 << 34  # bytes of nodes


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    """`diagram.json`. `root` is the number of a row, from 2 on, or 0 or 1."""

    format: int
    protocol: str  # its digest
    order: list[str]
    nodes: str  # the name of the file
    sha256: str  # of that file
    root: int
    checksum: str = ""  # of all of this, with none in its place


def _checksum(saved: Saved) -> str:
    plain = msgspec.json.encode(msgspec.structs.replace(saved, checksum=""))
    return hashlib.sha256(plain).hexdigest()


def save(folder: File, system: System, states: Node) -> None:
    """Keep some states. Raises OSError."""
    listed = system.diagrams.nodes_of(states)
    number = {NOTHING: 0, START: 1} | {node: i for i, (node, *_) in enumerate(listed, 2)}
    rows = np.array([(level, number[low], number[high]) for _, level, low, high in listed], np.uint32)
    data = rows.reshape(-1, 3).tobytes()
    digest = hashlib.sha256(data).hexdigest()
    saved = Saved(
        FORMAT, system.protocol.digest, system.order, f"nodes-{digest[:16]}", digest, number[states]
    )
    saved.checksum = _checksum(saved)
    _write(folder / saved.nodes, data)
    _write(folder / NAME, msgspec.json.encode(saved))
    for old in folder.glob("nodes-*"):
        if old.name != saved.nodes:
            old.unlink(missing_ok=True)


def _write(file: File, data: bytes) -> None:
    beside = file.with_name(file.name + ".part")
    beside.unlink(missing_ok=True)  # whatever a run that was killed has left
    with beside.open("xb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, file)


def read(folder: File, digest: str) -> Saved | None:
    """What the folder holds of the search of a protocol; None if it is new. Raises CheckpointError if it is of
    something else, or damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / NAME
    if not file.exists():
        strange = sorted(f.name for f in folder.iterdir() if not f.name.startswith(("nodes-", NAME, LOCK)))
        if strange:
            said = f"{folder} holds {strange[0]}, which is of no search by diagrams: give an empty folder"
            raise CheckpointError(said)
        return None
    try:
        saved = msgspec.json.decode(files.content(file, LIMIT), type=Saved)
    except (ValueError, OSError) as error:  # of bytes that are no text too
        raise CheckpointError(f"{file} cannot be read: {error}; give an empty folder") from None
    if saved.format != FORMAT:
        raise CheckpointError(f"{file} has format {saved.format}, not {FORMAT}: give an empty folder")
    if saved.checksum != _checksum(saved):
        raise CheckpointError(f"{file} is damaged: give an empty folder")
    if saved.protocol != digest:
        raise CheckpointError(f"{folder} is of another search (scope, policy or safeguards differ)")
    return saved


def restored(folder: File, saved: Saved, system: System) -> Node:
    """The states that were kept. Raises CheckpointError where the file of nodes is damaged."""
    diagrams, file = system.diagrams, folder / File(saved.nodes).name
    try:
        data = files.content(file, NODES)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error}; give an empty folder") from None
    if hashlib.sha256(data).hexdigest() != saved.sha256:
        raise CheckpointError(f"{file} is damaged: give an empty folder")
    made = [NOTHING, START]
    for level, low, high in np.frombuffer(data, np.uint32).reshape(-1, 3).tolist():
        made.append(diagrams.node(level, made[low], made[high]))
    return diagrams.union(made[saved.root], system.initial)
