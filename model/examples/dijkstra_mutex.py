"""Mutual exclusion for n processes, the first that was published (Dijkstra, CACM 8(9), 1965).

Published: 90,882 states, 282,810 transitions and start states, found within 53 steps, with 3 processes: the
run of TLC that is stored beside Lamport's version (TLA+ examples,
`specifications/dijkstra-mutex/DijkstraMutex.toolbox/LSpec-model/MC.out`; TLC counts depth in states, 54).
There the first turn is anybody's: 3 start states. Here nobody's turn comes first, and a step chooses: one
state more, 3 transitions in the place of 3 start states, one step deeper.

What a process remembers is a process it looked up, or the set of those it still has to look at, as there;
`remembers` is 0 before anything was, and one more than the last process for a set.
"""

from enum import Enum
from typing import Any

from cutproof.model.language import (
    Guard,
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
    enumeration,
    family,
    guard,
    pick,
    put,
    sometimes,
    when,
)
from cutproof.model.language.protocol import Protocol


class At(Enum):
    """Where a process is: the step that it takes next."""

    WISH = "wish"
    ASK = "ask"
    STEP_BACK = "step back"
    LOOK_UP = "look up"
    WEIGH = "weigh"
    TAKE_TURN = "take turn"
    RETRY = "retry"
    CLAIM = "claim"
    COMPARE = "compare"
    CRITICAL = "critical"
    YIELD = "yield"
    REST = "rest"
    RETURN = "return"


def _at(s: Any, p: int, where: At) -> Guard:
    return guard(f"at {where.value}", s.at[p] == where)


@action
def choose_first(s: Any, p: int) -> Step:
    """Before anything else it becomes somebody's turn."""
    return when(guard("nobody's turn", s.turn == 0)).then(turn=p)


@action
def wish(s: Any, p: int) -> Step:
    """A process says that it wishes to enter."""
    return when(_at(s, p, At.WISH), guard("somebody's turn", s.turn != 0)).then(
        wishes=put(s.wishes, p, True), at=put(s.at, p, At.ASK)
    )


@action
def ask(s: Any, p: int) -> Step:
    """On its turn a process claims; on another's it steps back."""
    return when(_at(s, p, At.ASK)).then(at=put(s.at, p, choose(s.turn == p, At.CLAIM, At.STEP_BACK)))


@action
def step_back(s: Any, p: int) -> Step:
    """It gives up its claim."""
    return when(_at(s, p, At.STEP_BACK)).then(claims=put(s.claims, p, False), at=put(s.at, p, At.LOOK_UP))


@action
def look_up(s: Any, p: int) -> Step:
    """It remembers whose turn it is."""
    return when(_at(s, p, At.LOOK_UP)).then(
        remembers=put(s.remembers, p, s.turn),
        unseen=put(s.unseen, p, each(s.unseen[p], False)),
        at=put(s.at, p, At.WEIGH),
    )


@action
def weigh(s: Any, p: int) -> Step:
    """A turn of one who does not wish to enter is there to be taken."""
    wishes = pick(s.wishes, s.remembers[p])
    return when(_at(s, p, At.WEIGH)).then(at=put(s.at, p, choose(wishes, At.RETRY, At.TAKE_TURN)))


@action
def take_turn(s: Any, p: int) -> Step:
    """It takes the turn, whoever has it by now."""
    return when(_at(s, p, At.TAKE_TURN)).then(turn=p, at=put(s.at, p, At.RETRY))


@action
def retry(s: Any, p: int) -> Step:
    """It asks again."""
    return when(_at(s, p, At.RETRY)).then(at=put(s.at, p, At.ASK))


@action
def claim(s: Any, p: int) -> Step:
    """It claims to enter, with all others still to look at."""
    others = s.unseen[p]
    for other in s.scope:
        others = put(others, other, constant(other != p))
    return when(_at(s, p, At.CLAIM)).then(
        claims=put(s.claims, p, True),
        remembers=put(s.remembers, p, len(s.scope) + 1),
        unseen=put(s.unseen, p, others),
        at=put(s.at, p, At.COMPARE),
    )


@action
def compare(s: Any, p: int, other: int) -> Step | None:
    """It looks at one of the others; if that one claims too, it asks again."""
    if other == p:
        return None
    return when(_at(s, p, At.COMPARE), guard("not looked at yet", s.unseen[p][other])).then(
        unseen=put(s.unseen, (p, other), False),
        at=put(s.at, p, choose(s.claims[other], At.ASK, At.COMPARE)),
    )


@action
def enter(s: Any, p: int) -> Step:
    """It has looked at all others and enters."""
    return when(_at(s, p, At.COMPARE), guard("looked at all", ~any_of(*s.unseen[p]))).then(
        at=put(s.at, p, At.CRITICAL)
    )


@action
def leave(s: Any, p: int) -> Step:
    """It leaves the critical section."""
    return when(_at(s, p, At.CRITICAL)).then(at=put(s.at, p, At.YIELD))


@action
def give_up_claim(s: Any, p: int) -> Step:
    """Having left, it gives up its claim."""
    return when(_at(s, p, At.YIELD)).then(claims=put(s.claims, p, False), at=put(s.at, p, At.REST))


@action
def give_up_wish(s: Any, p: int) -> Step:
    """Having given up its claim, it no longer wishes to enter."""
    return when(_at(s, p, At.REST)).then(wishes=put(s.wishes, p, False), at=put(s.at, p, At.RETURN))


@action
def come_again(s: Any, p: int) -> Step:
    """After a rest it begins anew."""
    return when(_at(s, p, At.RETURN)).then(at=put(s.at, p, At.WISH))


@always
def alone(s: Any, p: int, other: int) -> Operand | None:
    """No two processes are in the critical section."""
    return None if other == p else ~((s.at[p] == At.CRITICAL) & (s.at[other] == At.CRITICAL))


@sometimes
def stale_turn_taken(s: Any, p: int) -> Operand:
    """A process is about to take the turn from one who wishes to enter after all: the race to get right."""
    return (s.at[p] == At.TAKE_TURN) & pick(s.wishes, s.remembers[p])


@can_always
def somebody_enters(s: Any) -> Operand:
    """Somebody can still enter. That somebody does needs fairness: two who only ask can keep on asking."""
    return any_of(*(at == At.CRITICAL for at in s.at))


def dijkstra_mutex(processes: int = 3) -> Protocol:
    everyone = range(1, processes + 1)
    return Protocol(
        name="dijkstra_mutex",
        scope=everyone,
        indices={"p": everyone, "other": everyone},
        variables={
            "turn": count(0, processes),
            "wishes": family("p", of=boolean()),
            "claims": family("p", of=boolean()),
            "at": family("p", of=enumeration(At)),
            "remembers": family("p", of=count(0, processes + 1)),
            "unseen": family("p", "other", of=lambda p, other: boolean(varies=p != other)),
        },
        actions=[
            choose_first, wish, ask, step_back, look_up, weigh, take_turn, retry,
            claim, compare, enter, leave, give_up_claim, give_up_wish, come_again,
        ],
        properties=[alone, stale_turn_taken, somebody_enters],
    )  # fmt: skip
