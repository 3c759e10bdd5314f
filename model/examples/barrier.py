"""A barrier that can be used again: nobody begins the next round before all have ended this one.

Two chambers, each with a gate that is a semaphore; a counter of those inside, under a lock. The last to come
into a chamber opens its gate for all.

Published: 29,279 states, 104,515 transitions and start states, found within 92 steps, with 6 processes (TLA+
examples, `specifications/barriers/manifest.json`, `Barriers.cfg`, by J. Differdange; TLC counts depth in
states, 93, and the start state among what it generates).
"""

from enum import Enum
from typing import Any

from cutproof.model.language import (
    Guard,
    Operand,
    Picture,
    Step,
    action,
    all_of,
    always,
    any_of,
    boolean,
    can_always,
    choose,
    count,
    enumeration,
    family,
    guard,
    implies,
    put,
    sometimes,
    when,
)
from cutproof.model.language.protocol import Protocol


class At(Enum):
    """Where a process is: the step that it takes next, in the first chamber or the second."""

    WORK = "work"
    LOCK_1 = "lock 1"
    COUNT_1 = "count 1"
    CHECK_1 = "check 1"
    OPEN_1 = "open 1"
    UNLOCK_1 = "unlock 1"
    WAIT_1 = "wait 1"
    LOCK_2 = "lock 2"
    COUNT_2 = "count 2"
    CHECK_2 = "check 2"
    OPEN_2 = "open 2"
    UNLOCK_2 = "unlock 2"
    WAIT_2 = "wait 2"


FIRST, SECOND = 1, 2


def _in(what: str, chamber: int) -> At:
    return At[f"{what}_{chamber}"]


def _at(s: Any, p: int, where: At) -> Guard:
    return guard(f"at {where.value}", s.at[p] == where)


@action
def end_work(s: Any, p: int) -> Step:
    """A process has done its part and comes to the barrier."""
    return when(_at(s, p, At.WORK)).then(at=put(s.at, p, At.LOCK_1))


@action
def lock(s: Any, p: int, chamber: int) -> Step:
    """It takes the lock, if nobody has it."""
    return when(_at(s, p, _in("LOCK", chamber)), guard("lock is free", ~s.locked)).then(
        locked=True, at=put(s.at, p, _in("COUNT", chamber))
    )


@action
def count_itself(s: Any, p: int, chamber: int) -> Step:
    """It counts itself in, in the first chamber, and out, in the second."""
    return when(_at(s, p, _in("COUNT", chamber))).then(
        inside=s.inside + 1 if chamber == FIRST else s.inside - 1, at=put(s.at, p, _in("CHECK", chamber))
    )


@action
def check(s: Any, p: int, chamber: int) -> Step:
    """The last of all will open the gate."""
    last = s.inside == (s.scope if chamber == FIRST else 0)
    return when(_at(s, p, _in("CHECK", chamber))).then(
        at=put(s.at, p, choose(last, _in("OPEN", chamber), _in("UNLOCK", chamber)))
    )


@action
def open_gate(s: Any, p: int, chamber: int) -> Step:
    """It lets everybody through the gate once."""
    return when(_at(s, p, _in("OPEN", chamber))).then(
        gate=put(s.gate, chamber, s.gate[chamber] + s.scope), at=put(s.at, p, _in("UNLOCK", chamber))
    )


@action
def unlock(s: Any, p: int, chamber: int) -> Step:
    """It gives the lock back."""
    return when(_at(s, p, _in("UNLOCK", chamber))).then(locked=False, at=put(s.at, p, _in("WAIT", chamber)))


@action
def go_through(s: Any, p: int, chamber: int) -> Step:
    """It goes through an open gate: to the second chamber, or back to work."""
    return when(_at(s, p, _in("WAIT", chamber)), guard("gate is open", s.gate[chamber] > 0)).then(
        gate=put(s.gate, chamber, s.gate[chamber] - 1),
        at=put(s.at, p, At.LOCK_2 if chamber == FIRST else At.WORK),
    )


def _holds_lock(s: Any, p: int) -> Operand:
    held = [_in(what, c) for what in ("COUNT", "CHECK", "OPEN", "UNLOCK") for c in (FIRST, SECOND)]
    return any_of(*(s.at[p] == where for where in held))


@always
def one_holds_the_lock(s: Any, p: int, other: int) -> Operand | None:
    """No two processes hold the lock, and who holds it has taken it."""
    return None if other == p else implies(_holds_lock(s, p), s.locked & ~_holds_lock(s, other))


@always
def one_gate_open(s: Any) -> Operand:
    """The gates are never both open: nobody can run through the barrier and on into the next round."""
    return (s.gate[FIRST] == 0) | (s.gate[SECOND] == 0)


@always
def nobody_left_behind(s: Any, p: int, other: int) -> Operand:
    """While one works, or comes to the barrier, nobody is still about to leave the last round."""
    coming = any_of(*(s.at[p] == x for x in (At.WORK, At.LOCK_1, At.COUNT_1, At.CHECK_1, At.OPEN_1)))
    leaving = any_of(*(s.at[other] == x for x in (At.LOCK_2, At.COUNT_2, At.CHECK_2, At.OPEN_2)))
    return ~(coming & leaving)


@sometimes
def all_wait(s: Any) -> Operand:
    """All wait at the first gate, and it is open."""
    return all_of(s.gate[FIRST] > 0, *(at == At.WAIT_1 for at in s.at))


@can_always
def all_work(s: Any) -> Operand:
    """All can be at work again. That they ever are, all at once, is not said: the quick ones come again."""
    return all_of(*(at == At.WORK for at in s.at))


PICTURE = Picture(lanes={"process {p}": ["at"], "barrier": ["locked", "gate", "inside"]})


def barrier(processes: int = 6) -> Protocol:
    return Protocol(
        name="barrier",
        scope=processes,
        indices={"p": range(processes), "other": range(processes), "chamber": (FIRST, SECOND)},
        variables={
            "at": family("p", of=enumeration(At)),
            "locked": boolean(),
            "gate": family("chamber", of=count(0, processes)),
            "inside": count(0, processes),
        },
        actions=[end_work, lock, count_itself, check, open_gate, unlock, go_through],
        properties=[one_holds_the_lock, one_gate_open, nobody_left_behind, all_wait, all_work],
        picture=PICTURE,
    )
