"""The engine of diagrams says what the plain one says: counts, verdicts, every path step for step."""

from collections.abc import Callable
from typing import Any

import pytest
from agreement import told_by
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_protocols import made, source
from whole_runs import CASES

from cutproof.checks.engines.exploration import Exploration, Limits
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.verdict import Holds, Unknown, Violated, exit_code
from cutproof.checks.engines.zdd.diagrams import OverBudget
from cutproof.checks.engines.zdd.explore import _Run, explore
from cutproof.checks.engines.zdd.plain import PlainDiagrams
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED, SAFEGUARDS
from cutproof.model.cutover.scopes import SCOPES, parse_scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language.protocol import Protocol

SEED = tuple(sorted(HARDENED - AS_WRITTEN))
SAID = ["fired", "expanded", "depth", "ended", "coverage", "frontier", "reason"]


def differences(one: Exploration, two: Exploration) -> list[str]:
    """What a plain exploration and one by diagrams do not have in common."""
    found = [name for name in SAID if getattr(one, name) != getattr(two, name)]
    found += ["states"] if two.distinct != len(one.states) or set(two.states) != set(one.states) else []
    found += [f"{a[:4]} / {b[:4]}" for a, b in zip(told_by(one), told_by(two), strict=False) if a != b]
    return found + ["verdicts"] * (len(one.verdicts) != len(two.verdicts))


def compared(protocol: Protocol, **options: Any) -> Exploration:
    """The plain exploration, which the other has everything in common with."""
    one = plain(protocol, **options)
    assert differences(one, explore(protocol, depth=True, **options)) == []
    return one


@examples(15, 1000)
@given(seed=st.integers(0, 10**9))
def test_any_protocol(seed: int) -> None:
    compared(made(source(seed)))


@examples(2, 100)
@given(seed=st.integers(0, 10**9))
def test_any_protocol_with_sweeps_at_every_chance(seed: int) -> None:
    """A node that is needed and was not kept is another node then."""
    protocol = made(source(seed))
    swept = explore(
        protocol, depth=True, make=lambda levels, **more: PlainDiagrams(levels, sweep_at=0, **more)
    )
    assert differences(plain(protocol), swept) == []


@examples(6, 300)
@given(seed=st.integers(0, 10**9), data=st.data())
def test_any_order_of_fields(seed: int, data: st.DataObject) -> None:
    from cutproof.model.language.circuit import Layout

    protocol = made(source(seed))
    order = data.draw(st.permutations(list(Layout(protocol).places)))
    assert differences(plain(protocol), explore(protocol, depth=True, order=order)) == []


@pytest.mark.parametrize("name", CASES)
def test_every_case_of_whole_runs(name: str) -> None:
    compared(CASES[name]())


