"""A protocol as a TLA+ module and a configuration, for TLC.

Each transition is an operator of its own, and `Next` is their disjunction, so that TLC generates a successor for each
transition that fires, as `explore` counts them, and one more for the start state. Where a guard is a disjunction, TLC
would take it for several steps and generate the successor once for each part that holds: `(a \\/ b) = TRUE` is one
value.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cutproof.checks.engines.foreign.temporal import is_temporal, tla_claim, tla_fairness
from cutproof.checks.engines.foreign.text import (
    Spelling,
    Writer,
    about,
    heading,
    identifier,
    on_one_line,
    out_of_reach,
    sentence_of,
)
from cutproof.model.language.expressions import Term
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Claim, Field, Protocol, Transition, label

WIDTH = 110

WORDS = """
    ASSUME ASSUMPTION AXIOM CASE CHOOSE CONSTANT CONSTANTS DOMAIN ELSE ENABLED EXCEPT EXTENDS IF IN INSTANCE LAMBDA LET
    LOCAL MODULE OTHER RECURSIVE SF_ SUBSET THEN THEOREM UNCHANGED UNION VARIABLE VARIABLES WF_ WITH BOOLEAN STRING TRUE
    FALSE ACTION ASSERT ASSERTION BY COROLLARY DEF DEFINE DEFS HAVE HIDE LEMMA NEW OBVIOUS OMITTED ONLY PICK PROOF
    PROPOSITION PROPERTY PROVE QED STATE SUFFICES TAKE TEMPORAL USE WITNESS Int Nat Real Infinity Assert Print PrintT
    Any JavaTime Permutations RandomElement SortSeq ToString TLCGet TLCSet TLCEval TLCExt Init Next Spec TypeOK vars
    Len Seq Append Head Tail SubSeq SelectSeq Cardinality IsFiniteSet
    FairSpec Fairness Moves
    INIT NEXT VIEW SYMMETRY SPECIFICATION CONSTRAINT CONSTRAINTS ACTION_CONSTRAINT ACTION_CONSTRAINTS INVARIANT
    INVARIANTS PROPERTIES TYPE TYPE_CONSTRAINT ALIAS POSTCONDITION CHECK_DEADLOCK
"""  # of the language, of the modules that TLC has, of this module, and of configurations

SPELLING = Spelling(
    signs={"and": "/\\", "or": "\\/", "eq": "=", "lt": "<", "le": "<=", "add": "+", "sub": "-"},
    opposite={"eq": "#", "lt": ">=", "le": ">"},
    no="~",
    truth=("FALSE", "TRUE"),
    choice="IF {0} THEN {1} ELSE {2}",
    reserved=WORDS.split(),
    reserved_like=re.compile(r"[WS]F_.*"),  # fairness, whatever follows
)

RUN = """
To explore it (TLC generates a state for each transition that `cutproof explore` counts, and one for {starts}):
    java -cp tla2tools.jar tlc2.TLC -deadlock -config {name}.cfg {name}.tla
