"""Records mean what dictionaries of their fields mean, by every reading; nested ones, and families of them too."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from words import given, holds_everywhere, normal_states

from cutproof.model.language import (
    LanguageError,
    append,
    boolean,
    choose,
    count,
    each,
    family,
    length,
    pick,
    put,
    queue,
    record,
    subset,
    with_,
)


class Kind(Enum):
    ASK = "ask"
    YES = "yes"


VOTE = record(term=count(0, 2), given=boolean())
PLAIN = given({"r": VOTE, "t": VOTE, "x": count(0, 2), "flag": boolean()})
# Names of fields that other things have too, and everything that a record may hold.
NESTED = given(
    {
        "r": record(index=count(0, 1), items=record(kind=Kind, to="node"), log=queue(of=Kind, capacity=1)),
        "x": count(0, 1),
    },
    {"node": [0, 1]},
)
FAMILY = given({"nodes": family("node", of=record(term=count(0, 1), seen=subset("node"))), "i": count(0, 1)},
               {"node": [0, 1]})  # fmt: skip


def changed(old: dict[str, Any], **new: Any) -> dict[str, Any]:
    return {**old, **new}


Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]
WORDS: dict[str, Pair] = {
    "field": (lambda s: s.r.term + s.r["term"], lambda v: 2 * v.r["term"]),
    "with_": (lambda s: with_(s.r, term=s.x), lambda v: changed(v.r, term=v.x)),
    "with_ several": (
        lambda s: with_(s.r, term=1, given=~s.r.given),
        lambda v: {"term": 1, "given": not v.r["given"]},
    ),
    "put": (lambda s: put(s.r, "given", s.flag), lambda v: changed(v.r, given=v.flag)),
    "equal": (lambda s: s.r == s.t, lambda v: v.r == v.t),
    "unequal": (lambda s: s.r != {"given": True, "term": s.x}, lambda v: v.r != {"given": True, "term": v.x}),
    "choose": (lambda s: choose(s.flag, s.r, s.t), lambda v: v.r if v.flag else v.t),
    "choose a dictionary": (
        lambda s: choose(s.flag, s.r, {"term": s.x, "given": False}),
        lambda v: v.r if v.flag else {"term": v.x, "given": False},
    ),
}
OF_NESTED: dict[str, Pair] = {
    "inner field": (lambda s: s.r.items.kind == Kind.YES, lambda v: v.r["items"]["kind"] == Kind.YES),
    "a name of ours": (lambda s: s.r.index + s.x, lambda v: v.r["index"] + v.x),
    "put inside": (
        lambda s: put(s.r, ("items", "to"), s.x),
        lambda v: changed(v.r, items=changed(v.r["items"], to=v.x)),
    ),
    "a queue inside": (
        lambda s: with_(s.r, log=choose(length(s.r.log) == 0, append(s.r.log, Kind.YES), s.r.log)),
        lambda v: changed(v.r, log=v.r["log"] or [Kind.YES]),
    ),
    "the whole": (
        lambda s: s.r == {"index": s.x, "items": {"kind": Kind.ASK, "to": 1}, "log": []},
        lambda v: v.r == {"index": v.x, "items": {"kind": Kind.ASK, "to": 1}, "log": []},
    ),
}
OF_FAMILY: dict[str, Pair] = {
    "field": (lambda s: s.nodes[1].term, lambda v: v.nodes[1]["term"]),
    "pick": (lambda s: pick(s.nodes, s.i).seen, lambda v: v.nodes[v.i]["seen"]),
    "put": (
        lambda s: put(s.nodes, (s.i, "term"), 1)[1].term,
        lambda v: 1 if v.i == 1 else v.nodes[1]["term"],
    ),
    "put a record": (
        lambda s: put(s.nodes, s.i, {"term": s.i, "seen": {1}})[0],
        lambda v: {"term": 0, "seen": frozenset({1})} if v.i == 0 else v.nodes[0],
    ),
    "each": (
        lambda s: each(s.nodes, with_(s.nodes[0], term=s.i))[1],
        lambda v: changed(v.nodes[0], term=v.i),
    ),
}


@pytest.mark.parametrize(
    ("protocol", "words"),
    [(PLAIN, WORDS), (NESTED, OF_NESTED), (FAMILY, OF_FAMILY)],
    ids=["plain", "nested", "family"],
)
def test_every_word_is_that_of_a_dictionary(protocol: Any, words: dict[str, Pair]) -> None:
    states = normal_states(protocol)
    for name, (word, meaning) in words.items():
        assert holds_everywhere(protocol, states, word, meaning) > 1, name


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda s: s.r.trem, "no field 'trem'; there are term, given"),
        (lambda s: s.r["trem"], "no field 'trem'"),
        (lambda s: s.r[s.x], "no field <int x>"),
        (lambda s: with_(s.r, trem=1), "no field 'trem'"),
        (lambda s: with_(s.r, term=True), "True in place of 0..2"),
        (lambda s: with_(s.x, term=1), "with_ got the Operand"),
        (lambda s: setattr(s.r, "term", 1), "an assignment to the field 'term'; write with_(r, term=...)"),
        (lambda s: s.r.__setitem__("term", 1), "an assignment to a part of a record"),
        (lambda s: s.r == {"term": 1}, "a record without 'given'; its fields are term, given"),
        (lambda s: s.r == {"term": 1, "given": True, "more": 1}, "a record with 'more'"),
        (lambda s: s.r == 3, "3 in place of record(term: 0..2, given: False | True)"),
        (lambda s: bool(s.r), "truth of a record"),
        (lambda s: pick(s.r, s.x), "pick from a record"),
        (lambda s: record(), "a record without fields"),
        (lambda s: record(_a=boolean()), "a field named '_a'"),
        (lambda s: record(a=3), "record got 3"),
        (lambda s: record(a=family("node", of=boolean())), "record of a family"),
        (lambda s: given({"r": record(to="node")}, {"node": ["a"]}), "a state value of the index 'node'"),
        (lambda s: given({"r": record(to="node")}, {"node": [1, 3]}), "a state value of the index 'node'"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(LanguageError) as caught:
        wrong(PLAIN.view)
    assert said in str(caught.value)
    place = str(caught.value).partition(": ")[0]
    assert place == f"{__file__}:{wrong.__code__.co_firstlineno}" or "words.py" in place
    assert "; " in str(caught.value)
