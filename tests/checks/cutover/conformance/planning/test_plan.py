"""Plans: every class of events at every place before anything is drawn, and each pair that the model has."""

from __future__ import annotations

import json
from itertools import islice, pairwise
from random import Random

import pytest

from cutproof.checks.cutover.conformance.planning import edges
from cutproof.checks.cutover.conformance.planning.draw import drawn
from cutproof.checks.cutover.conformance.planning.pairs import all_pairs, classes, pairs
from cutproof.checks.cutover.conformance.planning.places import places
from cutproof.checks.cutover.conformance.planning.plan import plan, systematic
from cutproof.checks.cutover.conformance.planning.probe import Probe, probe
from cutproof.checks.cutover.conformance.planning.script import Script, To
from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.cutover.conformance.steps import Step
from cutproof.checks.drivers.adapter import FAULTS

PHASES = {"wait": 1, "copy": 5, "drain": 2, "delta": 30}
SEEN = Probe(
    ["put", "delete", "get"],
    ["put"],
    ["fail", "crash"],
    ["begin_migration"],
    PHASES,
    set(PHASES),
    quiet=38,
    work=2,
)


def happenings(script: Script) -> list[tuple[int, str]]:
    """What happens in the first migration of a script: the phase, and the operation or fault."""
    found, phase = [], -1
    for one in script:
        if isinstance(one, To):
            phase = one.phase
        elif isinstance(one, Step):
            if one.do == "begin_migration":
                if phase >= 0:
                    break
                phase = 0
            elif phase >= 0 and one.do != "heal":
                found.append((phase, one.fault or one.do))
    return found


def test_every_class_of_events_comes_before_anything_is_drawn() -> None:
    planned = list(islice(plan(SEEN, 0), systematic(SEEN, 0)))
    assert all(one.part != "draws" for one in planned)
    seen = {class_ for one in planned for class_ in happenings(one.script)}
    assert seen >= {(p, what) for p in range(4) for what in ("put", "delete", "get", "fail", "crash")}
    documents = {(one.key, one.do) for p in planned for one in p.script if isinstance(one, Step) and one.key}
    assert documents >= {(f"doc-{n}", do) for n in range(3) for do in ("put", "delete", "get")}


def test_each_place_between_two_steps_has_each_operation() -> None:
    alone = [one.script for one in plan_of(SEEN) if one.part == "one event"]
    seen = {(one, then.do) for script in alone for one, then in pairwise(script)
            if isinstance(one, To) and isinstance(then, Step)}  # fmt: skip
    assert {(place, do) for place in places(SEEN, 24) for do in ("put", "delete", "get")} <= seen


def plan_of(seen: Probe) -> list[object]:
    return list(islice(plan(seen, 0), systematic(seen, 0)))


def test_places_keep_the_ends_of_each_phase_and_are_no_more_than_asked() -> None:
    for most in (4, 9, 24, 100):
        found = places(SEEN, most)
        assert len(found) <= most
        assert len(set(found)) == len(found)
        if most >= 8:
            assert {To(0, 0), To(1, 0), To(1, 4), To(2, 0), To(2, 1), To(3, 0), To(3, 29)} <= set(found)
    assert places(SEEN, 100) == [To(p, s) for p, n in enumerate(PHASES.values()) for s in range(n)]


def test_pairs_are_covered_each_by_some_run() -> None:
    wanted = set(all_pairs(SEEN))
    assert wanted
    covered = set()
    for script in pairs(SEEN, 0):
        events = happenings(script)
        covered |= {(a, b) for i, a in enumerate(events) for b in events[i + 1 :]}
    left = {(a[:2], b[:2]) for a, b in wanted} - covered
    assert left == set()


def test_classes_are_of_each_phase_and_each_fault_strikes_both_nodes() -> None:
    assert len(classes(SEEN)) == 4 * (3 + 2 + 1)  # a crash is about no node


@pytest.mark.parametrize("number", range(20))
def test_draws_happen_in_the_middle_of_migrations(number: int) -> None:
    script = drawn(SEEN, Random(number))
    assert any(isinstance(one, Step) and one.do == "begin_migration" for one in script)
    assert drawn(SEEN, Random(number)) == script


def test_a_system_without_anything_has_a_plan_too() -> None:
    nothing = Probe()
    assert len(list(islice(plan(nothing, 0), 50))) == 50


def test_the_probe_of_the_reference() -> None:
    seen = probe(Reference)
    assert seen.operations == ["put", "delete", "get", "scan"]
    assert (seen.writes, seen.faults, seen.migrations) == (["put"], list(FAULTS), ["begin_migration"])
    assert seen.always == set(seen.phases)
    assert seen.quiet > 20


# ------------------------------------------------------------------ the model's edges


def test_the_stored_pairs_are_those_of_the_models_graph() -> None:
    stored = json.loads(edges.FILE.read_text("utf-8"))
    assert stored["scopes"] == list(edges.SCOPES)
    assert stored["phases"] == list(edges.PHASES)
    assert stored["pairs"] == {pair: f"{bits:x}" for pair, bits in edges.drawn().items()}


def test_what_the_model_has_in_an_order_has_it_in_that_order() -> None:
    many = len(edges.PHASES)
    activate, dual = edges.PHASES.index("ACTIVATE"), edges.PHASES.index("DUAL")
    assert edges.follows((dual, "put"), (activate, "put"), many)
    assert not edges.follows((activate, "put"), (dual, "put"), many)
    assert not edges.follows(
        (activate, "abort"), (activate, "put"), many
    )  # what is committed is not given up
    assert edges.follows(
        (activate, "abort"), (activate, "crash"), many
    )  # in no scope together: nothing is said
    assert edges.follows((0, "add"), (0, "append"), 1)
