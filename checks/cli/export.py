"""The command `cutproof export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import the_protocol
from cutproof.checks.cli.console import (
    AsWritten,
    Named,
    PolicyText,
    ScopeText,
    With,
    Without,
    WithoutGuard,
    say,
)
from cutproof.checks.common.refusals import checked, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.protocols.load import Loaded


def export(
    target: Annotated[str, typer.Argument(help="tla, for TLC; or promela, for SPIN.")],
    named: Named = "",
    parameters: With = None,
    guards: WithoutGuard = None,
    scope: ScopeText = "",
    without: Without = "",
    as_written: AsWritten = False,
    policy: PolicyText = "",
    into: Annotated[
        File | None, typer.Option("--into", help="Write files into this folder, not to stdout.")
    ] = None,
) -> int:
    """Write the protocol as a model for another tool; how to run it stands at its top.

    Without a protocol: the cutover, in the scope base."""
    from cutproof.checks.engines.foreign.export import TARGETS, files_of

    if target not in TARGETS:
        refuse(f"export {target}: there are {' and '.join(TARGETS)}")
    loaded = the_protocol(named, parameters, guards, scope, policy, without, as_written)
    texts = checked(files_of, loaded.protocol, target, _note(loaded))
    if into is None:
        say(*(text.rstrip("\n") for text in _apart(texts)), verbatim=True)
        return 0
    _write(texts, into)
    for name in texts:
        print(f"wrote {into / name}", file=sys.stderr)
    print("how to run it stands at the top of the file", file=sys.stderr)
    return 0


def _note(loaded: Loaded) -> str:
    """Of what variant of the protocol the model is."""

    def written(values: Mapping[str, object]) -> Iterator[str]:
        return (f"{k}={str(v).lower() if isinstance(v, bool) else v}" for k, v in values.items())

    settings = loaded.settings
    scope = ",".join(written(settings["scope"]))
    head = f"scope {scope or 'of defaults'}" if loaded.protocol.name == "cutover" else scope
    removed = (f"without {name}" for name in settings["safeguards_removed"])
    return "; ".join(filter(None, (head, *written(settings["policy"]), *removed)))


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
