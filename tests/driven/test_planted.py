"""Every planted fault is found, and a program without one is never accused; some of them by day."""

import pytest
from planted import CASES, PAGE, PROGRAMS, clean_rows, driven, rows


@pytest.mark.sampled(10)
@pytest.mark.parametrize(("program", "fault"), CASES)
def test_the_fault_is_found(program: str, fault: str) -> None:
    found = driven(program, fault)
    assert found.outcome == "found"


@pytest.mark.parametrize(
    ("program", "scope"),
    [
        ("commit", ""),
        pytest.param("lease", "", marks=pytest.mark.nightly),
        pytest.param("cutover", "writes=1", marks=pytest.mark.nightly),
    ],
)
def test_without_a_fault_nothing_is_and_every_edge_is_taken(program: str, scope: str) -> None:
    found = driven(program, scope=scope)
    assert found.outcome == "nothing found"
    assert found.covered == found.edges


@pytest.mark.nightly
def test_the_page_has_what_is_found_today() -> None:
    text = PAGE.read_text("utf-8")
    assert "\n".join(clean_rows()) in text
    for program in PROGRAMS:
        assert "\n".join(rows(program)) in text
