"""Random protocols and logs of random runs: what a run has left is explained, and any log as brute force says."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from brute_force import enabled, starts
from logged import Line, Tried, line_of, logs_of, part_of, walk
from random_protocols import made, source

from cutproof.checks.drivers.logs.check import ACCEPTED, REJECTED, VIOLATED, Checked, check
from cutproof.checks.drivers.logs.search import Rules
from cutproof.model.language import action, all_of, always, constant, count, guard, one_of, when
from cutproof.model.language.protocol import Protocol

SEEDS = range(60)


def protocol_of(seed: int) -> Protocol:
    return made(source(seed))


def erased(protocol: Protocol, draw: Random) -> tuple[list[list[Line]], Rules]:
    """The logs of a run, with parts left out, and the rules by which that is allowed."""
    unlogged = frozenset(a.name for a in protocol.actions if draw.random() < 0.2)
    lines, gap, missing = list[Line](), 0, 0
    keep = draw.choice([1.0, 0.8, 0.5])
    run = walk(protocol, draw, draw.randint(1, 12))
    for number, state in run[1:]:
        if protocol.transitions[number].action in unlogged:
            continue
        if draw.random() > keep:
            gap += 1
            continue
        missing, gap = max(missing, gap), 0
        lines.append(line_of(protocol, number, state, draw))
        if draw.random() < 0.2:
            lines.append({"state": part_of(protocol, state, draw)})
    logs: list[list[Line]] = [[] for _ in range(draw.choice([1, 1, 2, 3]))]
    for line in lines:
        draw.choice(logs).append(line)
    return logs, Rules(unlogged, missing)


def changed(logs: list[list[Line]], other: list[list[Line]], draw: Random) -> None:
    """One line of the logs becomes one of another run."""
    log, strange = draw.choice(logs), [line for lines in other for line in lines]
    if log and strange:
        log[draw.randrange(len(log))] = draw.choice(strange)


def explains(found: Checked, lines: list[list[Line]]) -> None:
    """The behaviour is one of the protocol, begins where it may, and has all lines that were explained, in order."""
    protocol, run = found.search.protocol, found.behaviour()
    assert found.search.rules.midway or run.states[0] in starts(protocol)
    tried = Tried(protocol, [[]], Rules())
    for number, (before, after) in zip(run.transitions, pairwise(run.states), strict=True):
        assert (number, after) in list(enabled(protocol, before))
    seen: list[int] = [0] * len(lines)
    for number, after, line in zip(run.transitions, run.states[1:], run.lines, strict=True):
        if line is None:
            continue
        log, event = line
        assert tried.fits(lines[log][event], number, after)
        assert event >= seen[log]
        assert all("action" not in skipped for skipped in lines[log][seen[log] : event])
        seen[log] = event + 1
    if found.verdict == ACCEPTED:
        taken = [(n, i) for n, log in enumerate(lines) for i, line in enumerate(log) if "action" in line]
        assert sorted(line for line in run.lines if line) == taken
    if found.verdict == VIOLATED:
        assert found.violated_by(run) is not None
    if found.refusal is not None:
        assert run.states[-1] == found.refusal.state


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_run_has_left_is_explained(seed: int) -> None:
    protocol, draw = protocol_of(seed), Random(f"left {seed}")
    for _ in range(4):
        lines, rules = erased(protocol, draw)
        found = check(protocol, logs_of(protocol, lines), rules)
        assert found.explained == found.events and found.verdict in (ACCEPTED, VIOLATED, "empty")
        explains(found, lines)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", SEEDS)
def test_any_log_is_decided_as_by_trying_every_behaviour(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutproof.checks.drivers.logs.check.APART", 1 + seed % 3)
    protocol, draw = protocol_of(seed), Random(f"changed {seed}")
    for _ in range(4):
        lines, rules = erased(protocol, draw)
        if draw.random() < 0.8:
            changed(lines, erased(protocol, draw)[0], draw)
        rules = Rules(
            rules.unlogged if draw.random() < 0.7 else frozenset(),
            min(rules.missing, draw.choice([0, 1, 2])),
            midway=draw.random() < 0.15,
        )
        agrees_with_every_behaviour(protocol, lines, rules)


def agrees_with_every_behaviour(protocol: Protocol, lines: list[list[Line]], rules: Rules) -> None:
    tried = Tried(protocol, lines, rules)
    found = check(protocol, logs_of(protocol, lines), rules)
    assert found.explained == tried.explained
    assert found.candidates == len({node[:2] for node in tried.nodes})
    claims: Any = protocol.claims
    assert set(found.surely) == {None if i is None else claims[i] for i in tried.surely}
    assert not found.surely or found.since == tried.since
    if found.verdict == ACCEPTED:
        assert {c for c in found.maybe if c} == {claims[i] for i in tried.maybe()}
    explained = tried.explained == tried.total
    verdicts = (VIOLATED,) if explained and tried.surely else (ACCEPTED,) if explained else (REJECTED,)
    assert found.verdict in (verdicts if tried.total else ("empty",))
    explains(found, lines)


def test_drawn_logs_are_of_every_kind() -> None:
    """Else the test above says little."""
    verdicts = set()
    for seed in range(0, 40):
        protocol, draw = protocol_of(seed), Random(f"changed {seed}")
        lines, rules = erased(protocol, draw)
        changed(lines, erased(protocol, draw)[0], draw)
        verdicts.add(check(protocol, logs_of(protocol, lines), rules).verdict)
    assert verdicts >= {ACCEPTED, REJECTED, VIOLATED}


Edges = list[tuple[int, int]]


def drawn_graph(draw: Random) -> Protocol:
    """Many ways lead to one node, of which some violate what others do not."""
    nodes = range(6)
    edges: list[Edges] = [
        [(draw.choice(nodes), draw.choice(nodes)) for _ in range(draw.randint(3, 7))] for _ in "gs"
    ]
    bad = [draw.sample(nodes, 2) for _ in "ab"]
    return graph(edges, bad, draw.sample(nodes, draw.choice([1, 2])))


def graph(edges: list[Edges], bad: list[list[int]], begin: list[int]) -> Protocol:
    """Steps `go` and `slip` along edges between six nodes; two properties say which are to be avoided."""

    def along(edge: tuple[int, int]) -> Any:
        return lambda s: when(guard("there", s.at == edge[0])).then(at=constant(edge[1]))

    @action
    def go(s, edge):
        return along(edges[0][edge])(s) if edge < len(edges[0]) else None

    @action
    def slip(s, edge):
        return along(edges[1][edge])(s) if edge < len(edges[1]) else None

    @always
    def one(s):
        return all_of(*(s.at != node for node in bad[0]))

    @always
    def two(s):
        return all_of(*(s.at != node for node in bad[1]))

    return Protocol(
        name="graph", indices={"edge": range(7)}, variables={"at": count(0, 5)},
        initial={"at": one_of(*begin)}, actions=[go, slip], properties=[one, two],
    )  # fmt: skip


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(100))
def test_what_is_violated_is_what_every_behaviour_violates(seed: int) -> None:
    draw = Random(f"graph {seed}")
    protocol = drawn_graph(draw)
    for _ in range(12):
        lines: list[Line] = []
        for _, state in walk(protocol, draw, draw.randint(1, 5))[1:]:
            lines.append({"action": draw.choice(["?", "go"])})
            if draw.random() < 0.3:
                lines[-1]["state"] = {"at": state[0]}
        unlogged = frozenset(["slip"] if draw.random() < 0.5 else [])
        agrees_with_every_behaviour(protocol, [lines], Rules(unlogged, draw.choice([0, 1, 2, 3])))


def test_steps_that_are_missing_are_counted_on_every_way() -> None:
    """Only the way from node 1 has one step too few; from node 0, which is bad, it would take two."""
    protocol = graph([[(2, 3)], [(0, 1), (1, 2)]], [[0], [5]], [0, 1])
    found = check(protocol, logs_of(protocol, [[{"action": "go"}]]), Rules(missing=1))
    assert (found.verdict, found.maybe) == (ACCEPTED, ())
    found = check(protocol, logs_of(protocol, [[{"action": "go"}]]), Rules(missing=2))
    assert [c.property for c in found.maybe if c] == ["one"]
