"""Chain replication (van Renesse and Schneider, 2004), where any node may die at any time, but for the last one.

Writes enter at the head and go down the chain; who has nobody below acknowledges them, and answers queries. A master
sees who is dead and tells the others, each in its own time; what the dead have sent may still arrive. Messages may be
late, lost, or come twice. A log only grows, so that a message is told by its place in the log of who sent it.
"""

from cutproof.model.language import (
    action, all_of, always, any_of, boolean, can_always, count, family, guard, implies, invariant,
    put, sometimes, when,
)  # fmt: skip
from cutproof.model.protocol import Protocol

EMPTY = 0  # a place of a log that holds no write


def without(s, node, others):
    """For all that a node has heard, these are dead."""
    return guard("the others are dead", all_of(*(s.heard[node][other] for other in others)))


def alive(s, node):
    return guard("alive", s.alive[node])


def next_place(s, node, place):
    earlier = (s.log[node][before] != EMPTY for before in range(place))
    return guard("the next place", (s.log[node][place] == EMPTY) & all_of(*earlier))


def holds(log, write):
    return any_of(*(entry == write for entry in log))


@action
def take(s, node, place, write):
    """The head takes a write from a client, who may have tried it before: it is logged once."""
    new = guard("new here", ~holds(s.log[node], write))
    return when(alive(s, node), without(s, node, range(node)), next_place(s, node, place), new).then(
        log=put(s.log, (node, place), write)
    )


@action
def send(s, node, other, place):
    """A node sends what it holds to the one that it knows as the next below."""
    if other <= node:
        return None
    return when(
        alive(s, node), without(s, node, range(node + 1, other)), guard("holds it", s.log[node][place] != EMPTY)
    ).then(sent=put(s.sent, (node, other, place), True))


@action
def receive(s, node, other, place):
    """A node takes what comes from the one that it knows as the next above, who may be dead. It may come again."""
    if other >= node:
        return None
    return when(
        alive(s, node), without(s, node, range(other + 1, node)), next_place(s, node, place),
        guard("not heard to be dead", ~s.heard[node][other]), guard("was sent", s.sent[other][node][place]),
    ).then(log=put(s.log, (node, place), s.log[other][place]))  # fmt: skip


@action
def acknowledge(s, node, place):
    """The tail tells the client that its write is done."""
    below = range(node + 1, s.scope)
    return when(alive(s, node), without(s, node, below), guard("holds it", s.log[node][place] != EMPTY)).then(
        done=put(s.done, s.log[node][place], True)
    )


@action
def hear(s, node, other):
    """The master tells a node that another one is dead."""
    if other == node:
        return None
    return when(alive(s, node), guard("dead", ~s.alive[other])).then(heard=put(s.heard, (node, other), True))


@action(fault="death")
def die(s, node):
    """A node dies for good."""
    others = any_of(*(s.alive[other] for other in range(s.scope) if other != node))
    return when(alive(s, node), guard("not the last", others)).then(alive=put(s.alive, node, False))


@action(fault="loss")
def lose(s, node, other, place):
    """A message is lost."""
    if other <= node:
        return None
    return when(guard("was sent", s.sent[node][other][place])).then(sent=put(s.sent, (node, other, place), False))


@always
def queries_show_what_is_done(s, node, write):
    """Who answers queries has every write that a client was told is done."""
    answers = s.alive[node] & all_of(*(s.heard[node][below] for below in range(node + 1, s.scope)))
    return implies(answers & s.done[write], holds(s.log[node], write))


@always
def one_order(s, node, other, place):
    """Nodes that are alive have no different writes at a place."""
    a, b = s.log[node][place], s.log[other][place]
    return implies(s.alive[node] & s.alive[other], (a == b) | (a == EMPTY) | (b == EMPTY))


@sometimes
def done_by_the_head_alone(s, write):
    """The first node goes on when all others are dead."""
    return s.done[write] & s.alive[0] & ~any_of(*(s.alive[node] for node in range(1, s.scope)))


@can_always
def all_done(s):
    """Every write can still be done."""
    return all_of(*s.done)


@invariant
def heard_is_true(s, node, other):
    """The master does not take the living for dead."""
    return implies(s.heard[node][other], ~s.alive[other])


@invariant
def above_is_more(s, node, other, place):
    """What a node has, the living above it have at the same place."""
    has, above = s.log[node][place], s.log[other][place]
    return implies(s.alive[other] & (has != EMPTY), above == has) if other < node else None


@invariant
def done_is_held(s, node, write):
    """The living have all that is done."""
    return implies(s.alive[node] & s.done[write], holds(s.log[node], write))


@invariant
def the_dead_hold_it_too(s, node, write):
    """This is wrong: a node may die before it gets a write."""
    return implies(s.done[write], holds(s.log[node], write))


def chain(nodes: int = 3, writes: int = 2, wrong: bool = False) -> Protocol:
    everyone = range(nodes)
    return Protocol(
        name="chain_replication",
        scope=nodes,
        indices={"node": everyone, "other": everyone, "place": range(writes), "write": range(1, writes + 1)},
        variables={
            "alive": family("node", of=boolean()),
            "log": family("node", "place", of=count(EMPTY, writes)),
            "sent": family("node", "other", "place", of=lambda node, other, place: boolean(varies=node < other)),
            "heard": family("node", "other", of=lambda node, other: boolean(varies=node != other)),
            "done": family("write", of=boolean()),  # a client was told so
        },
        initial={"alive": dict.fromkeys(everyone, True)},
        actions=[take, send, receive, acknowledge, hear, die, lose],
        properties=[
            queries_show_what_is_done, one_order, done_by_the_head_alone, all_done,
            heard_is_true, above_is_more, done_is_held, *([the_dead_hold_it_too] if wrong else []),
        ],
    )
