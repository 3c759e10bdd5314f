"""The fast explorer says what the plain one says: the same counts, verdicts and paths, step for step."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from agreement import differences, told_by

from cutproof.checks.engines.exploration import Exploration, Limits
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.fast import search as vector
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.symmetry import interchangeable
from cutproof.checks.engines.verdict import Holds, Unknown, Violated, exit_code
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED, SAFEGUARDS
from cutproof.model.cutover.scopes import SCOPES, parse_scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Operand,
    Step,
    action,
    always,
    any_of,
    boolean,
    can_always,
    choose,
    constant,
    count,
    each,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.language.protocol import Protocol

EXAMPLES = {
    "two_phase_commit": two_phase_commit(3),
    "barrier": barrier(2),
    "dijkstra_mutex": dijkstra_mutex(2),
    "small_cutover": small_cutover(1, 2),
}
SEED = tuple(sorted(HARDENED - AS_WRITTEN))


def guards(protocol: Protocol) -> list[tuple[str, str]]:
    """Each action with each of its guards."""
    return list(dict.fromkeys((t.action, name) for t in protocol.transitions for name, _ in t.guards))


DROPPED = [(name, *guard) for name, protocol in EXAMPLES.items() for guard in guards(protocol)]


def without(protocol: Protocol, *guards: tuple[str, str]) -> Protocol:
    for dropped in guards:
        protocol = protocol.without_guard(*dropped)
    return protocol


# ------------------------------------------------------------------ the same answers


def test_claims_that_are_always_or_never_so() -> None:
    """What folds to a constant reads nothing, and is told all the same: of the initial state, or never."""

    @action
    def switch(s: Any) -> Step:
        return when(guard("off", ~s.on)).then(on=True)

    def trivially(s: Any) -> Operand:
        return constant(True)

    def never(s: Any) -> Operand:
        return constant(False)

    properties = [
        replace(form(function), name=f"{form.__name__}_{function.__name__}")
        for form in (always, sometimes, can_always)
        for function in (trivially, never)
    ]
    protocol = Protocol("constants", {"on": boolean()}, [switch], properties)
    one, two = plain(protocol), fast.explore(protocol)
    assert differences(one, two) == []
    kinds = [type(v).__name__ for v in two.verdicts[:6]]
    assert kinds == ["Holds", "Violated", "Holds", "Violated", "Holds", "Violated"]


@pytest.mark.parametrize("counters", [2, 4])
def test_what_does_not_vary_has_a_domain_in_a_step_that_reads_much_too(counters: int) -> None:
    """Such a step is taken apart, and no part of it has a field that is not stored."""

    @action
    def raise_it(s: Any, i: int) -> Step:
        return when(guard("below", s.n[i] < 3)).then(n=put(s.n, i, s.n[i] + 1))

    @action
    def ring(s: Any) -> Step:
        total = sum(s.n, start=constant(0))
        return when().then(bell=total > 4, n=put(s.n, 0, choose(total > 3, s.n[0], 0)))

    @always
    def low(s: Any) -> Operand:
        return sum(s.n, start=constant(0)) < 3 * counters

    variables = {"n": family("i", of=count(0, 3)), "bell": boolean(varies=False)}
    protocol = Protocol("bell", variables, [raise_it, ring], [low], {"i": range(counters)})
    expected = plain(protocol)
    assert differences(expected, fast.explore(protocol)) == []
    assert [v.property for v in expected.verdicts if isinstance(v, Violated)] == ["low", "domain"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples(name: str, workers: int) -> None:
    assert differences(plain(EXAMPLES[name]), fast.explore(EXAMPLES[name], workers=workers)) == []


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.nightly)])
def test_the_examples_without_each_of_their_guards(step: int) -> None:
    """These violate, go round, come to a stop, and leave their domains. By day one guard in five."""
    forms, left = set(), 0
    for name, *dropped in DROPPED[::step]:
        protocol = EXAMPLES[name].without_guard(*dropped)
        expected = plain(protocol)
        assert differences(expected, fast.explore(protocol)) == [], (name, dropped)
        forms |= {v.form for v in expected.verdicts if isinstance(v, Violated)}
        left += "domain" in {v.property for v in expected.verdicts}
    assert forms == {"always", "can_always", "cycle", "deadlock"} and left


SMALL = ["writes=1", "two_migrations", "page_fails", "gate_alone", "zombie"]
REMOVED = ["fence_epoch", "roll_forward_only", "tombstones", "command_epoch", "ack_after_applied"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("scope", SMALL)
def test_the_cutover_hardened_and_as_the_seed_has_it(scope: str) -> None:
    for removed in ((), SEED):
        protocol = build(parse_scope(scope), None, removed)
        assert differences(plain(protocol), fast.explore(protocol, workers=2)) == [], removed


@pytest.mark.sampled(2)
@pytest.mark.parametrize("safeguard", REMOVED)
def test_the_cutover_without_a_safeguard(safeguard: str) -> None:
    violated = False
    for scope in ("two_migrations", "writes=1,deletes=1"):
        protocol = build(parse_scope(scope), None, [safeguard])
        expected = plain(protocol)
        assert differences(expected, fast.explore(protocol, workers=2)) == [], scope
        violated |= any(isinstance(v, Violated) for v in expected.verdicts)
    assert violated or safeguard in ("tombstones", "command_epoch", "ack_after_applied")


WIDE = (
    "reads_and_faults",
    "kinds",
    "two_documents",
)  # the graph that liveness needs takes networkx minutes each
PLAIN = Limits(states=1_500_000)  # as far as the judge goes


@pytest.mark.nightly
@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_without_each_safeguard(scope: str) -> None:
    """Whole searches, liveness too where the graph is small; what is larger than PLAIN is left out, and few are."""
    too_large = []
    for removed in ((), SEED, *((name,) for name in SAFEGUARDS)):
        protocol = build(parse_scope(scope), None, removed)
        names = {c.property for c in protocol.claims if scope not in WIDE or c.form != "can_always"}
        judge = plain(protocol, properties=names, limits=PLAIN)
        if judge.ended:
            too_large.append(removed)
        else:
            assert differences(judge, fast.explore(protocol, properties=names)) == [], removed
    assert len(too_large) <= 3, too_large


def test_claims_are_selected_and_nothing_else_is_judged() -> None:
    protocol = EXAMPLES["two_phase_commit"]
    for options in ({"properties": ["consistent"]}, {"only": ("all_commit", "")}, {"cycles": False}):
        one, two = plain(protocol, **options), fast.explore(protocol, **options)  # type: ignore[arg-type]
        assert told_by(one) == told_by(two)
    with pytest.raises(ValueError, match="no property nonsense; there are consistent, all_commit, decided"):
        fast.explore(protocol, properties=["nonsense"])


def test_stopping_at_the_first_violation_gives_the_same_path() -> None:
    protocol = build(parse_scope("writes=1"), None, ["fence_epoch"])
    one, two = plain(protocol, stop_at_first=True), fast.explore(protocol, stop_at_first=True)
    paths = [[v.path for v in found.verdicts if isinstance(v, Violated) and v.path] for found in (one, two)]
    assert paths[0] and paths[0][0] in paths[1]
    assert two.ended == one.ended != "" and exit_code(two.verdicts) == exit_code(one.verdicts) == 12


def test_a_difference_is_found() -> None:
    """Of the comparison itself: another protocol, another verdict, another path, another count."""
    one = plain(EXAMPLES["barrier"])
    assert {"fired", "states"} <= set(
        differences(one, plain(without(EXAMPLES["barrier"], guards(one.protocol)[0])))
    )
    for change in ({"fired": one.fired[::-1]}, {"degrees": [1]}, {"depth": 99}, {"verdicts": []}):
        other = plain(EXAMPLES["barrier"])
        for name, value in change.items():
            setattr(other, name, value)
        assert differences(one, other)


# ------------------------------------------------------------------ reduced by symmetry

SYMMETRIC = {
    "two_phase_commit": two_phase_commit(3),
    "barrier": barrier(2),
    "small_cutover": small_cutover(2, 1),
    "dijkstra_mutex": dijkstra_mutex(2),
}


def harmed(name: str) -> Iterator[Protocol]:
    """An example, and it without some guards."""
    protocol = SYMMETRIC[name]
    yield protocol
    yield from (protocol.without_guard(*guard) for guard in guards(protocol)[::4])


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", SYMMETRIC)
def test_reduced_by_symmetry_the_verdicts_and_their_paths_are_the_same(name: str) -> None:
    for protocol in harmed(name):
        whole, reduced = plain(protocol), fast.explore(protocol, symmetry=True, workers=2)
        sets = interchangeable(protocol)
        assert bool(sets) == (name != "dijkstra_mutex")
        assert (len(reduced.states) < len(whole.states)) == bool(sets)
        assert reduced.depth == whole.depth and reduced.never_fired == whole.never_fired
        assert [v[:5] for v in told_by(reduced)] == [v[:5] for v in told_by(whole)]


# ------------------------------------------------------------------ limits and interrupts


@cache
def commit(managers: int) -> Exploration:
    return plain(two_phase_commit(managers))


def says_what_was_covered(found: Exploration, complete: Exploration) -> None:
    """Counts that agree with each other, and a depth within which there is nothing that was not found."""
    assert len(found.states) == len(list(found.states)) and 0 < found.expanded <= len(found.states)
    assert sum(found.degrees) == found.expanded
    within = [n for n in range(len(complete.states)) if complete.path_to(n).steps <= found.depth]
    assert {complete.states[n] for n in within} <= set(found.states)
    for verdict in found.verdicts:
        assert (verdict.states, verdict.depth) == (len(found.states), found.depth)
        if isinstance(verdict, Unknown):
            assert verdict.frontier == found.frontier == len(found.states) - found.expanded > 0


@pytest.mark.sampled(2)
@pytest.mark.parametrize("rows", [64, vector.ROWS])
@pytest.mark.parametrize("states", [50, 1_000, 3_000, 8_000])
def test_a_limit_of_states_is_unknown_and_says_what_was_covered(
    states: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few rows a batch the limit is reached in the middle of a level, which is then no depth that was reached."""
    monkeypatch.setattr(vector, "ROWS", rows)
    found = fast.explore(two_phase_commit(5), limits=Limits(states=states), workers=1)
    assert found.ended == f"the limit of {states:,} states was reached" and len(found.states) >= states
    assert exit_code(found.verdicts) == 3
    assert not any(isinstance(v, Holds) for v in found.verdicts if v.form != "sometimes")
    says_what_was_covered(found, commit(5))


