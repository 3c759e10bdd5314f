"""Small protocols with claims of whole runs, for the engines and the tools beside them: thirty cases."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from places import ROOT

from cutproof.model.language import (
    Action,
    Property,
    Step,
    action,
    any_of,
    boolean,
    choose,
    count,
    eventually,
    family,
    guard,
    leads_to,
    one_of,
    put,
    when,
)
from cutproof.model.language.protocol import Protocol

sys.path.insert(0, str(ROOT / "tests" / "protocols"))

from mutex import At, mutex
from ring import ring

KINDS: dict[str, dict[str, Any]] = {
    "fair": {},
    "unfair": {"fair": False},
    "choice": {"choice": True},
    "fault": {"fault": "crash"},
}


def graph(steps: dict[str, list[tuple[int, int]]], last: int = 3, several: bool = False) -> Protocol:
    """States from 0 to `last`, with steps between them: the first word of a step's name is its kind."""
    return Protocol(
        name="graph",
        variables={"at": count(0, last)},
        actions=[_between(name, ways) for name, ways in steps.items()],
        properties=[],
        initial={"at": one_of(0, 1)} if several else {},
    )


def _between(name: str, ways: list[tuple[int, int]]) -> Action:
    def step(s: Any) -> Step:
        """One of its ways, by where it is."""
        there: Any = s.at
        for here, to in ways:
            there = choose(s.at == here, to, there)
        return when(guard("is there", any_of(*(s.at == here for here, _ in ways)))).then(at=there)

    step.__name__ = name
    return action(**KINDS[name.partition("_")[0]])(step)


def claims(protocol: Protocol, form: Callable[..., Property], function: Callable[..., Any]) -> Protocol:
    """The protocol with one claim in place of its own."""

    def claim(s: Any) -> Any:
        """What is asked for here."""
        return function(s)

    return protocol.judged_by([form(claim)])


def comes(protocol: Protocol, *places: int) -> Protocol:
    """*Eventually* one of these states of a graph."""
    return claims(protocol, eventually, lambda s: any_of(*(s.at == place for place in places)))


def leads(protocol: Protocol, here: int, *places: int) -> Protocol:
    """One state of a graph *leads to* some of these."""
    return claims(protocol, leads_to, lambda s: (s.at == here, any_of(*(s.at == place for place in places))))


def unfair(protocol: Protocol, *names: str) -> Protocol:
    """The protocol with the actions of these names (all, where there are none) marked as not fair."""
    other = protocol.judged_by([])
    marked = {t.action for t in protocol.transitions if t.owed and (not names or t.action in names)}
    other.actions = tuple(replace(a, fair=False) if a.name in marked else a for a in protocol.actions)
    other.transitions = tuple(
        replace(t, marked_unfair=True) if t.action in marked else t for t in protocol.transitions
    )
    return other


def lock(by_turn: bool) -> Protocol:
    """Two clients wish for a lock again and again; it is given to whoever comes first, or to each in its turn."""

    @action(choice=True)
    def wish(s: Any, c: int) -> Step:
        """A client wishes for it."""
        return when(guard("no wish", ~s.wishes[c])).then(wishes=put(s.wishes, c, True))

    @action
    def take(s: Any, c: int) -> Step:
        """It gets it."""
        turn = [guard("its turn, or nobody else's", (s.turn == c) | ~s.wishes[1 - c])] if by_turn else []
        return when(guard("wishes", s.wishes[c]), guard("free", s.has == 2), *turn).then(has=c)

    @action
    def leave(s: Any, c: int) -> Step:
        """It gives it back."""
        return when(guard("has it", s.has == c)).then(has=2, wishes=put(s.wishes, c, False), turn=1 - c)

    variables = {"wishes": family("c", of=boolean()), "has": count(0, 2), "turn": count(0, 1)}
    return Protocol("lock", variables, [wish, take, leave], [], {"c": (0, 1)}, initial={"has": 2})


def backfill(marked: bool) -> Protocol:
    """Rows are filled in until none is left, while clients insert others: to be filled in too, or marked as done."""

    @action(choice=True)
    def insert(s: Any) -> Step:
        """A client inserts a row."""
        left = s.left if marked else s.left + 1
        return when(guard("room", s.left < 3), guard("not done", ~s.done)).then(left=left)

    @action
    def fill(s: Any) -> Step:
        """A row is filled in."""
        return when(guard("a row", s.left > 0)).then(left=s.left - 1)

    @action
    def finish(s: Any) -> Step:
        """None is left."""
        return when(guard("none", s.left == 0), guard("once", ~s.done)).then(done=True)

    variables = {"left": count(0, 3), "done": boolean()}
    return Protocol("backfill", variables, [insert, fill, finish], [], initial={"left": 2})


def served(protocol: Protocol) -> Protocol:
    """Each client that wishes for the lock gets it."""

    @leads_to
    def claim(s: Any, c: int) -> Any:
        """Who wishes is served."""
        return s.wishes[c], s.has == c

    return protocol.judged_by([claim])


