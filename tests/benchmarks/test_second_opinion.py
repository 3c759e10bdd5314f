"""The second opinion counts what the plain engine and brute force count, shares no code with the engines, and says what
it cannot do."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import bit_vectors
import pytest
import relations
import second_opinion
from bit_vectors import Number, Translation
from brute_force import World, enabled
from examples import examples
from freeze import protocol_of
from frozen_protocols import Frozen, frozen, frozen_models
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from places import ROOT
from random_protocols import made, source
from relations import OutOfMemory, Reached, Relations

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.zdd.explore import explore as diagrams
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import action, always, boolean, count, family, guard, one_of, put, when
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol

SMALL = 1 << 24  # bytes for the diagrams of a small protocol
BUNDLED = ("cutover", "small-cutover", "two-phase-commit", "barrier", "dijkstra-mutex")
BY_DAY = ("page_fails", "gate_alone", "two_migrations", "zombie")
PHASES = (Phase.explicit, Phase.generate)
seeds = st.integers(0, 10**9)

with_oxidd = pytest.mark.skipif(find_spec("oxidd") is None, reason="the package oxidd is not installed")


def by_night(names: Any, day: Any = ()) -> list[Any]:
    return [name if name in day else pytest.param(name, marks=pytest.mark.nightly) for name in names]


def reached(protocol: Protocol, memory: int = SMALL) -> Reached:
    return Relations(protocol, memory).reach()


def counts_as_the_plain_engine(protocol: Protocol, memory: int = SMALL) -> None:
    safety = {c.property for c in protocol.claims if c.form in relations.JUDGED}
    found, plain = reached(protocol, memory), explore(protocol, properties=safety)
    assert (found.states, found.fired) == (len(plain.states), tuple(plain.fired))
    assert bool(sum(found.leaving)) == bool(plain.cut)
    judged = [(c, n) for c, n in zip(protocol.claims, found.holding, strict=True) if n is not None]
    words = [n == found.states if c.form == "always" else n > 0 for c, n in judged]
    assert words == [type(v).__name__ == "Holds" for v in plain.verdicts if v.property in safety]


# ------------------------------------------------------------------ equal counts


@with_oxidd
@pytest.mark.parametrize("scope", by_night([*SCOPES, *SMALL_SCOPES], BY_DAY))
def test_named_scopes_of_the_cutover_are_counted_alike(scope: str) -> None:
    counts_as_the_plain_engine(protocol_of(scope), 1 << 28)


@with_oxidd
@pytest.mark.parametrize("make", [two_phase_commit, barrier, lambda: dijkstra_mutex(2)])
def test_examples_are_counted_alike(make: Callable[[], Protocol]) -> None:
    counts_as_the_plain_engine(make())


@with_oxidd
@pytest.mark.parametrize(
    "name",
    by_night(["small-2-2", "faults", "kinds", "hardened", "small", "12M", "36M", "128M"], ["small-2-2"]),
)
def test_frozen_protocols_have_the_counts_of_the_index(name: str) -> None:
    found, about = reached(frozen(name), 1 << 30), frozen_models()[name]
    assert (found.states, found.transitions) == (about.states, about.transitions)


@with_oxidd
@pytest.mark.nightly
@pytest.mark.parametrize("name", ["hardened", "385M", "2G"])
def test_the_engine_of_diagrams_counts_every_transition_alike(name: str) -> None:
    """Where no search gets to."""
    one, other = reached(frozen(name), 3 << 30), diagrams(frozen(name), properties=())
    assert (one.states, one.fired) == (len(other.states), tuple(other.fired))


@with_oxidd
@settings(examples(30, 1000), phases=PHASES)
@given(seed=seeds)
def test_random_protocols_are_counted_as_brute_force_counts(seed: int) -> None:
    protocol = made(source(seed))
    world, found = World(protocol), reached(protocol)
    assert (found.states, found.fired) == (len(world.distance), tuple(world.fired))
    leaving = [0] * len(protocol.transitions)
    for number in (n for state in world.leaving for n, there in enabled(protocol, state) if there is None):
        leaving[number] += 1
    assert found.leaving == tuple(leaving)
    for claim, holding in zip(protocol.claims, found.holding, strict=True):
        assert holding == (len(world.where(claim.holds)) if claim.form in relations.JUDGED else None)


@with_oxidd
@settings(examples(8), phases=PHASES)
@given(seed=seeds, order=st.randoms(use_true_random=False))
def test_any_order_of_the_fields_counts_the_same(seed: int, order: Any) -> None:
    protocol = made(source(seed))
    first = reached(protocol)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relations, "ordered", lambda fields: order.sample(fields, len(fields)))
        other = reached(protocol)
    assert (first.states, first.fired, first.leaving, first.holding) == (
        other.states, other.fired, other.leaving, other.holding
    )  # fmt: skip


# ------------------------------------------------------------------ what is easily missed


def counter(low: int, high: int, step: int, first: Any) -> Protocol:
    @action
    def move(s: Any) -> Any:
        """A step that may leave the domain."""
        return when().then(value=s.value + step)

    return Protocol("counter", {"value": count(low, high)}, [move], [], initial={"value": first})


@with_oxidd
@pytest.mark.parametrize(
    ("low", "high", "step", "first", "states"),
    [
        (-5, 3, 1, -5, 9),
        (-5, 3, -1, 3, 9),
        (7, 12, 2, 7, 3),
        (-7, -2, -4, -2, 2),
        (0, 4, 8, 1, 1),
        (0, 9, 5, one_of(0, 1), 4),
        (0, (1 << 32) - 1, 1 << 30, 5, 4),
        (-(1 << 40), 1 << 40, 1 << 39, -(1 << 40), 5),
    ],
)
def test_a_step_out_of_the_domain_is_told_and_not_taken(
    low: int, high: int, step: int, first: Any, states: int
) -> None:
    starts = 1 if isinstance(first, int) else 2
    found = reached(counter(low, high, step, first))
    assert (found.states, found.fired, found.leaving) == (states, (states - starts,), (starts,))


@with_oxidd
def test_a_cell_of_one_value_may_be_left_too() -> None:
    @action
    def move(s: Any) -> Any:
        """The cell has no bits, and its domain counts all the same."""
        return when().then(still=s.value, value=s.value)

    @action
    def rise(s: Any) -> Any:
        """Up to the end."""
        return when(guard("room", s.value < 3)).then(value=s.value + 1)

    variables = {"value": count(1, 3), "still": count(2, 4, varies=False)}
    found = reached(Protocol("still", variables, [move, rise], []))
    assert (found.states, found.fired, found.leaving) == (3, (1, 2), (2, 0))


@with_oxidd
def test_counts_beyond_any_machine_number_are_exact() -> None:
    @action
    def flip(s: Any, i: int) -> Any:
        """Any of them, at any time."""
        return when().then(up=put(s.up, i, ~s.up[i]))

    @always
    def not_all(s: Any) -> Any:
        """False in one state of all."""
        return ~(s.up[0] & s.up[1] & s.up[99])

    found = reached(
        Protocol("flips", {"up": family("i", of=boolean())}, [flip], [not_all], {"i": range(100)})
    )
    assert (found.states, found.fired) == (2**100, (2**100,) * 100)
    assert found.holding == (2**100 - 2**97,)


@with_oxidd
@pytest.mark.parametrize("early", [True, False])
def test_what_is_thrown_away_on_the_way_changes_nothing(early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collected before it is needed, nothing fails; and what failed is tried again."""
    tried = list[Relations]()
    collect = Relations._collect
    monkeypatch.setattr(Relations, "_collect", lambda self: (tried.append(self), collect(self)))
    monkeypatch.setattr(relations, "FULL", relations.FULL if early else 99)
    found, about = reached(frozen("base"), 1 << 21), frozen_models()["base"]
    assert (found.states, found.transitions) == (about.states, about.transitions)
    assert not (early and tried)


