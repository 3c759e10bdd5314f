"""Files that users name: read whole where they are ordinary files, refused where they are not, never waited for.

A pipe or a device under the name of a file would be waited for without end; some that the kernel makes look like
ordinary files and wait all the same. So nothing is read here in a way that can wait.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SPECIAL = {
    stat.S_ISDIR: "is a folder",
    stat.S_ISFIFO: "is a pipe, not a file",
    stat.S_ISSOCK: "is a socket, not a file",
    stat.S_ISCHR: "is a device, not a file",
    stat.S_ISBLK: "is a device, not a file",
}


class NotUsable(OSError):
    """What is there is not what a file should be; `strerror` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(0, reason)

    def __str__(self) -> str:
        return str(self.strerror)


def content(path: str | os.PathLike[str], limit: int) -> bytes:
    """What is in an ordinary file of at most `limit` bytes. Raises OSError, whose `strerror` says what is wrong with
    another, and ValueError for a name that no file can have."""

    def at_once(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NONBLOCK)

    ordinary(path)
    with open(path, "rb", opener=at_once) as file:
        if (size := os.fstat(file.fileno()).st_size) > limit:
            raise NotUsable(f"holds {size:,} bytes; it may have {limit:,} at most")
        data = file.read(limit + 1)
    if data is None:  # there is nothing yet, and there may be later
        raise NotUsable("has no end: it is made by the system while it is read")
    if len(data) > limit:
        raise NotUsable(f"holds more than {limit:,} bytes")
    return data


def ordinary(path: str | os.PathLike[str]) -> None:
    """Raise OSError, with the reason, unless an ordinary file is there."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise NotUsable(next((said for what, said in SPECIAL.items() if what(mode)), "is no file"))


def why_no_folder(folder: Path) -> str:
    """Why files could not be written into a folder that may have to be made first; empty where they could.

    It is tried, and what was made for that is removed."""
    made: list[Path] = []
    try:
        for part in reversed([folder, *folder.parents]):
            if not part.exists():
                part.mkdir()
                made.append(part)
        probe = folder / f".cutproof.{os.getpid()}"
        with probe.open("xb"):
            pass
        probe.unlink()
    except OSError as error:
        return "is not a folder" if folder.exists() and not folder.is_dir() else error.strerror or str(error)
    except ValueError:
        return "is a name that no folder can have"
    finally:
        for part in reversed(made):
            with suppress(OSError):
                part.rmdir()
    return ""


@contextmanager
def alone(lock: Path) -> Iterator[int]:
    """Within it no other run is: yields 0, or the process id of the run that is there already (-1 if it is not known).

    The system gives the lock up when a process ends, however it ends: what a killed run has left stops nobody. The
    file goes with the run that made it. Raises OSError where it cannot be written."""
    number = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with open(number, "r+b", buffering=0) as file:
        ordinary(lock)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = file.read(20)
            yield int(who) if who.strip().isdigit() else -1
            return
        if not lock.exists() or os.fstat(number).st_ino != lock.stat().st_ino:
            yield -1  # whoever was here is leaving this moment, or another has come
            return
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        try:
            yield 0
        finally:
            lock.unlink(missing_ok=True)
