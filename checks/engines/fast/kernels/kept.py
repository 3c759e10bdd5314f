"""What was compiled, on disk: object files, each with a digest of what is in it.

The folder is named by all that they were made of: the sources of the loops, numba, llvmlite and NumPy, the processor.
A file is written beside and renamed, so that several processes may do so at once; one that is damaged, or of another
name, is as good as none. Where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata, util
from pathlib import Path

FORGOTTEN = 30 * 86_400  # seconds after which what was compiled for other versions is removed


def version_of(package: str) -> bytes:
    """What tells the versions of an installed package apart. ImportError where there is none."""
    try:
        spec = util.find_spec(package)
    except ValueError:  # it is there by name alone
        spec = None
    if spec is None or spec.origin is None:
        raise ImportError(f"there is no {package}")
    try:
        return Path(spec.origin).with_name("_version.py").read_bytes()  # numba and llvmlite have one: at once
    except OSError:
        return metadata.version(package).encode()


def folder_for(made_of: Sequence[bytes]) -> Path | None:
    """The folder for what is compiled of all this, and of the sources beside this module; none where there can be none.
    Those of other versions that nobody has used for long are removed."""
    sources = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    parts = [hashlib.sha256(part).digest() for part in (*made_of, *sources)]
    name = f"loops-{hashlib.sha256(b''.join(parts)).hexdigest()[:16]}"
    try:
        every = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "cutproof"
        (every / name).mkdir(parents=True, exist_ok=True)
        os.utime(every / name)
        for old in every.glob("loops-*"):
            if time.time() - old.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(old, ignore_errors=True)
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    return every / name


def read(folder: Path | None, name: str) -> bytes | None:
    """What was kept by this name, if it is there and whole."""
    if folder is None:
        return None
    try:
        digest, data = (content := (folder / name).read_bytes())[:32], content[32:]
    except OSError:
        return None
    return data if digest == digest_of(name, data) else None


def write(folder: Path | None, name: str, data: bytes) -> None:
    """Keep this by a name, if that can be."""
    if folder is None:
        return
    with suppress(OSError):
        beside, path = tempfile.mkstemp(dir=folder, prefix=f"{name}-")
        try:
            with os.fdopen(beside, "wb") as file:
                file.write(digest_of(name, data) + data)
            os.replace(path, folder / name)
        except OSError:
            os.unlink(path)
            raise


def digest_of(name: str, data: bytes) -> bytes:
    """The digest that a file of this name begins with."""
    return hashlib.sha256(name.encode() + b"\0" + data).digest()
