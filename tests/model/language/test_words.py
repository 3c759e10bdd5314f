"""Words of a protocol: filled in, told by default where there are none, and refused where they cannot be filled in."""

from enum import Enum
from typing import Any

import pytest

from cutproof.model.language import (
    Changed,
    LanguageError,
    Run,
    Taken,
    Words,
    action,
    boolean,
    count,
    enumeration,
    family,
    guard,
    put,
    when,
)
from cutproof.model.language.protocol import Protocol
from cutproof.model.language.words import index_names, named


class Node(Enum):
    A = "a"
    B = "b"


class Lease(Enum):
    FREE = 0
    HELD = 1


def lease(words: Words | None = None) -> Protocol:
    @action
    def grant(s: Any, node: Node) -> Any:
        """A node is given the lease."""
        free = guard("free", s.lease[node] == Lease.FREE)
        return when(free).then(lease=put(s.lease, node, Lease.HELD), now=s.now + 1)

    variables = {
        "lease": family("node", of=enumeration(Lease)),
        "now": count(0, 3),
        "net": family("node", "slot", of=boolean()),
    }
    return Protocol("lease", variables, [grant], [], indices={"node": Node, "slot": (0, 1)}, words=words)


def taken(protocol: Protocol) -> Taken:
    return Taken(protocol, "grant", {"node": "B"}, {}, {})


def changed(protocol: Protocol, variable: str = "lease", old: Any = "FREE", new: Any = "HELD") -> Changed:
    return Changed(variable, {"node": "B"} if variable == "lease" else {}, old, new, taken(protocol))


def test_what_has_no_words_is_told_by_default() -> None:
    plain = lease()
    assert plain.words.step(taken(plain)) == ""
    assert plain.words.change(changed(plain)) == "lease of B: FREE -> HELD"
    assert plain.words.change(changed(plain, "now", 0, 1)) == "now: 0 -> 1"


def test_texts_are_filled_in_with_names() -> None:
    spoken = lease(Words(
        steps={"grant": "node {node} is given the lease"},
        variables={"lease": "node {node}: {old}, now {new}", "now": ""},
        values={"lease": {"FREE": "nobody's"}},
    ))  # fmt: skip
    assert spoken.words.step(taken(spoken)) == "node B is given the lease"
    assert spoken.words.change(changed(spoken)) == "node B: nobody's, now HELD"
    assert spoken.words.change(changed(spoken, "now", 0, 1)) == ""


def test_functions_say_what_texts_cannot() -> None:
    spoken = lease(Words(
        steps={"grant": lambda t: f"{t.action} to {t.arguments['node']}"},
        variables={"lease": lambda c: f"{c.where['node']} has it" if c.new == "HELD" else ""},
        values={"now": lambda value: f"{value} s"},
        ending=lambda run: [["steps", str(len(run.steps))]],
    ))  # fmt: skip
    assert spoken.words.step(taken(spoken)) == "grant to B"
    assert [spoken.words.change(changed(spoken, new=new)) for new in ("HELD", "FREE")] == ["B has it", ""]
    assert spoken.words.change(changed(spoken, "now", 0, 1)) == "now: 0 s -> 1 s"
    assert spoken.words.ending and spoken.words.ending(Run(spoken, (), {})) == [["steps", "0"]]


def test_words_change_nothing_else() -> None:
    spoken = lease(Words(steps={"grant": "the lease goes to {node}"}))
    assert spoken.digest == lease().digest
    assert spoken.without_guard("grant", "free").words is spoken.words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (Words(steps={"grand": "x"}), "there are words for no action: 'grand'; there are grant"),
        (
            Words(variables={"leas": "x"}),
            "there are words for no variable: 'leas'; there are lease, now, net",
        ),
        (Words(values={"leas": {}}), "there are words for no variable: 'leas'"),
        (Words(steps={"grant": "to {nod}"}), "the words for grant name 'nod'; there are node"),
        (Words(steps={"grant": "to {}"}), "the words for grant name ''; there are node"),
        (Words(variables={"now": "{node}: {new}"}), "the words for now name 'node'; there are old, new"),
        (
            Words(variables={"net": "{node.name}"}),
            "the words for net name 'node.name'; there are node, slot, old, new",
        ),
        (Words(steps={"grant": "to {node"}), "the words for grant are 'to {node': expected '}'"),
    ],
)
def test_words_that_cannot_be_filled_in_are_refused_at_the_protocol(words: Words, said: str) -> None:
    with pytest.raises(LanguageError) as caught:
        lease(words)
    assert said in str(caught.value) and str(caught.value).startswith(f"{__file__}:")


def test_fields_are_named_by_their_indices() -> None:
    assert index_names(lease(), "net") == ("node", "slot")
    assert index_names(lease(), "now") == ()
    assert named("net", {"node": "O", "doc": 0, "rank": 1}) == "net of O, doc 0, rank 1"
    assert named("rm", {"rm": 0}) == "rm 0"
    assert named("rm", {"rm": "O"}) == "rm of O"
    assert named("now", {}) == "now"
