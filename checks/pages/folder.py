"""The folder of a report: made beside its place and renamed, and never put in the place of anything else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cutproof.checks.common.files import why_no_folder
from cutproof.checks.common.refusals import refuse
from cutproof.checks.views import html

MARK = "<!-- a report of a run, made by cutproof -->"
INDEX, VIEWS = "index.html", "views"
BEGINNING = 400  # bytes of a page in which its mark stands


def check(place: Path) -> None:
    """Refuse, in one line, a place where no report can be written, or where something else is."""
    if place.is_dir():
        stranger = _stranger(place)
        if stranger:
            refuse(f"--html {place}: holds {stranger}, which is not of a report; name another folder")
    elif place.is_symlink() or place.exists():
        refuse(f"--html {place}: is not a folder")
    if why := why_no_folder(Path(os.path.abspath(place)).parent):
        refuse(f"--html {place}: {Path(os.path.abspath(place)).parent}: {why}")


def replace(place: Path, files: Mapping[str, str]) -> None:
    """Write the pages, by their names within the folder, in place of an older report. A reader sees the old one or the
    new one. Refuses as `check` does."""
    check(place)
    whole = place.resolve()
    new, old = (whole.with_name(f".{whole.name}.{os.getpid()}.{what}") for what in ("new", "old"))
    try:
        for name, text in files.items():
            file = new / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if whole.exists():
            whole.rename(old)
        new.rename(whole)
    except OSError as error:
        if old.exists() and not whole.exists():
            with suppress(OSError):
                old.rename(whole)
        refuse(f"--html {place}: {error.strerror or error}")
    finally:
        for rest in (new, old):
            if whole.exists() or rest is new:
                shutil.rmtree(rest, ignore_errors=True)


def _stranger(place: Path) -> str:
    """The name of something in a folder that no report has; empty where there is nothing of the kind."""
    try:
        for part in sorted(place.iterdir()):
            if part.is_symlink():
                return part.name
            if part.is_dir() and part.name == VIEWS:
                for page in sorted(part.iterdir()):
                    if not _marked(page, html.MARK):
                        return f"{VIEWS}/{page.name}"
            elif part.name != INDEX or not _marked(part, MARK):
                return part.name
    except OSError as error:
        return f"what cannot be read ({error.strerror})"
    return ""


def _marked(file: Path, mark: str) -> bool:
    if file.is_symlink() or not file.is_file():
        return False
    with file.open(encoding="utf-8", errors="replace") as page:
        return mark in page.read(BEGINNING)
