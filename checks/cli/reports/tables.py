"""Tables as text. On a terminal a table fits its width and has colours; elsewhere each row is one plain line."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 100_000  # columns of what is not a terminal: every row on one line


def rendered(table: Table, width: int | None = None) -> str:
    """The table as text: for a terminal of that width, or plain if there is none."""
    out = io.StringIO()
    Console(
        file=out,
        width=width or WIDE,
        force_terminal=width is not None,
        color_system="auto" if width else None,
    ).print(table)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def terminal_width() -> int | None:
    """Of stdout; None where it is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> Table:
    """A table of plain cells; the columns named in `numbers` are aligned to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in head:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for cells in rows:
        style = "bold red" if cells[0] == "FAIL" else ""
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table
