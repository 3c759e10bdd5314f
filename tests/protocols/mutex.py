"""Mutual exclusion by shared variables alone (Dijkstra, CACM 8(9), 1965): one reads or writes one variable a step.

    begin  wish;  ask: if turn is mine: claim; look at all others: if one claims, ask again; enter; leave
                       else: withdraw the claim; if whose turn it is does not wish: take the turn; ask again

The turn is read twice, so it may have become another's in between; that does no harm, as a claim is looked at by all.
"""

from enum import Enum

from cutproof.model.language import (
    action, all_of, always, boolean, choose, count, enumeration, family, guard, implies, invariant,
    pick, put, sometimes, when,
)  # fmt: skip
from cutproof.model.protocol import Protocol

At = Enum("At", "IDLE ASK WITHDRAW LOOK WEIGH TAKE CLAIM CHECK CRITICAL DROP")


def at(s, p, where):
    return guard(f"at {where.name}", s.at[p] == where)


@action(choice=True)
def begin(s, p):
    """A process wishes to enter."""
    return when(at(s, p, At.IDLE)).then(wish=put(s.wish, p, True), at=put(s.at, p, At.ASK))


@action
def ask(s, p):
    """Whose turn is it?"""
    return when(at(s, p, At.ASK)).then(at=put(s.at, p, choose(s.turn == p, At.CLAIM, At.WITHDRAW)))


@action
def withdraw(s, p):
    """It is another's, and the process no longer claims to enter."""
    return when(at(s, p, At.WITHDRAW)).then(claim=put(s.claim, p, False), at=put(s.at, p, At.LOOK))


@action
def look(s, p):
    """It reads again whose turn it is."""
    return when(at(s, p, At.LOOK)).then(whose=put(s.whose, p, s.turn), at=put(s.at, p, At.WEIGH))


@action
def weigh(s, p):
    """If that one does not wish to enter, the turn is free to take."""
    wishes = pick(s.wish, s.whose[p])
    return when(at(s, p, At.WEIGH)).then(
        whose=put(s.whose, p, 0), at=put(s.at, p, choose(wishes, At.ASK, At.TAKE))
    )


@action
def take(s, p):
    """It takes the turn."""
    return when(at(s, p, At.TAKE)).then(turn=p, at=put(s.at, p, At.ASK))


@action
def claim(s, p):
    """It claims to enter, and will look at all others, one by one."""
    return when(at(s, p, At.CLAIM)).then(
        claim=put(s.claim, p, True), next=put(s.next, p, 0), at=put(s.at, p, At.CHECK)
    )


@action
def check(s, p, other):
    """The next one does not claim."""
    return when(at(s, p, At.CHECK), guard("is next", s.next[p] == other), *unclaimed(s, p, other)).then(
        next=put(s.next, p, s.next[p] + 1)
    )


def unclaimed(s, p, other):
    return [guard("no claim", ~s.claim[other])] if other != p else []


@action
def meet(s, p, other):
    """The next one claims too: ask again."""
    if other == p:
        return None
    return when(
        at(s, p, At.CHECK), guard("is next", s.next[p] == other), guard("a claim", s.claim[other])
    ).then(next=put(s.next, p, 0), at=put(s.at, p, At.ASK))


@action
def enter(s, p):
    """It has looked at all."""
    return when(at(s, p, At.CHECK), guard("looked at all", s.next[p] == s.scope)).then(
        at=put(s.at, p, At.CRITICAL)
    )


@action
def leave(s, p):
    """It leaves, and claims no longer."""
    return when(at(s, p, At.CRITICAL)).then(
        claim=put(s.claim, p, False), next=put(s.next, p, 0), at=put(s.at, p, At.DROP)
    )


@action
def end(s, p):
    """It wishes no longer."""
    return when(at(s, p, At.DROP)).then(wish=put(s.wish, p, False), at=put(s.at, p, At.IDLE))


@always
def alone(s, p, other):
    """No two processes are in the critical section."""
    return ~((s.at[p] == At.CRITICAL) & (s.at[other] == At.CRITICAL)) if p != other else None


@sometimes
def everybody_claims(s):
    """All claim at once, and all have the turn in mind: the race to get right."""
    return all_of(*s.claim, *(where == At.CHECK for where in s.at))


@sometimes
def enters_without_the_turn(s, p):
    """Somebody is in the critical section though the turn is another's by now."""
    return (s.at[p] == At.CRITICAL) & (s.turn != p)


@invariant
def claimed_while_checking(s, p):
    """Who looks at the others has claimed before, and only who has looked at all is in."""
    inside = s.at[p] == At.CRITICAL
    return implies((s.at[p] == At.CHECK) | inside, s.claim[p]) & implies(inside, s.next[p] == s.scope)


@invariant
def not_past_each_other(s, p, other):
    """Of two who claim, not each has looked at the other: the later one saw a claim."""
    def past(a, b):
        return ((s.at[a] == At.CHECK) | (s.at[a] == At.CRITICAL)) & (s.next[a] > b)

    return ~(past(p, other) & past(other, p)) if p != other else None


@invariant
def whose_turn_enters(s, p):
    """This is wrong: the turn can be taken from who is inside."""
    return implies(s.at[p] == At.CRITICAL, s.turn == p)


def mutex(processes: int = 2, wrong: bool = False) -> Protocol:
    everyone = range(processes)
    return Protocol(
        name="mutex",
        scope=processes,
        indices={"p": everyone, "other": everyone},
        variables={
            "turn": count(0, processes - 1),
            "wish": family("p", of=boolean()),
            "claim": family("p", of=boolean()),
            "at": family("p", of=enumeration(At)),
            "whose": family("p", of=count(0, processes - 1)),  # had the turn when the process looked
            "next": family("p", of=count(0, processes)),  # whom it will look at
        },
        actions=[begin, ask, withdraw, look, weigh, take, claim, check, meet, enter, leave, end],
        properties=[
            alone, everybody_claims, enters_without_the_turn,
            claimed_while_checking, not_past_each_other, *([whose_turn_enters] if wrong else []),
        ],
    )
