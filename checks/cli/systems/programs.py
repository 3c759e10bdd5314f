"""A program behind `--` on the command line, and the system that a command is about."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer.core import TyperCommand

from cutproof.checks.common.refusals import refuse

PROGRAM = "cutproof.program"


class WithProgram(TyperCommand):
    """A command that takes a program: everything behind `--`, and none of it is an option of ours."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the program apart."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[PROGRAM] = args[at + 1 :]
            args = args[:at]
            if not ctx.meta[PROGRAM]:
                refuse("no program stands behind --")
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The usage says so."""
        return [*super().collect_usage_pieces(ctx), "[-- PROGRAM...]"]


def program_of(context: Any) -> list[str]:
    """What stood behind `--`."""
    return list(context.meta.get(PROGRAM, ()))


@contextmanager
def system(named: str, program: list[str], seconds: float | None = None) -> Iterator[Any]:
    """The class of adapters that is meant: one in a file, or a program, which has ended when this ends."""
    from cutproof.checks.drivers.wire.client import adapter_of
    from cutproof.checks.drivers.wire.program import NotStarted
    from cutproof.checks.protocols.classes import is_file, load_adapter

    if bool(named) == bool(program):
        refuse("name one system: an adapter, FILE.py[:NAME], or a program behind --")
    if named and is_file(named):
        yield load_adapter(named)
        return
    try:
        command = program or shlex.split(named)
    except ValueError as error:
        refuse(f"{named!r}: is no command: {error}")
    if not command:
        refuse("the program has no name")
    adapter = adapter_of(command) if seconds is None else adapter_of(command, seconds=seconds)
    try:
        adapter.open()
    except NotStarted as error:
        refuse(error.reason)
    try:
        yield adapter
    finally:
        adapter.close()