@pytest.mark.parametrize(("limits", "word"), [(Limits(seconds=0.0), "seconds"), (Limits(memory=1), "memory")])
def test_a_limit_of_time_or_memory_is_unknown(limits: Limits, word: str) -> None:
    found = fast.explore(two_phase_commit(5), limits=limits)
    assert [type(v) for v in found.verdicts] == [Unknown] * len(found.verdicts)
    assert word in found.ended
    says_what_was_covered(found, commit(5))


def test_within_its_limits_a_search_is_what_it_is_without() -> None:
    limits = Limits(states=10**6, seconds=3_600, memory=1 << 40)
    assert differences(commit(3), fast.explore(two_phase_commit(3), limits=limits)) == []


def test_time_may_run_out_while_the_levels_are_gone_over_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = iter([*[0.0] * 2, *[10.0] * 1_000])
    monkeypatch.setattr(fast, "Passes", passes_after(slow))
    found = fast.explore(two_phase_commit(3), limits=Limits(seconds=5))
    kinds = {v.form: v for v in found.verdicts}
    assert isinstance(kinds["always"], Holds)
    assert isinstance(kinds["can_always"], Unknown) and "5 seconds" in kinds["can_always"].reason
    assert isinstance(kinds["cycle"], Unknown)


def passes_after(waits: Iterator[float]) -> Any:
    """The passes, to which so much time seems to go by between two looks at the limits."""

    class Slow(fast.Passes):
        def __init__(self, search: Any, claims: Any, look: Any) -> None:
            def looked() -> None:
                if next(waits):
                    raise fast.OverBudget("the limit of 5 seconds was reached")
                look()

            super().__init__(search, claims, looked)

    return Slow