@with_oxidd
def test_too_little_memory_is_told_with_what_was_known() -> None:
    with pytest.raises(OutOfMemory, match="the limit of memory was reached"):
        Relations(frozen("base"), 1 << 16)
    made = Relations(frozen("base"), 3 << 17)
    with pytest.raises(OutOfMemory):
        made.reach()
    assert 0 < made.known() < 11819


def test_fields_of_one_thing_are_beside_each_other() -> None:
    def named(protocol: Protocol) -> str:
        return " ".join(f.name for f in relations.ordered(protocol.fields))

    commit = named(two_phase_commit(12))
    assert commit.startswith("tm said_commit said_abort rm[0] heard[0] said_prepared[0] rm[1] ")
    assert commit.endswith("rm[10] heard[10] said_prepared[10] rm[11] heard[11] said_prepared[11]")
    hardened = named(frozen("hardened"))
    assert hardened.startswith("phase epoch cursor proof clean fence[O] fence[N] reading")
    assert " stored[O,0] partial[O,0] net[N,0,1] task[N,0,1] net[O,0,1] task[O,0,1] net[N,0,2] " in hardened
    assert sorted(hardened.split()) == sorted(f.name for f in frozen("hardened").fields)


# ------------------------------------------------------------------ the translation, term by term

LEAVES = st.one_of(
    st.builds(ex.constant, st.integers(-9, 9)),
    st.sampled_from([ex.variable("a", -3, 2), ex.variable("b", 1, 5), ex.variable("c", 0, 1, True)]),
)


