"""The command `cutproof new`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from cutproof.checks.cli.console import say
from cutproof.checks.common.refusals import plain, refuse

TEMPLATES = Path(__file__).with_name("templates")


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="Where the protocol is written.")],
) -> int:
    """Write a small protocol, and a program and its driver beside it, to change into your own."""
    if file.suffix != ".py":
        refuse(f"{file}: name it FILE.py")
    if not str(file).isprintable():
        refuse(f"{plain(str(file))}: has signs in its name that cannot be printed")
    driver = file.with_name(f"{file.stem}_driver.py")
    words = {
        "NAME": re.sub(r"\W", "_", file.stem, flags=re.ASCII).strip("_") or "protocol", "FILE": file.name,
        "DRIVER": driver.name,
    }  # fmt: skip
    if words["NAME"][0].isdigit():
        words["NAME"] = f"protocol_{words['NAME']}"
    texts = {file: _text("model", words), driver: _text("driver", words)}
    for path in texts:
        if path.exists() or path.is_symlink():
            refuse(f"{path}: is there already; nothing was written")
    written = list[Path]()
    try:
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as out:
                written.append(path)
                out.write(text)
    except (OSError, ValueError) as error:
        for path in written:
            path.unlink(missing_ok=True)
        refuse(f"{path}: {getattr(error, 'strerror', None) or error}")
    model, beside = shlex.quote(str(file)), shlex.quote(str(driver))
    say(f"{file}: a protocol, {driver}: a program and its driver; now try", verbatim=True)
    say(
        f"  cutproof explore {model}",
        f'  cutproof explore {model} --without-guard "switch:all is copied"',
        f"  cutproof drive {model} --driver {beside} --refusals",
        verbatim=True,
    )
    return 0


def _text(name: str, words: dict[str, str]) -> str:
    text = (TEMPLATES / f"{name}.txt").read_text("utf-8")
    return re.sub(r"\b(NAME|FILE|DRIVER)\b", lambda found: words[found[1]], text)
