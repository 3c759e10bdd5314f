"""The page by hand, in Chromium: the keyboard, the filter, going back, a jump, a trace that is saved, hostile texts."""

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from chromium import started
from places import DOCS
from served import WIDE, served, wide

from cutproof.checks.cli.main import main
from cutproof.checks.protocols.load import load
from cutproof.checks.views.byhand.server import Server

pytestmark = pytest.mark.xdist_group("chromium")  # one browser for all of them

FENCE = "arrive:not fenced off"
LEASES = str(DOCS / "examples" / "leases.py")


@pytest.fixture(scope="module")
def window() -> Iterator[Any]:
    with started() as browser:
        page = browser.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(10_000)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
        yield page


@pytest.fixture(scope="module")
def leases() -> Iterator[Server]:
    with served(load(LEASES).without_guards([FENCE])) as server:
        yield server


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(wide(tmp_path_factory.mktemp("wide"))) as server:
        yield server


@pytest.fixture
def page(window: Any) -> Iterator[Any]:
    window.errors.clear()
    window.set_viewport_size({"width": 1600, "height": 900})
    window.emulate_media(color_scheme="light")
    yield window
    assert window.errors == []
    window.goto("about:blank")


def opened(page: Any, server: Server, way: str = "") -> Any:
    page.goto("about:blank")
    page.goto(server.address + way)
    page.locator(".count", has_text="Step").wait_for()
    return page


def at_step(page: Any, number: int) -> None:
    page.get_by_text(f"Step {number}", exact=True).wait_for()


def test_the_keyboard_takes_steps_and_goes_back(page: Any, leases: Server) -> None:
    opened(page, leases)
    assert page.locator("h1").inner_text() == "leases, by hand"
    first, second = (page.locator(".take").nth(n).inner_text() for n in (0, 1))
    page.keyboard.press("ArrowDown")
    assert page.locator(".take.chosen").inner_text() == second
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    at_step(page, 1)
    assert page.locator(".call").inner_text() == first
    assert page.locator("svg.lanes .dot").count() == 1
    page.keyboard.press("Enter")
    at_step(page, 2)
    page.keyboard.press("Backspace")
    at_step(page, 1)
    page.get_by_role("button", name="Forward").click()
    at_step(page, 2)
    page.keyboard.press("Home")
    at_step(page, 0)
    assert page.get_by_role("button", name="Back").is_disabled()
    assert "of 10 actions taken" in re.sub(
        r"of \d+ actions", "of 10 actions", page.locator(".coverage").inner_text()
    )
    assert "3 states visited" in page.locator(".coverage").inner_text()


def test_what_cannot_be_done_names_the_guard(page: Any, leases: Server) -> None:
    opened(page, leases).locator(".cannot summary").click()
    page.locator(".cannot .because").first.wait_for()
    said = page.locator(".cannot").inner_text()
    protocol, here = leases.walk.protocol, leases.walk.maker.choices.at(leases.walk.protocol.initial)
    for number, guard in here.items():
        if guard >= 0:
            assert str(protocol.transitions[number]) in said
            assert f"“{leases.walk.maker.choices.guards[guard]}” is false" in said


def test_a_jump_leads_to_a_violation_and_its_trace_replays(
    page: Any, leases: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(page, leases).locator("#claim").select_option(label="nothing_is_overwritten: always")
    page.get_by_role("button", name="Jump").click()
    at_step(page, 8)
    assert page.locator(".broken").inner_text().startswith("nothing_is_overwritten is false here")
    assert page.locator(".found").inner_text().startswith("nothing_is_overwritten is false after 8 steps")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a trace").click()
    assert saved.value.suggested_filename == "leases-by-hand-8-steps.itf.json"
    saved.value.save_as(tmp_path / "saved.itf.json")
    assert main(["replay", str(tmp_path / "saved.itf.json"), "--model", LEASES, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "reproduced"
    page.locator("svg.lanes").click(position={"x": 20, "y": 46 * 5 + 20})
    at_step(page, 5)
    assert not page.locator(".broken").is_visible()
    way = page.url
    page.reload()  # the way is in the address
    at_step(page, 5)
    assert page.url == way


def test_hundreds_of_choices_are_filtered(page: Any, many: Server) -> None:
    opened(page, many)
    assert page.locator(".take").count() == 400
    assert "and 400 more: filter them" in page.locator(".doable").inner_text()
    page.keyboard.press("/")
    page.keyboard.type("number=77 pick")
    assert page.locator(".take").count() == 11
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    at_step(page, 1)
    assert page.locator(".call").inner_text() == "pick(number=770)"
    page.locator("#filter").focus()
    page.keyboard.press("Escape")
    assert page.locator(".steps .many").first.inner_text() == "799"
    page.locator("#begin").fill("2")
    page.locator("#begin").press("Enter")
    at_step(page, 0)
    assert page.url.endswith("#1")


def test_a_way_that_cannot_be_is_said(page: Any, many: Server) -> None:
    opened(page, many, "#0:3.3")
    assert (
        page.locator(".error").inner_text()
        == "step 2: pick(number=3) cannot be taken there (so this is the start)"
    )
    at_step(page, 0)
    assert len(page.errors) == 1 and "400" in page.errors.pop()


def test_a_server_that_was_ended_is_said(page: Any, tmp_path: Path) -> None:
    with served(wide(tmp_path)) as server:
        opened(page, server)
    page.locator(".take").first.click()
    page.locator(".error", has_text="The server does not answer").wait_for()
    page.errors.clear()


def test_texts_of_a_protocol_are_no_markup(page: Any, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)></script><b>&amp;\\u202e"
    file = tmp_path / "hostile.py"
    text = (
        WIDE.replace("A number is picked.", hostile)
        .replace("another one", hostile)
        .replace("A number stays", hostile)
    )
    file.write_text(text, encoding="utf-8")
    with served(load(str(file), "many=3")) as server:
        opened(page, server).locator("details").evaluate_all(
            "all => all.forEach(one => { one.open = true; })"
        )
        said = page.locator("main").inner_text()
        assert "<img src=x onerror=alert(1)></script><b>&amp;[U+202E]" in said and "\u202e" not in said
        assert page.locator("main img, main b b, main script").count() == 0


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1600, False)])
def test_it_fits_and_a_screen_reader_can_read_it(page: Any, leases: Server, width: int, dark: bool) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if dark else "light")
    opened(page, leases)
    page.get_by_role("button", name="Jump").click()
    page.locator(".broken li").first.wait_for()
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    page.locator(".cannot .because").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate((resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run().then(all => all.violations.map(one => [one.id, one.nodes[0].html]))")
    assert found == []
