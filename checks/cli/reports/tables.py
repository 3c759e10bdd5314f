"""Text that fits: lines wrapped at spaces, and tables of cells. What does not fit goes to the next line or is left out;
a name is never broken in two.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDEST = 120  # columns of what is not a terminal
GAP = 2  # columns between two cells
NARROWEST = 30  # columns of a wrapped column
INDENT = 4  # of what goes on in the next line
BAD = "\x1b[1;31m{}\x1b[0m"  # bold red


def is_terminal() -> bool:
    """Whether stdout is one."""
    return sys.stdout.isatty()


def width() -> int:
    """Columns of stdout: those of the terminal, or that COLUMNS says; else `WIDEST`."""
    if is_terminal():
        columns = shutil.get_terminal_size().columns
    else:
        said = os.environ.get("COLUMNS", "")
        columns = int(said) if re.fullmatch(r"0*[1-9]\d{0,4}", said) else WIDEST
    return max(columns, 2 * INDENT)


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns, broken at spaces, the next ones indented a little more than the first; a word
    that is longer is broken after a comma or a slash, or where it must be. Colours take no columns."""
    found = []
    for line in text.split("\n"):
        if len(line) <= columns or "\x1b" in line:
            found.append(line)
            continue
        indent = min(len(line) - len(line.lstrip()) + INDENT, columns // 2)
        pieces = [_pieces(word, columns - indent) for word in line.split(" ")]
        found += textwrap.wrap(
            " ".join(pieces), columns, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False,
            expand_tabs=False, replace_whitespace=False,
        )  # fmt: skip
    return found


def _pieces(word: str, columns: int) -> str:
    """A word, with spaces where it has to be broken."""
    if len(word) <= columns:
        return word
    return " ".join(re.findall(rf".{{1,{columns}}}$|.{{1,{columns - 1}}}[,/]|.{{1,{columns}}}", word))


@dataclass(frozen=True)
class Layout:
    """Where the cells of a table stand: the columns that are shown, by number and name, and how wide each is."""

    shown: tuple[int, ...]
    names: tuple[str, ...]
    widths: tuple[int, ...]
    columns: int
    numbers: Sequence[str] = ()
    wrap: Sequence[str] = ()
    coloured: bool = False

    def lines(self, row: Sequence[str]) -> list[str]:
        """One row; what is too long for its column goes on in the next line."""
        cells = [row[i] for i in self.shown]
        found = [
            part
            for line in _row(cells, self.names, self.widths, self.numbers, self.wrap)
            for part in wrapped(line, self.columns)
        ]
        return [BAD.format(line) for line in found] if self.coloured and row[0] == "FAIL" else found


def layout(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    columns: int,
    *,
    numbers: Sequence[str] = (),
    wrap: Sequence[str] = (),
    drop: Sequence[str] = (),
    coloured: bool = False,
) -> Layout:
    """A table for such rows, in so many columns. `numbers` are aligned to the right, cells in `wrap` broken at spaces,
    and columns in `drop` left out, the first ones first, as far as the rest does not fit. Where a cell is too long for
    its column, the rest of its row is on the next line. With `coloured` a row that begins with FAIL is red."""
    cells, names = [list(row) for row in rows], list(head)
    longest = max(columns // 3, 20)
    natural = {
        n: max(len(n), *(len(row[i]) for row in cells), 0) if cells else len(n) for i, n in enumerate(names)
    }
    words = {
        n: max((len(w) for row in cells for w in row[i].split()), default=0) for i, n in enumerate(names)
    }
    narrowest = {n: max(NARROWEST, min(words[n], 3 * columns // 8)) for n in names}
    least = {n: min(natural[n], narrowest[n] if n in wrap else longest) for n in names}
    for name in drop:
        if _total([least[n] for n in names]) <= columns:
            break
        names.remove(name)
    widths = _widths(names, natural, least, wrap, columns)
    shown = tuple(i for i, name in enumerate(head) if name in names)
    return Layout(shown, tuple(names), tuple(widths), columns, numbers, wrap, coloured)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], columns: int, **more: Any) -> list[str]:
    """The lines of a whole table in so many columns, as `layout` has them."""
    cells = [list(row) for row in rows]
    found = layout(head, cells, columns, **more)
    return [line for row in (head, *cells) for line in found.lines(row)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(
    names: Sequence[str],
    natural: Mapping[str, int],
    least: Mapping[str, int],
    wrap: Sequence[str],
    columns: int,
) -> list[int]:
    """The least for each, and what is left for those that are wrapped, in equal steps."""
    found = {n: least[n] for n in names}
    while True:
        hungry = [n for n in names if found[n] < natural[n] and n in wrap]
        left = columns - _total(list(found.values()))
        if not hungry or left < len(hungry):
            return list(found.values())
        for name in hungry:
            found[name] += min(left // len(hungry), natural[name] - found[name])


def _lines(cell: str, size: int) -> list[str]:
    text = " ".join(_pieces(word, size) for word in cell.split(" "))
    return textwrap.wrap(text, size, break_long_words=False, break_on_hyphens=False)


def _row(
    row: Sequence[str],
    names: Sequence[str],
    widths: Sequence[int],
    numbers: Sequence[str],
    wrap: Sequence[str],
) -> list[str]:
    lines, starts, at = [""], [], 0
    for size in widths:
        starts.append(at)
        at += size + GAP
    top = 0  # the line on which the row goes on
    for cell, name, size, start in zip(row, names, widths, starts, strict=True):
        parts = _lines(cell, size) if name in wrap else [cell]
        if len(lines[top]) > max(start - GAP, 0) and start:
            top = len(lines)
        for number, part in enumerate(parts or [""], top):
            if number == len(lines):
                lines.append("")
            shown = part.rjust(size) if name in numbers else part
            lines[number] = (lines[number].ljust(start) + shown) if part else lines[number]
    return [line.rstrip() for line in lines]