def enters(protocol: Protocol) -> Protocol:
    """Each process that wishes to enter does."""

    @leads_to
    def claim(s: Any, p: int) -> Any:
        """Who wishes to enter does."""
        return s.at[p] == At.ASK, s.at[p] == At.CRITICAL

    return protocol.judged_by([claim])


def some_enters(protocol: Protocol) -> Protocol:
    return claims(
        protocol,
        leads_to,
        lambda s: (any_of(*(at == At.ASK for at in s.at)), any_of(*(at == At.CRITICAL for at in s.at))),
    )


def written(protocol: Protocol) -> Protocol:
    return claims(protocol, eventually, lambda s: s.value == 1)


def kept(protocol: Protocol) -> Protocol:
    """What was read is written, or read no more."""

    @leads_to
    def claim(s: Any, node: int) -> Any:
        """Who has read does something with it."""
        return s.reads[node], ~s.reads[node]

    return protocol.judged_by([claim])


def done(protocol: Protocol) -> Protocol:
    return claims(protocol, eventually, lambda s: s.done)


LINE = {"fair_go": [(0, 1), (1, 2)]}
ROUND = {"choice_turn": [(0, 1), (1, 0)]}
CASES: dict[str, Callable[[], Protocol]] = {
    "a line ends": lambda: comes(graph(LINE), 2),
    "a line ends before": lambda: comes(graph(LINE), 3),
    "a line that may be left": lambda: comes(graph({"unfair_go": [(0, 1), (1, 2)]}), 2),
    "a line by choice": lambda: comes(graph({"choice_go": [(0, 1), (1, 2)]}), 2),
    "always possible beside a round of choices": lambda: comes(
        graph({**ROUND, "fair_out": [(0, 2), (1, 2)]}), 2
    ),
    "possible now and then beside a round of choices": lambda: comes(
        graph({**ROUND, "fair_out": [(0, 2)]}), 2
    ),
    "two steps, each possible now and then": lambda: comes(
        graph({**ROUND, "fair_out": [(0, 2)], "fair_off": [(1, 2)]}), 2
    ),
    "not fair beside a round": lambda: comes(graph({**ROUND, "unfair_out": [(0, 2), (1, 2)]}), 2),
    "possible on a half of a round": lambda: comes(
        graph({"fair_turn": [(0, 1), (1, 0)], "fair_out": [(1, 2)]}), 2
    ),
    "faults end": lambda: comes(graph({"fair_go": [(0, 1), (1, 2)], "fault_back": [(1, 0)]}), 2),
    "choices need not end": lambda: comes(graph({"fair_go": [(0, 1), (1, 2)], "choice_back": [(1, 0)]}), 2),
    "a fault into a trap": lambda: leads(graph({"fair_go": [(0, 1)], "fault_off": [(0, 3)]}), 0, 1),
    "a fault out of a trap does not come": lambda: comes(
        graph({"fair_go": [(0, 1)], "fault_out": [(1, 2)]}), 2
    ),
    "a fault and a step that lead to the same": lambda: comes(
        graph({"fair_turn": [(0, 1), (1, 0)], "fault_turn": [(0, 1)], "choice_out": [(0, 2)]}), 2
    ),
    "a step not fair and one that is lead to the same": lambda: comes(
        graph({"fair_go": [(0, 1)], "unfair_go": [(0, 1)], "unfair_back": [(1, 0)], "fair_out": [(1, 2)]}), 2
    ),
    "a step that changes nothing": lambda: comes(graph({"fair_stay": [(0, 0)], "choice_go": [(0, 1)]}), 1),
    "from each initial state": lambda: comes(graph(LINE, several=True), 2),
    "from one initial state only": lambda: comes(graph({"fair_go": [(0, 2), (2, 0)]}, several=True), 2),
    "true at the start": lambda: comes(graph({"fair_go": [(0, 1)]}, several=True), 0, 1),
    "asked for and true at once": lambda: leads(graph(LINE), 1, 1, 0),
    "asked for nowhere": lambda: leads(graph(LINE), 3, 0),
    "true before it is asked for": lambda: leads(graph(LINE), 1, 0),
    "who comes first gets the lock": lambda: served(lock(by_turn=False)),
    "each gets the lock in its turn": lambda: served(lock(by_turn=True)),
    "in its turn, if it is given back": lambda: served(unfair(lock(by_turn=True), "leave")),
    "rows that are inserted meanwhile": lambda: done(backfill(marked=False)),
    "rows that are marked": lambda: done(backfill(marked=True)),
    "mutual exclusion: each one enters": lambda: enters(mutex()),
    "mutual exclusion: somebody enters": lambda: some_enters(mutex()),
    "mutual exclusion: a lockout without fairness": lambda: some_enters(unfair(mutex())),
    "token ring: a number that was read": lambda: kept(ring(2, 2, 1)),
    "token ring: without fairness": lambda: kept(unfair(ring(2, 2, 1))),
    "token ring: all is written": lambda: written(ring(2, 2, 1)),
}
