"""Claims of whole runs by the fast engine: the verdicts of the plain one, each lasso step for step."""

from typing import Any

import pytest
from agreement import differences
from whole_runs import CASES, lock, served

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.fast import temporal
from cutproof.checks.engines.pending import PENDING, with_pending
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.verdict import Unknown, Violated, exit_code
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.language import action, count, eventually, guard, leads_to, when
from cutproof.model.language.protocol import Protocol


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_judged_as_by_the_plain_engine(name: str) -> None:
    protocol = CASES[name]()
    assert differences(plain(protocol), fast.explore(protocol, workers=1)) == []


def test_reduced_by_symmetry_they_are_judged_on_all_states() -> None:
    """Who waits is one of those that are alike: the reduced graph would not say."""
    found = []
    for by_turn in (False, True):
        protocol = served(lock(by_turn=by_turn))
        whole, reduced = plain(protocol), fast.explore(protocol, symmetry=True)
        assert [getattr(v, "path", None) for v in reduced.verdicts] == [
            getattr(v, "path", None) for v in whole.verdicts
        ]
        found.append(exit_code(reduced.verdicts))
    assert found == [13, 0]


@pytest.mark.parametrize("removed", [(), ("copy_waits_for_earlier_alone",)])
def test_clients_that_never_stop(removed: tuple[str, ...]) -> None:
    protocol = build(parse_scope("endless"), None, removed)
    names = {c.property for c in protocol.claims if c.form == "leads_to"}
    one, two = plain(protocol, properties=names), fast.explore(protocol, properties=names)
    assert differences(one, two) == []
    assert [isinstance(v, Violated) for v in two.verdicts].count(True) == len(removed)


def ways(given: int) -> Protocol:
    """From 0 a step beyond the domain, or to 1, from which nothing leads on."""

    @action
    def climb(s: Any) -> Any:
        return when(guard("below", s.n < 2)).then(n=s.n + 1)

    @action
    def leap(s: Any) -> Any:
        return when(guard("there", s.n == 2)).then(n=s.n + 2)

    @eventually
    def arrived(s: Any) -> Any:
        return s.n == given

    @leads_to
    def goes_on(s: Any) -> Any:
        return s.n == 1, s.n == given

    return Protocol("ways", {"n": count(0, 3)}, [climb, leap], [arrived, goes_on])


@pytest.mark.parametrize("given", [2, 3])
def test_where_a_domain_is_left_nobody_rests(given: int) -> None:
    """What follows is not known: what would pend there for ever is unknown, and so is all that holds."""
    protocol = ways(given)
    one, two = plain(protocol), fast.explore(protocol)
    assert differences(one, two) == [] and one.cut
    assert {type(v) for v in two.verdicts[:2]} == {Unknown}


def test_what_was_not_all_seen_is_unknown() -> None:
    protocol = served(lock(by_turn=True))
    for limits in (Limits(states=3), Limits(seconds=0)):
        one, two = plain(protocol, limits=limits), fast.explore(protocol, limits=limits)
        assert [(type(v), v.reason) for v in two.verdicts] == [(type(v), v.reason) for v in one.verdicts]  # type: ignore[union-attr]


def test_a_limit_that_is_reached_on_the_second_search_is_unknown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are those of the protocol, seconds are counted from the beginning; what was judged before stays."""
    protocol, given = served(lock(by_turn=True)), list[Any]()
    real = temporal.VectorSearch

    def noted(*arguments: Any, **options: Any) -> Any:
        given.append(arguments[2])
        return real(arguments[0], arguments[1], Limits(seconds=0), **options)

    monkeypatch.setattr(temporal, "VectorSearch", noted)
    (verdict,) = fast.explore(protocol, limits=Limits(states=10_000, seconds=600)).verdicts
    assert isinstance(verdict, Unknown) and "the limit of 0 seconds was reached" in verdict.reason
    assert (given[0].states, given[0].seconds) == (None, 600) and given[0].began > 0


def test_an_interrupt_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupting(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(temporal.Passes, "rounds", interrupting)
    found = fast.explore(served(lock(by_turn=True)))
    assert found.interrupted and isinstance(found.verdicts[0], Unknown)
    assert "interrupted" in found.verdicts[0].reason


def test_the_bit_is_pending_and_nothing_else_changes() -> None:
    """The search with one more bit has the steps of the protocol: by number, and every state of it."""
    protocol = served(lock(by_turn=False))
    (claim,) = protocol.claims
    product = with_pending(protocol, claim.cases[0], once=False)
    assert [str(t) for t in product.transitions] == [str(t) for t in protocol.transitions]
    states = set(plain(product, properties=[PENDING.name]).states)
    assert {state[:-1] for state in states} == set(plain(protocol).states)
    assert {state[-1] for state in states} == {0, 1}
    assert PENDING not in protocol.fields and protocol.initials[0] == product.initials[0][:-1]
