"""Pages, opened in Chromium: what is pressed and seen, hostile texts, widths, and what a screen reader needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from chromium import started
from long_runs import HOSTILE, hostile_run, long_run
from ten_runs import STORED, drawings

from cutproof.checks.views import html
from cutproof.checks.views.drawing import Drawing

pytestmark = pytest.mark.xdist_group("chromium")  # one browser for all of them


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def window(browser: Any) -> Any:
    """One window for all tests: a new one takes longer than a page."""
    page = browser.new_context().new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith("file:") else page.errors.append(asked.url))
    return page


@pytest.fixture
def opened(window: Any, tmp_path: Path) -> Iterator[Any]:
    """What opens a page of runs, in a window of some width; no page may have an error, or ask for anything."""
    count = itertools.count()

    def go(*runs: Drawing, width: int = 1280, dark: bool = False) -> Any:
        file = tmp_path / f"{next(count)}.html"
        file.write_text(html.page(runs), encoding="utf-8")
        window.emulate_media(color_scheme="dark" if dark else "light", media="screen")
        window.set_viewport_size({"width": width, "height": 900})
        window.goto(file.as_uri())
        return window

    yield go
    assert window.errors == []


def step_of(page: Any, run: int = 0) -> int:
    return int(page.locator(".count").nth(run).inner_text().split()[1])


def test_the_keyboard_alone_suffices(opened: Any) -> None:
    page = opened(drawings()["lost-write"])
    assert page.locator("h1").inner_text() == "Lost acknowledged write without fence_epoch"
    assert step_of(page) == 18  # the step after which it was lost
    for key, there in [
        ("Home", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 18),
        ("ArrowRight", 18),
        ("Home", 0),
        ("ArrowLeft", 0),
    ]:
        page.keyboard.press(key)
        assert step_of(page) == there, key
    page.locator(".chart").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert step_of(page) == 2
    assert page.locator(".said").inner_text() == "O raises its fence to epoch 1 (DUAL)."
    assert page.locator("[aria-current=step]").inner_text().startswith("O raises its fence")
    page.locator("input[type=range]").focus()
    page.keyboard.press("End")
    assert step_of(page) == 18
    assert page.locator("[aria-live=polite]").inner_text().startswith("Step 18 of 18")
    page.locator("summary", has_text="What cannot").focus()
    page.keyboard.press("Enter")
    page.locator(".cannot .because").first.wait_for()  # it is filled once it is open
    assert "is false, so not" in page.locator(".cannot").inner_text()


def test_the_slider_and_the_rows_choose_a_step(opened: Any) -> None:
    page = opened(drawings()["resurrected-delete"])
    page.locator("input[type=range]").fill("5")
    assert step_of(page) == 5
    page.locator(".told button").nth(3).click()
    assert step_of(page) == 3
    page.locator("svg.lanes").click(position={"x": 20, "y": 46 * 2 + 20})
    assert step_of(page) == 2
    page.get_by_role("button", name="Go to step 17").click()
    assert step_of(page) == 17
    page.locator("summary", has_text="What can be done now").click()
    page.locator(".can .next").wait_for()
    assert page.locator(".can .next").count() == 1
    page.locator("summary", has_text="The whole state").click()
    page.locator(".fields > div").first.wait_for()
    assert page.locator(".fields > div").count() > 20


def test_it_ends_in_plain_words(opened: Any) -> None:
    said = opened(drawings()["lost-write"]).locator("main").inner_text()
    for line in (
        "The client was told that write 1 of document 0 is saved.",
        "Write 1 of document 0 is lost: N holds nothing",
        "a read now asks N and shows nothing",
        "By step 18",
        "It was inevitable after step 15",
        "clients were told",
    ):
        assert line in said


def test_two_runs_stand_side_by_side_and_move_together(opened: Any) -> None:
    page = opened(drawings()["lost-write"], drawings()["lost-update"], width=1600)
    left, right = (page.locator("article").nth(n).bounding_box() for n in (0, 1))
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    assert "steps are the same; then the one goes on with" in page.locator(".parting").inner_text()
    page.locator("input[type=range]").nth(1).fill("4")
    assert step_of(page, 0) == 18
    page.locator("#together").check()
    page.locator("input[type=range]").nth(1).fill("7")
    assert (step_of(page, 0), step_of(page, 1)) == (7, 7)


def test_hostile_texts_are_shown_as_text(opened: Any) -> None:
    page = opened(hostile_run())
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    for _ in HOSTILE:
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(5)
    assert page.title() == HOSTILE[0]
    assert page.locator("main script, main img, main [onload], main [onerror]").count() == 0
    said = page.locator("main").inner_text()
    assert HOSTILE[0] in said and HOSTILE[2] in said and HOSTILE[3] in said
    assert "[U+202E]turned round" in said and "\u202e" not in said and "[U+001B]" in said


@pytest.mark.parametrize("width", [360, 1600])
def test_no_page_is_wider_than_its_window(opened: Any, width: int) -> None:
    for run in [*drawings().values(), hostile_run()]:
        page = opened(run, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, run.title
    page = opened(drawings()["round"], drawings()["stuck"], width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", [*STORED, "strangers", "schedule", "history", "bare"])
def test_a_screen_reader_can_read_ten_pages(opened: Any, name: str) -> None:
    dark, narrow = name in ("lost-write", "history", "stuck"), name in ("stuck", "strangers")
    page = opened(drawings()[name], dark=dark, width=360 if narrow else 1280)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert violations(page) == []


def test_what_a_screen_reader_could_not_read_is_found(opened: Any) -> None:
    page = opened(drawings()["bare"])
    page.evaluate("document.querySelector('.move').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('.move').removeAttribute('title')")
    page.evaluate("document.querySelector('.move').textContent = ''")
    page.evaluate("document.querySelector('.why').style.color = '#ccc'")
    assert {name for name, _ in violations(page)} == {"button-name", "color-contrast"}


def violations(page: Any) -> list[list[str]]:
    """What axe-core finds wrong with a page: rule, and the first place."""
    page.evaluate((resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found: list[list[str]] = page.evaluate(
        "axe.run().then(all => all.violations.map(one => [one.id, one.nodes[0].html]))"
    )
    return found


def test_a_long_run_draws_what_is_in_sight(opened: Any) -> None:
    page = opened(long_run(10_000))
    assert step_of(page) == 10_000
    assert page.locator(".told li").count() < 120
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 1 and page.locator("[aria-current=step]").inner_text().startswith("ann throws")
    assert page.locator("li[aria-posinset='2']").get_attribute("aria-setsize") == "10001"
    assert page.locator(".stands").inner_text().split()[:3] == ["ann", "–", "bob"]


def test_all_of_a_run_is_printed(opened: Any) -> None:
    page = opened(long_run(400), width=700)
    assert page.locator(".told li").count() == 0  # no room beside the lanes
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("svg.lanes .number").count() == 401
    assert page.evaluate("getComputedStyle(document.querySelector('.chart')).maxHeight") == "none"


def test_without_scripts_the_story_is_there(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "run.html"
    file.write_text(html.page([drawings()["lost-write"]]), encoding="utf-8")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        said = page.locator("body").inner_text()
    assert "The client was told that write 1 of document 0 is saved." in said and "raises its fence" in said
