"""The judge of histories: against all orders, and on planted mistakes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from every_order import explained_by_some_order, random_history, wild_history

from cutproof.checks.drivers.histories import judge as judging
from cutproof.checks.drivers.histories.events import Events
from cutproof.checks.drivers.histories.judge import Explained, Undecided, Unexplained, judge
from cutproof.checks.drivers.histories.operation import Operation, object_of

OBJECTS = ["register", "register", "counter", "list"]

# Each line: is it fine, with versions and without? Writes: (value, issued, answered, outcome); reads: (value, when).
HISTORIES: list[tuple[str, list[Any], list[tuple[str | None, int]], bool, bool]] = [
    ("the last acknowledged is read", [("a", 1, 2, "acknowledged")], [("a", 3)], True, True),
    ("an acknowledged write is gone", [("a", 1, 2, "acknowledged")], [(None, 3)], False, False),
    ("before the answer anything goes", [("a", 1, 9, "acknowledged")], [(None, 3), ("a", 5)], True, True),
    ("what was seen stays", [("a", 1, 9, "acknowledged")], [("a", 3), (None, 5)], False, False),
    ("a failed write may happen", [("a", 1, 2, "failed")], [(None, 3), ("a", 5)], True, True),
    ("a failed write does not unhappen", [("a", 1, 2, "failed")], [("a", 3), (None, 5)], False, False),
    ("a late unknown write over a newer one",
     [("a", 1, 2, "failed"), ("b", 3, 4, "acknowledged")], [("b", 5), ("a", 7)], False, True),
    ("... that had been seen before",
     [("a", 1, 2, "failed"), ("b", 4, 5, "acknowledged")], [("a", 3), ("a", 7)], False, False),
    ("what overlaps comes in either order",
     [("a", 1, 6, "acknowledged"), ("b", 2, 5, "acknowledged")], [("a", 7)], True, True),
    ("... but in one order only",
     [("a", 1, 6, "acknowledged"), ("b", 2, 5, "acknowledged")], [("a", 7), ("b", 8)], False, False),
    ("an order that was seen binds what is older",
     [("a", 1, 2, "acknowledged"), ("b", 3, 9, "failed"), ("c", 4, 5, "acknowledged")], [("c", 6), ("a", 7)],
     False, False),
    ("a refused write never happens", [("a", 1, 2, "refused")], [("a", 3)], False, False),
    ("a refused write that was seen before", [("a", 1, 4, "refused")], [("a", 3)], False, False),
    ("a delete is undone",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "acknowledged")], [("a", 5)], False, False),
    ("a failed delete explains nothing",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "failed")], [(None, 5)], True, True),
    ("a refused delete does not",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "refused")], [(None, 5)], False, False),
    ("two deletes look alike",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "failed"), (None, 5, 6, "failed")], [(None, 7), (None, 8)],
     True, True),
    ("a failed write that is older than what failed after it",
     [("a", 1, 2, "failed"), ("b", 3, 4, "failed")], [("b", 5), ("a", 6)], False, True),
]  # fmt: skip


def register(writes: list[Any], reads: list[tuple[Any, int]]) -> list[Operation]:
    """Puts and deletes of one client, and reads that take a moment."""
    found = [
        Operation(
            n, "w", "delete" if v is None else "put", "doc", v, issued, answered, outcome, step=answered
        )
        for n, (v, issued, answered, outcome) in enumerate(writes, 1)
    ]
    first = len(found) + 1
    return found + [
        Operation(n, "r", "get", "doc", None, when, when, "acknowledged", v, when)
        for n, (v, when) in enumerate(reads, first)
    ]


def done(
    number: int, kind: str, argument: Any, result: Any = None, outcome: str = "acknowledged"
) -> Operation:
    """An operation after those with lower numbers, and before those with higher ones."""
    moment = 10 * number
    return Operation(number, "c", kind, "k", argument, moment, moment + 1, outcome, result, number)


@pytest.mark.parametrize(
    ("_", "writes", "reads", "fine", "fine_without"), HISTORIES, ids=[h[0] for h in HISTORIES]
)
@pytest.mark.parametrize("versioned", [True, False])
def test_both_readings(
    _: str, writes: Any, reads: Any, fine: bool, fine_without: bool, versioned: bool
) -> None:
    verdict = judge(register(writes, reads), versioned=versioned)
    assert isinstance(verdict, Explained) is (fine if versioned else fine_without)


@pytest.mark.parametrize("thousand", range(20))
@pytest.mark.sampled(14)
def test_it_agrees_with_all_orders(thousand: int) -> None:
    for seed in range(1000 * thousand, 1000 * thousand + 1000):
        draw = Random(seed)
        make = wild_history if seed % 2 else random_history
        operations = make(draw, draw.choice(OBJECTS), draw.randrange(2, 8), draw.randrange(1, 4))
        draw.shuffle(operations)
        for versioned in (True, False):
            want = explained_by_some_order(operations, versioned and is_register(operations))
            verdict = judge(operations, versioned=versioned)
            assert isinstance(verdict, Explained) is want, (seed, versioned)
            if isinstance(verdict, Unexplained):
                check_part(operations, verdict, versioned)


def is_register(operations: list[Operation]) -> bool:
    return object_of(operations) == "register"


def check_part(operations: list[Operation], verdict: Unexplained, versioned: bool) -> None:
    """It is a part, in order of time, that no order explains, and one sentence says why."""
    part = list(verdict.operations)
    assert {id(o) for o in part} <= {id(o) for o in operations}
    assert part == sorted(part, key=lambda o: (o.invoked, o.number))
    assert not explained_by_some_order(part, versioned and is_register(operations))
    assert "k: " in verdict.reason and "\n" not in verdict.reason
    if is_register(operations):
        for o in part:
            rest = [x for x in part if x is not o]
            assert needed(o, rest) or explained_by_some_order(rest, versioned), (str(o), verdict)


def needed(o: Operation, rest: list[Operation]) -> bool:
    """Something in the rest is about a value that this one alone has written, if only in vain."""
    about = {x.result if x.kind == "get" else x.argument[0] for x in rest if x.shows}
    wrote = o.kind != "get" and o.outcome != "unequal"
    others = {x.value for x in rest if x.kind != "get" and x.outcome not in ("unequal", "refused")}
    return wrote and o.value in about and o.value not in others


# Where a search that is a little too eager goes wrong: (kind, argument, invoked, returned, outcome, result).
ACK, FAIL, UNEQUAL, PENDING = "acknowledged", "failed", "unequal", "pending"
CORNERS: dict[str, list[tuple[Any, ...]]] = {
    "a delete that a compare-and-set still needs is not covered": [
        ("put", "a", 4, 4, ACK), ("delete", None, 1, 5, ACK), ("get", None, 7, 7, ACK, "c"),
        ("put_if", (None, "c"), 3, 7, ACK), ("put", "b", 9, 14, ACK), ("get", None, 10, 13, ACK, "b")],
    "nothing is covered between a comparison and its write": [
        ("put", "b", 1, 6, ACK), ("put_if", (None, "c"), 1, 4, ACK), ("delete", None, 2, 7, ACK),
        ("put", "a", 3, 10, FAIL), ("put", "a", 5, 11, ACK), ("put_if", ("c", "c"), 7, 12, ACK),
        ("get", None, 8, 9, ACK)],
    "a failed delete covers a write, and a compare-and-set follows": [
        ("put", "b", 8, 9, ACK), ("delete", None, 0, 3, FAIL), ("get", None, 10, 12, ACK, "a"),
        ("put_if", (None, "a"), 6, 8, ACK), ("get", None, 13, 19, ACK, "a")],
    "what is not there yet stands for nobody": [
        ("put_if", (None, "b"), 5, 5, UNEQUAL), ("put", "b", 7, None, PENDING),
        ("put_if", ("b", "a"), 5, 6, UNEQUAL), ("put_if", (None, "a"), 2, 2, FAIL)],
    "who has used less of what may have happened may get further": [
        ("put", "a", 5, 7, FAIL), ("delete", None, 6, 8, ACK), ("put", "a", 13, 20, FAIL),
        ("delete", None, 7, 12, FAIL), ("put_if", ("a", "a"), 3, 7, ACK), ("get", None, 10, 11, ACK, "a"),
        ("put_if", ("a", "a"), 13, 18, UNEQUAL)],
    "a mismatch is explained by any other value": [
        ("get", None, 6, 6, ACK, "a"), ("delete", None, 6, 8, FAIL), ("put", "a", 6, None, PENDING),
        ("put_if", ("a", "a"), 7, 11, UNEQUAL)],
    "reads that begin later may be answered first": [
        ("append", "a", 1, 2, ACK), ("append", "b", 3, 9, ACK), ("get", None, 4, 8, ACK, ["a"]),
        ("get", None, 5, 6, ACK, ["a", "b"])],
}  # fmt: skip


@pytest.mark.parametrize("versioned", [True, False])
@pytest.mark.parametrize("name", CORNERS)
def test_corners(name: str, versioned: bool) -> None:
    operations = [
        Operation(n, f"c{n}", kind, "k", argument, *told)
        for n, (kind, argument, *told) in enumerate(CORNERS[name], 1)
    ]
    want = explained_by_some_order(operations, versioned)
    assert isinstance(judge(operations, versioned=versioned), Explained) is want


def test_bits_are_used_again() -> None:
    operations = long_history("counter", 300, 0)
    assert max(Events(operations, [False] * len(operations)).bit) <= 2


# ------------------------------------------------------------------ planted mistakes

PLANTED: dict[str, tuple[list[Operation], str, set[int]]] = {
    "lost update": (
        [done(1, "put", "a"), done(2, "put", "b"), done(3, "get", None, "a")],
        "lost update: k: put #2 was acknowledged at step 2, and at step 3 a client reads put #1", {1, 2, 3}),
    "lost acknowledged write": (
        [done(1, "put", "a"), done(2, "get", None)],
        "lost acknowledged write: k: put #1 was acknowledged at step 1, and at step 2 a client reads nothing", {1, 2}),
    "stale read": (
        [done(1, "put", "a"), done(2, "put", "b", outcome="failed"), done(3, "get", None, "b"),
         done(4, "get", None, "a")],
        "a read goes back: k: put #2 was read at step 3, and at step 4 a client reads put #1", {1, 2, 3, 4}),
    "resurrected delete": (
        [done(1, "put", "a"), done(2, "delete", None), done(3, "get", None, "a")],
        "resurrected delete: k: delete #2 was acknowledged at step 2, and at step 3 a client reads put #1", {1, 2, 3}),
    "refused": (
        [done(1, "put", "a", outcome="refused"), done(2, "get", None, "a")],
        "refused, yet it happened: k: put #1 was refused at step 1, and at step 2 a client reads put #1", {1, 2}),
    "nobody wrote it": (
        [done(1, "put", "a"), done(2, "get", None, "x")],
        "k: at step 2 a client reads 'x', which nobody wrote to it", {2}),
    "two compare-and-sets": (
        [done(1, "put", "a"), done(2, "put_if", ("a", "b")), done(3, "put_if", ("a", "c"))],
        "two compare-and-sets of one value: k: put_if #2 was acknowledged at step 2, and put_if #3 was acknowledged"
        " at step 3, and both replaced put #1", {1, 2, 3}),
    "mismatch": (
        [done(1, "put", "a"), done(2, "put_if", ("a", "b"), outcome="unequal")],
        "a mismatch without cause: k: put_if #2 expected put #1 and was answered unequal at step 2, when nothing else"
        " can have been there", {1, 2}),
    "lost increment": (
        [done(1, "add", 1), done(2, "get", None, 1), done(3, "add", 2), done(4, "get", None, 1)],
        "lost increment: k: it was 1 at step 2, add #3 of 2 was acknowledged at step 3, and at step 4 a client reads 1",
        {2, 3, 4}),
    "increment counted twice": (
        [done(1, "add", 1), done(2, "add", 2), done(3, "get", None, 5)],
        "increment counted twice: k: 2 additions, of 3 in all, were asked for, and at step 3 a client reads 5",
        {1, 2, 3}),
    "counter goes back": (
        [done(1, "add", 1, outcome="failed"), done(2, "get", None, 1), done(3, "get", None, 0)],
        "a read goes back: k: it was 1 at step 2, and at step 3 a client reads 0", {2, 3}),
    "lost append": (
        [done(1, "append", "a"), done(2, "append", "b"), done(3, "get", None, ["a"])],
        "lost append: k: append #2 was acknowledged at step 2, and at step 3 a client reads [...]", {2, 3}),
    "duplicate append": (
        [done(1, "append", "a"), done(2, "append", "b"), done(3, "get", None, ["a", "b", "a"])],
        "duplicate append: k: append #1 was asked for once, and at step 3 a client reads its item 2 times", {1, 3}),
    "appends out of order": (
        [done(1, "append", "a"), done(2, "append", "b"), done(3, "get", None, ["b", "a"])],
        "appends out of order: k: append #1 was acknowledged at step 1, then append #2 was acknowledged at step 2,"
        " and at step 3 a client reads ['b', 'a']", {1, 2, 3}),
    "of two answers at one moment": (
        [Operation(1, "a", "get", "k", None, 0, 1, "acknowledged", None, 1),
         Operation(2, "b", "get", "k", None, 0, 1, "acknowledged", "b", 2)],
        "k: at step 2 a client reads 'b', which nobody wrote to it", {2}),
    "a comparison with what it wrote itself": (
        [done(1, "put_if", ("b", "b"))], "k: at step 1 put_if #1 finds 'b', which nobody wrote to it", {1}),
    "an item that nobody appended": (
        [done(1, "append", "a"), done(2, "get", None, ["a", "x"])],
        "k: at step 2 a client reads the item 'x', which nobody appended to it", {2}),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_named(name: str) -> None:
    operations, reason, numbers = PLANTED[name]
    verdict = judge(operations)
    assert isinstance(verdict, Unexplained)
    assert verdict.reason == reason
    assert {o.number for o in verdict.operations} == numbers


def long_history(thing: str, count: int, lost: int) -> list[Operation]:
    """Two clients, every other operation of which overlaps the next one; one acknowledged write is lost."""
    found: list[Operation] = []
    state: Any = {"register": None, "counter": 0, "list": []}[thing]
    for number in range(1, count + 1):
        kind = {"register": "put", "counter": "add", "list": "append"}[thing] if number % 3 else "get"
        argument = None if kind == "get" else 1 if thing == "counter" else f"v{number}"
        took = 15 if number % 2 and number != lost - 1 else 5
        o = Operation(
            number, f"c{number % 2}", kind, "k", argument, 10 * number, 10 * number + took, "acknowledged"
        )
        o.step = number
        if kind == "get":
            o.result = state
        elif number != lost:
            state = {"register": argument, "counter": state + 1 if thing == "counter" else 0,
                     "list": [*state, argument] if thing == "list" else []}[thing]  # fmt: skip
        found.append(o)
    return found


@pytest.mark.parametrize("thing", ["register", "counter", "list"])
def test_a_mistake_in_a_long_history_is_told_by_few_operations(thing: str) -> None:
    assert isinstance(judge(long_history(thing, 600, 0)), Explained)
    verdict = judge(long_history(thing, 600, 404))
    assert isinstance(verdict, Unexplained)
    assert len(verdict.operations) <= 6
    assert {404, 405} <= {o.number for o in verdict.operations}


# ------------------------------------------------------------------ bounds


def test_a_hostile_history_is_left_undecided() -> None:
    operations = [Operation(n, f"c{n}", "add", "k", 2 * 3**n, 0) for n in range(1, 60)]
    operations.append(Operation(60, "r", "get", "k", None, 1, 2, "acknowledged", 3**58 + 2))
    assert isinstance(judge(operations, most=2000), Undecided)
    assert isinstance(
        judge(register([("a", 1, 9, "failed"), ("b", 2, 9, "failed")], [("b", 5), ("a", 6)]), most=1),
        Undecided,
    )


def test_undecided_is_never_said_of_what_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging.register, "explained", lambda *_: None)
    assert "within 7 configurations" in str(judge(register([("a", 1, 2, "failed")], [("a", 3)]), most=7))


@pytest.mark.parametrize(
    ("operations", "said"),
    [
        ([done(1, "add", 1), done(2, "append", "a")], "add, append on one key"),
        ([done(1, "pop", 1)], "'pop' is no kind of operation"),
        ([done(1, "add", 1), done(2, "get", None, "a")], "'a' is no number"),
        ([done(1, "append", 1), done(2, "get", None, 3)], "3 is no list"),
    ],
)
def test_what_cannot_be_judged_is_refused(operations: list[Operation], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        judge(operations)


def test_only_reads_are_judged_by_what_they_show() -> None:
    assert isinstance(judge([done(1, "get", None, 0), done(2, "get", None)]), Explained)
    assert isinstance(judge([done(1, "get", None, [])]), Explained)
    assert isinstance(judge([done(1, "get", None, 1)]), Unexplained)
    assert isinstance(judge([]), Explained)