def both_sides(term: ex.Term) -> ex.Term:
    return ex.choose(term, ex.constant(1), ex.constant(0)) if term.boolean else term


def combined(parts: st.SearchStrategy[ex.Term]) -> st.SearchStrategy[ex.Term]:
    number, words = parts.map(both_sides), [ex.add, ex.subtract, ex.equal, ex.less, ex.at_most]
    pairs = st.builds(lambda make, x, y: make(x, y), st.sampled_from(words), number, number)
    holds = number.map(lambda x: ex.less(ex.constant(0), x))
    choices = st.builds(ex.choose, holds, number, number)
    joins = st.builds(
        lambda make, x, y: make(x, ex.negation(y)),
        st.sampled_from([ex.conjunction, ex.disjunction]),
        holds,
        holds,
    )
    return pairs | choices | joins


@with_oxidd
@settings(examples(60, 3000))
@given(term=st.recursive(LEAVES, combined, max_leaves=12))
def test_every_term_is_what_the_interpreter_says(term: ex.Term) -> None:
    from oxidd.bcdd import BCDDManager

    manager = BCDDManager(1 << 16, 1 << 12, 1)
    manager.add_vars(7)
    bits = [manager.var(v) for v in range(7)]
    fields = {"a": Number(-3, (*bits[:3],)), "b": Number(1, (*bits[3:6],)), "c": Number(0, (bits[6],))}
    number = Translation(manager.false(), manager.true(), fields).number(term)
    for state in ({"a": a, "b": b, "c": c} for a in range(-3, 3) for b in range(1, 6) for c in range(2)):
        code = state["a"] + 3 | state["b"] - 1 << 3 | state["c"] << 6
        where = [(v, bool(code >> v & 1)) for v in range(7)]
        value = number.low + sum(bit.eval(where) << i for i, bit in enumerate(number.bits))
        assert value == ex.evaluate(term, state, {})


@with_oxidd
def test_a_mechanism_that_is_not_chosen_is_told() -> None:
    from oxidd.bcdd import BCDDManager

    manager = BCDDManager(1 << 10, 1 << 10, 1)
    terms = Translation(manager.false(), manager.true(), {})
    with pytest.raises(ValueError, match="fence has no value in a state: are the mechanisms resolved"):
        terms.condition(ex.parameter("fence", 0, 1, True))


# ------------------------------------------------------------------ independence


@pytest.mark.parametrize("module", [bit_vectors, relations])
def test_only_what_a_protocol_is_as_data_is_imported(module: Any) -> None:
    allowed = {f"cutproof.model.language{name}" for name in ("", ".expressions", ".parts", ".protocol")}
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]
    assert {name for name in names if name.startswith("cutproof")} <= allowed
    assert not any(isinstance(n, ast.Import) and "cutproof" in ast.unparse(n) for n in ast.walk(tree))


