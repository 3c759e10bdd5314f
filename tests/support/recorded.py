"""Small traces that several tests start from: of two-phase commit without a guard, and of a protocol with every kind of
value.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

from cutproof.checks.traces.trace import Trace, from_path
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    action,
    always,
    boolean,
    can_always,
    count,
    enumeration,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol, State

WHY = "One resource manager commits while another has aborted."
BROKEN = two_phase_commit(2).without_guard("commit", "all prepared")


def shortest(protocol: Protocol, wanted: Callable[[State], bool]) -> tuple[list[State], list[int]]:
    """A shortest path to a state that is wanted: states, and the numbers of the transitions between them."""
    successors = compile_protocol(protocol).successors
    parents: dict[State, tuple[State, int] | None] = {protocol.initial: None}
    todo = deque(parents)
    while todo:
        state = todo.popleft()
        if wanted(state):
            states, numbers = [state], list[int]()
            while (parent := parents[states[0]]) is not None:
                states.insert(0, parent[0])
                numbers.insert(0, parent[1])
            return states, numbers
        for number, after in successors(state):
            if after not in parents:
                parents[after] = (state, number)
                todo.append(after)
    raise AssertionError("not reachable")


def counterexample() -> Trace:
    judge = compile_protocol(BROKEN).judge
    return from_path(
        BROKEN,
        *shortest(BROKEN, lambda state: bool(judge(state))),
        why=WHY,
        property="consistent",
        safeguards_removed={"fence", "all prepared", "drain"},  # a set: its order must not show
        scope={"managers": 2},
        seed=7,
    )


TRACE = counterexample()


class Side(Enum):
    LEFT = "l"
    RIGHT = "r"


def rich() -> Protocol:
    """Every kind of value and index, negative integers, a fault, a property by harm, and every form."""

    @action
    def rise(s: Any, side: Side, slot: str) -> Any:
        """It goes up by one."""
        return when(guard("below", s.height[side][slot] < 0), guard("unlocked", ~s.locked)).then(
            height=put(s.height, (side, slot), s.height[side][slot] + 1),
            last=side,
        )

    @action(fault="jam")
    def lock(s: Any) -> Any:
        return when().then(locked=True)

    @action
    def burst(s: Any) -> Any:
        return when(guard("locked", s.locked)).then(total=s.total + 1)

    @always
    def low(s: Any, side: Side) -> Any:
        return {"too high": s.height[side]["a"] < -1, "far too high": s.height[side]["b"] < 0}

    @sometimes
    def locked(s: Any) -> Any:
        return s.locked

    @can_always
    def moves(s: Any) -> Any:
        return ~s.locked

    return Protocol(
        "rich",
        {
            "height": family("side", "slot", of=count(-3, 0)),
            "last": enumeration(Side),
            "locked": boolean(),
            "total": count(0, 1),
        },
        [rise, lock, burst],
        [low, locked, moves],
        indices={"side": Side, "slot": ("a", "b")},
    )


def path_of(protocol: Protocol, *labels: str) -> tuple[list[State], list[int]]:
    """The path that takes the transitions with these labels."""
    successors, states, numbers = compile_protocol(protocol).successors, [protocol.initial], []
    for label in labels:
        found = {str(protocol.transitions[n]): (n, after) for n, after in successors(states[-1])}
        numbers.append(found[label][0])
        states.append(found[label][1])
    return states, numbers


def rich_trace(*labels: str, **meta: Any) -> Trace:
    return from_path(rich(), *path_of(rich(), *labels), why="It happened.", **meta)


HIGH = ("rise(side=RIGHT, slot=a)", "rise(side=RIGHT, slot=a)")
