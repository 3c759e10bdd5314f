"""Every policy at once, by diagrams: as the fast engine decides them, and as the stored table says."""

from __future__ import annotations

import pytest
from places import DOCS

from cutproof.checks.cutover.gate import lattice, wide
from cutproof.checks.engines.verdict import Path
from cutproof.checks.engines.zdd import choose
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import SMALL_SCOPES

GATE_ALONE, RECORDS = lattice.scope_of(True)
EVERY_23RD = RECORDS[::23]


def decided(run: lattice.Run) -> dict[tuple[Mechanisms, str, str], int]:
    """By record and claim, the fewest steps."""
    return {
        (run.records[number], run.claims[claim].property, run.claims[claim].harm): (
            way.steps if isinstance(way, Path) else way
        )
        for (number, claim), way in run.found.items()
    }


def test_a_sample_of_the_records_is_decided_as_by_the_fast_engine() -> None:
    by_diagrams = wide.search(GATE_ALONE, EVERY_23RD)
    by_lists = lattice.search(GATE_ALONE, EVERY_23RD, workers=1, traces=False)
    assert decided(by_diagrams) == decided(by_lists) != {}
    assert (by_diagrams.states, by_diagrams.transitions) == (by_lists.states, by_lists.transitions)


def test_without_steps_the_same_is_found() -> None:
    records = EVERY_23RD[::4]
    assert (
        wide.search(GATE_ALONE, records, steps=False).found.keys()
        == wide.search(GATE_ALONE, records).found.keys()
    )


def test_it_tells_how_far_it_is() -> None:
    told: list[str] = []
    wide.search(SMALL_SCOPES["gate_alone"], RECORDS[:1], tell=told.append)
    assert any(line.startswith("round ") for line in told) and "layer 1" in told


@pytest.mark.skipif(
    not choose.compiled(), reason="the whole table takes the compiled loops of the extra `fast`"
)
def test_the_whole_table_is_what_is_stored() -> None:
    found = lattice.lattice([wide.search(*lattice.scope_of(alone)) for alone in (False, True)])
    assert lattice.table(found) == (DOCS / "policies.csv").read_text(encoding="utf-8")