def test_neither_circuits_nor_engines_are_loaded_with_it() -> None:
    code = "import sys, relations; print([m for m in sys.modules if 'circuit' in m or 'checks' in m])"
    path = f"{ROOT / 'tests' / 'support'}"
    told = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({path!r}); {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "[]\n"


# ------------------------------------------------------------------ the command


def run(patch: pytest.MonkeyPatch, *words: str) -> int:
    patch.setattr(sys, "argv", ["second_opinion.py", *words])
    return second_opinion.main()


@with_oxidd
def test_counts_are_told_and_appended_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "counts.jsonl"
    models = ["small-1-1", "two-phase-commit", "today:small-1-1", "today:small_cutover(1,1)"]
    assert run(monkeypatch, *models, "--memory", "0.1", "--json", str(file)) == 0
    told = capsys.readouterr()
    assert "small-1-1: 89 states, 197 transitions\n" in told.out and "the index says the same" in told.out
    assert "two-phase-commit: 288 states, 1,145 transitions" in told.out
    assert "small-1-1: round 1, " in told.err
    counts = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [c["model"] for c in counts] == models
    assert [sum(c["fired"].values()) for c in counts] == [c["transitions"] for c in counts]
    assert counts[0]["states"] == 89 and counts[0]["violated"][0]["states"] == 0 and not counts[0]["leaving"]


@with_oxidd
def test_what_is_false_and_what_leaves_a_domain_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "counter.py"
    file.write_text(COUNTER, "utf-8")
    assert run(monkeypatch, str(file), "--memory", "0.1") == 0
    told = capsys.readouterr().out
    assert "1  states in which rise() would leave its domain: not taken" in told
    assert "2  states in which low is false\n" in told and "high" not in told


COUNTER = """
from cutproof.model.language import *
from cutproof.model.language.protocol import Protocol

@action
def rise(s):
    return when().then(n=s.n + 1)

@always
def low(s):
    return s.n < 2

@sometimes
def high(s):
    return s.n == 3

protocol = Protocol(name="counter", variables={"n": count(0, 3)}, actions=[rise], properties=[low, high])
"""


@with_oxidd
def test_other_counts_than_the_index_has_are_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Frozen("small_cutover(1,1)", "", 89, 198)
    monkeypatch.setattr(second_opinion, "frozen_models", lambda: {"small-1-1": wrong})
    assert run(monkeypatch, "small-1-1", "--memory", "0.1") == 1
    assert "the index says 89 and 198" in capsys.readouterr().out


@with_oxidd
@pytest.mark.parametrize("memory", [False, True])
def test_what_ends_before_its_end_says_what_was_known(
    memory: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ends(self: Relations) -> bool:
        raise OutOfMemory("the limit of memory was reached") if memory else KeyboardInterrupt

    monkeypatch.setattr(Relations, "_round", ends)
    assert run(monkeypatch, "small-1-1", "--memory", "0.1") == 3
    why = "the limit of memory was reached" if memory else "interrupted"
    assert capsys.readouterr().err == f"second_opinion: small-1-1: {why}; at least 1 states\n"


@with_oxidd
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nix"], "unknown protocol 'nix'; there are cutover, "),
        (
            ["Nix"],
            f"unknown protocol 'Nix'; there are {', '.join(BUNDLED)}, or FILE.py[:NAME]; or a frozen one (small",
        ),
        (
            ["two-phase-commit", "--with", "managers=x"],
            "managers=x: is not a whole number of at most 18 digits\n",
        ),
        (["today:nix"], "unknown scope 'nix'"),
        (["base", "--with", "x=1"], "base has no parameters"),
        (["two-phase-commit", "--with", "nix=1"], "unknown parameter 'nix'"),
        (["no.py"], "no.py: No such file"),
        (["base", "--json", "/nix/file"], "[Errno 2]"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    words: list[str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"second_opinion: {line}") and told.count("\n") == 1


def test_without_the_package_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(second_opinion.importlib.util, "find_spec", lambda name: None)
    assert run(monkeypatch, "base") == 2
    assert "the package oxidd is not installed" in capsys.readouterr().err
