"""What the exports to other tools share: identifiers, symbolic values, and the text of a term.

Fields become readable identifiers (`net[O,0]` is `net_O_0`), members of enumerations keep their names
(`Phase_DUAL`), and a term is written as a tree: parentheses around what is composed, none around the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Field, Protocol, Transition, label

COMPARISONS = ("eq", "lt", "le")
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}  # a constant is written on the right
DEEP = (
    40  # levels: a term that lies so deep is defined by a name too, as tools go down these levels one by one
)
LARGE = 16  # operands: a term that is used twice and has so many is defined once, by a name


@dataclass(frozen=True)
class Spelling:
    """How a language writes the operations; `opposite` is for the negation of a comparison."""

    signs: Mapping[str, str]
    opposite: Mapping[str, str]
    no: str  # before what is negated
    truth: tuple[str, str]  # false, true
    choice: str  # of {0}, the condition, {1} and {2}
    reserved: Collection[str]  # words that cannot be identifiers
    reserved_like: re.Pattern[str]  # all of such a word, where there are too many to name


def identifier(text: str) -> str:
    """A text such as `net[O,-1]` as letters, digits and single underscores: `net_O_m1`."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"-(?=\d)", "m", text)).strip("_")
    return plain if plain[:1].isalpha() else f"x{plain}"


class Names:
    """Identifiers, each given once: where two texts give one identifier, the later one gets a number, and one that is
    like a word of the language an x before it."""

    def __init__(self, reserved: Collection[str], like: re.Pattern[str]) -> None:
        self._taken, self._like = set(reserved), like

    def give(self, text: str) -> str:
        """An identifier for a text, that was not given before."""
        name = plain = identifier(text)
        number = 1
        while name in self._taken or self._like.fullmatch(name):
            if self._like.fullmatch(name):
                name = plain = f"x_{plain}"
                number = 1
            else:
                number += 1
                name = f"{plain}_{number}"
        self._taken.add(name)
        return name


