"""Orders that were found, kept for the next time: a file for each protocol, by its digest, in the user's cache.

A file that is damaged, or of another protocol, counts as none; a folder that cannot be written leaves nothing behind.
Deleting the folder costs time only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cutproof.checks.common.files import content
from cutproof.model.language.protocol import Protocol, State

LIMIT = 1 << 22  # bytes of a file
METHOD = ("order/candidates.py", "order/search.py", "order/sift.py", "events.py", "plain.py", "system.py")
_FOLDER = Path(__file__).parent.parent
_METHOD = hashlib.sha256(b"\0".join((_FOLDER / name).read_bytes() for name in METHOD)).hexdigest()


def file_of(protocol: Protocol, top: Sequence[str], starts: Sequence[State]) -> Path | None:
    """Where the order of a protocol is kept, with these fields at the top and these states to start from; None where
    there can be no such place."""
    with suppress(RuntimeError):  # nobody's home is known
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
        # Protocols of one digest differ in the values of their indices at most, which candidates go by.
        indices = {name: list(map(str, values)) for name, values in protocol.indices.items()}
        told = json.dumps([_METHOD, protocol.digest, indices, list(top), list(starts)])
        return folder / "cutproof" / "orders" / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.json"
    return None


def order_in(file: Path | None, names: Sequence[str]) -> list[str] | None:
    """The order that a file has, if it has just these names."""
    if file is None:
        return None
    try:
        found = json.loads(content(file, LIMIT))
        usable = isinstance(found, list) and sorted(found) == sorted(names)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return found if usable else None


def keep(file: Path | None, order: Sequence[str]) -> None:
    """Keep it, whole or not at all."""
    if file is None:
        return
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_text(json.dumps(list(order)), "utf-8")
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