EXAMPLES = {
    "commit": lambda: two_phase_commit(3), "small": lambda: small_cutover(1, 1), "barrier": lambda: barrier(2),
    "mutex": lambda: dijkstra_mutex(2),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples(name: str) -> None:
    compared(EXAMPLES[name]())


@pytest.mark.nightly
@pytest.mark.parametrize("example", [barrier, dijkstra_mutex])
def test_the_examples_in_full(example: Callable[[], Protocol]) -> None:
    compared(example())


@pytest.mark.sampled(12)
@pytest.mark.parametrize("removed", [(), SEED, *((name,) for name in SAFEGUARDS)], ids=str)
def test_the_cutover_without_each_safeguard(removed: tuple[str, ...]) -> None:
    for scope in ("writes=1", "writes=1,deletes=1,crashes=1"):
        compared(build(parse_scope(scope), None, removed), cycles=scope == "writes=1")


PLAIN = Limits(states=400_000)  # as far as the judge goes


@pytest.mark.nightly
@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_without_each_safeguard(scope: str) -> None:
    """Whole searches, but for rounds; what is larger than PLAIN is left out."""
    compared_some = 0
    for removed in ((), SEED, *((name,) for name in SAFEGUARDS)):
        protocol = build(parse_scope(scope), None, removed)
        judge = plain(protocol, limits=PLAIN, cycles=False)
        if not judge.ended:
            assert differences(judge, explore(protocol, depth=True, cycles=False)) == [], removed
            compared_some += 1
    assert compared_some or SCOPES[scope]


def test_claims_are_selected_and_nothing_else_is_judged() -> None:
    protocol = two_phase_commit(3)
    for options in ({"properties": ["consistent"]}, {"only": ("all_commit", "")}, {"cycles": False}):
        one, two = plain(protocol, **options), explore(protocol, depth=True, **options)  # type: ignore[arg-type]
        assert told_by(one) == told_by(two)
    with pytest.raises(ValueError, match="no property nonsense; there are consistent, all_commit, decided"):
        explore(protocol, properties=["nonsense"])


def test_stopping_at_the_first_violation_gives_the_shortest_path() -> None:
    protocol = build(parse_scope("writes=1"), None, ["fence_epoch"])
    one, two = plain(protocol, stop_at_first=True), explore(protocol, stop_at_first=True)
    path = next(v.path for v in one.verdicts if isinstance(v, Violated))
    assert path in [v.path for v in two.verdicts if isinstance(v, Violated)]
    assert two.ended == one.ended != "" and exit_code(two.verdicts) == exit_code(one.verdicts) == 12


def test_limits_end_in_unknown_with_what_was_covered() -> None:
    protocol = build(parse_scope("writes=1"))
    for limits, reason in (
        (Limits(states=500), "the limit of 500 states was reached"),
        (Limits(seconds=1e-6), "the limit of 1e-06 seconds was reached"),
        (Limits(memory=1), "the limit of 0 MB of memory was reached"),
    ):
        found = explore(protocol, limits=limits)
        assert {type(v) for v in found.verdicts} == {Unknown} and found.ended == reason
        assert all(isinstance(v, Unknown) and v.reason == reason for v in found.verdicts)
        assert found.distinct >= 500 * (limits.states is not None) and found.depth is None
    few = explore(protocol, nodes=1000)
    assert few.ended == "the limit of 1,000 nodes was reached" and exit_code(few.verdicts) == 3


def test_an_interrupt_ends_the_search_and_says_what_was_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> list[int]:
        raise KeyboardInterrupt

    monkeypatch.setattr("cutproof.checks.engines.zdd.explore.fired", interrupted)
    found = explore(two_phase_commit(3))
    assert found.interrupted and found.distinct == 288 and exit_code(found.verdicts) == 3


def test_what_is_said_of_all_states_stays_whatever_ends_the_search_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ended(*_: Any) -> None:
        raise OverBudget("enough")

    monkeypatch.setattr("cutproof.checks.engines.zdd.explore.shortest_path", ended)
    found = explore(two_phase_commit(3))
    said = {v.property: type(v) for v in found.verdicts}
    assert found.ended == "enough" and exit_code(found.verdicts) == 3
    assert said["consistent"] is Holds and said["all_commit"] is Holds and said["decided"] is Unknown


def test_what_was_not_counted_is_not_said_to_be_never() -> None:
    found = explore(two_phase_commit(3), limits=Limits(states=10))
    assert not found.fired_counted and found.never_fired == [] and found.coverage == {}
    assert explore(two_phase_commit(3)).fired_counted


def test_states_by_number_are_counted_from_the_first() -> None:
    states = explore(two_phase_commit(3)).states
    every = list(states)
    assert states and states[287] == every[287] and states[3:9:2] == every[3:9:2]
    for number in (288, -1):
        with pytest.raises(IndexError, match="no such state"):
            states[number]


def test_a_limit_ends_a_search_for_a_round_state_by_state(monkeypatch: pytest.MonkeyPatch) -> None:
    looking_for_a_round = False

    def endless(entry: int, inside: Callable[[int], bool], *_: Any) -> None:
        nonlocal looking_for_a_round
        looking_for_a_round = True
        assert not all(inside(entry) for _ in range(100)), "nobody looked"

    def look(self: _Run) -> None:
        if looking_for_a_round:
            raise OverBudget("enough")

    monkeypatch.setattr(_Run, "look", look)
    monkeypatch.setattr("cutproof.checks.engines.zdd.liveness.fair_round", endless)
    for name in ("who comes first gets the lock", "mutual exclusion: each one enters"):
        looking_for_a_round = False
        assert explore(CASES[name]()).ended == "enough"


def test_without_the_depth_nothing_is_said_of_it() -> None:
    found = explore(two_phase_commit(3))
    assert found.depth is None and all(v.depth is None for v in found.verdicts)


def test_more_states_than_a_list_could_have() -> None:
    """Sorted by manager, states multiply and nodes add up: known from two-phase commit with fewer managers."""
    from cutproof.model.language.circuit import Layout

    protocol = two_phase_commit(30)
    names = list(Layout(protocol).places)
    order = sorted(names, key=lambda n: (int(n[n.index("[") + 1 : -1]) if "[" in n else -1, names.index(n)))
    found = explore(protocol, order=order, properties=["consistent"])
    assert found.distinct == 221_075_072_642_239_038_488_576 and exit_code(found.verdicts) == 0
