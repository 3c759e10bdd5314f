"""Small protocols, drawn at random and written as files of the language: every word of it, in any combination.

    text = source(seed)          # a file as a user would write it, at most `limit` states in its domains
    protocol = made(text)        # its protocol

They are mostly nonsense, and that is what they are for: whatever the language lets somebody write, all engines must
understand alike. Now and then a step leaves its domain, a claim folds to a constant, a cell does not vary.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from random import Random

from brute_force import World

from cutproof.model.language.protocol import Protocol

DRAFTS, ENOUGH = 10, 12  # tried, and states that are enough
LIMIT = 600  # states in the domains: what is held against brute force goes through them all
ENUMERATIONS = {"Colour": ("Colour.RED", "Colour.GREEN", "Colour.BLUE"), "Mode": ("Mode.ON", "Mode.OFF")}
INDICES = [("0", "1"), ("0", "1", "2"), ("'a'", "'b'"), ENUMERATIONS["Mode"]]
KINDS = ("bool", "int", "Colour", "Mode")
FORMS = ("always", "always", "sometimes", "can_always", "leads_to", "eventually")
HEAD = '''"""Drawn at random: {seed}."""

from enum import Enum

from cutproof.model.language import *
from cutproof.model.language.protocol import Protocol

Colour = Enum("Colour", "RED GREEN BLUE")
Mode = Enum("Mode", "ON OFF")
'''


@dataclass(frozen=True)
class Variable:
    """A variable: its kind, what is written for its domain, the values of a cell (encoded), and its indices."""

    name: str
    kind: str
    domain: str
    low: int
    high: int
    indices: tuple[str, ...] = ()


class Words:
    """Expressions within one function: what is known there are the variables and the arguments."""

    def __init__(
        self,
        rng: Random,
        variables: Sequence[Variable],
        indices: dict[str, tuple[str, ...]],
        arguments: Sequence[str],
    ) -> None:
        self.rng, self.variables, self.indices, self.arguments = rng, variables, indices, arguments
        self.kinds = sorted({v.kind for v in variables})

    def expression(self, kind: str, depth: int) -> str:
        """An expression of a kind, nested at most so deep."""
        if depth <= 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        makers = {"bool": self.condition, "int": self.number}
        return makers[kind](depth - 1) if kind in makers else self.member(kind, depth - 1)

    def leaf(self, kind: str) -> str:
        """A cell of that kind, or a constant."""
        fitting = [v for v in self.variables if v.kind == kind]
        if fitting and self.rng.random() < 0.95:
            return self.cell(self.rng.choice(fitting))
        if kind == "bool" and self.rng.random() < 0.9:
            return self.comparison()
        return f"constant({self.literal(kind)})"

    def comparison(self) -> str:
        """Whether a cell has some value of its domain."""
        variable = self.rng.choice(self.variables)
        values = self.literals(variable)
        sign = self.rng.choice(("==", "!=") if variable.kind != "int" else ("==", "!=", "<", "<=", ">", ">="))
        return f"({self.cell(variable)} {sign} {self.rng.choice(values)})"

    def literals(self, variable: Variable) -> list[str]:
        """The values of a cell."""
        if variable.kind == "int":
            return [str(n) for n in range(variable.low, variable.high + 1)]
        return list({"bool": ("False", "True"), **ENUMERATIONS}[variable.kind])

    def literal(self, kind: str) -> str:
        """A value of that kind."""
        if kind == "bool":
            return self.rng.choice(("True", "False"))
        return str(self.rng.randint(-2, 4)) if kind == "int" else self.rng.choice(ENUMERATIONS[kind])

    def cell(self, variable: Variable) -> str:
        """One value of a variable: at arguments, at known indices, or at a state value."""
        text = f"s.{variable.name}"
        for index in variable.indices:
            where = self.state_index(index) if self.rng.random() < 0.2 else ""
            text = f"pick({text}, {where})" if where else f"{text}[{self.place(index)}]"
        return text

    def place(self, index: str) -> str:
        """A value of an index that is known: an argument, where there is one that fits."""
        same = [a for a in self.arguments if self.indices[a] == self.indices[index]]
        if same and self.rng.random() < 0.7:
            return self.rng.choice(same)
        return self.rng.choice(self.indices[index])

    def state_index(self, index: str) -> str:
        """A state value that is used as an index, if there is one of its type."""
        first = self.indices[index][0]
        kind = "int" if first.isdigit() else "Mode" if first.startswith("Mode") else ""
        fitting = [v for v in self.variables if v.kind == kind and not v.indices]
        return f"s.{self.rng.choice(fitting).name}" if fitting else ""

    def family(self, kind: str) -> str:
        """A family of values of that kind over one index, or nothing."""
        fitting = [v for v in self.variables if v.kind == kind and v.indices]
        if not fitting:
            return ""
        chosen = self.rng.choice(fitting)
        return f"s.{chosen.name}" + "".join(f"[{self.place(i)}]" for i in chosen.indices[:-1])

    def condition(self, depth: int) -> str:
        """A condition: by joining conditions, or by comparing values."""
        a, b, c = (self.expression("bool", depth) for _ in range(3))
        family = self.family("bool")
        kind = self.rng.choice(self.kinds)
        if "int" not in self.kinds or self.rng.random() < 0.3:
            return self.comparison()
        x, y = self.expression(kind, depth), self.right(kind, depth)
        n, m = self.expression("int", depth), self.right("int", depth)
        ways = [
            f"({a} & {b})", f"({a} | {b})", f"~{a}", f"implies({a}, {b})", f"all_of({a}, {b}, {c})",
            f"any_of({a}, {b}, {c})", f"choose({a}, {b}, {c})", f"({x} == {y})", f"({x} != {y})",
            *(f"({n} {sign} {m})" for sign in ("<", "<=", ">", ">=")),
        ]  # fmt: skip
        if family:
            ways += [f"all_of(*{family})", f"any_of(*{family}, {a})"]
        return self.rng.choice(ways)

    def right(self, kind: str, depth: int) -> str:
        """What may stand on the right: a plain value too."""
        return self.literal(kind) if self.rng.random() < 0.4 else self.expression(kind, depth)

    def number(self, depth: int) -> str:
        """An integer."""
        a, b = self.expression("int", depth), self.right("int", depth)
        ways = [f"({a} + {b})", f"({a} - {b})", f"larger({a}, {self.expression('int', depth)})"]
        return self.rng.choice([*ways, self.chosen("int", depth)])

    def member(self, kind: str, depth: int) -> str:
        """A member of an enumeration."""
        return self.chosen(kind, depth)

    def chosen(self, kind: str, depth: int) -> str:
        condition, yes = self.expression("bool", depth), self.expression(kind, depth)
        return f"choose({condition}, {yes}, {self.right(kind, depth)})"

    def new(self, variable: Variable, old: str) -> str:
        """A new value of a cell; mostly one that is in its domain."""
        if "varies=False" not in variable.domain and self.rng.random() < 0.75:
            return self.moved(variable, old)
        value = self.expression(variable.kind, 2)
        if variable.kind != "int" or self.rng.random() < 0.04:
            return value
        return f"choose(({value} >= {variable.low}) & ({value} <= {variable.high}), {value}, {old})"

    def moved(self, variable: Variable, old: str) -> str:
        """The next value of the domain, or any."""
        values = self.literals(variable)
        if self.rng.random() < 0.4:
            return self.rng.choice(values)
        if variable.kind == "bool":
            return f"~{old}"
        if variable.kind == "int":
            return f"choose({old} < {variable.high}, {old} + 1, {self.rng.choice(values)})"
        return f"choose({old} == {values[0]}, {values[1]}, {values[-1]})"

    def change(self, variable: Variable) -> str:
        """What `then` is given for a variable."""
        if not variable.indices:
            return self.new(variable, f"s.{variable.name}")
        name, draw = f"s.{variable.name}", self.rng.random()
        if draw < 0.15:
            return f"each({name}, {self.new(variable, self.cell(variable))})"
        places = [self.place(i) for i in variable.indices]
        old = name + "".join(f"[{p}]" for p in places)
        if draw < 0.3 and (where := self.state_index(variable.indices[0])):
            places[0] = where
            old = f"pick({name}, {where})" + "".join(f"[{p}]" for p in places[1:])
        where = f"({', '.join(places)})" if len(places) > 1 else places[0]
        put = f"put({name}, {where}, {self.new(variable, old)})"
        return f"choose({self.expression('bool', 1)}, {put}, {name})" if draw > 0.9 else put


# ------------------------------------------------------------------ a file


def source(seed: int, limit: int = LIMIT) -> str:
    """The text of a protocol's file. Of some drafts the first in which something goes on is taken; of every sixth
    seed the first draft, whatever it is."""
    for number in range(1 if seed % 6 == 0 else DRAFTS):
        text = _draft(seed, Random(f"protocol {seed} {number}"), limit)
        if len(World(made(text), ENOUGH).distance) >= ENOUGH:
            break
    return text


def _draft(seed: int, rng: Random, limit: int) -> str:
    indices = {"i": rng.choice(INDICES), "k": INDICES[0]}
    indices["j"] = indices["i"]
    variables = _variables(rng, indices, limit)
    parts, actions, claims, invariants = [HEAD.format(seed=seed)], list[str](), list[str](), list[str]()

    def words(arguments: Sequence[str]) -> Words:
        return Words(rng, variables, indices, arguments)

    for number in range(rng.randint(2, 6)):
        actions.append(f"step_{number}")
        parts.append(_action(rng, actions[-1], words, variables, variables[number % len(variables)]))
    for number in range(rng.randint(1, 4)):
        claims.append(f"claim_{number}")
        parts.append(_claim(rng, claims[-1], rng.choice(FORMS), words))
    for number in range(rng.randint(0, 3)):
        invariants.append(f"fact_{number}")
        parts.append(_claim(rng, invariants[-1], "invariant", words))
    domains = "".join(f'        "{v.name}": {v.domain},\n' for v in variables)
    named = ", ".join(f'"{name}": [{", ".join(values)}]' for name, values in indices.items())
    parts.append(
        f'protocol = Protocol(\n    name="drawn_{seed}",\n    indices={{{named}}},\n'
        f"    variables={{\n{domains}    }},\n    initial={{{_initial(rng, variables, indices)}}},\n"
        f"    actions=[{', '.join(actions)}],\n    properties=[{', '.join(claims + invariants)}],\n)\n"
    )
    return "\n\n".join(parts)


def made(text: str) -> Protocol:
    """The protocol of such a text."""
    file = f"<drawn {hash(text)}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    space = {"__name__": "drawn"}
    exec(compile(text, file, "exec"), space)
    found = space["protocol"]
    assert isinstance(found, Protocol)
    return found


def _variables(rng: Random, indices: dict[str, tuple[str, ...]], limit: int) -> list[Variable]:
    found, states = list[Variable](), 1
    for number in range(rng.randint(3, 6)):
        kind, over = rng.choice(KINDS), rng.choices([(), ("i",), ("k",), ("i", "k")], [6, 3, 1, 1])[0]
        low = rng.randint(-2, 2) if kind == "int" and not over else 0
        high = {"bool": 1, "Colour": 2, "Mode": 1, "int": low + rng.randint(1, 3)}[kind]
        varies = rng.random() > 0.1
        cells = prod(len(indices[index]) for index in over)
        if states * (high - low + 1) ** (cells * varies) > limit:
            continue
        states *= (high - low + 1) ** (cells * varies)
        domain = _domain(kind, low, high, "" if varies else "varies=False")
        if over == ("k",) and varies and rng.random() < 0.5:  # another domain at each index
            domain = "lambda k: " + _domain(kind, low, high, "varies=k == 1")
        if over:
            domain = f"family({', '.join(map(repr, over))}, of={domain})"
        found.append(Variable(f"{kind[0].lower()}{number}", kind, domain, low, high, over))
    return found or [Variable("b", "bool", "boolean()", 0, 1)]


def _domain(kind: str, low: int, high: int, varies: str) -> str:
    bounds = {"bool": "", "int": f"{low}, {high}"}.get(kind, kind)
    word = {"bool": "boolean", "int": "count"}.get(kind, "enumeration")
    return f"{word}({', '.join(part for part in (bounds, varies) if part)})"


def _initial(rng: Random, variables: Sequence[Variable], indices: dict[str, tuple[str, ...]]) -> str:
    """Other first values than the least, or several: for a family one value, a list, or a dictionary."""
    given = []
    for v in variables:
        if "varies" in v.domain or len(v.indices) > 1 or rng.random() < 0.5:
            continue
        values = {"bool": ("False", "True"), **ENUMERATIONS}.get(v.kind) or range(v.low, v.high + 1)

        def first(values: Sequence[object] = values) -> str:
            several = rng.choices(["", "one_of", "anything"], [10, 2, 1])[0]
            if several == "one_of":
                return f"one_of({', '.join(map(str, rng.sample(values, 2)))})"
            return "anything()" if several else str(rng.choice(values))

        places = indices[v.indices[0]] if v.indices else ()
        ways = [first()]
        if places:
            ways.append(f"[{', '.join(first() for _ in places)}]")
            ways.append(f"{{{', '.join(f'{place}: {first()}' for place in places)}}}")
        given.append(f'"{v.name}": {rng.choice(ways)}')
    return ", ".join(given)


def _head(rng: Random, name: str) -> tuple[list[str], str]:
    """The arguments of a function, its first lines, and what it does not exist for."""
    arguments = rng.choices([[], ["i"], ["k"], ["i", "j"], ["i", "k"]], [4, 4, 1, 2, 1])[0]
    head = f"def {name}({', '.join(['s', *arguments])}):\n"
    if arguments == ["i", "j"] and rng.random() < 0.5:
        head += "    if i == j:\n        return None\n"
    return arguments, head


def _action(
    rng: Random,
    name: str,
    words: Callable[[Sequence[str]], Words],
    variables: Sequence[Variable],
    first: Variable,
) -> str:
    """A step that changes the first variable, and perhaps others."""
    kind = rng.choices(
        ["@action", '@action(fault="crash")', "@action(choice=True)", "@action(fair=False)"], [6, 2, 2, 1]
    )[0]
    arguments, head = _head(rng, name)
    inside = words(arguments)
    many = rng.choices([0, 1, 2, 3], [4, 5, 2, 1])[0]
    guards = [f'guard("g{n}", {inside.expression("bool", rng.choice((0, 1, 2)))})' for n in range(many)]
    others = [v for v in variables if v is not first]
    changed = [
        first,
        *rng.sample(others, rng.choices(range(len(others) + 1), [6, 3, 2, 1, 1, 1][: len(others) + 1])[0]),
    ]
    if rng.random() < 0.04:
        changed = []
    changes = [f"{v.name}={inside.change(v)}" for v in changed]
    return f"{kind}\n{head}    return when({', '.join(guards)}).then({', '.join(changes)})\n"


def _claim(rng: Random, name: str, form: str, words: Callable[[Sequence[str]], Words]) -> str:
    arguments, head = _head(rng, name)
    inside = words(arguments)
    said = inside.expression("bool", 3)
    if form == "leads_to":
        said = f"{inside.expression('bool', 2)}, {said}"
    if form in ("always", "invariant") and rng.random() < 0.5:  # random conditions are seldom always true
        said = f"any_of({said}, {inside.expression('bool', 2)}, {inside.expression('bool', 2)})"
    if form == "always" and rng.random() < 0.2:
        said = f'{{"": {said}, "harm": {inside.expression("bool", 3)}}}'
    return f"@{form}\n{head}    return {said}\n"
