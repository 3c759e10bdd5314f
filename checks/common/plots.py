"""Plots by Matplotlib, as SVG that stands alone: rates with their intervals. It is the extra `html`.

    if plots.there():
        light, dark = plots.rates([Rate("writes", 12, 100_000, 1.2e-4, 6.2e-5, 2.1e-4)], "lost, of a million", 1e6)

Equal numbers give equal bytes with one version of Matplotlib: there is no date in a picture, and its names are drawn
from a constant. Texts stay texts. Each picture is made twice, for light and for dark paper.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it is not there without the extra, and takes half a second
    from matplotlib.axes import Axes

WIDTH, ROW, ROOM = 5.4, 0.4, 1.1  # inches: of a picture, of a row, around the rows
FLAT = 2.6  # inches: the height of a picture over time


@dataclass(frozen=True)
class Paper:
    """Colours of a picture."""

    card: str
    ink: str
    soft: str
    line: str
    first: str
    second: str


LIGHT = Paper("#ffffff", "#1c2127", "#545e69", "#dcdfe3", "#1d5f9e", "#b02a1f")
DARK = Paper("#1b1f24", "#e7e9ec", "#a5afba", "#363d45", "#84b8ee", "#f39a90")


@dataclass(frozen=True)
class Rate:
    """What was counted: `rate` is `lost` of `of`, with an interval from `low` to `high`; nothing lost has only a
    bound."""

    name: str
    lost: int
    of: int
    rate: float
    low: float
    high: float


def there() -> bool:
    """Whether Matplotlib is installed."""
    return find_spec("matplotlib") is not None


def rates(found: Sequence[Rate], across: str, scale: float, mark: float | None = None) -> tuple[str, str]:
    """Rates below each other on one logarithmic axis, times `scale`, as SVG for light and for dark paper. Where nothing
    was lost, an arrow points down from the bound. `mark` is a rate that a line is drawn at. Raises ValueError where
    there is nothing to draw."""
    if not found or any(one.high <= 0 for one in found):
        raise ValueError("an interval has an end above 0")
    values = [v * scale for one in found for v in (one.low, one.high) if v > 0]
    values += [mark * scale] if mark else []
    ends = min(values) / 3, max(values) * 2

    def draw(axes: Axes, paper: Paper) -> None:
        if mark:
            axes.axvline(mark * scale, color=paper.soft, linewidth=1, linestyle=(0, (5, 4)))
        for row, one in enumerate(found):
            low, high = one.low * scale, one.high * scale
            if one.lost:
                axes.plot([max(low, ends[0]), high], [row, row], color=paper.second, linewidth=2.4)
                axes.plot([one.rate * scale], [row], "o", color=paper.second, markersize=6)
            else:
                axes.annotate(
                    "", xy=(ends[0] * 1.2, row), xytext=(high, row),
                    arrowprops={"arrowstyle": "->", "color": paper.first, "linewidth": 1.8, "shrinkB": 0, "shrinkA": 0},
                )  # fmt: skip
                axes.plot([high], [row], "|", color=paper.first, markersize=12, markeredgewidth=2.2)
        axes.set_xscale("log")
        axes.set_xlim(*ends)
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.set_yticks(range(len(found)), [one.name for one in found])
        axes.set_xlabel(across)
        axes.grid(axis="x", color=paper.line, linewidth=0.8)

    return _both(draw, ROOM + ROW * len(found))


def over(
    points: Sequence[Rate], at: Sequence[float], across: str, up: str, scale: float, mark: float | None = None
) -> tuple[str, str]:
    """How one rate and its interval went on, at these places, both axes logarithmic. Raises ValueError where there is
    nothing to draw."""
    if not points or len(points) != len(at) or any(p.high <= 0 for p in points):
        raise ValueError("a course has a place above 0 for each of its points")
    least = (
        min([v * scale for p in points for v in (p.low, p.high) if v > 0] + ([mark * scale] if mark else []))
        / 2
    )

    def draw(axes: Axes, paper: Paper) -> None:
        lows, highs = [max(p.low * scale, least) for p in points], [p.high * scale for p in points]
        axes.fill_between(at, lows, highs, color=paper.first, alpha=0.22, linewidth=0)
        axes.plot(at, highs, color=paper.first, linewidth=1.4)
        some = [(x, p.rate * scale) for x, p in zip(at, points, strict=True) if p.lost]
        if some:
            axes.plot([x for x, _ in some], [y for _, y in some], color=paper.second, linewidth=1.8)
        if mark:
            axes.axhline(mark * scale, color=paper.soft, linewidth=1, linestyle=(0, (5, 4)))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(bottom=least)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.grid(color=paper.line, linewidth=0.8)

    return _both(draw, FLAT)


def _both(draw: Callable[[Any, Paper], None], height: float) -> tuple[str, str]:
    return _drawn(draw, height, LIGHT), _drawn(draw, height, DARK)


def _drawn(draw: Callable[[Any, Paper], None], height: float, paper: Paper) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    settings: Any = {
        "svg.hashsalt": "cutproof", "svg.fonttype": "none", "font.family": ["sans-serif"], "font.size": 11,
        "text.color": paper.ink, "axes.labelcolor": paper.soft, "xtick.color": paper.soft, "ytick.color": paper.ink,
        "axes.edgecolor": paper.line, "axes.facecolor": paper.card, "figure.facecolor": paper.card,
        "axes.axisbelow": True,
    }  # fmt: skip
    with rc_context(settings):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        draw(axes, paper)
        axes.tick_params(which="minor", length=0)
        for axis in [axes.xaxis] + [axes.yaxis] * (axes.get_yscale() == "log"):
            near = axis.get_view_interval()[1] < 100 * axis.get_view_interval()[0]
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if near else (1,)))
            axis.set_major_formatter(_plainly)
            axis.set_minor_formatter(NullFormatter())
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _plainly(value: float, _: object = None) -> str:
    for unit, word in ((1e6, "M"), (1e4, "k")):
        if value >= unit * 0.999:
            return f"{value / (1e6 if word == 'M' else 1e3):g}{word}"
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
