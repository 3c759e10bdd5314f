"""From expressions to straight-line Python.

`compile_protocol` writes functions as text and compiles them, each when it is first asked for. The text is
small enough to read, and what it means is held against the plain interpreter of `expressions.py` by the tests.

A state is a tuple of small integers. A transition gives (number of the transition, next state), in the
order of `Protocol.transitions`. An update whose bounds do not fit its domain is checked when it happens.

Searches use *packed* states: one integer, in which each field has the few bits that its domain needs. What
a transition does depends on the few fields that it reads, and so it is remembered (`Table`): by those bits of
the state, which steps there are, as (number of the transition, what is added to the packed state).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.packing import Packing, Part, Table
from cutproof.model.language.protocol import Field, Protocol, State, Transition

_SIGNS = {"and": " and ", "or": " or ", "eq": " == ", "lt": " < ", "le": " <= ", "add": " + ", "sub": " - "}

DEEP = 30  # levels of parentheses in one text: Python's parser takes about a hundred
NESTED = 40  # tests, each an `if` in the one before: Python takes a hundred levels of indentation
HEAVY = 150  # operations of a test as a tree, from which on its shared terms are named before it
FILTER = 24  # bits of what is looked up of a claim before it is judged
Steps = tuple[tuple[int, int], ...]  # (number of the transition, what it adds to the packed state)


class DomainError(Exception):
    """An action gave a field a value outside its domain: a bound of the scope, or a guard that is missing."""


def outside(transition: str, field: str, value: int) -> None:
    """Called by generated code. Raises DomainError, naming the step, the field and the value."""
    raise DomainError(
        f"{transition} sets {field} to {value}, outside its domain; a guard is missing, or the scope is small"
    )


class _Writer:
    """Python text of terms; a term that was given a name is that name. With a packing, a field is read from
    its bits in `state`; without one it has a name."""

    def __init__(self, fields: tuple[Field, ...], packing: Packing | None = None) -> None:
        self.slots = {f.name: packing.text(f) if packing else f"v{i}" for i, f in enumerate(fields)}
        self.named: dict[Term, str] = {}

    def text(self, term: Term) -> str:
        if term in self.named:
            return self.named[term]
        if term.op == "const":
            return str(term.leaf)
        if term.op == "var":
            return self.slots[str(term.leaf)]
        if term.op == "param":
            raise ValueError(f"{term.leaf} has no value yet; resolve the protocol first")
        parts = [self.text(a) for a in term.args]
        if term.op == "not":
            inner = term.args[0]
            if inner.op == "eq" and inner not in self.named:
                return f"({self.text(inner.args[0])} != {self.text(inner.args[1])})"
            return f"(not {parts[0]})"
        if term.op == "ite":
            return f"({parts[1]} if {parts[0]} else {parts[2]})"
        return f"({_SIGNS[term.op].join(parts)})"

    def value(self, term: Term) -> str:
        """The text of a value to be stored: booleans become 0 or 1."""
        return (
            f"(1 if {self.text(term)} else 0)"
            if term.boolean and term.op not in ("const", "var")
            else self.text(term)
        )


def conjuncts(term: Term) -> list[Term]:
    """The conditions of which all must hold."""
    return list(term.args) if term.op == "and" else [] if term is ex.TRUE else [term]


def apart(term: Term) -> Term:
    """The negation of a disjunction as a conjunction."""
    if term.op == "not" and term.args[0].op == "or":
        return ex.conjunction(*map(ex.negation, term.args[0].args))
    return term


class _Weights(dict[Term, int]):
    """How much a term costs to evaluate as a tree; each term is weighed once, for trees are exponential in terms."""

    def __missing__(self, term: Term) -> int:
        for part in ex.ordered([term]):
            if part not in self:
                self[part] = 1 + sum([self[a] for a in part.args])
        return self[term]


def _shared(writer: _Writer, roots: list[Term], indent: str, prefix: str) -> list[str]:
    """Names for the terms below `roots` that occur more than once or lie deep, as assignments in order."""
    uses: Counter[Term] = Counter(roots)
    order = ex.ordered(roots)
    for term in order:
        uses.update(term.args)
    lines, depth = list[str](), dict[Term, int]()
    for term in order:
        depth[term] = 1 + max([depth[a] for a in term.args], default=-1)
        if term in writer.named:
            depth[term] = 0
        elif term.args and (uses[term] > 1 or depth[term] >= DEEP):
            lines.append(f"{indent}{prefix}{len(lines)} = {writer.text(term)}")
            writer.named[term] = f"{prefix}{len(lines) - 1}"
            depth[term] = 0
    return lines


def _sum(parts: Sequence[str]) -> str:
    """The text of a sum, in groups: Python's compiler goes down one level for each `+` in a row."""
    if len(parts) <= DEEP:
        return " + ".join(parts) or "0"
    size = -(-len(parts) // DEEP)
    return " + ".join(f"({_sum(parts[i : i + size])})" for i in range(0, len(parts), size))


def _branches(
    fields: tuple[Field, ...],
    steps: Iterable[tuple[int, Transition]],
    packing: Packing | None,
    frequency: Counter[Term],
) -> list[str]:
    """One block for each numbered transition; blocks in a row that begin with the same tests share them."""
    lines: list[str] = []
    open_tests: list[Term] = []
    weights = _Weights()
    for number, transition in steps:
        tests = sorted(conjuncts(transition.enabled), key=lambda c: (-frequency[c], weights[c]))
        if len(tests) > NESTED:
            tests[NESTED:] = [ex.conjunction(*tests[NESTED:])]
        depth = 0
        while depth < min(len(open_tests), len(tests)) and open_tests[depth] is tests[depth]:
            depth += 1
        writer = _Writer(fields, packing)
        for test in tests[depth:]:
            if weights[test] > HEAVY:
                lines += _shared(writer, [test], "    " * (1 + depth), f"g{depth}_")
            lines.append(f"{'    ' * (1 + depth)}if {writer.text(test)}:")
            depth += 1
        open_tests = tests
        indent = "    " * (1 + depth)
        news = _updates(transition, writer, indent, lines)
        if packing:
            added = [f"({news[f]} - {writer.slots[f]} << {packing.offsets[f]})" for f in news]
            lines.append(f"{indent}append(({number}, {_sum(added)}))")
        else:
            after = ", ".join({**writer.slots, **news}.values())
            lines.append(f"{indent}append(({number}, {f'({after},)' if news else 'state'}))")
    return lines


def _updates(transition: Transition, writer: _Writer, indent: str, lines: list[str]) -> dict[str, str]:
    """The text of the new value of each field that varies; `lines` get what comes before, domains checked."""
    news = {}
    lines += _shared(writer, [v for _, v in transition.updates], indent, "t")
    for i, (field, term) in enumerate(transition.updates):
        low, high = field.domain.low, field.domain.high
        text = writer.value(term)
        if not (low <= term.low and term.high <= high):
            lines.append(f"{indent}n{i} = {text}")
            lines.append(
                f"{indent}if not {low} <= n{i} <= {high}: outside({str(transition)!r}, {field.name!r}, n{i})"
            )
            text = f"n{i}"
        if field.name in writer.slots:
            news[field.name] = text
    return news


def _judge(protocol: Protocol) -> list[str]:
    writer = _Writer(protocol.fields)
    watched = [(i, c) for i, c in enumerate(protocol.claims) if c.form == "always" and c.holds is not ex.TRUE]
    lines = _shared(writer, [c.holds for _, c in watched], "    ", "t")
    every = [f"({writer.text(c.holds)})" for _, c in watched]
    lines.append(f"    if {' and '.join(every) or 'True'}: return ()")
    wrong = [f"(() if {text} else ({i},))" for (i, _), text in zip(watched, every, strict=True)]
    return [*lines, f"    return {_sum(wrong) if wrong else '()'}"]


def _unpack(protocol: Protocol) -> str:
    names = ", ".join(f"v{i}" for i in range(len(protocol.fields)))
    return f"    {names}, = state" if names else "    pass"


class Compiled:
    """The functions of a resolved protocol. Raises ValueError if a mechanism has no value yet.

    `successors(state)` -> [(transition, next state)]; `judge(state)` -> numbers of the *always* claims that are
    false. `parts` cover the transitions, in their order, and `claims` has one part for each claim that can be
    told: of an *always* that it is false, of another that it holds."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.packing = Packing(protocol.fields)
        self.pack, self.unpack = self.packing.pack, self.packing.unpack
        if protocol.mechanisms is None:
            _refuse_parameters(protocol)

    # -------------------------------------------------- on tuples

    @cached_property
    def successors(self) -> Callable[[State], list[tuple[int, State]]]:
        """From a state to its successors: (transition, next state). Raises DomainError."""
        return self._made["successors"]

    @cached_property
    def judge(self) -> Callable[[State], tuple[int, ...]]:
        """From a state to the numbers of the *always* claims that are false."""
        return self._made["judge"]

    @cached_property
    def source(self) -> str:
        """The text of the two functions on tuples."""
        protocol, steps = self.protocol, enumerate(self.protocol.transitions)
        body = _branches(protocol.fields, steps, None, _frequency(protocol.transitions))
        lines = ["def successors(state):", _unpack(protocol), "    found = []", "    append = found.append"]
        lines += [*body, "    return found", "", "def judge(state):", _unpack(protocol), *_judge(protocol)]
        return "\n".join(lines) + "\n"

    @cached_property
    def _made(self) -> dict[str, Any]:
        return _compiled(self.source, f"<protocol {self.protocol.name}>")

    # -------------------------------------------------- on packed states

    def successors_packed(self, packed: int) -> list[tuple[int, int]]:
        """The successors, packed. Raises DomainError as `successors` does."""
        return [(n, packed + d) for mask, table in self.parts for n, d in table[packed & mask]]

    def judge_packed(self, packed: int) -> tuple[int, ...]:
        """The numbers of the *always* claims that are false in a packed state."""
        told = (table[packed & mask] for mask, table in self.claims.values())
        claims = self.protocol.claims
        return tuple(i for i in chain.from_iterable(told) if claims[i].form == "always")

    @cached_property
    def groups(self) -> list[tuple[int, list[int]]]:
        """Transitions in a row that read no more than one of them does, by number, and the bits that they read."""
        groups = list[tuple[int, list[int]]]()
        for number, transition in enumerate(self.protocol.transitions):
            terms = [g for _, g in transition.guards] + [v for _, v in transition.updates]
            names = [f.name for f, _ in transition.updates]
            mask = self.packing.mask(chain(names, *map(ex.names, terms)))
            if groups and mask | groups[-1][0] in (mask, groups[-1][0]):
                groups[-1] = (groups[-1][0] | mask, [*groups[-1][1], number])
            else:
                groups.append((mask, [number]))
        return groups

    @cached_property
    def parts(self) -> list[Part]:
        """The steps of each group, by its bits."""
        every = self.protocol.transitions
        runs = [[(n, every[n]) for n in run] for _, run in self.groups]
        made = compile_steps(self.protocol, self.packing, runs)
        return [(mask, Table(work)) for (mask, _), work in zip(self.groups, made, strict=True)]

    @cached_property
    def claims(self) -> dict[int, Part]:
        """What tells each claim, by its number; see the class."""
        return self._claims(lambda term: term)

    @cached_property
    def alarms(self) -> dict[int, Part]:
        """As `claims`, by fewer bits: where a claim can be told, its alarm is not empty; mostly not otherwise."""
        return self._claims(self._narrow)

    def _narrow(self, term: Term) -> Term:
        kept, mask = list[Term](), 0
        for part in conjuncts(term):
            wider = mask | self.packing.mask(ex.names(part))
            if not kept or wider.bit_count() <= FILTER:
                kept.append(part)
                mask = wider
        return ex.conjunction(*kept)

    def _claims(self, view: Callable[[Term], Term]) -> dict[int, Part]:
        told = {}
        for i, claim in enumerate(self.protocol.claims):
            term = ex.negation(claim.holds) if claim.form == "always" else claim.holds
            if term is not ex.FALSE:
                told[i] = view(apart(term))
        lines = list[str]()
        for i, term in told.items():
            writer = _Writer(self.protocol.fields, self.packing)
            lines += [f"def claim{i}(state):", *_shared(writer, [term], "    ", "t")]
            lines.append(f"    return ({i},) if {writer.text(term)} else ()")
        made = _compiled("\n".join(lines), f"<claims of {self.protocol.name}>")
        masks = {i: self.packing.mask(ex.names(term)) for i, term in told.items()}
        return {i: (mask, Table(made[f"claim{i}"])) for i, mask in masks.items()}


def compile_protocol(protocol: Protocol) -> Compiled:
    """The functions of a resolved protocol. Raises ValueError if a mechanism has no value yet."""
    return Compiled(protocol)


def compile_terms(protocol: Protocol, terms: list[Term]) -> Callable[[State], tuple[int, ...]]:
    """One function from a state to the values of `terms`, as integers."""
    writer = _Writer(protocol.fields)
    lines = ["def values(state):", _unpack(protocol), *_shared(writer, terms, "    ", "t")]
    lines.append(f"    return ({''.join(writer.value(t) + ', ' for t in terms)})")
    return _compiled("\n".join(lines), f"<terms of {protocol.name}>")["values"]


def compile_steps(
    protocol: Protocol, packing: Packing, runs: Sequence[Sequence[tuple[int, Transition]]]
) -> list[Callable[[int], Steps]]:
    """For each run of numbered transitions, the function from a packed state to the steps that they take."""
    frequency, lines = _frequency(protocol.transitions), list[str]()
    for i, run in enumerate(runs):
        lines += [f"def steps{i}(state):", "    found = []", "    append = found.append"]
        lines += [*_branches(protocol.fields, run, packing, frequency), "    return tuple(found)", ""]
    made = _compiled("\n".join(lines), f"<steps of {protocol.name}>")
    return [made[f"steps{i}"] for i in range(len(runs))]


def _frequency(transitions: Iterable[Transition]) -> Counter[Term]:
    return Counter(c for t in transitions for c in conjuncts(t.enabled))


def _compiled(source: str, name: str) -> dict[str, Any]:
    space: dict[str, Any] = {"outside": outside}
    exec(compile(source, name, "exec"), space)
    return space


def _refuse_parameters(protocol: Protocol) -> None:
    terms = chain.from_iterable([t.enabled, *(v for _, v in t.updates)] for t in protocol.transitions)
    for term in ex.ordered([*terms, *(v for c in protocol.claims for v in c.terms())]):
        if term.op == "param":
            raise ValueError(f"{term.leaf} has no value yet; resolve the protocol first")
