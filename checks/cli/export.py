"""The command `cutproof export`."""

from __future__ import annotations

import os
import sys
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import the_bounded_scope, the_policy, the_removed
from cutproof.checks.cli.console import AsWritten, PolicyText, ScopeText, Without, say
from cutproof.checks.common.refusals import refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.model.language.protocol import Protocol

TARGETS = ("tla", "promela")


def export(
    target: Annotated[str, typer.Argument(help="tla, for TLC; or promela, for SPIN.")],
    scope: ScopeText = "base",
    without: Without = "",
    as_written: AsWritten = False,
    policy: PolicyText = "",
    into: Annotated[
        File | None, typer.Option("--into", help="Write files into this folder, not to stdout.")
    ] = None,
) -> int:
    """Write the protocol within a scope as a model for another tool; how to run it stands at its top."""
    from cutproof.model.cutover.coordinator import build

    if target not in TARGETS:
        refuse(f"export {target}: there are {' and '.join(TARGETS)}")
    bounds, chosen, removed = the_bounded_scope(scope), the_policy(policy), the_removed(without, as_written)
    settings = [
        f"scope {bounds.describe() or 'of defaults'}",
        *(f"{name}={str(value).lower()}" for name, value in chosen.changed().items()),
        *(f"without {name}" for name in removed),
    ]
    texts = _texts(target, build(bounds, chosen, removed), "; ".join(settings))
    if into is None:
        say(*(text.rstrip("\n") for text in _apart(texts)))
        return 0
    _write(texts, into)
    for name in texts:
        print(f"wrote {into / name}", file=sys.stderr)
    print("how to run it stands at the top of the file", file=sys.stderr)
    return 0


def _texts(target: str, protocol: Protocol, note: str) -> dict[str, str]:
    """The text of each file, by its name."""
    from cutproof.checks.engines.foreign.export import promela, tla
    from cutproof.checks.engines.foreign.text import identifier

    if target == "promela":
        return {f"{identifier(protocol.name)}.pml": promela(protocol, note)}
    module, configuration = tla(protocol, note)
    name = module.split()[2]
    return {f"{name}.tla": module, f"{name}.cfg": configuration}


def _apart(texts: dict[str, str]) -> list[str]:
    """One text after the other; from the second on with a line that says which file it is."""
    first, *rest = texts.values()
    names = list(texts)[1:]
    lines = [first]
    for name, text in zip(names, rest, strict=True):
        lines += ["", f"\\* ---------------- {name}: a file of its own ----------------", text]
    return lines


def _write(texts: dict[str, str], folder: File) -> None:
    """Write all of them, or refuse before anything was written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            file = folder / name
            if file.exists() and file.read_bytes() != text.encode():
                refuse(f"{file} holds something else; nothing was written: choose another folder")
        for name, text in texts.items():
            beside = folder / f".{name}.{os.getpid()}"
            beside.write_text(text, "utf-8")
            os.replace(beside, folder / name)
    except OSError as error:
        refuse(f"--into {folder}: {error.strerror or error}")
