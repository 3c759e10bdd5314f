"""Every planted fault is found, and a program without one is never accused; some of them by day."""

import pytest
from planted import CASES, PAGE, PROGRAMS, clean_rows, driven, rows


@pytest.mark.sampled(6)
@pytest.mark.parametrize(("program", "fault"), CASES)
def test_the_fault_is_found(program: str, fault: str) -> None:
    found = driven(program, fault)
    assert found.outcome == "found"


@pytest.mark.parametrize(("program", "scope"), [("commit", ""), ("lease", ""), ("cutover", "writes=1")])
def test_without_a_fault_nothing_is_and_every_edge_is_taken(program: str, scope: str) -> None:
    found = driven(program, scope=scope)
    assert found.outcome == "nothing found"
    assert found.covered == found.edges
    assert program == "cutover" or found.never_taken == []  # its other actions belong to other scopes


@pytest.mark.nightly
def test_the_page_has_what_is_found_today() -> None:
    text = PAGE.read_text("utf-8")
    assert "\n".join(clean_rows()) in text
    for program in PROGRAMS:
        assert "\n".join(rows(program)) in text
