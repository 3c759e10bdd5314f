"""Logs of random runs, with parts left out; and what explains a log, by trying every behaviour with the interpreter."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

from brute_force import enabled, starts

from cutproof.checks.drivers.logs.meaning import Meaning
from cutproof.checks.drivers.logs.reading import Log, Reading
from cutproof.checks.drivers.logs.search import Rules
from cutproof.checks.traces.trace import plain
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, State, label

Line = dict[str, Any]
Node = tuple[
    tuple[int, ...], State, frozenset[int]
]  # a place, a state, the claims that were violated on the way


def walk(protocol: Protocol, draw: Random, steps: int) -> list[tuple[int, State]]:
    """A random run, as transitions and the states after them; the first state comes with -1."""
    run = [(-1, draw.choice(starts(protocol)))]
    for _ in range(steps):
        possible = [(n, s) for n, s in enabled(protocol, run[-1][1]) if s is not None]
        if not possible:
            break
        run.append(draw.choice(possible))
    return run


def line_of(protocol: Protocol, number: int, state: State, draw: Random) -> Line:
    """A line for a step: some of its arguments, and of the state after it."""
    transition, line = protocol.transitions[number], dict[str, Any]()
    line["action"] = transition.action if draw.random() < 0.9 else "?"
    given = {k: plain(v) for k, v in transition.arguments if draw.random() < 0.6}
    if given and line["action"] != "?":
        line["args"] = given
    if draw.random() < 0.6:
        line["state"] = part_of(protocol, state, draw)
    return line


def part_of(protocol: Protocol, state: State, draw: Random) -> dict[str, Any]:
    """Some of a state: whole variables, or single fields by their names."""
    whole, found = plain(protocol.decode(state)), dict[str, Any]()
    for variable in protocol.variables:
        if draw.random() < 0.5:
            found[variable] = in_json(whole[variable], draw)
    codes = protocol.named(state)
    for cell in protocol.cells:
        if draw.random() < 0.2 and cell.where and not protocol.shapes:
            found[cell.name] = plain(cell.domain.decode(codes[cell.name]))
    return found


def in_json(value: Any, draw: Random) -> Any:
    """A value as it is logged: of families some of the indices, which are texts."""
    if isinstance(value, dict):
        return {str(k): in_json(v, draw) for k, v in value.items() if draw.random() < 0.8}
    return list(value) if isinstance(value, tuple) else value


def logs_of(protocol: Protocol, lines: Sequence[Sequence[Line]]) -> list[Log]:
    """What is read of such lines, by way of JSON."""
    reading = Reading(Meaning(protocol))
    found = []
    for number, log in enumerate(lines):
        text = "".join(json.dumps(line) + "\n" for line in log).encode()
        found += reading.logs(io.BytesIO(text), f"log{number}")
    return found


# ------------------------------------------------------------------ by trying every behaviour


class Tried:
    """All behaviours that explain as many events as can be, by definitions: `explained` events, and the nodes after."""

    def __init__(self, protocol: Protocol, lines: Sequence[Sequence[Line]], rules: Rules) -> None:
        self.protocol, self.lines, self.rules = protocol, lines, rules
        self.cells = {c.name: c for c in protocol.cells}
        self.cells |= {f"{c.variable}[{','.join(map(label, c.where))}]": c for c in protocol.cells if c.where}
        self.always = [i for i, c in enumerate(protocol.claims) if c.form == "always"]
        first = (0,) * len(lines)
        self.nodes = {(first, s, self.violated(s)) for s in starts(protocol)}
        if rules.midway:
            self.nodes = self.within(self.nodes, None)
        self.explained, self.total = 0, sum(map(len, lines))
        self.surely = self.sure()
        self.since = 0
        while self.explained < self.total and (nodes := self.after()):
            self.nodes, self.explained = nodes, self.explained + 1
            if not self.surely:
                self.surely, self.since = self.sure(), self.explained

    def violated(self, state: State) -> frozenset[int]:
        codes = self.protocol.named(state)
        return frozenset(i for i in self.always if not ex.evaluate(self.protocol.claims[i].holds, codes, {}))

    def sure(self) -> set[int | None]:
        """The claims that are violated on every way; None where it is now one, now another."""
        every = [violated for _, _, violated in self.nodes]
        both = frozenset.intersection(*every)
        return set(both) or ({None} if all(every) else set())

    def maybe(self) -> set[int]:
        return {claim for _, _, violated in self.nodes for claim in violated}

    def within(self, nodes: Iterable[Node], most: int | None) -> set[Node]:
        """What is reached by steps that are not in the log; any, where `most` is None."""
        seen = {(node, 0) for node in nodes}
        todo = list(seen)
        while todo:
            (place, state, violated), spent = todo.pop()
            for number, there in enabled(self.protocol, state):
                free = most is None or self.protocol.transitions[number].action in self.rules.unlogged
                cost = spent + (not free)
                if there is None or (most is not None and cost > most):
                    continue
                one = (place, there, violated | self.violated(there)), cost
                if one not in seen:
                    seen.add(one)
                    todo.append(one)
        return {node for node, _ in seen}

    def after(self) -> set[Node]:
        return {node for one in self.within(self.nodes, self.rules.missing) for node in self.taken(one)}

    def taken(self, node: Node) -> Iterator[Node]:
        """Each line that may come next, in each way."""
        place, state, violated = node
        for log, lines in enumerate(self.lines):
            if place[log] == len(lines):
                continue
            line, there = lines[place[log]], (*place[:log], place[log] + 1, *place[log + 1 :])
            steps = enabled(self.protocol, state) if "action" in line else [(-1, state)]
            for number, after in steps:
                if after is not None and self.fits(line, number, after):
                    yield there, after, violated | self.violated(after)

    def fits(self, line: Line, number: int, after: State) -> bool:
        if number >= 0:
            transition = self.protocol.transitions[number]
            arguments = {k: plain(v) for k, v in transition.arguments}
            if line["action"] not in ("?", transition.action):
                return False
            if any(k not in arguments or not same(arguments[k], v) for k, v in line.get("args", {}).items()):
                return False
        return all(self.shows(name, value, after) for name, value in line.get("state", {}).items())

    def shows(self, name: str, value: Any, state: State) -> bool:
        whole = plain(self.protocol.decode(state))
        if name in whole:
            return agrees(whole[name], value)
        cell = self.cells[name]
        return agrees(plain(cell.domain.decode(self.protocol.named(state)[cell.name])), value)


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def agrees(model: Any, shown: Any) -> bool:
    """Whether a plain value is as it is shown."""
    if isinstance(model, dict):
        by_text = {str(k): v for k, v in model.items()}
        return all(agrees(by_text[k], v) for k, v in shown.items())
    return same(list(model) if isinstance(model, tuple) else model, shown)
