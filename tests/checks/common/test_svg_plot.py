"""Plots: valid SVG, the same bytes for the same numbers."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cutproof.checks.common.svg_plot import HEIGHT, WIDTH, Point, Series, plot

POINTS = Series("a < b", "#c0392b", [Point(0.001, 0.0011, 0.0008, 0.0013), Point(0.1, 0.09, 0.08, 0.11)])
SVG = "{http://www.w3.org/2000/svg}"


def drawn(series: Series = POINTS) -> str:
    return plot("title & more", "across", "up", [series], "predicted", [(0.001, 0.001), (0.1, 0.1)])


def test_everything_is_in_the_picture() -> None:
    root = ElementTree.fromstring(drawn())
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert {"title & more", "across", "up", "a < b", "predicted", "0.1 %", "1 %", "10 %"} <= set(texts)
    circles = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter(f"{SVG}circle")]
    assert len(circles) == 3  # two points, and one in the legend
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in circles)
    (x1, y1), (x2, y2) = circles[:2]
    assert x1 < x2 and y1 > y2  # more is right, and up


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert drawn() == drawn()


@pytest.mark.parametrize("point", [Point(0, 1, 1, 1), Point(1, 0, 0, 1), Point(1, 1, 0, 1)])
def test_zero_has_no_place_on_a_logarithmic_axis(point: Point) -> None:
    with pytest.raises(ValueError, match="above 0"):
        drawn(Series("x", "red", [point]))


def test_one_value_is_enough() -> None:
    one = plot("t", "a", "u", [Series("x", "red", [Point(1, 1, 1, 1)])], "p", [(1, 1)])
    assert ElementTree.fromstring(one).tag == f"{SVG}svg"
