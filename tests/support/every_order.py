"""Whether some order explains a history of one key, by trying all of them: the judge of the judge.

agrees = explained_by_some_order(operations, versioned)      # at most some eight operations
operations = random_history(draw, "register", 6)             # draw: random.Random
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from cutproof.checks.drivers.histories.operation import Operation


def after(state: Any, o: Operation) -> tuple[bool, Any]:
    """Whether what a client was told fits this state, and the state that it leaves."""
    if o.kind == "get":
        shown = o.result
        if o.kind == "get" and shown is None and state in (0, ()):
            return True, state
        return (tuple(shown) if isinstance(shown, list) else shown) == state, state
    if o.outcome == "unequal":
        return o.argument[0] != state, state
    if o.kind == "put_if":
        return o.argument[0] == state, o.argument[1]
    if o.kind == "add":
        return True, state + o.argument
    if o.kind == "append":
        return True, (*state, o.argument)
    return True, o.argument


def writes(o: Operation) -> bool:
    return o.kind != "get" and o.outcome != "unequal"


def may_follow(o: Operation, before: Sequence[Operation], versioned: bool) -> bool:
    """What has its place already may come before this one."""
    sure = o.returned is not None and o.outcome in ("acknowledged", "unequal")
    if sure and any(o.returned < b.invoked for b in before):  # type: ignore[operator]
        return False
    late = versioned and o.outcome == "failed" and o.kind in ("put", "delete") and o.returned is not None
    return not (late and any(writes(b) and o.returned < b.invoked for b in before))


def explained_by_some_order(operations: Sequence[Operation], versioned: bool = False) -> bool:
    """All orders of all that must have happened, with any of what may have happened."""
    hints = {o.kind for o in operations} | {type(o.result).__name__ for o in operations}
    start: Any = 0 if hints & {"add", "int"} else () if hints & {"append", "list"} else None
    must = [o for o in operations if o.outcome in ("acknowledged", "unequal")]
    may = [o for o in operations if o.outcome in ("failed", "pending") and o.kind != "get"]

    def goes(placed: list[Operation], state: Any, left: list[Operation]) -> bool:
        if not any(o in must for o in left):
            return True
        for o in left:
            fits, new = after(state, o)
            if (
                fits
                and may_follow(o, placed, versioned)
                and goes([*placed, o], new, [x for x in left if x is not o])
            ):
                return True
        return False

    return goes([], start, must + may)


def random_history(
    draw: Random, thing: str, count: int, clients: int = 3, values: int = 3
) -> list[Operation]:
    """Operations of clients that overlap; what they are told comes from a store that is right most of the time."""
    moment, state = 0, {"register": None, "counter": 0, "list": ()}[thing]
    free, open_, found = [f"client-{c}" for c in range(clients)], list[Operation](), list[Operation]()
    late: list[Operation] = []
    while len(found) < count or open_:
        moment += draw.random() < 0.9
        if late and draw.random() < 0.3:
            fits, new = after(state, late.pop())
            state = new if fits else state
        if len(found) < count and free and (not open_ or draw.random() < 0.55):
            client = free.pop(draw.randrange(len(free)))
            kind = draw.choice({"register": ["put", "delete", "put_if", "put", "get", "get", "get"],
                                "counter": ["add", "get"], "list": ["append", "get"]}[thing])  # fmt: skip
            value = draw.choice("abcdefgh"[:values])
            argument = {
                "put": value, "put_if": (draw.choice([None, *"abcdefgh"[:values]]), value), "append": value,
                "add": draw.choice([1, 1, 2, 3, -1]),
            }.get(kind)  # fmt: skip
            o = Operation(len(found) + 1, client, kind, "k", argument, moment)
            found.append(o)
            open_.append(o)
        else:
            o = open_.pop(draw.randrange(len(open_)))
            state = answer(draw, o, state, moment, late)
            free.append(o.client if o.returned is not None else f"{o.client}'")
    return found


def answer(draw: Random, o: Operation, state: Any, moment: int, late: list[Operation]) -> Any:
    """Tell a client something. Returns the state after it."""
    if draw.random() < 0.1:
        return state  # for ever pending
    o.returned = moment
    if o.kind == "get":
        if draw.random() < 0.15:
            o.outcome = "refused"
            return state
        o.outcome, o.result = "acknowledged", list(state) if isinstance(state, tuple) else state
        if draw.random() < 0.1:
            o.result = {"int": 1, "tuple": ["a"]}.get(type(state).__name__, draw.choice([None, "a", "b"]))
        return state
    fits, new = after(state, o)
    if o.kind == "put_if" and not fits and draw.random() < 0.8:
        o.outcome = "unequal"
        return state
    o.outcome = draw.choice(["acknowledged"] * 5 + ["failed", "failed", "refused"])
    if o.outcome == "failed" and draw.random() < 0.5:
        late.append(o)
        return state
    return new if (fits or draw.random() < 0.1) and (o.outcome != "refused" or draw.random() < 0.1) else state


def wild_history(draw: Random, thing: str, count: int, values: int = 3) -> list[Operation]:
    """Operations whose moments, outcomes and results are drawn, with nothing behind them."""
    found = []
    for number in range(1, count + 1):
        kind = draw.choice({"register": ["put", "delete", "put_if", "get", "get"],
                            "counter": ["add", "get"], "list": ["append", "get"]}[thing])  # fmt: skip
        letters = [None, *"abcd"[:values]]
        argument = {"put": draw.choice(letters[1:]), "put_if": (draw.choice(letters), draw.choice(letters[1:])),
                    "append": draw.choice(letters[1:]), "add": draw.choice([1, 1, 2])}.get(kind)  # fmt: skip
        invoked = draw.randrange(2 * count)
        o = Operation(number, f"client-{number}", kind, "k", argument, invoked)
        o.outcome = draw.choice(["acknowledged"] * 4 + ["failed", "failed", "pending", "refused"])
        if kind == "get":
            o.outcome = "acknowledged"
            length = draw.randrange(3)
            o.result = {"register": draw.choice(letters), "counter": draw.randrange(4),
                        "list": [draw.choice(letters[1:]) for _ in range(length)]}[thing]  # fmt: skip
        if kind == "put_if" and draw.random() < 0.3:
            o.outcome = "unequal"
        if o.outcome != "pending":
            o.returned = invoked + draw.randrange(count + 1)
        found.append(o)
    return found
