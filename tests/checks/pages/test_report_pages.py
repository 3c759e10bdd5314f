"""Reports, opened in Chromium: what is typed, pressed and seen, widths, and what a screen reader needs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import reports
from chromium import started

from cutproof.checks.cutover.conformance import conform
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.pages import conforming, folder, losses
from cutproof.checks.pages.parts import About

pytestmark = pytest.mark.xdist_group("chromium")  # one browser for all of them
# Of the map, a part with all that a square can be: each of them takes its time to be looked at.
FEWER = [
    ("rollback", "reverse_migration"),
    ("drain_on_timeout", "abort"),
    ("cutover_writes", "block"),
    ("cleanup", "immediate"),
]
ABOUT = About("cutproof conform store.py", (("seed", "0"),))


@pytest.fixture(scope="module")
def window() -> Iterator[Any]:
    """One window for all tests: a new one takes longer than a page."""
    with started() as browser:
        page = browser.new_context().new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda asked: None if asked.url[:5] in ("file:", "data:") else page.errors.append(asked.url),
        )
        yield page


@pytest.fixture
def opened(window: Any, tmp_path: Path) -> Iterator[Any]:
    """What opens a report, in a window of some width; no page may have an error, or ask for anything."""

    def go(files: dict[str, str], width: int = 1280, dark: bool = False) -> Any:
        folder.replace(tmp_path / "report", files)
        window.emulate_media(color_scheme="dark" if dark else "light", media="screen")
        window.set_viewport_size({"width": width, "height": 900})
        window.goto((tmp_path / "report" / "index.html").as_uri())
        return window

    yield go
    assert window.errors == []


def seen(page: Any, table: str = "#rows", column: int = 2) -> list[str]:
    """What stands in a column of the rows that are seen."""
    cells = page.locator(f"{table} tbody tr:visible").evaluate_all(
        "(rows, at) => rows.map(row => row.cells[at].innerText.trim())", column
    )
    return list(cells)


def of_conform(found: bool = False) -> dict[str, str]:
    probe = Probe(
        operations=["put", "get"], faults=["fail"], phases={"copy": 3, "drain": 2}, always={"copy"}, quiet=9
    )
    report = conform.Report("MyStore", probe, runs=40, steps=900)
    report.events.update(
        {("copy", "put"): 12, ("copy", "get"): 3, ("copy", "fail"): 1200, ("drain", "put"): 1}
    )
    if not found:
        return conforming.files(report, ABOUT)
    finding = conform.NotConforming(reports.HOSTILE, ["put #1", reports.HOSTILE], 7)
    finding.report = report
    return conforming.files_of_finding(finding, ABOUT, "a promise was broken", finding.schedule, "")


def test_rows_are_found_and_chosen(opened: Any) -> None:
    page = opened(reports.of_verify())
    rows = page.locator("#rows-sheet")
    assert rows.get_by_role("status").inner_text() == "8 rows"
    rows.get_by_role("searchbox").fill("update of nothing")
    assert seen(page) == []
    rows.get_by_role("searchbox").fill("update COPY")
    assert seen(page) == ["lost-update-without-copy_checks_version"]
    assert rows.get_by_role("status").inner_text() == "1 of 8 rows"
    rows.get_by_role("button", name="Show all").click()
    rows.get_by_label("as expected").select_option("no")
    assert seen(page) == ["kinds"]
    rows.get_by_label("as expected").select_option("")
    rows.get_by_label("check").select_option("counterexample")
    assert len(seen(page)) == 3


def test_rows_are_sorted_by_the_keyboard(opened: Any) -> None:
    page = opened(reports.of_verify())
    head = page.locator("#rows thead th", has_text="states")
    first = seen(page)
    for sort, expected in (
        ("ascending", ["1,663", "7,290", "9,385", "12,239", ""]),
        ("descending", ["12,239", "9,385", "7,290", "1,663", ""]),
    ):
        head.get_by_role("button").press("Enter")
        assert head.get_attribute("aria-sort") == sort
        assert seen(page, column=6)[:5] == expected
    head.get_by_role("button").press("Enter")
    assert seen(page) == first and head.get_attribute("aria-sort") == "none"


def test_a_run_is_opened_from_its_row(opened: Any) -> None:
    page = opened(reports.of_verify())
    page.locator("#removed").get_by_role("link", name="view lost-write-without-delta_always").click()
    assert page.locator("h1").inner_text() == "Lost acknowledged write without delta_always"


def test_policies_are_chosen_by_knobs_and_clauses(opened: Any) -> None:
    page = opened(reports.of_verify())
    place = page.locator("#policies")
    status = place.get_by_role("status")
    assert status.inner_text() == "2,592 of 2,592 policies: 54 strict, 141 eventual, 2,397 refused"
    place.get_by_role("combobox", name="rollback").select_option("routing_revert")
    assert status.inner_text() == "1,296 of 2,592 policies: 0 strict, 0 eventual, 1,296 refused"
    place.get_by_role("button", name="Show all").click()
    place.get_by_role("combobox", name="worth").select_option("strict")
    assert place.locator("td[data-square]").count() == 54
    place.get_by_role("combobox", name="worth").select_option("")
    place.get_by_role("button", name="waits, no replica").click()
    assert place.locator("td[data-square]").all_inner_texts() == ["I"] * 4
    assert place.get_by_role("button", name="waits, no replica").get_attribute("aria-pressed") == "true"
    place.get_by_role("button", name="waits, no replica").click()
    assert place.locator("td[data-square]").count() == 2592


def test_a_policy_is_told_with_its_clauses_and_its_shortest_run(opened: Any) -> None:
    page = opened(reports.of_verify())
    place, policy = page.locator("#policies"), page.locator(".policy")
    assert "Strict: safe at every moment" in policy.inner_text()
    place.locator("td[data-square]").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    said = policy.inner_text()
    assert "Refused: loses for good, or never ends" in said and "D writes, one copy (eventual)" in said
    assert "no_lost_write: " in said and " steps" in said
    assert "cutproof explore --scope gate --policy cutover_writes=source_only --property" in said
    assert place.locator("td[aria-selected=true]").count() == 1
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.cellIndex") == 72
    policy.get_by_role("link").first.click()
    assert page.locator("article .verdict").count() == 1


def test_the_command_of_a_policy_is_one_that_runs(opened: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from cutproof.checks.cli.main import main

    page = opened(reports.of_verify())
    page.get_by_role("button", name="any, one copy").click()
    page.locator("td[data-square]").first.click()
    words = page.locator(".policy .command").inner_text().split()
    assert words.pop(0) == "cutproof" and words[-2:] == ["--trace", "counterexamples"]
    fewest = int(page.locator(".policy li", has_text=": ").last.inner_text().split()[-2])
    assert fewest > 0
    assert main([*words[:-2]]) in (12, 13)
    first = page.locator(".policy ul").last.locator("li").first.inner_text()
    name, _, many = first.partition(": ")
    assert f"violated  always {name}" in (out := capsys.readouterr().out) and f"after {many}" in out


def test_coverage_is_a_table_of_heat(opened: Any) -> None:
    page = opened(of_conform())
    squares = dict(
        page.locator("#heat td").evaluate_all(
            "all => all.map(one => [one.parentElement.cells[0].innerText + one.cellIndex, one.className])"
        )
    )
    assert squares["copy4"] == "heat h4" and squares["copy3"] == "heat h1" and squares["drain3"] == "heat h0"
    assert squares["drain2"] == "heat none"  # nothing needs to be acknowledged in each phase
    assert "In the phase drain: no get, no fail." in page.locator("#never").inner_text()


@pytest.mark.parametrize("width", [360, 1600])
def test_no_report_is_wider_than_its_window(opened: Any, width: int) -> None:
    for files in (
        reports.of_verify(),
        losses.files(reports.loss_run(3), {}, ABOUT),
        of_conform(),
        of_conform(True),
    ):
        page = opened(files, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_texts_are_shown_as_text(opened: Any) -> None:
    page = opened(reports.of_verify())
    assert page.title().startswith("Not verified") and page.locator("main script, main img").count() == 0
    assert reports.HOSTILE in page.locator("#rows").inner_text()
    page = opened(of_conform(True))
    assert page.locator("main script, main img").count() == 0
    assert reports.HOSTILE in page.locator("main").inner_text()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("turned", [False, True])
def test_a_screen_reader_can_read_them(opened: Any, turned: bool) -> None:
    for number, files in enumerate((
        reports.of_verify(), losses.files(reports.loss_run(3), {}, ABOUT), losses.files(reports.loss_run(0), {}, ABOUT),
        of_conform(), of_conform(True),
    )):  # fmt: skip
        dark = (number % 2 == 1) is not turned  # by day each in one way
        page = opened(files, width=360 if dark else 1280, dark=dark)
        for knob, value in FEWER if page.locator("#policies").count() else ():
            page.get_by_role("combobox", name=knob).select_option(value)
        page.evaluate((resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
        found = page.evaluate("axe.run().then(all => all.violations.map(one => [one.id, one.nodes[0].html]))")
        assert found == []


def test_without_scripts_the_tables_are_there(window: Any, tmp_path: Path) -> None:
    folder.replace(tmp_path / "report", reports.of_verify())
    with window.context.browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((tmp_path / "report" / "index.html").as_uri())
        said = page.locator("main").inner_text()
    assert "lost-write-without-delta_always" in said and "what the new node missed is not there" in said
