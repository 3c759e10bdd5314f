"""A small protocol that uses every word of the language on values, for engines, proofs, exports and traces alike."""

from enum import Enum
from typing import Any

from cutproof.model.language import (
    action,
    add,
    all_of,
    always,
    any_of,
    append,
    at,
    bag,
    can_always,
    choose,
    contains,
    copies,
    count,
    each,
    enumeration,
    family,
    first,
    guard,
    has_room,
    implies,
    is_empty,
    is_full,
    keep_first,
    larger,
    last,
    length,
    log,
    number_of,
    pick,
    put,
    queue,
    record,
    remove,
    rest,
    size,
    smaller,
    sometimes,
    subset,
    total,
    when,
    with_,
)
from cutproof.model.language.protocol import Protocol


class Kind(Enum):
    ASK = "ask"
    YES = "yes"


class Mood(Enum):
    CALM = "calm"
    BUSY = "busy"


MESSAGE = record(kind=Kind, src="node")
VARIABLES = {
    "up": subset("node"),
    "inbox": family("node", of=queue(of=MESSAGE, capacity=1)),
    "net": bag(of=MESSAGE, most=1),
    "book": log(of=count(0, 1), capacity=2),
    "ballot": record(term=count(0, 2), votes=subset("node")),
    "mood": family("node", of=enumeration(Mood)),
    "turn": count(0, 2),
}


@action
def ask(s: Any, node: int, other: int) -> Any:
    "A node that is up asks another one, by its inbox."
    if node == other:
        return None
    return when(
        guard("up", contains(s.up, node)),
        guard("room", has_room(s.inbox[other])),
        guard("turn", s.turn % 2 == node),
        guard("quiet", ~contains(s.inbox[other], {"kind": Kind.ASK, "src": node})),
    ).then(
        inbox=put(s.inbox, other, append(s.inbox[other], {"kind": Kind.ASK, "src": node})),
        turn=(s.turn * 2 + 1) % 3,
        mood=put(s.mood, node, Mood.BUSY),
    )


@action
def answer(s: Any, node: int) -> Any:
    "A node reads its inbox: a question is answered by the net, an answer is written down."
    message = first(s.inbox[node])
    asked = message.kind == Kind.ASK
    answer = {"kind": Kind.YES, "src": message.src}
    written = choose(is_full(s.book), keep_first(s.book, length(s.book) - 1), s.book)
    return when(
        guard("something", ~is_empty(s.inbox[node])),
        guard("room", implies(asked, has_room(s.net, answer))),
    ).then(
        inbox=put(s.inbox, node, rest(s.inbox[node])),
        net=choose(asked, add(s.net, answer), s.net),
        book=choose(asked, s.book, append(written, larger(s.turn, 1) // 2)),
        ballot=with_(s.ballot, term=smaller(s.ballot.term + 1, 2), votes=add(s.ballot.votes, message.src)),
    )


@action
def deliver(s: Any, node: int) -> Any:
    "An answer leaves the net for the inbox of who asked."
    message = {"kind": Kind.YES, "src": node}
    return when(guard("sent", contains(s.net, message)), guard("room", has_room(s.inbox[node]))).then(
        net=remove(s.net, message), inbox=put(s.inbox, node, append(s.inbox[node], message))
    )


@action(fault="crash")
def crash(s: Any, node: int) -> Any:
    "A node forgets its inbox and its mood; nobody trusts its vote any more."
    return when(guard("up", contains(s.up, node)), guard("not alone", size(s.up) > 1)).then(
        up=s.up - {node},
        inbox=put(s.inbox, node, []),
        mood=each(s.mood, Mood.CALM),
        ballot={"term": 0, "votes": remove(s.ballot.votes, node)},
    )


@action(choice=True)
def back(s: Any, node: int) -> Any:
    "A node comes back; the book is cut."
    return when(guard("down", ~contains(s.up, node))).then(
        up=s.up | {node}, book=keep_first(s.book, 1), turn=node
    )


@always
def bounded(s: Any, node: int) -> Any:
    "Never more in flight than the inboxes hold; votes are of nodes."
    waiting = total(length(q) for q in s.inbox) + size(s.net)
    return all_of(
        waiting <= 4,
        length(s.inbox[node]) <= 1,
        s.ballot.votes <= {0, 1},
        copies(s.net, {"kind": Kind.YES, "src": node}) <= 1,
    )


@always
def voted_while_up(s: Any) -> Any:
    "A vote counts only of a node that is up: false once a node goes that asked."
    return {"down": s.ballot.votes <= s.up, "late": (last(s.book) == 0) | (at(s.book, s.turn - 1) <= 1)}


@sometimes
def both_busy(s: Any) -> Any:
    "Both nodes are busy."
    return (number_of(*(m == Mood.BUSY for m in s.mood)) == 2) & (pick(s.mood, s.turn % 2) == Mood.BUSY)


@sometimes
def equal_inboxes(s: Any) -> Any:
    "Both inboxes hold the same answer, or the same question."
    return any_of(s.inbox[0] == [{"kind": Kind.YES, "src": 0}]) & ~is_empty(s.book) & (-s.turn < 1)


@can_always
def at_rest(s: Any) -> Any:
    "Nothing need be under way."
    return all_of(is_empty(s.net), *(is_empty(q) for q in s.inbox))


def every_word() -> Protocol:
    """Two nodes that ask and answer each other, crash and come back."""
    return Protocol(
        "every_word",
        VARIABLES,
        [ask, answer, deliver, crash, back],
        [bounded, voted_while_up, both_busy, equal_inboxes, at_rest],
        indices={"node": range(2), "other": range(2)},
        initial={"up": {0, 1}},
    )