-deadlock: that a run may end is no error.
A step that gives a variable a value outside its domain violates TypeOK; `cutproof explore` reports it, and does not
take that step.
"""


def tla(protocol: Protocol, note: str = "") -> tuple[str, str]:
    """The texts of a TLA+ module and of its configuration, of a resolved protocol, with a note in the first line. The
    module is named as the protocol, in CamelCase. ValueError if a mechanism has no value yet."""
    writer = Writer(protocol, SPELLING)
    module = writer.names.give(camel(protocol.name))
    families = _families(protocol, writer)
    steps = [(t, writer.names.give(_called(t))) for t in protocol.transitions]
    claims = [(c, writer.names.give(camel(f"{c.property} {c.harm}"))) for c in protocol.claims]
    lines = [
        f"---- MODULE {module} ----",
        *_comment(f"{about(protocol, note)}\n{RUN.format(name=module, starts=_starts(protocol))}"),
        "",
    ]
    lines += [f"EXTENDS Integers{', TLC' if _asserts(protocol, writer) else ''}", "", *_values(writer)]
    lines += _variables(protocol, writer, families)
    if writer.shared:
        lines += [*(f"{name} == {writer.spelt(term)}" for term, name in writer.shared.items()), ""]
    last = ""
    for transition, name in steps:
        if transition.action != last:
            last = transition.action
            lines += [*_comment(f"{last}: {sentence_of(protocol, last)}"), ""]
        lines += [*_step(transition, name, writer, families), ""]
    lines += ["Next ==", *(f"    \\/ {name}" for _, name in steps), *([] if steps else ["    FALSE"]), ""]
    lines += ["Spec == Init /\\ [][Next]_vars", ""]
    lines += tla_fairness(steps) if is_temporal(protocol) else []
    lines += [line for claim, name in claims for line in _claim(protocol, claim, name, writer)]
    unreached = [pair for claim, name in claims for pair in _unreached(claim, name, writer)]
    lines += [f"{name} == {text}" for name, text in unreached]
    return "\n".join([*lines, "", "===="]) + "\n", _configuration(claims, [name for name, _ in unreached])


def camel(text: str) -> str:
    """`small_cutover` as `SmallCutover`."""
    return "".join(word[:1].upper() + word[1:] for word in identifier(text).split("_"))


def _starts(protocol: Protocol) -> str:
    return "each initial state" if protocol.initial_choices else "the start"


def _called(transition: Transition) -> str:
    return "_".join([camel(transition.action), *(label(value) for _, value in transition.arguments)])


def _comment(text: str) -> list[str]:
    return [f"\\* {line}".rstrip() for line in text.strip().split("\n")]


def _tuple(names: Iterable[str], indent: str, before: str) -> list[str]:
    """A tuple of names after some text, over as many lines as it needs."""
    room = WIDTH - len(indent) - len(before)
    rows = textwrap.wrap(", ".join(names), room, break_long_words=False) or [""]
    space = " " * (len(before) + 2)
    return [
        f"{indent}{space if i else before + '<<'}{row}{'' if i < len(rows) - 1 else '>>'}"
        for i, row in enumerate(rows)
    ]


# ------------------------------------------------------------------ variables


def _values(writer: Writer) -> list[str]:
    lines = list[str]()
    for kind in writer.kinds:
        lines += [f"{name} == {code}" for code, name in enumerate(writer.values[kind])] + [""]
    return lines


def _families(protocol: Protocol, writer: Writer) -> dict[str, str]:
    """By the name of a variable with several fields, the name of the tuple of these fields."""
    several = Counter(f.variable for f in protocol.fields)
    return {name: writer.names.give(name) for name in several if several[name] > 1}


def _variables(protocol: Protocol, writer: Writer, families: Mapping[str, str]) -> list[str]:
    fields = [(f, writer.fields[f.name]) for f in protocol.fields]
    lines = ["VARIABLES"] if fields else []
    for number, (f, name) in enumerate(fields, 1):
        lines.append(
            f"    {name}{',' if number < len(fields) else ''}  \\* {on_one_line(f'{f.name}: {f.domain}')}"
        )
    lines.append("")
    for variable, name in families.items():
        lines += _tuple((own for f, own in fields if f.variable == variable), "", f"{name} == ")
    whole = dict.fromkeys(families.get(f.variable, name) for f, name in fields)
    lines += [*_tuple(whole, "", "vars == "), "", "TypeOK =="]
    lines += [f"    /\\ {name} \\in {_domain(f)}" for f, name in fields] or ["    TRUE"]
    lines += ["", "Init =="]
    return [*lines, *(_init(protocol, writer) or ["    TRUE"]), ""]


def _init(protocol: Protocol, writer: Writer) -> list[str]:
    """A conjunct for each field that begins in one way, and for each choice, at its first field."""
    choices = {choice.cells[0].name: choice for choice in protocol.initial_choices}
    chosen = {cell.name for choice in protocol.initial_choices for cell in choice.cells}
    lines = list[str]()
    for f in protocol.fields:
        name = writer.fields[f.name]
        if f.name not in chosen:
            lines.append(f"    /\\ {name} = {writer.value(f, protocol.start[f.name])}")
        elif f.name in choices and len(choices[f.name].cells) == 1:
            values = ", ".join(writer.value(f, code) for (code,) in choices[f.name].options)
            lines.append(f"    /\\ {name} \\in {{{values}}}")
        elif f.name in choices:
            cells = choices[f.name].cells
            before = "    /\\ "
            for codes in choices[f.name].options:
                pairs = zip(cells, codes, strict=True)
                values = " /\\ ".join(
                    f"{writer.fields[c.name]} = {writer.value(c, code)}" for c, code in pairs
                )
                lines.append(f"{before}\\/ {values}")
                before = "       "
    return lines


def _domain(field: Field) -> str:
    return "BOOLEAN" if field.domain.kind is bool else f"{field.domain.low}..{field.domain.high}"


# ------------------------------------------------------------------ steps


def _step(transition: Transition, name: str, writer: Writer, families: Mapping[str, str]) -> list[str]:
    lines = [*_comment(on_one_line(heading(transition))), f"{name} =="]
    for guard, condition in transition.guards:
        text = f"({writer.text(condition)}) = TRUE" if _branches(condition) else writer.text(condition)
        lines.append(f"    /\\ {text}  \\* {on_one_line(guard)}")
    changed = set[str]()
    for field, term in transition.updates:
        if field.name in writer.fields:
            changed.add(field.name)
            lines.append(f"    /\\ {writer.fields[field.name]}' = {writer.new_value(field, term)}")
        elif out_of_reach(field, term):
            low, high = field.domain.low, field.domain.high
            said = on_one_line(field.name).replace("\\", "/").replace('"', "'")
            lines.append(f'    /\\ Assert({writer.part(term)} \\in {low}..{high}, "{said}")')
    kept = list(_unchanged(changed, writer, families))
    return lines + (_tuple(kept, "    ", "/\\ UNCHANGED ") if kept else [])


def _unchanged(changed: set[str], writer: Writer, families: Mapping[str, str]) -> Iterable[str]:
    """The names of what a step leaves alone: families by their names where it changes nothing of them."""
    touched = {f.variable for f in writer.protocol.fields if f.name in changed}
    own = (
        families[f.variable] if f.variable in families and f.variable not in touched else writer.fields[f.name]
        for f in writer.protocol.fields
        if f.name not in changed
    )  # fmt: skip
    return dict.fromkeys(own)


def _branches(term: Term) -> bool:
    """Whether TLC would take a guard for more than one step."""
    return term.op == "or" or (term.op == "and" and any(map(_branches, term.args)))


def _asserts(protocol: Protocol, writer: Writer) -> bool:
    """Whether some step might give a field that has one value another one: it is no variable, so TypeOK cannot tell."""
    updates = (update for t in protocol.transitions for update in t.updates)
    return any(f.name not in writer.fields and out_of_reach(f, v) for f, v in updates)


# ------------------------------------------------------------------ claims


def _claim(protocol: Protocol, claim: Claim, name: str, writer: Writer) -> list[str]:
    harm = f" ({claim.harm})" if claim.harm else ""
    said = f"{claim.form} {claim.property}{harm}: {sentence_of(protocol, claim.property)}"
    lines = _comment(on_one_line(said))
    if claim.form == "can_always":
        lines += _comment("Not in linear time, so TLC does not check it.")
    if claim.form in TEMPORAL:
        return [*lines, *tla_claim(claim, name, writer), ""]
    return [*lines, f"{name} == {writer.text(claim.holds)}", ""]


def _unreached(claim: Claim, name: str, writer: Writer) -> list[tuple[str, str]]:
    """Of a *sometimes*: what is violated where it is reached, as an operator's name and its text."""
    return [(writer.names.give(f"Never{name}"), f"~{name}")] if claim.form == "sometimes" else []


def _configuration(claims: Sequence[tuple[Claim, str]], unreached: Sequence[str]) -> str:
    runs = [name for claim, name in claims if claim.form in TEMPORAL]
    lines = [f"SPECIFICATION {'FairSpec' if runs else 'Spec'}", "INVARIANT TypeOK"]
    lines += [f"PROPERTY {name}" for name in runs]
    lines += [f"INVARIANT {name}" for claim, name in claims if claim.form == "always"]
    if unreached:
        lines.append("\\* Each of these is there to be violated: the trace shows how the state is reached.")
    lines += [f"\\* INVARIANT {name}" for name in unreached]
    return "\n".join(lines) + "\n"
