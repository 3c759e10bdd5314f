"""Dining philosophers (Dijkstra): between two neighbours lies one fork, and whoever eats needs both of theirs.

All take the fork at their right first, but for the last, who takes the left one first: so no circle of philosophers can
wait for one another. With `--with same_hand=true` all take the right one first, and one day everybody holds one fork.
"""

from enum import Enum

from cutproof.model.language import (
    action,
    all_of,
    always,
    can_always,
    enumeration,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.protocol import Protocol


class At(Enum):
    THINKING = "thinking"
    HUNGRY = "hungry"
    HAS_ONE = "has one fork"
    EATING = "eating"
    PUTTING_BACK = "has put one back"


class Fork(Enum):
    LIES = "lies on the table"
    WITH_RIGHT = "with the one to whose right it lies"
    WITH_LEFT = "with the one to whose left it lies"


def _forks(s, p):
    """The fork that a philosopher takes first and the other one, each with how it is called when it was taken."""
    seats, same_hand = s.scope
    right, left = (p, Fork.WITH_RIGHT), ((p + 1) % seats, Fork.WITH_LEFT)
    return (right, left) if same_hand or p < seats - 1 else (left, right)


@action(choice=True)
def get_hungry(s, p):
    """A philosopher gets hungry."""
    return when(guard("thinking", s.at[p] == At.THINKING)).then(at=put(s.at, p, At.HUNGRY))


@action
def take_first(s, p):
    """Who is hungry takes a first fork."""
    (fork, mine), _ = _forks(s, p)
    return when(
        guard("hungry", s.at[p] == At.HUNGRY),
        guard("it lies there", s.fork[fork] == Fork.LIES),
    ).then(at=put(s.at, p, At.HAS_ONE), fork=put(s.fork, fork, mine))


@action
def take_second(s, p):
    """Then the other fork, and eats."""
    _, (fork, mine) = _forks(s, p)
    return when(
        guard("has one fork", s.at[p] == At.HAS_ONE),
        guard("it lies there", s.fork[fork] == Fork.LIES),
    ).then(at=put(s.at, p, At.EATING), fork=put(s.fork, fork, mine))


@action
def put_back(s, p):
    """Who has eaten puts back the second fork."""
    _, (fork, _) = _forks(s, p)
    return when(guard("eating", s.at[p] == At.EATING)).then(
        at=put(s.at, p, At.PUTTING_BACK), fork=put(s.fork, fork, Fork.LIES)
    )


@action
def think(s, p):
    """And the first one, and thinks."""
    (fork, _), _ = _forks(s, p)
    return when(guard("has one left", s.at[p] == At.PUTTING_BACK)).then(
        at=put(s.at, p, At.THINKING), fork=put(s.fork, fork, Fork.LIES)
    )


@always
def neighbours_take_turns(s, p):
    """No two neighbours eat at once."""
    return ~((s.at[p] == At.EATING) & (s.at[(p + 1) % s.scope[0]] == At.EATING))


@sometimes
def every_other_eats(s):
    """As many eat at once as there are forks for."""
    seats = s.scope[0]
    return all_of(*(s.at[p] == At.EATING for p in range(0, seats - 1, 2)))


@can_always(cycles=False)
def can_eat(s, p):
    """Whoever is hungry can still come to eat. That they do is not said: both neighbours may always be quicker."""
    return (s.at[p] == At.EATING) | (s.at[p] == At.THINKING)


def philosophers(seats: int = 4, same_hand: bool = False) -> Protocol:
    """So many philosophers, two or more."""
    return Protocol(
        name="philosophers",
        scope=(seats, same_hand),
        indices={"p": range(seats)},
        variables={"at": family("p", of=enumeration(At)), "fork": family("p", of=enumeration(Fork))},
        actions=[get_hungry, take_first, take_second, put_back, think],
        properties=[neighbours_take_turns, every_other_eats, can_eat],
    )
