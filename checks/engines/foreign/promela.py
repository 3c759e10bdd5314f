"""A protocol as a Promela model, for SPIN.

One process, at one place, takes one step at a time: each transition is an option of one `do`, a `d_step` that reads
the whole state and writes what changes. So SPIN's states are the protocol's, and its transitions too.

What was measured with SPIN 6.5.2 is in the order in which it matters:
- as few bits as each domain needs (`bit`, `unsigned x : n`): a sixth to a quarter faster than bytes, as the state
  is hashed and compared as a whole;
- `d_step`, not `atomic`; the guards in the protocol's order; one flat `do`. Sorting the guards, or a place in the
  process for each phase, made no difference that could be told from noise.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from cutproof.checks.engines.foreign.temporal import (
    BEGUN,
    Watched,
    promela_automata,
    promela_last,
    watched,
)
from cutproof.checks.engines.foreign.text import (
    DEEP,
    Spelling,
    Writer,
    about,
    heading,
    sentence_of,
)
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Claim, Field, Protocol, Transition

WORDS = """
    active assert atomic bit bool break byte c_code c_decl c_expr c_state c_track chan d_step D_proctype do else
    empty enabled eval false fi float for full fair get_priority goto hidden if in init inline int len local ltl mtype
    nempty never nfull noclaim notrace np_ od of pc_value pid print printf printm priority proctype provided return
    run select separate set_priority short show skip STDIN timeout trace true typedef unless unsigned xr xs X U V W
    always eventually implies equivalent next release stronguntil until weakuntil now _ _last _nr_pr _pid _priority
    auto case char const continue default double enum extern long register restrict signed sizeof static struct
    switch union void volatile while asm typeof unix linux i386 defined
    end CLAIM REACH
    uchar ushort uint ulong sv rand errno wasnew maxseq0 minseq0 IfNotBlocked UnBlock PanSource SpinVersion StackSize
    G_int G_long L_ctermid L_tmpnam P_tmpdir
"""  # of Promela, and of C: SPIN makes the variables members of a structure; of this model; macros of SPIN and of C
MACRO = re.compile(
    r"[A-Z][0-9_]*[A-Z][A-Z0-9_]*|Air\d+|(sa|si|st|sigev)_\w+"
)  # as NULL, EOF, si_pid: of others too

SPELLING = Spelling(
    signs={"and": "&&", "or": "||", "eq": "==", "lt": "<", "le": "<=", "add": "+", "sub": "-"},
    opposite={"eq": "!=", "lt": ">=", "le": ">"},
    no="!",
    truth=("false", "true"),
    choice="({0} -> {1} : {2})",
    reserved=WORDS.split(),
    reserved_like=MACRO,
)

LONG = 4000  # operations of a term as a tree, from which on it is not written out
STARTS = 10_000  # initial states: each is an option

RUN = """
To explore it (the number of states and transitions is that of `cutproof explore`; {more}):
    spin -a -o2 {file}
    gcc -O2 -DSAFETY -DNOREDUCE -DNOCOMP -DNOVSZ -o pan pan.c
    ./pan -m1000000 -w24
-o2 keeps the variables that are only written; -m is a depth, -w the logarithm of how many states are expected.
An assertion fails where a step gives a variable a value outside its domain; `cutproof explore` reports it, and does
not take that step.
"""

ALWAYS = """
To check one of the `always` claims that follow: spin -a -o2 -DCLAIM=NAME {file}, and on as above, with
    {names}
as NAME; it is violated by a state in which it is false.
"""

RUNS = """
To check one of the claims of whole runs that follow: spin -a -o2 -DLIVE -DLIVE_NAME_0 {file}; gcc -O2 -DNOFAIR
-DNOREDUCE -o pan pan.c; ./pan -a -E -m1000000, with
    {names}
as NAME, and the number of its case for 0; it is violated by an acceptance cycle.
"""

SOMETIMES = """
To see one of the `sometimes` claims reached: spin -a -o2 -DREACH=NAME {file}, which is violated where it holds, with
    {names}
