"""Bounded search in Z3: against the table of explicit search, against the plain engine, and each run walked again."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import z3
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from places import DOCS

from cutproof.checks.cutover.gate import bounded
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.proof.bounded import Bounded, Refuted, Search, condition_of
from cutproof.checks.engines.proof.symbolic import Symbols
from cutproof.checks.engines.verdict import Path, Violated
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, policies, resolve
from cutproof.model.cutover.scopes import SMALL_SCOPES
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import Operand, Step, action, always, choose, count, guard, when
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, State

TABLE = DOCS / "policies.csv"
DEPTHS = {False: 4, True: 5}  # the least at which some policy is refuted; by whether RF * RG = 1
EXAMPLES = {"consistent": two_phase_commit(2), "no_lost_write": small_cutover(1, 1)}
GUARDS = {
    name: list(dict.fromkeys((t.action, guard) for t in protocol.transitions for guard, _ in t.guards))
    for name, protocol in EXAMPLES.items()
}


@cache
def refuted(alone: bool) -> tuple[tuple[Mechanisms, ...], Bounded]:
    return bounded.refute(alone, DEPTHS[alone])


@cache
def of(alone: bool) -> Protocol:
    return cutover(SMALL_SCOPES["gate_alone" if alone else "gate"])


def table(names: Sequence[str]) -> dict[Policy, int]:
    """By policy, the fewest steps to a violation of one of these properties, as explicit search found them."""
    with TABLE.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    steps = [[int(row[name]) for name in names if row[name]] for row in rows]
    return {policy: min(found) for policy, found in zip(policies(), steps, strict=True) if found}


def always_judged() -> list[str]:
    with TABLE.open(encoding="utf-8") as lines:
        columns = csv.DictReader(lines).fieldnames or []
    return [p.name for p in of(False).properties if p.form == "always" and p.name in columns]


# ------------------------------------------------------------------ every policy


@pytest.mark.parametrize("alone", [True, False])
def test_each_policy_has_the_fewest_steps_that_explicit_search_found(alone: bool) -> None:
    records, found = refuted(alone)
    assert (found.depth, found.unknown) == (DEPTHS[alone], None)
    steps = {records[i]: n for i, n in found.steps().items()}
    mine = {p: steps[resolve(p)] for p in policies() if p.replicas is not alone and resolve(p) in steps}
    theirs = {
        p: n for p, n in table(always_judged()).items() if p.replicas is not alone and n <= DEPTHS[alone]
    }
    assert len(mine) >= 200
    assert mine == theirs


def test_one_property_at_a_time() -> None:
    """Of a fifth of the policies with one copy."""
    fifth = [p for p in policies() if not p.replicas][::5]
    found = Search(of(True), [resolve(p) for p in fifth], ["no_permanent_loss"]).run(5)
    assert {f.property for f in found.found} == {"no_permanent_loss"}
    theirs = table(["no_permanent_loss"])
    assert {fifth[i]: n for i, n in found.steps().items()} == {
        p: theirs[p] for p in fifth if theirs.get(p, 6) <= 5
    }


@pytest.mark.nightly
def test_to_the_depth_of_the_table() -> None:
    """No policy is refuted by its fewest steps beyond 17, whichever property is violated."""
    assert max(table(always_judged()).values()) == 17
    assert bounded.fewest(18) == table(always_judged())


# ------------------------------------------------------------------ one run, many policies


@examples(20)
@given(st.data())
def test_the_condition_of_a_run_is_whether_it_can_be_walked(data: st.DataObject) -> None:
    """For any run and any policy: the condition holds just where the resolved protocol takes each step."""
    alone = data.draw(st.booleans())
    records, found = refuted(alone)
    shown = data.draw(st.sampled_from(found.found))
    number = data.draw(st.sampled_from(shown.records) | st.integers(0, len(records) - 1))
    condition = condition_of(of(alone), shown.path)
    assert set(ex.names(condition)) <= set(codes(alone, records[number]))
    walked = walk(of(alone), records[number], shown.path)
    assert bool(ex.evaluate(condition, codes(alone, records[number]), {})) is (walked is not None)
    if number in shown.records:
        assert walked is not None and violates(of(alone), records[number], walked, shown)


@pytest.mark.parametrize("alone", [True, False])
def test_no_record_is_refuted_twice_and_runs_only_get_longer(alone: bool) -> None:
    _, found = refuted(alone)
    numbers = [i for f in found.found for i in f.records]
    assert len(numbers) == len(set(numbers)) and numbers
    lengths = [f.path.steps for f in found.found]
    assert lengths == sorted(lengths)
    assert found.steps() == {i: f.path.steps for f in found.found for i in f.records}


def codes(alone: bool, record: Mechanisms) -> dict[str, int]:
    return Symbols(of(alone)).codes_of(record)


def walk(protocol: Protocol, record: Mechanisms, path: Path) -> State | None:
    """Where the resolved protocol gets by these steps, if each is enabled and leads to the next state of the path."""
    resolved, state = protocol.resolve(record), protocol.initial
    ways = {str(t): t for t in resolved.transitions}
    for number, then in zip(path.transitions, path.states[1:], strict=True):
        way, values = ways.get(str(protocol.transitions[number])), protocol.named(state)
        if way is None or not all(ex.evaluate(guard, values, {}) for _, guard in way.guards):
            return None
        after = {**values, **{cell.name: ex.evaluate(value, values, {}) for cell, value in way.updates}}
        state = tuple(after[f.name] for f in protocol.fields)
        if state != then:
            return None
    return state


def violates(protocol: Protocol, record: Mechanisms, state: State, shown: Refuted) -> bool:
    judged = [
        c for c in protocol.resolve(record).claims if (c.property, c.harm) == (shown.property, shown.harm)
    ]
    return not all(ex.evaluate(c.holds, protocol.named(state), {}) for c in judged)


@dataclass(frozen=True)
class Gait:
    """The mechanisms of a walk: two at a time, and a last step alone."""

    twos: bool = False
    single_at_four: bool = False


@action
def go(s: Any) -> Step:
    """One forward, or two."""
    return when(guard("not at the end", s.at <= 4)).then(at=s.at + choose(s.mechanisms.twos, 2, 1))


@action
def go_one(s: Any) -> Step:
    """One forward, from the fourth."""
    return when(guard("may", s.mechanisms.single_at_four), guard("at the fourth", s.at == 4)).then(at=5)


@always
def five_is_never_reached(s: Any) -> Operand:
    """It is, unless all steps are of two."""
    return s.at != 5


def test_a_run_is_of_those_alone_whose_updates_lead_along_it() -> None:
    """Here the guards of the shortest run are true of a record under which its steps lead elsewhere."""
    walking = Protocol("walk", {"at": count(0, 6)}, [go, go_one], [five_is_never_reached], mechanisms=Gait)
    records = [Gait(twos, single) for twos in (False, True) for single in (False, True)]
    found = Search(walking, records).run(8)
    assert found.steps() == {0: 5, 1: 5, 3: 3}
    assert found.found[0].records == (3,)


# ------------------------------------------------------------------ protocols without mechanisms


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_holds_is_not_refuted(name: str) -> None:
    found = Search(EXAMPLES[name], [None], [name]).run(12)
    assert found == Bounded((), 12)


@examples(10)
@given(st.data())
def test_without_some_guards_the_shortest_run_is_as_long_as_the_plain_engine_finds(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(sorted(EXAMPLES)))
    protocol = EXAMPLES[name]
    for where, dropped in data.draw(
        st.lists(st.sampled_from(GUARDS[name]), min_size=1, max_size=3, unique=True)
    ):
        protocol = protocol.without_guard(where, dropped)
    explored = explore(protocol, properties=[name], cycles=False)
    assume(explored.verdicts[-1].property != "domain")
    (verdict,) = (v for v in explored.verdicts if v.property == name)
    steps = verdict.path.steps if isinstance(verdict, Violated) and verdict.path else None
    depth = 8 if steps is None else steps
    found = Search(protocol, [None], [name]).run(depth)
    assert found.steps() == ({} if steps is None else {0: steps})
    assert (found.depth, found.unknown) == (depth, None)


# ------------------------------------------------------------------ where nothing is known


def test_no_answer_is_told_as_none_and_never_as_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    search = Search(EXAMPLES["no_lost_write"].without_guard("hear_from_new", "N is the owner"), [None])
    asked: list[int] = []

    def check() -> z3.CheckSatResult:
        asked.append(1)
        return z3.unsat if len(asked) <= 2 else z3.unknown

    monkeypatch.setattr(search.solver, "check", check)
    assert search.run(6) == Bounded((), 1, unknown=2)


def test_the_table_of_every_policy_needs_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "refute", lambda *_: ((), Bounded((), 3, unknown=4)))
    with pytest.raises(TimeoutError, match="depth 4"):
        bounded.fewest(6)


@pytest.mark.parametrize(("lacks", "code", "differ"), [(0, 0, "0 differ"), (3, 1, "3 differ")])
def test_the_command_compares_with_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lacks: int, code: int, differ: str
) -> None:
    monkeypatch.chdir(TABLE.parent.parent)
    known = {p: n for p, n in table(always_judged()).items() if n <= 5}
    monkeypatch.setattr(bounded, "fewest", lambda *_, **__: dict(list(known.items())[lacks:]))
    assert bounded.main(["5"]) == code
    assert differ in capsys.readouterr().out
