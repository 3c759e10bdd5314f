"""A reader of exported models: it takes the text apart by the grammar of Promela or of TLA+, as far as exports use it,
and evaluates it. It shares no code with the exporter, and refuses what the language would refuse or read otherwise.

A state maps the identifiers of the text to values: integers in Promela; integers and booleans, kept apart, in TLA+.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Tree = tuple[Any, ...]  # ("number", 3), ("name", "phase"), or (operator, operand, ...)
Values = Mapping[str, Any]

TOKEN = re.compile(
    r"\s*(?:(\d+)|([A-Za-z_]\w*'?)|(->|&&|\|\||==|!=|<=|>=|/\\|\\/|\\in|\.\.|<<|>>|[-+<>=#~!():,]))"
)


class Unreadable(Exception):
    """The text is not of the language, or would mean something else in it."""


def tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.strip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise Unreadable(text[position : position + 40])
        found.append(match.group().strip())
        position = match.end()
    return found


# How tightly operators bind; those of one strength and kind may follow each other, unless they are in `ALONE`.
PROMELA = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5}
TLA = {"\\/": 1, "/\\": 1, "=": 3, "#": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "+": 5, "-": 5}
NEGATION = {"!": 9, "~": 2}  # in TLA+, ~ a = b is ~ (a = b)
ALONE = {"==", "!=", "<", "<=", ">", ">=", "=", "#"}


class Parser:
    """Expressions, by the precedences of one language."""

    def __init__(self, text: str, strength: Mapping[str, int]) -> None:
        self.rest, self.strength = tokens(text), strength

    def whole(self) -> Tree:
        tree = self.expression(0)
        if self.rest:
            raise Unreadable(" ".join(self.rest))
        return tree

    def take(self, expected: str = "") -> str:
        if not self.rest or (expected and self.rest[0] != expected):
            raise Unreadable(f"{expected or 'anything'} is missing before {' '.join(self.rest[:9])}")
        return self.rest.pop(0)

    def expression(self, least: int) -> Tree:
        tree, last = self.operand(), ""
        while self.rest and self.strength.get(self.rest[0], -1) > least:
            sign = self.take()
            if last and sign != last and self.strength[sign] == self.strength[last] and sign not in "+-":
                raise Unreadable(f"{last} and {sign} without parentheses")
            if last in ALONE and sign in ALONE:
                raise Unreadable(f"{last} after {sign}")
            tree, last = (sign, tree, self.expression(self.strength[sign])), sign
        return tree

    def operand(self) -> Tree:
        token = self.take()
        if token.isdecimal():
            return ("number", int(token))
        if token == "-":
            return ("-", ("number", 0), self.operand())
        if token in NEGATION:
            return ("not", self.expression(NEGATION[token]))
        if token == "IF" and self.strength is TLA:
            condition = self.expression(0)
            self.take("THEN")
            yes = self.expression(0)
            self.take("ELSE")
            return ("choice", condition, yes, self.expression(0))
        if token == "(":
            tree = self.expression(0)
            if self.rest[:1] == ["->"]:
                self.take()
                yes = self.expression(0)
                self.take(":")
                tree = ("choice", tree, yes, self.expression(0))
            self.take(")")
            return tree
        if not re.fullmatch(r"[A-Za-z_]\w*", token):
            raise Unreadable(f"{token} {' '.join(self.rest[:9])}")
        return ("name", token)


SIGNS = {
    "==": lambda a, b: a == b, "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "#": lambda a, b: a != b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b, "-": lambda a, b: a - b,
}  # fmt: skip


@dataclass
class Text:
    """What both languages have: definitions by name, the start, steps by their heading, and claims in their order."""

    strict: bool  # booleans are no integers
    start: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, Tree] = field(default_factory=dict)
    guards: dict[str, list[Tree]] = field(default_factory=dict)
    updates: dict[str, list[tuple[str, Tree]]] = field(default_factory=dict)

    def value(self, tree: Tree, state: Values) -> Any:
        op, *args = tree
        if op == "number":
            return args[0]
        if op == "name":
            return state[args[0]] if args[0] in state else self.value(self.definitions[args[0]], state)
        if op == "choice":
            return self.value(args[1 if self.truth(args[0], state) else 2], state)
        if op == "not":
            return self.made(not self.truth(args[0], state))
        if op in ("&&", "/\\"):
            return self.made(self.truth(args[0], state) and self.truth(args[1], state))
        if op in ("||", "\\/"):
            return self.made(self.truth(args[0], state) or self.truth(args[1], state))
        a, b = (self.value(arg, state) for arg in args)
        if self.strict and (type(a) is not type(b) or (op not in "=#" and type(a) is bool)):
            raise Unreadable(f"{tree}: {a!r} and {b!r}")
        result = SIGNS[op](a, b)
        return result if op in "+-" else self.made(result)

    def made(self, value: bool) -> Any:
        return value if self.strict else int(value)

    def truth(self, tree: Tree, state: Values) -> bool:
        value = self.value(tree, state)
        if self.strict and type(value) is not bool:
            raise Unreadable(f"{tree} is {value!r}")
        return bool(value)

    def enabled(self, heading: str, state: Values) -> bool:
        return all(self.truth(tree, state) for tree in self.guards[heading])


class AssertionFailed(Exception):
    """An assertion of the model failed."""


class Promela(Text):
    """A Promela model; `widths` has how many values a variable can hold, `hidden` what is no part of the state."""

    def __init__(self, text: str) -> None:
        super().__init__(strict=False)
        self.definitions = {"false": ("number", 0), "true": ("number", 1)}
        self.widths: dict[str, range] = {}
        self.hidden: list[str] = []
        headings = re.findall(r"/\* ([^\n]*) \*/\n    :: d_step \{", text)
        bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        bare, _, judge = bare.partition("#ifdef CLAIM")
        judged = " #ifdef REACH never { do :: assert(!(REACH)) od } #endif"
        assert " ".join(judge.split()) == "never { do :: assert(CLAIM) od } #endif" + judged
        for name, body in re.findall(r"^#define (\w+) (.*)$", bare, re.MULTILINE):
            self.definitions[name] = self.macro(body)
        self.declarations(bare)
        options = re.findall(r":: d_step \{(.*?)\n       \}", bare, re.DOTALL)
        for heading, option in zip(headings, options, strict=True):
            self.option(heading, option)

    def macro(self, body: str) -> Tree:
        tree = Parser(body, PROMELA).whole()
        if tree[0] != "number":  # a macro is text: it must hold together wherever it is put
            assert body.startswith("(") and Parser(f"{body} + 1", PROMELA).whole()[0] == "+", body
        return tree

    def declarations(self, bare: str) -> None:
        pattern = r"^(hidden int|unsigned|bit|short|int) (\w+)(?: : (\d+))?(?: = ([^;]+))?;"
        for kind, name, bits, start in re.findall(pattern, bare, re.MULTILINE):
            if kind == "hidden int":
                self.hidden.append(name)
                continue
            sizes = {"bit": range(2), "short": range(-(2**15), 2**15), "int": range(-(2**31), 2**31)}
            self.widths[name] = sizes[kind] if kind in sizes else range(2 ** int(bits))
            self.start[name] = self.value(Parser(start, PROMELA).whole(), {})

    def option(self, heading: str, option: str) -> None:
        condition, _, statements = option.partition("\n        ->\n")
        for line in condition.strip().splitlines()[:-1]:
            assert line.rstrip().endswith("&&"), line  # SPIN would end the statement here
        self.guards[heading] = [Parser(condition, PROMELA).whole()]
        self.updates[heading] = list(self.statements(statements))

    def statements(self, text: str) -> Iterator[tuple[str, Tree]]:
        for statement in filter(None, (part.strip() for part in text.split(";"))):
            if statement == "skip":
                continue
            if inside := re.fullmatch(r"assert(\(.*\))", statement):
                yield "", Parser(inside[1], PROMELA).whole()
            else:
                name, value = statement.split(" = ", 1)
                yield name, Parser(value, PROMELA).whole()

    def step(self, heading: str, state: Values) -> dict[str, int]:
        """The next state, by one statement after the other. Raises AssertionFailed."""
        after = dict(state)
        for name, tree in self.updates[heading]:
            value = self.value(tree, after)
            if name:
                after[name] = value
            elif not value:
                raise AssertionFailed(heading)
        return {name: value for name, value in after.items() if name not in self.hidden}


class Tla(Text):
    """A TLA+ module; `domains` has what TypeOK says."""

    def __init__(self, text: str) -> None:
        super().__init__(strict=True)
        self.definitions = {"FALSE": ("bool", False), "TRUE": ("bool", True)}
        self.domains: dict[str, range | None] = {}
        self.tuples: dict[str, list[str]] = {}
        self.asserted: dict[str, list[tuple[Tree, range]]] = {}
        headings = dict(re.findall(r"^\\\* ([^\n]*)\n(\w+) ==$", text, re.MULTILINE))
        self.headings = {name: heading for heading, name in headings.items()}
        bare = re.sub(r"[ ]*\\\*.*$", "", text, flags=re.MULTILINE)
        self.head, *blocks = re.split(r"\n(?=\w+ ==|VARIABLES)", bare)
        for block in blocks:
            self.block(block.strip())
        unknown = set(self.tuples["vars"]) - set(self.domains)
        assert not unknown and len(self.tuples["vars"]) == len(self.domains), unknown

    def value(self, tree: Tree, state: Values) -> Any:
        return tree[1] if tree[0] == "bool" else super().value(tree, state)

    def block(self, block: str) -> None:
        if block.startswith("VARIABLES"):
            self.variables = re.findall(r"\w+", block)[1:]
            return
        name, body = re.match(r"(\w+) ==\s+(.*)", block.removesuffix("===="), re.DOTALL).groups()  # type: ignore[union-attr]
        body = body.strip()
        if name == "Spec":
            assert body == "Init /\\ [][Next]_vars"
        elif name == "Next":
            self.next = re.findall(r"\\/ (\w+)", body)
        elif name == "TypeOK":
            for variable, low, high in re.findall(r"/\\ (\w+) \\in (?:BOOLEAN|(-?\d+)\.\.(-?\d+))", body):
                self.domains[variable] = range(int(low), int(high) + 1) if low else None
        elif name == "Init":
            for variable, value in re.findall(r"/\\ (\w+) = (\S+)", body):
                self.start[variable] = self.value(Parser(value, TLA).whole(), {})
        elif body.startswith("<<"):
            self.tuples[name] = [v for n in re.findall(r"\w+", body) for v in self.tuples.get(n, [n])]
        elif name in self.headings:
            self.operator(self.headings[name], body)
        else:
            self.definitions[name] = Parser(body, TLA).whole()

    def operator(self, heading: str, body: str) -> None:
        self.guards[heading], self.updates[heading] = [], []
        kept = list[str]()
        for part in re.split(r"(?:^|\n    )/\\ ", body)[1:]:
            if part.startswith("UNCHANGED"):
                kept = [v for n in re.findall(r"\w+", part)[1:] for v in self.tuples.get(n, [n])]
            elif change := re.match(r"(\w+)' = (.*)", part):
                value = Parser(change[2], TLA)
                tree = value.whole()
                whole = Parser(f"(x = {change[2]})", TLA).whole()
                assert whole == ("=", ("name", "x"), tree), part  # x' = a \/ b would be (x' = a) \/ b
                self.updates[heading].append((change[1], tree))
            elif check := re.match(r"Assert\((.*) \\in (-?\d+)\.\.(-?\d+), \"[^\"]*\"\)$", part):
                self.asserted.setdefault(heading, []).append(
                    (Parser(check[1], TLA).whole(), range(int(check[2]), int(check[3]) + 1))
                )
            else:
                tree = Parser(part, TLA).whole()
                assert not self.branches(tree), part
                self.guards[heading].append(tree)
        everything = sorted([*kept, *(name for name, _ in self.updates[heading])])
        assert everything == sorted(self.variables), (heading, everything)

    def branches(self, tree: Tree) -> bool:
        """Whether TLC would generate the successor once for each part of a disjunction."""
        if tree[0] == "name" and tree[1] in self.definitions:
            return self.branches(self.definitions[tree[1]])
        return tree[0] == "\\/" or (tree[0] == "/\\" and any(self.branches(t) for t in tree[1:]))

    def step(self, heading: str, state: Values) -> dict[str, Any]:
        """The next state; new values read the old ones. Raises AssertionFailed."""
        if not all(self.value(tree, state) in domain for tree, domain in self.asserted.get(heading, ())):
            raise AssertionFailed(heading)
        return {**state, **{name: self.value(tree, state) for name, tree in self.updates[heading]}}