class Writer:
    """The text of terms in one language, and the names in them.

    `fields` has the identifier of each field that varies; `values` that of each member of an enumeration which
    some field ranges over; `kinds` these enumerations, in the order of the fields; `shared` the large terms that are
    used more than once, in the order of their use. Raises ValueError for a protocol whose mechanisms are not chosen."""

    def __init__(self, protocol: Protocol, spelling: Spelling) -> None:
        self.protocol, self.spelling = protocol, spelling
        self.names = Names(spelling.reserved, spelling.reserved_like)
        self.fields = {f.name: self.names.give(f.name) for f in protocol.fields}
        self._kind = {f.name: f.domain.kind for f in protocol.fields if issubclass(f.domain.kind, Enum)}
        self.kinds: list[type[Enum]] = list(dict.fromkeys(self._kind.values()))
        self.values = {
            kind: [self.names.give(f"{kind.__name__}_{member.name}") for member in kind]
            for kind in self.kinds
        }
        roots = [term for t in protocol.transitions for _, term in (*t.guards, *t.updates)]
        order = ex.ordered(roots := [*roots, *(c.holds for c in protocol.claims)])
        self.shared = {t: self.names.give(f"shared_{n}") for n, t in enumerate(_large(roots, order), 1)}
        self._kinds: dict[Term, type[Enum] | None] = {}
        for term in order:
            self._kinds[term] = self._kind_of(term)

    def value(self, field: Field, code: int) -> str:
        """A value of a field: a member by its name."""
        if field.domain.kind is bool:
            return self.spelling.truth[code]
        return self._number(code, self._kind.get(field.name))

    def new_value(self, field: Field, term: Term) -> str:
        """The text of what a field becomes, as an operand."""
        return self.part(term, self._kind.get(field.name))

    def text(self, term: Term, kind: type[Enum] | None = None) -> str:
        """The text of a term, of `kind` where it is a member of an enumeration."""
        return self.shared[term] if term in self.shared else self.spelt(term, kind)

    def spelt(self, term: Term, kind: type[Enum] | None = None) -> str:
        """The text of a term itself, even where it has a name."""
        if term.op == "const":
            return self.spelling.truth[int(term.leaf)] if term.boolean else self._number(int(term.leaf), kind)
        if term.op == "var":
            return self.fields[str(term.leaf)]
        if term.op == "param":
            raise ValueError(f"{term.leaf} has no value yet; resolve the protocol first")
        if term.op == "not":
            return self._negated(term.args[0])
        if term.op == "ite":
            condition, *values = term.args
            return self.spelling.choice.format(
                self.part(condition), *(self.part(v, kind or self._kind_of(term)) for v in values)
            )
        return self._joined(term, self.spelling.signs[term.op])

    def part(self, term: Term, kind: type[Enum] | None = None) -> str:
        """The text of a term as an operand: in parentheses where it has operands itself."""
        text = self.text(term, kind)
        enclosed = term.op == "ite" and self.spelling.choice.startswith("(")
        bare = not term.args or enclosed or term in self.shared or self._plain_negation(term)
        return text if bare and not text.startswith("-") else f"({text})"

    def _plain_negation(self, term: Term) -> bool:
        return term.op == "not" and (term.args[0].op not in COMPARISONS or term.args[0] in self.shared)

    def _negated(self, inner: Term) -> str:
        if inner.op in COMPARISONS and inner not in self.shared:
            return self._joined(inner, self.spelling.opposite[inner.op])
        return self.spelling.no + self.part(inner)

    def _joined(self, term: Term, sign: str) -> str:
        kind = next(filter(None, map(self._kind_of, term.args)), None) if term.op == "eq" else None
        parts = [self.part(a, kind) for a in term.args]
        if term.args[0].op == "const" and sign in MIRRORED:
            return f"{parts[1]} {MIRRORED[sign]} {parts[0]}"
        return f" {sign} ".join(parts)

    def _kind_of(self, term: Term) -> type[Enum] | None:
        """The enumeration that a term's value is a member of, as far as a field below says so."""
        if term in self._kinds:
            return self._kinds[term]
        if term.op == "var":
            return self._kind.get(str(term.leaf))
        return next(filter(None, map(self._kind_of, term.args[1:])), None) if term.op == "ite" else None

    def _number(self, code: int, kind: type[Enum] | None) -> str:
        return str(code) if kind is None else self.values[kind][code]


def _large(roots: list[Term], order: list[Term]) -> list[Term]:
    """The terms to define once: used more than once, and large when those below them are names; or too deep."""
    uses, size, depth = Counter(roots), dict[Term, int](), dict[Term, int]()
    for term in order:
        uses.update(term.args)
    found = []
    for term in order:
        size[term] = 1 + sum(size[a] for a in term.args)
        depth[term] = 1 + max((depth[a] for a in term.args), default=0)
        if (size[term] >= LARGE and uses[term] > 1) or depth[term] >= DEEP:
            found.append(term)
            size[term] = depth[term] = 1
    return found


def out_of_reach(field: Field, term: Term) -> bool:
    """Whether the bounds of a new value do not fit the field's domain, so that it must be checked."""
    return not (field.domain.low <= term.low and term.high <= field.domain.high)


def about(protocol: Protocol, note: str) -> str:
    """The first lines of an export: the protocol, what it ranges over, and whose translation the rest is."""
    ranges = (f"{k} {', '.join(map(label, v))}" for k, v in protocol.indices.items())
    first = f"{protocol.name}, {note}" if note else protocol.name
    return "\n".join([first, *ranges, f"SHA-256 of the specification: {protocol.digest}"])


def sentence_of(protocol: Protocol, name: str) -> str:
    """What an action or a property says of itself."""
    actions = (a.sentence for a in protocol.actions if a.name == name)
    return next(actions, next((p.sentence for p in protocol.properties if p.name == name), ""))


def on_one_line(text: str) -> str:
    """A text for a comment that ends with its line."""
    return " ".join(text.split())


def heading(transition: Transition) -> str:
    """The line that names a transition; a fault says so."""
    return f"{transition}{f', a fault: {transition.fault}' if transition.fault else ''}"