as NAME.
"""

JUDGE = """
/* Not a formula of linear time: in such a formula SPIN would read (a -> b : c) as an implication. */
#ifdef CLAIM
never { do :: assert(CLAIM) od }
#endif
#ifdef REACH
never { do :: assert(!(REACH)) od }
#endif
"""


def promela(protocol: Protocol, note: str = "") -> str:
    """The text of a Promela model of a resolved protocol, with a note in its first line. ValueError if a mechanism has
    no value yet."""
    writer = Writer(protocol, SPELLING)
    process = writer.names.give(protocol.name)
    options, hidden = list[str](), dict[str, str]()
    claims = [(c, writer.names.give(f"{c.form}_{c.property}_{c.harm}")) for c in protocol.claims]
    watch = watched(protocol, writer, claims)
    last = ""
    for number, transition in enumerate(protocol.transitions):
        if transition.action != last:
            last = transition.action
            options += ["", _comment(f"{last}: {sentence_of(protocol, last)}", "    ")]
        options += _option(transition, writer, hidden, promela_last(watch, number) if watch else "")
    options += (
        ["#ifdef LIVE", f"    :: d_step {{ true -> {watch.last} = {BEGUN} }}", "#endif"] if watch else []
    )
    lines = [
        _comment(about(protocol, note) + _how_to_run(protocol, f"{process}.pml", claims), ""),
        "",
        *_values(writer),
    ]
    lines += _variables(protocol, writer)
    if watch:
        begins, bits = (
            0 if protocol.initial_choices else BEGUN,
            (len(protocol.transitions) + BEGUN).bit_length(),
        )
        lines += [
            "#ifdef LIVE",
            f"unsigned {watch.last} : {bits} = {begins};  /* what was done last */",
            "#endif",
        ]
    lines += [f"hidden int {name};  /* {what} */" for what, name in hidden.items()]
    if writer.shared:
        lines += ["", *(f"#define {name} ({writer.spelt(term)})" for term, name in writer.shared.items())]
    lines += ["", f"active proctype {process}() {{", *_begin(protocol, writer, watch), "end:", "    do"]
    lines += options or ["    :: false -> skip"]
    lines += ["    od", "}", "", *_claims(protocol, writer, claims)]
    lines += promela_automata(protocol, writer, watch) if watch else []
    return "\n".join(lines) + "\n"


def _how_to_run(protocol: Protocol, file: str, claims: list[tuple[Claim, str]]) -> str:
    text = "\n" + RUN.format(file=file, more=_more(protocol))
    for form, said in (
        ("always", ALWAYS),
        ("leads_to", RUNS),
        ("eventually", RUNS),
        ("sometimes", SOMETIMES),
    ):
        if names := ", ".join(name for claim, name in claims if claim.form == form):
            text += said.lstrip().format(file=file, names="\n    ".join(textwrap.wrap(names, 110)))
    return text


def _comment(text: str, indent: str) -> str:
    lines = text.replace("*/", "* /").strip().split("\n")
    return indent + "/* " + f"\n{indent}   ".join(lines).replace(f"\n{indent}   \n", "\n\n") + " */"


def _values(writer: Writer) -> list[str]:
    lines = list[str]()
    for kind in writer.kinds:
        lines += [f"#define {name} {code}" for code, name in enumerate(writer.values[kind])] + [""]
    return lines


def _variables(protocol: Protocol, writer: Writer) -> list[str]:
    lines = []
    for f in protocol.fields:
        declared = _declared(f, writer.fields[f.name])
        lines.append(f"{declared} = {writer.value(f, protocol.start[f.name])};  /* {f.name}: {f.domain} */")
    return lines


def _more(protocol: Protocol) -> str:
    """What SPIN counts besides."""
    if not protocol.initial_choices:
        return "SPIN counts the start state\nas a transition too"
    more = len(protocol.initials) + 1
    return f"SPIN counts the state before\nthe choice of the initial one too, and {more} transitions to it and from it"


def _begin(protocol: Protocol, writer: Writer, watch: Watched | None) -> list[str]:
    """The choice of the initial state, where there are several. The variables are declared with the first."""
    cells = [cell for choice in protocol.initial_choices for cell in choice.cells]
    if not cells:
        return []
    if (many := len(protocol.initials)) > STARTS:
        raise ValueError(f"{many:,} initial states are too many for SPIN, which is given {STARTS:,} at most")
    place, lines = {f.name: i for i, f in enumerate(protocol.fields)}, ["    if"]
    for state in protocol.initials:
        values = (f"{writer.fields[c.name]} = {writer.value(c, state[place[c.name]])}" for c in cells)
        lines.append(f"    :: d_step {{ {'; '.join(values)} }}")
        if watch:
            note = f"{watch.last} = {BEGUN} }}"
            lines[-1:] = ["#ifdef LIVE", lines[-1].replace(" }", f"; {note}"), "#else", lines[-1], "#endif"]
    return [*lines, "    fi;"]


def _declared(field: Field, name: str) -> str:
    low, high = field.domain.low, field.domain.high
    if low < 0:
        return f"{'short' if low >= -(2**15) and high < 2**15 else 'int'} {name}"
    return f"bit {name}" if high == 1 else f"unsigned {name} : {high.bit_length()}"


def _option(transition: Transition, writer: Writer, hidden: dict[str, str], note: str) -> list[str]:
    lines = [_comment(heading(transition), "    "), "    :: d_step {"]
    names, conditions = [n for n, _ in transition.guards], [c for _, c in transition.guards]
    texts = [writer.part(c) if c.op == "or" else writer.text(c) for c in conditions] or ["true"]
    # At the end of the line: SPIN ends a statement where a line could end it.
    texts[:-1] = [f"{text} &&" for text in texts[:-1]]
    notes = [_comment(name, "  ") for name in names] or [""]
    lines += [f"        {text}{note}" for text, note in zip(texts, notes, strict=True)]
    statements = _statements(transition, writer, hidden)
    noted = ["#ifdef LIVE", f"        {note};", "#endif"] if note else []
    return [*lines, "        ->", *(f"        {s};" for s in statements), *noted, "       }"]


def _statements(transition: Transition, writer: Writer, hidden: dict[str, str]) -> list[str]:
    """The assignments one after the other, with the effect of all at once: a field is written once no other new
    value reads it any more; where that is a circle, its old value is kept in a hidden variable."""
    left, found = list(transition.updates), list[str]()
    kept: dict[str, Term] = {}
    while left:
        free = next((u for u in left if not any(_reads(v, u[0]) for f, v in left if f is not u[0])), None)
        if free is None and _long([v for _, v in left]):
            found += _through_hidden(left, writer, hidden)
            left = []
        elif free is None:
            field = left[0][0]
            name = _hidden(f"{field.name} before the step", f"was_{field.name}", writer, hidden)
            found.append(f"{name} = {writer.fields[field.name]}")
            low, high, boolean = field.domain.low, field.domain.high, field.domain.kind is bool
            kept[field.name] = ex.variable(name, low, high, boolean)
            left = [(f, ex.substitute(v, {field.name: kept[field.name]}, {})) for f, v in left]
        else:
            left.remove(free)
            found += _assignment(*free, writer)
    return found or ["skip"]


def _hidden(what: str, name: str, writer: Writer, hidden: dict[str, str]) -> str:
    """The hidden variable for something, declared once."""
    if what not in hidden:
        hidden[what] = writer.names.give(name)
        writer.fields[hidden[what]] = hidden[what]
    return hidden[what]


def _through_hidden(left: Sequence[tuple[Field, Term]], writer: Writer, hidden: dict[str, str]) -> list[str]:
    """As `_statements`, of a circle of new values that have names for what they share, which an old value in its place
    would lose: every new value is written aside, and then to its field."""
    found, then = list[str](), list[str]()
    for field, term in left:
        *checks, assignment = _assignment(field, term, writer)
        name = _hidden(f"{field.name} after the step", f"new_{field.name}", writer, hidden)
        own, _, value = assignment.partition(" = ")
        found += [*checks, f"{name} = {value}"]
        then.append(f"{own} = {name}")
    return found + then


def _long(terms: Sequence[Term]) -> bool:
    """Whether some term is long or deep when what it shares is written again and again."""
    size, depth = dict[Term, int](), dict[Term, int]()
    for term in ex.ordered(terms):
        size[term] = 1 + sum(size[a] for a in term.args)
        depth[term] = 1 + max((depth[a] for a in term.args), default=0)
    return any(size[t] > LONG or depth[t] > DEEP for t in terms)


def _reads(term: Term, field: Field) -> bool:
    return field.name in ex.names(term)


def _assignment(field: Field, term: Term, writer: Writer) -> list[str]:
    found, value = [], writer.part(term)
    if term.low < field.domain.low:
        found.append(f"assert({value} >= {field.domain.low})")
    if term.high > field.domain.high:
        found.append(f"assert({value} <= {field.domain.high})")
    if field.name in writer.fields:
        found.append(f"{writer.fields[field.name]} = {writer.new_value(field, term)}")
    return found


def _claims(protocol: Protocol, writer: Writer, claims: list[tuple[Claim, str]]) -> list[str]:
    """The claims as macros, and what judges one of them in every state, where it is asked for."""
    lines = list[str]()
    for claim, name in claims:
        lines += [_comment(_said(protocol, claim), ""), f"#define {name} ({writer.text(claim.holds)})", ""]
    return [*lines, *JUDGE.strip().split("\n")]


def _said(protocol: Protocol, claim: Claim) -> str:
    harm = f" ({claim.harm})" if claim.harm else ""
    more = "\nNot in linear time, so SPIN does not check it." if claim.form == "can_always" else ""
    return f"{claim.form} {claim.property}{harm}: {sentence_of(protocol, claim.property)}{more}"
