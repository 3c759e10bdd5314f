"""Orders that were found, kept for the next time: a file for each protocol, by its digest, in the user's cache.

A file that is damaged, or of another protocol, counts as none; a folder that cannot be written leaves nothing behind.
Deleting the folder costs time only.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from cutproof.checks.common.files import content
from cutproof.model.language.circuit import Layout
from cutproof.model.language.protocol import Protocol

LIMIT = 1 << 22  # bytes of a file
METHOD = (
    Path(__file__).with_name(name)
    for name in ("candidates.py", "order.py", "sift.py", "events.py", "system.py")
)
_METHOD = hashlib.sha256(
    b"\0".join(file.read_bytes() for file in METHOD)
).hexdigest()  # orders are of one method


def kept_order(protocol: Protocol) -> list[str] | None:
    """The order that was kept for a protocol, if it names just the fields that vary."""
    try:
        found = json.loads(content(_file(protocol), LIMIT))
        usable = isinstance(found, list) and sorted(found) == sorted(Layout(protocol).places)
    except (OSError, RuntimeError, ValueError, TypeError, RecursionError):
        return None
    return found if usable else None


def keep_order(protocol: Protocol, order: list[str]) -> None:
    """Keep it, whole or not at all."""
    with suppress(OSError, RuntimeError):
        file = _file(protocol)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(order), "utf-8")
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)


def _file(protocol: Protocol) -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "cutproof" / "orders"
    # What has one digest differs in the values of indices at most, and candidates look at these.
    told = json.dumps([_METHOD, protocol.digest, {k: list(map(str, v)) for k, v in protocol.indices.items()}])
    return folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.json"