@pytest.mark.sampled(2)
@pytest.mark.parametrize("after", [1, 3, 10, 20])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_heard_between_two_batches(
    number: signal.Signals, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it comes: what was found until then is whole, and whoever handled signals before does so again."""
    monkeypatch.setattr(vector, "PAUSE", 0.0)
    monkeypatch.setattr(vector, "ROWS", 64)
    calls = list[int]()

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    def progress(*_: object) -> None:
        calls.append(1)
        if len(calls) == after:
            signal.raise_signal(number)

    before = {n: signal.signal(n, end) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        found = fast.explore(two_phase_commit(5), progress=progress, workers=2)
        assert all(signal.getsignal(n) is end for n in before)
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)
    assert len(calls) == after and found.interrupted and exit_code(found.verdicts) == 3
    says_what_was_covered(found, commit(5))


def test_an_interrupt_while_the_levels_are_gone_over_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupting(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(fast.Passes, "reach", interrupting)
    found = fast.explore(two_phase_commit(3))
    kinds = {v.form: v for v in found.verdicts}
    assert found.interrupted and isinstance(kinds["always"], Holds)
    assert isinstance(kinds["can_always"], Unknown) and "interrupted" in kinds["can_always"].reason


def test_the_interrupt_key_itself() -> None:
    """A real signal to a real process: it answers with verdicts, soon, and with the exit code for unknown."""
    text = """
import sys
from cutproof.checks.engines.fast.explore import explore
from cutproof.checks.engines.verdict import exit_code
from cutproof.model.examples.two_phase_commit import two_phase_commit
found = explore(two_phase_commit(10), progress=lambda n, *_: n > 1000 and print("busy", flush=True))
print(found.interrupted, len(found.states) > 1000, found.verdicts[0].reason)
sys.exit(exit_code(found.verdicts))
"""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert "True True the search was interrupted" in rest
        assert process.returncode == 3


def test_progress_is_reported_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "PAUSE", 0.0)
    seen: list[tuple[int, int, int, int, float]] = []
    fast.explore(two_phase_commit(5), progress=lambda *facts: seen.append(facts))
    assert seen[-1][:2] == (8_832, 58_145)
    assert all(a[:3] <= b[:3] for a, b in pairwise(seen))
    monkeypatch.setattr(vector, "PAUSE", 3_600.0)
    fast.explore(two_phase_commit(4), progress=lambda *_: pytest.fail("too often"))


@pytest.mark.parametrize("fair", [False, True])
def test_a_run_that_only_exchanges_what_is_alike_goes_round_for_ever(fair: bool) -> None:
    """In the graph that is reduced by symmetry such a step leads from a state to itself. It does not go round for ever
    where that puts off a step that is fair."""

    @action
    def light(s: Any, i: int) -> Step:
        return when(guard("all dark", ~any_of(*s.lit)), guard("not over", ~s.over)).then(
            lit=put(s.lit, i, True)
        )

    @action
    def swap(s: Any) -> Step:
        return when(guard("one is lit", any_of(*s.lit))).then(lit=put(put(s.lit, 0, s.lit[1]), 1, s.lit[0]))

    @action(fair=fair)
    def end(s: Any) -> Step:
        return when(guard("one is lit", any_of(*s.lit))).then(over=True, lit=each(s.lit, False))

    @can_always
    def over(s: Any) -> Operand:
        return s.over

    variables = {"lit": family("i", of=boolean()), "over": boolean()}
    protocol = Protocol("swapping", variables, [light, swap, end], [over], indices={"i": range(2)})
    whole, reduced = plain(protocol), fast.explore(protocol, symmetry=True)
    assert (len(whole.states), len(reduced.states)) == (4, 3)
    expected = [(type(v), getattr(v, "path", None)) for v in whole.verdicts]
    assert [(type(v), getattr(v, "path", None)) for v in reduced.verdicts] == expected
    assert isinstance(whole.verdicts[-1], Holds if fair else Violated)
