"""Packed states and what is remembered about them, against the plain interpreter; searches, against a dumb one."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from cutproof.checks.engines.plain.explore import Exploration, Limits, explore
from cutproof.checks.engines.plain.lookup_groups import Direct, Layers
from cutproof.checks.engines.plain.search import Search, inside
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import action, always, boolean, count, guard, sometimes, when
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import Compiled, DomainError, compile_protocol
from cutproof.model.language.expressions import Term
from cutproof.model.language.packing import Packing, Table
from cutproof.model.language.protocol import Protocol, State


def scoped(name: str) -> Callable[[], Protocol]:
    return lambda: cutover(parse_scope(name)).resolve(Mechanisms())


def runaway() -> Protocol:
    """Bounds below zero, a field wider than what is unpacked at once, and updates that leave their domain."""

    @action
    def up(s: Any) -> Any:
        return when(guard("room", s.low + s.wide < 70_000)).then(low=s.low + 1, wide=s.wide + 30_000)

    @action
    def down(s: Any) -> Any:
        return when(guard("set", s.flag)).then(low=s.low - 2, flag=s.low == 1, wide=5)

    @action
    def turn(s: Any) -> Any:
        return when(guard("not set", ~s.flag)).then(flag=True)

    @always
    def near(s: Any) -> Any:
        return {"far": s.wide < 60_000, "odd": s.flag | (s.low < 2)}

    @sometimes
    def lowest(s: Any) -> Any:
        return s.low == -3

    variables = {"low": count(-3, 2), "wide": count(5, 70_000), "flag": boolean()}
    return Protocol("runaway", variables, [up, down, turn], [near, lowest])


PROTOCOLS: dict[str, tuple[Callable[[], Protocol], int]] = {
    "runaway": (runaway, 3_000),
    "two_phase_commit": (two_phase_commit, 2_000),
    "dijkstra_mutex": (lambda: dijkstra_mutex(2), 1_000),
    "barrier": (barrier, 300),
    "gate": (scoped("gate"), 300),
    "reads_and_faults": (scoped("reads_and_faults"), 300),
    "kinds": (scoped("kinds"), 300),
    "two_documents": (scoped("two_documents"), 300),
}
every_protocol = pytest.mark.parametrize(("make", "size"), list(PROTOCOLS.values()), ids=list(PROTOCOLS))


def sample(protocol: Protocol, size: int) -> list[State]:
    """Random states: half of walks that begin again now and then, half from anywhere within the domains."""
    rng, state, found = random.Random(protocol.name), protocol.initial, list[State]()
    while len(found) < size // 2:
        after = inside(protocol, state)
        state = rng.choice(after)[1] if after and rng.random() > 0.02 else protocol.initial
        found.append(state)
    fields = [f.domain for f in protocol.fields]
    return found + [tuple(rng.randint(d.low, d.high) for d in fields) for _ in range(size - len(found))]


def interpreted(protocol: Protocol, state: State) -> tuple[list[tuple[int, State]], str]:
    """The successors, and what the first one that leaves its domain does, if one does."""
    codes, done, found = protocol.named(state), dict[Term, int](), list[tuple[int, State]]()
    for number, transition in enumerate(protocol.transitions):
        if ex.evaluate(transition.enabled, codes, done):
            after = dict(codes)
            for field, term in transition.updates:
                after[field.name] = ex.evaluate(term, codes, done)
                if not field.domain.low <= after[field.name] <= field.domain.high:
                    return found, f"{transition} sets {field.name} to {after[field.name]},"
            found.append((number, tuple(after[f.name] for f in protocol.fields)))
    return found, ""


def told(protocol: Protocol, state: State) -> dict[int, bool]:
    """For each claim, whether there is something to tell: an *always* that is false, another that holds."""
    codes, done = protocol.named(state), dict[Term, int]()
    claims = enumerate(protocol.claims)
    return {i: bool(ex.evaluate(c.holds, codes, done)) is (c.form != "always") for i, c in claims}


# ------------------------------------------------------------------ one state


@every_protocol
def test_packed_successors_and_claims_are_the_interpreted_ones(
    make: Callable[[], Protocol], size: int
) -> None:
    protocol = make()
    compiled, steps, left, violated = compile_protocol(protocol), 0, 0, 0
    for state in sample(protocol, size):
        packed = compiled.pack(state)
        assert compiled.unpack(packed) == state
        expected, outside = interpreted(protocol, state)
        if outside:
            left += 1
            with pytest.raises(DomainError) as caught:
                compiled.successors_packed(packed)
            assert str(caught.value).startswith(outside)
        else:
            found = compiled.successors_packed(packed)
            assert [(n, compiled.unpack(after)) for n, after in found] == expected
            assert found == [(n, compiled.pack(after)) for n, after in expected]
            assert compiled.successors(state) == expected
            steps += len(expected)
        expected_claims = told(protocol, state)
        for i, holds in expected_claims.items():
            for parts in (compiled.claims, compiled.alarms):
                bits, table = parts.get(i, (0, Table(lambda _: ())))
                assert table[packed & bits] == ((i,) if holds else ()) or (
                    parts is compiled.alarms and not holds
                )
        wrong = tuple(i for i, c in enumerate(protocol.claims) if c.form == "always" and expected_claims[i])
        assert compiled.judge_packed(packed) == compiled.judge(state) == wrong
        violated += bool(wrong)
    assert steps and (protocol.name == "barrier" or violated)
    assert left or protocol.name not in ("runaway", "cutover")


def test_a_value_outside_its_domain_is_not_packed() -> None:
    packing = Packing(runaway().fields)
    assert packing.unpack(packing.pack((-3, 5, 0))) == (-3, 5, 0)
    assert packing.unpack(packing.pack((2, 70_000, 1))) == (2, 70_000, 1)
    for state, name in (((3, 5, 0), "low"), ((-4, 5, 0), "low"), ((0, 4, 0), "wide"), ((0, 5, 2), "flag")):
        with pytest.raises(ValueError, match=f"{name}: -?\\d+ is outside its domain"):
            packing.pack(state)
    with pytest.raises(ValueError):
        packing.pack((0, 5))


def test_packed_states_are_apart() -> None:
    protocol = two_phase_commit(3)
    found = explore(protocol)
    assert len({compile_protocol(protocol).pack(state) for state in found.states}) == len(found.states) == 288


# ------------------------------------------------------------------ layers


def every_shape(layers: Layers, compiled: Compiled, states: list[int], rng: random.Random) -> None:
    """After each of many rounds of joining and parting, the same answers as from the parts."""
    expected = [[table[s & bits] for bits, table in compiled.parts] for s in states]
    for _ in range(12):
        for state, answers in zip(states, expected, strict=True):
            flat = [step for bits, table in layers.tables for step in table[state & bits]]
            assert flat == [step for answer in answers for step in answer]
        layers.grow(rng.choice((1, 10, 1_000, 100_000)))


@pytest.mark.parametrize("name", ["gate", "kinds"])
def test_whatever_is_joined_the_answers_are_the_same(name: str) -> None:
    protocol = PROTOCOLS[name][0]()
    compiled = compile_protocol(protocol)
    states = [compiled.pack(s) for s in sample(protocol, 400)[:200]]
    shapes = set()
    for seed in range(5):
        layers = Layers(compiled.parts, lambda one, two: one + two)
        every_shape(layers, compiled, states, random.Random(seed))
        shapes.add(tuple(bits for bits, _ in layers.tables))
    assert len(shapes) > 1


def test_layers_join_what_is_calm_part_what_is_not_and_forget_what_is_dropped() -> None:
    parts = [
        (3, Table(lambda bits: (bits,))),
        (12, Table(lambda bits: (bits,))),
        (48, Table(lambda bits: ())),
    ]
    layers = Layers(parts, lambda one, two: one + two)
    layers.grow(1_000)
    assert [bits for bits, _ in layers.tables] == [15, 48]
    assert [layers.tables[0][1][i] for i in range(8)] == [(i & 3, i & 12) for i in range(8)]
    layers.grow(8)
    assert [bits for bits, _ in layers.tables] == [3, 12, 48]
    layers.grow(1_000)
    assert [bits for bits, _ in layers.tables] == [3, 12, 48], "what was parted stays apart"
    for i in range(4):
        assert layers.tables[0][1][i] == (i,)
    again = Layers([(3, Table(lambda bits: (bits,)))], lambda one, two: one + two)
    assert [again.tables[0][1][i] for i in range(4)] == [(i,) for i in range(4)]
    again.grow(4)
    assert isinstance(again.tables[0][1], Direct) and again.tables[0][1][2] == (2,)
    joined = Layers(parts, lambda one, two: one + two)
    joined.grow(10_000)
    joined.drop(parts[0][1])
    assert [bits for bits, _ in joined.tables] == [12, 48] and joined.tables[0][1][8] == (8,)
    joined.drop(parts[1][1])
    joined.drop(parts[2][1])
    assert joined.tables == []


# ------------------------------------------------------------------ whole searches


def dumb(
    protocol: Protocol, limit: int
) -> tuple[list[State], list[tuple[int, int]], list[int], dict[int, int]]:
    """States, (parent, transition) of each, how often each transition fired, the first state told by claim."""
    states, came, fired = [protocol.initial], [(0, -1)], [0] * len(protocol.transitions)
    number, first = {protocol.initial: 0}, dict[int, int]()
    for here, state in enumerate(states):
        if here == limit:
            break
        for i, holds in told(protocol, state).items():
            if holds and protocol.claims[i].form != "can_always":
                first.setdefault(i, here)
        for transition, after in inside(protocol, state):
            fired[transition] += 1
            if after not in number:
                number[after] = len(states)
                states.append(after)
                came.append((here, transition))
    return states, came, fired, first


@pytest.mark.parametrize("name", ["runaway", "dijkstra_mutex", "after_dual", "orderly"])
def test_whole_searches_are_what_the_dumb_one_finds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutproof.checks.engines.plain.search.CHUNK", 16)  # joined and parted early
    scopes = {"after_dual": "writes=1", "orderly": "writes=1,orderly=1,failures=1"}
    protocol = (scoped(scopes[name]) if name in scopes else PROTOCOLS[name][0])()
    running = Search(protocol, Limits(), False, False, None)
    found = running.run(edges=True)
    states, came, fired, first = dumb(protocol, 10**9)
    assert found.states == states and list(found.states) == states and found.states[-1] == states[-1]
    assert list(zip(found.parents, found.via, strict=True)) == came
    assert (found.fired, running.first) == (fired, first)
    assert found.edges is not None and len(found.edges.targets) == sum(fired) == found.transitions
    edges = found.edges
    for here in range(0, len(states), 7):
        pairs = range(edges.starts[here], edges.starts[here + 1])
        assert [(edges.numbers[i], states[edges.targets[i]]) for i in pairs] == inside(protocol, states[here])
    plain = Search(protocol, Limits(), False, False, None).run(edges=False)
    assert (plain.states, plain.fired, plain.deadlocks) == (found.states, fired, found.deadlocks)
    assert plain.deadlocks == [
        n for n, s in enumerate(states) if n not in found.cut and all(a == s for _, a in inside(protocol, s))
    ]


def test_pruning_keeps_what_survives_where_an_action_leaves_its_domain() -> None:
    found: Exploration = explore(runaway(), prune_violations=True)
    whole = explore(runaway())
    assert 1 < len(found.states) <= len(whole.states)
    assert found.cut.keys() & {n for n, s in enumerate(found.states) if interpreted(found.protocol, s)[1]}


def test_a_state_is_looked_at_like_a_tuple_in_a_list() -> None:
    found = explore(two_phase_commit(3))
    listed = list(found.states)
    assert found.states == listed and found.states[5:8] == listed[5:8] and found.states[-1] == listed[-1]
    assert (
        listed[7] in found.states
        and found.states.index(listed[7]) == 7
        and repr(found.states) == repr(listed)
    )
    assert found.states != listed[:-1] and found.states != 5
    with pytest.raises(IndexError):
        found.states[288]
