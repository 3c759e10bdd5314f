"""Schedulers: which of the steps that are possible a random run takes. Each says what it draws for a whole run first.

A scheduler is a function `(protocol, steps, random) -> pick`, called at the start of a run of at most so many steps;
`pick(moves)` then chooses among the steps that change the state. It may draw from `random` and from nothing else: a run
is to be the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ldexp
from random import Random

from cutproof.model.language.protocol import Protocol

Move = tuple[int, int]  # the number of a transition, and what it adds to the packed state
Pick = Callable[[Sequence[Move]], Move]
Scheduler = Callable[[Protocol, int, Random], Pick]

HALVINGS = 9  # a step of a run by weights has one of so many weights: 1, 1/2, 1/4, ...
CHANGES = 3  # how often a run by priorities lowers one
SKIPPED = 0.25  # of the actions, in a run of the swarm


def uniform(protocol: Protocol, steps: int, random: Random) -> Pick:
    """Each possible step is as likely as any other."""
    draw = random.random

    def pick(moves: Sequence[Move]) -> Move:
        return moves[int(draw() * len(moves))]

    return pick


def weighted(protocol: Protocol, steps: int, random: Random) -> Pick:
    """Each run first draws how likely each step is to be taken where it is possible, up to some hundreds of times less
    likely than another: so in some runs a message is late until the end, in others a crash comes at once."""
    draw = random.random
    weights = [ldexp(1.0, -int(draw() * HALVINGS)) for _ in protocol.transitions]  # exact on every machine

    def pick(moves: Sequence[Move]) -> Move:
        rest = draw() * sum([weights[number] for number, _ in moves])
        for move in moves:
            rest -= weights[move[0]]
            if rest < 0:
                return move
        return moves[-1]

    return pick


def pct(protocol: Protocol, steps: int, random: Random) -> Pick:
    """Probabilistic concurrency testing (Burckhardt and others, 2010), each transition a thread: of the possible steps
    the one with the highest priority, drawn for the run; at a few random moments the highest becomes the lowest."""
    draw = random.random
    order = [draw() for _ in protocol.transitions]
    moments = {int(draw() * steps) for _ in range(CHANGES)}
    taken = 0

    def pick(moves: Sequence[Move]) -> Move:
        nonlocal taken
        best = max(moves, key=lambda move: order[move[0]])
        if taken in moments:
            order[best[0]] = -1.0 - draw()
            best = max(moves, key=lambda move: order[move[0]])
        taken += 1
        return best

    return pick


def pos(protocol: Protocol, steps: int, random: Random) -> Pick:
    """As `pct`, but in place of such moments each transition that was taken draws a new priority (partial order
    sampling in its basic form: Yuan, Yang and Gu, 2018). So what is late stays late for long, and others overtake."""
    draw = random.random
    order = [draw() for _ in protocol.transitions]

    def pick(moves: Sequence[Move]) -> Move:
        best = max(moves, key=lambda move: order[move[0]])
        order[best[0]] = draw()
        return best

    return pick


def swarm(protocol: Protocol, steps: int, random: Random) -> Pick:
    """Each run leaves out some actions that were drawn for it (Groce and others, 2012), but where nothing else is
    possible; of the others each possible step is as likely as any other."""
    draw = random.random
    out = {action.name for action in protocol.actions if draw() < SKIPPED}
    left = [t.action not in out for t in protocol.transitions]

    def pick(moves: Sequence[Move]) -> Move:
        possible = [move for move in moves if left[move[0]]] or moves
        return possible[int(draw() * len(possible))]

    return pick


SCHEDULERS: dict[str, Scheduler] = {
    "uniform": uniform,
    "weighted": weighted,
    "pct": pct,
    "pos": pos,
    "swarm": swarm,
}

DEFAULT = "pos"
