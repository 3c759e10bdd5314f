"""A few operations as lanes: a row each, with what was asked, what was told, and when, from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutproof.checks.common.refusals import plain
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, PENDING
from cutproof.checks.drivers.histories.operation import GET, Operation, key_of
from cutproof.checks.drivers.histories.sentences import brief, elided

ROWS = 10
SHORT = 6  # columns that a word is not cut below
BETWEEN = 12  # columns between words, and around bars


def timeline(operations: Sequence[Operation], width: int = 100, place: str = "line") -> list[str]:
    """The operations in order of time, at most `ROWS` lines of at most `width` columns (80 or more); what was between
    the first and the last few is summed up. `place` is what `step` of an operation counts."""
    shown, left = list(operations), list[Operation]()
    if len(shown) > ROWS:
        left = shown[2 : len(shown) - (ROWS - 3)]
        shown = [*shown[:2], *shown[len(shown) - (ROWS - 3) :]]
    if not shown:
        return []
    items = {key_of(o.argument) for o in operations if o.kind == "append"}
    rows = [(f"#{o.number}", plain(o.client), asked(o), told(o, items), _where(o, place)) for o in shown]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    while sum(widths) > width - BETWEEN - 2 * len(shown) and max(widths[1:4]) > SHORT:
        widths[max((1, 2, 3), key=widths.__getitem__)] -= 1
    words = ["  ".join(_cut(text, w) for text, w in zip(row, widths, strict=True)) for row in rows]
    bars = _bars(shown, width - sum(widths) - BETWEEN)
    lines = [f"{text}  {bar}".rstrip() for text, bar in zip(words, bars, strict=True)]
    if left:
        lines.insert(2, _cut(f"... {_sum(left)}", width).rstrip())
    return lines


def asked(o: Operation) -> str:
    """What the client asked for: "put 'a'"."""
    if o.kind == "put_if":
        return f"put_if {brief(o.argument[0])} -> {brief(o.argument[1])}"
    return o.kind if o.kind in (GET, "delete") else f"{o.kind} {brief(o.argument)}"


def told(o: Operation, items: set[Any] | None = None) -> str:
    """What it was told: a word, or what it read; of a list only these items, if any are given."""
    if o.kind != GET or o.outcome != ACKNOWLEDGED:
        return o.outcome if o.returned is not None or o.outcome != ACKNOWLEDGED else PENDING
    if isinstance(o.result, list | tuple):
        shown = [key_of(item) for item in o.result]
        return f"-> {elided(shown, set(shown) if items is None else items)}"
    return "-> nothing" if o.result is None else f"-> {brief(o.result)}"


def _where(o: Operation, place: str) -> str:
    return f"{place} {o.step}" if o.step else ""


def _cut(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 3] + "..."


def _bars(operations: Sequence[Operation], width: int) -> list[str]:
    """A bar for each, from its call to its answer; what has none, or may still happen, is open at the right."""
    moments = sorted({m for o in operations for m in (o.invoked, o.returned) if m is not None})
    step = max(1, min(3, width // len(moments)))
    column = {moment: step * place for place, moment in enumerate(moments)}
    bars = []
    for o in operations:
        start = column[o.invoked]
        open_ = o.returned is None or o.outcome in (FAILED, PENDING)
        end = step * len(moments) if open_ or o.returned is None else column[o.returned]
        bar = "|" if end == start else f"|{'=' * (end - start - 1)}{'>' if open_ else '|'}"
        bars.append(" " * start + bar)
    return bars


def _sum(operations: Sequence[Operation]) -> str:
    """Operations in a few words."""
    counts: dict[str, int] = {}
    for o in operations:
        counts[f"{o.kind} {o.outcome}"] = counts.get(f"{o.kind} {o.outcome}", 0) + 1
    added = sum(o.argument for o in operations if o.kind == "add")
    said = ", ".join(f"{n} {what}" for what, n in counts.items())
    return f"{said}{f' (of {added} in all)' if added else ''}"
