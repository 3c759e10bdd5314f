"""A plot as SVG: points with their intervals beside a line, on logarithmic axes. Equal numbers give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 420, 72, 28, 40, 56
LETTERS = 'font-family="sans-serif" font-size="12" fill="#222"'


def _text(x: float, y: float, said: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" {LETTERS}{more}>{escape(said)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, more: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {more}/>'


MIDDLE, AT_END, DASHED = ' text-anchor="middle"', ' text-anchor="end"', 'stroke="#888" stroke-dasharray="6 4"'


@dataclass(frozen=True)
class Point:
    """A measured value with its interval; all above 0."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """Points of one kind, and their colour."""

    name: str
    colour: str
    points: Sequence[Point]


class _Axis:
    """Maps values to a range of pixels, by their logarithm, whole decades wide."""

    def __init__(self, values: Iterable[float], start: float, end: float) -> None:
        logs = [log10(v) for v in values]
        self.low, self.high = floor(min(logs) + 1e-9), ceil(max(logs) - 1e-9)
        self.high += self.high == self.low
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        share = (log10(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def decades(self) -> list[float]:
        return [10.0**n for n in range(self.low, self.high + 1)]


def plot(
    title: str,
    across: str,
    up: str,
    series: Sequence[Series],
    line: str,
    predicted: Sequence[tuple[float, float]],
    spelled: Callable[[float], str] | None = None,
) -> str:
    """The whole file. `line` names the predicted line through the points `predicted`; the axes are in per cent, unless
    `spelled` says otherwise. Raises ValueError for a value that is not above 0: it has no logarithm."""
    points = [p for s in series for p in s.points]
    if any(min(p.x, p.y, p.low, p.high) <= 0 for p in points) or any(min(pair) <= 0 for pair in predicted):
        raise ValueError("an axis is logarithmic: values are above 0")
    x = _Axis([*(p.x for p in points), *(a for a, _ in predicted)], LEFT, WIDTH - RIGHT)
    values = [v for p in points for v in (p.low, p.high)]
    y = _Axis([*values, *(b for _, b in predicted)], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 20, title, ' font-weight="bold"'),
        *_grid(x, y, spelled or _percent),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, across, MIDDLE),
        f'<g transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">{_text(0, 0, up, MIDDLE)}</g>',
    ]
    path = " ".join(f"{x(a)},{y(b)}" for a, b in predicted)
    parts.append(f'<polyline points="{path}" fill="none" {DASHED}/>')
    for one in series:
        for p in one.points:
            parts.append(
                _line(x(p.x), y(p.low), x(p.x), y(p.high), f'stroke="{one.colour}" stroke-width="2"')
            )
            parts.append(f'<circle cx="{x(p.x)}" cy="{y(p.y)}" r="4" fill="{one.colour}"/>')
    parts += [*_legend(series, line), "</svg>"]
    return "\n".join(parts) + "\n"


def _grid(x: _Axis, y: _Axis, spelled: Callable[[float], str]) -> list[str]:
    parts, low, faint = [], HEIGHT - BOTTOM, 'stroke="#ddd"'
    for value in x.decades():
        parts.append(_line(x(value), TOP, x(value), low, faint))
        parts.append(_text(x(value), low + 18, spelled(value), MIDDLE))
    for value in y.decades():
        parts.append(_line(LEFT, y(value), WIDTH - RIGHT, y(value), faint))
        parts.append(_text(LEFT - 8, y(value) + 4, spelled(value), AT_END))
    return parts


def _percent(rate: float) -> str:
    return f"{100 * rate:g} %"


def _legend(series: Sequence[Series], line: str) -> list[str]:
    parts = [_line(LEFT + 12, TOP + 14, LEFT + 40, TOP + 14, DASHED), _text(LEFT + 48, TOP + 18, line)]
    for row, one in enumerate(series, 1):
        at = TOP + 14 + 18 * row
        parts.append(f'<circle cx="{LEFT + 26}" cy="{at}" r="4" fill="{one.colour}"/>')
        parts.append(_text(LEFT + 48, at + 4, one.name))
    return parts
