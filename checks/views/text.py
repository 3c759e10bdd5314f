"""A drawing as lanes of plain characters, for a terminal."""

from __future__ import annotations

import textwrap

from cutproof.checks.views.drawing import Arrow, Drawing
from cutproof.checks.views.html import visible

NUMBER, NARROW, WIDE = 5, 7, 16  # columns of a step's number, and of a lane
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LEGEND = "o takes the step. A message on its way has a letter, where it is sent and where it ends."


def lanes(drawing: Drawing, width: int = 100) -> list[str]:
    """The lines, each at most `width` columns wide where that can be: lanes on the left, sentences on the right of them
    or below."""
    many = max(1, len(drawing.lanes))
    beside = width >= 90 and (width - NUMBER) // 2 >= many * NARROW
    room = (width - NUMBER) // 2 if beside else width - NUMBER
    column = max(NARROW, min(WIDE, room // many))
    made = _Lanes(drawing, column, width if beside else 0)
    found = [
        *textwrap.wrap(visible(drawing.title), width),
        *textwrap.wrap(visible(drawing.why), width),
        "",
        made.heads(),
    ]
    for number in range(len(drawing.steps)):
        found += made.rows(number, width)
    if drawing.loop is not None:
        found.append(f"{'':>{NUMBER}}from step {drawing.loop + 1} on again, for ever")
    verdict = drawing.verdict
    found += ["", *_block("Promise", verdict.promise, width), *_block("Loss", verdict.loss, width)]
    found += [*_block("Step", f"{verdict.by} {verdict.after}".strip(), width)]
    return [line.rstrip() for line in [*found, *([LEGEND[:width]] if made.used else [])]]


class _Lanes:
    def __init__(self, drawing: Drawing, column: int, width: int) -> None:
        self.drawing, self.column, self.width = drawing, column, width
        self.used: dict[int, str] = {}
        self.sent: dict[int, list[tuple[str, Arrow]]] = {}
        self.ends: dict[int, list[tuple[str, Arrow]]] = {}
        for arrow in drawing.arrows:
            name = ""
            if arrow.arrives != arrow.sent:
                name = LETTERS[len(self.used) % len(LETTERS)]
                self.used[len(self.used)] = name
                self.sent.setdefault(arrow.sent, []).append((name, arrow))
            if arrow.arrives is not None:
                self.ends.setdefault(arrow.arrives, []).append((name, arrow))

    def heads(self) -> str:
        """The names of the lanes over their columns."""
        cells = [visible(lane.name)[: self.column - 1].center(self.column) for lane in self.drawing.lanes]
        return " " * NUMBER + "".join(cells)

    def rows(self, number: int, width: int) -> list[str]:
        """The lines of one step."""
        step, verdict = self.drawing.steps[number], self.drawing.verdict
        drawn = [
            self._line(a, name, a.sent == a.arrives or a.sent != number)
            for name, a in self.ends.get(number, [])
        ]
        drawn += [self._line(arrow, name, False) for name, arrow in self.sent.get(number, [])]
        drawn = drawn or [self._line(None, "", False)]
        if 0 <= step.lane < len(self.drawing.lanes):
            place = self._x(step.lane)
            for row in drawn[:1]:
                row[place] = "o" if row[place] == "|" else row[place]
        says = visible(step.sentence or step.call) if number else "at the start"
        if number and number == verdict.since and verdict.form not in ("", "sometimes"):
            says += "  <- the promise is broken" if verdict.form == "always" else "  <- the end"
        elif number and number == verdict.inevitable:
            says += "  <- inevitable from here"
        return self._joined(number, ["".join(row) for row in drawn], says, width)

    def _joined(self, number: int, drawn: list[str], says: str, width: int) -> list[str]:
        starts = [f"{number:>{NUMBER - 1}} ", *[" " * NUMBER] * (len(drawn) - 1)]
        rows = [start + row for start, row in zip(starts, drawn, strict=True)]
        indent = NUMBER + self.column * len(self.drawing.lanes) + 1
        if not self.width:
            return [*textwrap.wrap(f"{starts[0]}{says}", width, subsequent_indent=" " * NUMBER),
                    *(" " * NUMBER + row for row in drawn)]  # fmt: skip
        lines = textwrap.wrap(says, max(20, width - indent)) or [""]
        bare = " " * NUMBER + "".join(self._line(None, "", False))
        rows += [bare] * (len(lines) - len(rows))
        return [f"{row} {lines[i] if i < len(lines) else ''}" for i, row in enumerate(rows)]

    def _x(self, lane: int) -> int:
        return self.column * lane + self.column // 2

    def _line(self, arrow: Arrow | None, name: str, whole: bool) -> list[str]:
        """A row of life lines, with an arrow: `whole` of one that ends here."""
        row = [" "] * (self.column * len(self.drawing.lanes))
        for lane in range(len(self.drawing.lanes)):
            row[self._x(lane)] = "|"
        if arrow is None or arrow.source == arrow.target:
            return row
        start, end = self._x(arrow.source), self._x(arrow.target)
        way = 1 if end > start else -1
        tip = {"lost": "x", "failed": "x", "refused": "X"}.get(arrow.fate, ">" if way > 0 else "<")
        if name:  # sent and ended in different steps: a letter beside the target tells which it is
            mark = end - way * 4
            if whole:
                row[mark] = name
                for place in range(mark + way, end, way):
                    row[place] = "-"
                row[end - way] = tip
            else:
                for place in range(start + way, mark, way):
                    row[place] = "-"
                row[start], row[mark] = "o", name
            return row
        for place in range(start + way, end, way):
            row[place] = "-"
        row[end - way] = tip
        return row


def _block(name: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(f"{name}: {visible(text)}", width, subsequent_indent="    ") if text else []
