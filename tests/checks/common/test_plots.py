"""Plots: SVG that stands alone, the same bytes for the same numbers, on light and dark paper."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cutproof.checks.common.plots import DARK, LIGHT, Rate, over, rates

pytest.importorskip("matplotlib")
SOME = [Rate("a < b", 5, 1000, 0.005, 0.002, 0.011), Rate("nothing", 0, 1000, 0.0, 0.0, 0.003)]
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> set[str]:
    return {"".join(t.itertext()) for t in ElementTree.fromstring(svg).iter(f"{SVG}text")}


def test_names_and_axes_are_texts() -> None:
    light, dark = rates(SOME, "in a million", 1e6, 1e-6)
    assert {"a < b", "nothing", "in a million", "1", "100", "10k"} <= texts(light) == texts(dark)
    assert LIGHT.card in light and DARK.card in dark and DARK.card not in light


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert rates(SOME, "x", 1e6) == rates(SOME, "x", 1e6) != rates(SOME[:1], "x", 1e6)
    assert over(SOME, [1, 2], "x", "y", 1e6) == over(SOME, [1, 2], "x", "y", 1e6)


def test_no_clock_and_nothing_from_outside_is_in_it() -> None:
    for svg in (*rates(SOME, "x", 1e6), *over(SOME, [1000, 2000], "x", "y", 1e6, 1e-6)):
        assert "date" not in svg.lower() and "<image" not in svg and 'xlink:href="http' not in svg
        ElementTree.fromstring(svg)


def test_a_short_range_has_numbers_too() -> None:
    light, _ = over(SOME[:1] * 2, [20_000, 45_000], "writes", "lost", 1e6)
    assert {"20k"} <= texts(light)


@pytest.mark.parametrize("wrong", [[], [Rate("none", 0, 0, 0.0, 0.0, 0.0)]])
def test_what_cannot_be_drawn_is_refused(wrong: list[Rate]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        rates(wrong, "x", 1.0)
    with pytest.raises(ValueError, match="above 0"):
        over(wrong, [1.0] * len(wrong), "x", "y", 1.0)
