"""The plain explorer: known answers on tiny protocols, a dumb twin for paths, limits, determinism, export."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path as File
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines import exploration
from cutproof.checks.engines.plain import graph as graphs
from cutproof.checks.engines.plain import liveness, search
from cutproof.checks.engines.plain.explore import Exploration, LimitReached, Limits, explore, with_both_faults
from cutproof.checks.engines.verdict import Holds, Path, Unknown, Verdict, Violated, exit_code, line, to_json
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Action,
    Property,
    action,
    all_of,
    always,
    boolean,
    can_always,
    constant,
    count,
    guard,
    sometimes,
    when,
)
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, State

# ------------------------------------------------------------------ tiny protocols


def step(name: str, edges: list[tuple[int, int]], fault: str = "") -> list[Action]:
    """An action for each edge of a graph whose nodes are the values of one counter."""

    def of(here: int, there: int) -> Action:
        return Action(
            f"{name}_{here}_{there}",
            lambda s: when(guard("here", s.at == here)).then(at=there),
            fault,
        )

    return [of(*edge) for edge in edges]


def graph_of(actions: list[Action], properties: list[Property], nodes: int = 8) -> Protocol:
    return Protocol("tiny", {"at": count(0, nodes - 1)}, actions, properties)


def at(form: Callable[..., Property], name: str, *nodes: int) -> Property:
    return Property(name, form(never_at).form, lambda s: ~all_of(*(s.at != n for n in nodes)))


def verdict_of(found: Exploration, name: str, form: str = "") -> Any:
    (verdict,) = (v for v in found.verdicts if v.property == name and form in ("", v.form))
    return verdict


def nodes_of(path: Path | None) -> list[int]:
    assert path is not None
    return [state[0] for state in path.states]


DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 4)]


def never_at(node: int) -> Property:
    return Property(f"never_{node}", "always", lambda s: s.at != node)


def test_always_is_violated_by_a_shortest_path_first_by_the_order_of_actions() -> None:
    found = explore(graph_of(step("go", DIAMOND), [never_at(3), never_at(7)]))
    verdict = verdict_of(found, "never_3")
    assert isinstance(verdict, Violated)
    assert nodes_of(verdict.path) == [0, 1, 3]
    assert isinstance(verdict_of(found, "never_7"), Holds)
    assert (verdict.states, verdict.transitions, verdict.depth) == (5, 6, 3)  # a self-loop is a transition
    assert exit_code(found.verdicts) == 12
    turned = explore(graph_of(step("go", DIAMOND[::-1]), [never_at(3)]))
    assert nodes_of(verdict_of(turned, "never_3").path) == [0, 2, 3]


def test_sometimes_has_a_witness_or_was_never_reached() -> None:
    found = explore(graph_of(step("go", DIAMOND), [at(sometimes, "end", 4), at(sometimes, "moon", 6)]))
    reached, missed = found.verdicts
    assert isinstance(reached, Holds) and nodes_of(reached.witness) == [0, 1, 3, 4]
    assert isinstance(missed, Violated) and missed.path is None
    assert exit_code([missed]) == 13 and exit_code([reached]) == 0
    assert "not once in 5 states" in line(missed)


def test_can_always_needs_a_way_without_faults() -> None:
    plain = step("go", [(0, 1), (1, 2), (1, 3), (3, 4)])
    end = [at(can_always, "done", 2)]
    lost = verdict_of(explore(graph_of(plain, end)), "done", "can_always")
    assert isinstance(lost, Violated) and nodes_of(lost.path) == [0, 1, 3]
    back = step("go", [(4, 1)])
    assert isinstance(verdict_of(explore(graph_of(plain + back, end)), "done", "can_always"), Holds)
    by_fault = step("crash", [(4, 1)], fault="crash")
    lost = verdict_of(explore(graph_of(plain + by_fault, end)), "done", "can_always")
    assert isinstance(lost, Violated) and nodes_of(lost.path) == [0, 1, 3]


def test_a_cycle_that_never_finishes() -> None:
    end, way = [at(can_always, "done", 5)], [(0, 1), (1, 2), (2, 3), (3, 1), (2, 2), (3, 5)]
    found = explore(graph_of(step("go", way), end))
    assert isinstance(verdict_of(found, "done", "can_always"), Holds)
    cycle = verdict_of(found, "done", "cycle")
    assert isinstance(cycle, Violated) and nodes_of(cycle.path) == [0, 1, 2, 3, 1]
    assert cycle.path is not None and cycle.path.loop == 1
    assert exit_code(found.verdicts) == 13
    shortcut = explore(graph_of(step("crash", [(2, 1)], fault="crash") + step("go", way), end))
    assert nodes_of(verdict_of(shortcut, "done", "cycle").path) == [0, 1, 2, 3, 1]  # not by the fault
    by_fault = graph_of(step("go", way[:3] + way[4:]) + step("crash", [(3, 1)], fault="crash"), end)
    assert isinstance(verdict_of(explore(by_fault), "done", "cycle"), Holds)  # a stutter is no cycle either
    through = explore(graph_of(step("go", way), [at(can_always, "done", 3)]))
    assert isinstance(verdict_of(through, "done", "cycle"), Holds)
    assert [v.form for v in explore(graph_of(step("go", way), end), cycles=False).verdicts] == [
        "can_always",
        "deadlock",
    ]


def test_deadlocks_are_counted_and_must_be_good_ends() -> None:
    way = step("go", [(0, 1), (0, 2), (2, 2), (0, 3), (3, 0)])
    found = explore(graph_of(way, [at(can_always, "done", 1)]))
    assert [found.states[n][0] for n in found.deadlocks] == [1, 2]
    assert nodes_of(verdict_of(found, "deadlock").path) == [0, 2]
    both = explore(graph_of(way, [at(can_always, "done", 1), at(can_always, "given_up", 2)]))
    assert isinstance(verdict_of(both, "deadlock"), Holds)


@action
def climb(s: Any) -> Any:
    """One more."""
    return when(guard("up", s.up)).then(height=s.height + 1)


@action
def turn(s: Any) -> Any:
    """Up becomes down."""
    return when(guard("high enough", s.height >= 2)).then(up=False)


@always
def low(s: Any) -> Any:
    """Not high."""
    return s.height < 3


@always
def sane(s: Any) -> Any:
    """Either way."""
    return s.up | (s.height >= 2)


def climber() -> Protocol:
    variables = {"height": count(0, 3), "up": boolean()}
    return Protocol("climber", variables, [climb, turn], [low, sane], initial={"up": True})


def test_an_action_that_leaves_its_domain_is_a_violation_and_the_rest_is_still_explored() -> None:
    found = explore(climber())
    domain = verdict_of(found, "domain")
    assert isinstance(domain, Violated) and domain.form == "always"
    assert domain.path is not None and [s[0] for s in domain.path.states] == [0, 1, 2, 3]
    assert "climb() sets height to 4" in domain.detail and "climb" in line(domain)
    assert len(found.states) == 6  # the state after `turn` at the top was found in spite of it
    high = verdict_of(found, "low")  # twice: at the top, going up and going down
    assert isinstance(high, Violated) and high.path == domain.path
    assert isinstance(verdict_of(found, "sane"), Unknown)  # beyond the domain nobody looked
    assert exit_code(found.verdicts) == 12


def test_together_finds_the_shortest_way_to_have_both_faults() -> None:
    actions = step("go", [(0, 1), (1, 2)]) + step("crash", [(1, 0)], "crash") + step("loss", [(2, 0)], "loss")
    protocol = graph_of(actions, [never_at(7)])
    path = with_both_faults(protocol, "crash", "loss")
    assert nodes_of(path) == [0, 1, 2, 0, 1, 0]
    assert with_both_faults(protocol, "crash", "flood") is None
    with pytest.raises(LimitReached):
        with_both_faults(protocol, "crash", "loss", Limits(states=1))


# ------------------------------------------------------------------ the dumb twin


def dumb(protocol: Protocol) -> Iterator[tuple[State, Path]]:
    """Each reachable state with its first shortest path: a queue of whole paths and the plain interpreter."""
    queue, seen = [Path((protocol.initial,), ())], {protocol.initial}
    while queue:
        path = queue.pop(0)
        yield path.states[-1], path
        for number, after in search.inside(protocol, path.states[-1]):
            if after not in seen:
                seen.add(after)
                queue.append(Path((*path.states, after), (*path.transitions, number)))


def dumb_first(protocol: Protocol, term: ex.Term) -> Path | None:
    ways = (path for state, path in dumb(protocol) if not ex.evaluate(term, protocol.named(state), {}))
    return next(ways, None)


def test_two_phase_commit_is_what_the_dumb_twin_says() -> None:
    protocol = two_phase_commit(3)
    found, twin = explore(protocol), dict(dumb(protocol))
    assert found.states == list(twin)
    assert [found.path_to(i) for i in range(len(twin))] == list(twin.values())


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=24), st.data())
def test_random_graphs(edges: list[tuple[int, int]], data: Any) -> None:
    """Every verdict on a random graph, against definitions that were not written for speed."""
    faulty = data.draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    actions = [
        step(f"e{i}", [edge], "crash" if fault else "")[0]
        for i, (edge, fault) in enumerate(zip(edges, faulty, strict=True))
    ]
    ends = data.draw(st.lists(st.integers(0, 7), min_size=1, max_size=3, unique=True))
    protocol = graph_of(actions, [never_at(5), at(can_always, "done", *ends)])
    found = explore(protocol)
    assert verdict_path(verdict_of(found, "never_5")) == dumb_first(protocol, protocol.claims[0].holds)

    moves = [(a, b) for (a, b), fault in zip(edges, faulty, strict=True) if not fault]
    reached = [state[0] for state in found.states]
    stuck = [n for n in reached if not reach(moves, n) & set(ends)]
    assert verdict_target(verdict_of(found, "done", "can_always")) == (stuck[0] if stuck else None)
    inner = [(a, b) for a, b in moves if a != b and a not in ends and b not in ends]
    rounds = [n for n in reached if any(n in reach(inner, b) for a, b in inner if a == n)]
    cycle = verdict_of(found, "done", "cycle")
    assert (cycle.path is not None and cycle.path.loop is not None) if rounds else isinstance(cycle, Holds)
    if rounds:
        assert nodes_of(cycle.path)[-1] == rounds[0]


def verdict_path(verdict: Verdict) -> Path | None:
    return verdict.path if isinstance(verdict, Violated) else None


def verdict_target(verdict: Verdict) -> int | None:
    path = verdict_path(verdict)
    return None if path is None else path.states[-1][0]


def reach(edges: list[tuple[int, int]], start: int) -> set[int]:
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        new = {b for a, b in edges if a == here} - found
        found |= new
        todo.extend(new)
    return found


# ------------------------------------------------------------------ options, limits, interrupts


def test_claims_are_selected_by_name_and_by_harm() -> None:
    protocol = two_phase_commit(3)
    assert [v.property for v in explore(protocol, properties=["consistent"]).verdicts] == ["consistent"]
    assert explore(protocol, properties=["consistent"]).edges is None
    assert [v.property for v in explore(protocol, only=("all_commit", "")).verdicts] == ["all_commit"]
    with pytest.raises(ValueError, match="no property nonsense; there are consistent, all_commit, decided"):
        explore(protocol, properties=["nonsense"])
    with pytest.raises(ValueError, match="LAW"):
        explore(protocol, only=("consistent", "LAW"))


def test_stopping_at_the_first_and_pruning() -> None:
    way = step("go", [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6)])
    protocol = graph_of(way, [never_at(2), never_at(4), at(sometimes, "five", 5)])
    stopped = explore(protocol, stop_at_first=True)
    assert nodes_of(verdict_of(stopped, "never_2").path) == [0, 1, 2]
    assert len(stopped.states) == 4
    assert isinstance(verdict_of(stopped, "never_4"), Unknown)
    witness = explore(protocol, properties=["five"], stop_at_first=True)
    assert isinstance(witness.verdicts[0], Holds) and len(witness.states) == 3
    pruned = explore(protocol, prune_violations=True)
    assert sorted(state[0] for state in pruned.states) == [0, 1, 2, 5, 6]
    assert isinstance(verdict_of(pruned, "never_4"), Unknown)
    assert isinstance(verdict_of(pruned, "five"), Holds)


@pytest.mark.parametrize(
    ("limits", "word"),
    [(Limits(states=1_000), "states"), (Limits(seconds=0.0), "seconds"), (Limits(memory=1), "memory")],
)
def test_a_limit_is_unknown_and_says_what_was_covered(limits: Limits, word: str) -> None:
    found = explore(two_phase_commit(5), limits=limits)
    assert [type(v) for v in found.verdicts] == [Unknown] * len(found.verdicts)
    assert exit_code(found.verdicts) == 3
    for verdict in found.verdicts:
        assert isinstance(verdict, Unknown)
        assert word in verdict.reason and verdict.reason in line(verdict)
        assert verdict.frontier == found.frontier > 0
        assert verdict.states == len(found.states)
    if word == "states":
        assert 1_000 <= len(found.states) <= 1_000 + len(found.protocol.transitions)
        complete = explore(two_phase_commit(5))
        within = [n for n in range(8_832) if complete.path_to(n).steps <= found.depth]
        assert set(found.states) >= {complete.states[n] for n in within}  # all within `depth` steps


def test_what_a_limited_search_saw_is_still_said() -> None:
    """A violation stays one; a dead end, or a cycle, is one whatever lies beyond the frontier."""
    way = step("go", [(0, 1), (0, 2), (2, 2), (0, 3), (3, 4), (4, 3), (4, 5), (5, 6), (6, 7)])
    properties = [never_at(1), never_at(7), at(sometimes, "three", 3), at(can_always, "done", 1, 7)]
    found = explore(graph_of(way, properties), limits=Limits(states=6))
    kinds = {(v.property, v.form): type(v) for v in found.verdicts}
    assert kinds == {
        ("never_1", "always"): Violated,
        ("never_7", "always"): Unknown,
        ("three", "sometimes"): Holds,
        ("done", "can_always"): Violated,
        ("deadlock", "deadlock"): Violated,
        ("done", "cycle"): Violated,
    }
    cut = explore(graph_of(way[3:], [at(can_always, "done", 7)]), limits=Limits(states=3), cycles=False)
    assert [type(v) for v in cut.verdicts] == [Unknown, Unknown]


def test_memory_for_the_graph_is_asked_for_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "NODE_BYTES", 10**12)
    found = explore(two_phase_commit(3), limits=Limits(memory=10**11))
    assert isinstance(verdict_of(found, "consistent"), Holds)
    assert isinstance(verdict_of(found, "decided", "can_always"), Unknown)
    assert "the graph needs" in verdict_of(found, "decided", "cycle").reason


@given(st.lists(st.integers(0, 700), min_size=1, max_size=60), st.integers(1, 500))
def test_a_table_that_doubles_is_foreseen(steps: list[int], most: int) -> None:
    table, doubling = dict[int, int](), search.Doubling()
    for step in [most, *(min(step, most) for step in steps)]:
        coming, size = doubling.coming(table), sys.getsizeof(table)
        table |= dict.fromkeys(range(len(table), len(table) + step))
        assert sys.getsizeof(table) == size or coming or doubling.step < step


def test_a_table_that_has_doubled_has_room() -> None:
    table, doubling, told = dict[int, int](), search.Doubling(), 0
    for _ in range(20_000):
        table[len(table)] = 0
        told += bool(doubling.coming(table))
    assert told < 200


def test_memory_that_is_about_to_be_taken_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploration, "resident", lambda: 10**6)
    monkeypatch.setattr(search.Doubling, "coming", lambda self, table: len(table) * 10**4)
    found = explore(two_phase_commit(5), limits=Limits(memory=3 * 10**6))
    assert "3 MB of memory" in found.ended
    assert 200 <= len(found.states) < 5_000


def test_dead_ends_are_judged_where_the_graph_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "NODE_BYTES", 10**12)
    found = explore(
        graph_of(step("go", [(0, 1), (0, 2)]), [at(can_always, "done", 1)]), limits=Limits(memory=10**11)
    )
    assert isinstance(verdict_of(found, "done", "can_always"), Unknown)
    assert nodes_of(verdict_of(found, "deadlock").path) == [0, 2]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("after", [1, 2, 3, 50, 1_234])
@pytest.mark.parametrize("method", ["_judge", "_survivors", "_over"])
def test_an_interrupt_anywhere_ends_the_search_and_keeps_what_was_done(
    method: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = getattr(search.Search, method), []

    def interrupting(self: Any, *arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == after:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(search.Search, method, interrupting)
    monkeypatch.setattr(search, "CHUNK", 7)
    protocol = climber() if method == "_survivors" else two_phase_commit(4)
    found = explore(protocol, graph=True)
    if len(calls) < after:
        return  # the search was over before
    assert found.interrupted and exit_code(found.verdicts) in (3, 12)
    assert len(found.states) == len(found.parents) == len(found.via) >= found.expanded
    assert not any(isinstance(v, Holds) and v.form != "sometimes" for v in found.verdicts)
    assert found.graph is not None and len(found.graph) == len(found.states)
    for number in range(len(found.states)):
        for here, transition, there in steps_of(found.path_to(number)):
            assert (transition, there) in search.inside(found.protocol, here)


def test_an_interrupt_between_two_halves_of_a_record() -> None:
    class Interrupting(list[State]):
        def append(self, state: State) -> None:
            if len(self) == 100:
                raise KeyboardInterrupt
            super().append(state)

    running = search.Search(two_phase_commit(3), Limits(), False, False, None)
    running.found.states = Interrupting()
    found = running.run(edges=True)
    assert found.interrupted and found.edges is not None
    assert len(found.states) == len(found.parents) == len(found.via) == 100
    assert len(found.edges.starts) == found.expanded + 1
    assert len(found.edges.targets) == len(found.edges.numbers) == found.edges.starts[-1]


def steps_of(path: Path) -> Iterator[tuple[State, int, State]]:
    return zip(path.states, path.transitions, path.states[1:], strict=False)


def test_an_interrupt_while_the_graph_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupting(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(liveness, "_can_always", interrupting)
    found = explore(two_phase_commit(3))
    assert found.interrupted
    assert isinstance(verdict_of(found, "consistent"), Holds)
    assert "interrupted" in verdict_of(found, "decided", "can_always").reason
    assert "interrupted" in verdict_of(found, "decided", "cycle").reason


def test_the_interrupt_key_itself() -> None:
    """A real signal to a real process: it answers with verdicts, soon, and with the exit code for unknown."""
    text = """
import sys
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import exit_code
from cutproof.model.examples.two_phase_commit import two_phase_commit
print("ready", flush=True)
found = explore(two_phase_commit(9), progress=lambda n, *_: n > 1000 and print("busy", flush=True))
print(found.interrupted, len(found.states) > 1000, found.verdicts[0].reason)
sys.exit(exit_code(found.verdicts))
"""
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "busy\n"]
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
        assert "True True the search was interrupted" in rest
        assert process.returncode == 3


def test_progress_is_reported_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAUSE", 0.0)
    seen: list[tuple[int, int, int, int, float]] = []
    found = explore(two_phase_commit(5), progress=lambda *facts: seen.append(facts))
    assert seen[-1][:4] == (8_832, 58_145, 16, 0)
    assert all(a[:3] <= b[:3] for a, b in pairwise(seen))
    monkeypatch.setattr(search, "PAUSE", 3_600.0)
    explore(found.protocol, progress=lambda *_: pytest.fail("too often"))


def test_an_action_that_never_fires_is_named() -> None:
    found = explore(graph_of(step("go", [(0, 1), (5, 6)]), [never_at(7)]))
    assert found.never_fired == ["go_5_6"]
    assert found.coverage == {"go_0_1": 1, "go_5_6": 0}


def test_a_protocol_without_actions_or_fields() -> None:
    found = explore(Protocol("empty", {"x": boolean(varies=False)}, [], [always_true, at_rest]))
    assert (len(found.states), found.transitions, found.depth, found.deadlocks) == (1, 0, 0, [0])
    assert exit_code(found.verdicts) == 0


@always
def always_true(s: Any) -> Any:
    """A claim about nothing."""
    return constant(True)


@can_always
def at_rest(s: Any) -> Any:
    """At rest."""
    return ~s.x


# ------------------------------------------------------------------ verdicts


def test_one_code_for_many_verdicts() -> None:
    about: dict[str, Any] = {"checked": "t", "property": "p", "path": None}
    safety, live = Violated(form="always", **about), Violated(form="cycle", **about)
    unknown = Unknown(checked="t", property="p", form="always", reason="time")
    holds = Holds(checked="t", property="p", form="always")
    assert exit_code([holds, unknown, live, safety]) == 12
    assert exit_code([unknown, live, holds]) == 13
    assert exit_code([holds, unknown]) == 3
    assert exit_code([holds]) == 0
    assert exit_code([]) == 3
    assert line(holds).startswith("holds ") and "1 state," not in line(holds)


def test_verdicts_for_machines() -> None:
    verdict = explore(two_phase_commit(3)).verdicts[0]
    facts = to_json(verdict, trace="x.itf.json")
    assert json.loads(json.dumps(facts)) == facts
    assert {**facts, "seconds": 0} == {
        "checked": "two_phase_commit",
        "verdict": "holds",
        "property": "consistent",
        "form": "always",
        "harm": "",
        "states": 288,
        "transitions": 1145,
        "depth": 10,
        "seconds": 0,
        "reason": "",
        "trace": "x.itf.json",
    }


# ------------------------------------------------------------------ the graph


def test_the_labelled_graph_keeps_every_transition() -> None:
    found = explore(two_phase_commit(3), graph=True)
    graph = found.graph
    assert graph is not None and (len(graph), graph.number_of_edges()) == (288, 1_145)
    for here, there, number, data in graph.edges(keys=True, data=True):
        transition = found.protocol.transitions[number]
        assert data["action"] == transition.action
        assert (number, found.states[there]) in search.inside(found.protocol, found.states[here])
    lengths = nx.single_source_shortest_path_length(graph, 0)
    assert [lengths[n] for n in range(288)] == [found.path_to(n).steps for n in range(288)]


@pytest.mark.parametrize("ending", ["graphml", "dot", "json"])
def test_exports_read_back_to_the_same_counts(ending: str, tmp_path: File) -> None:
    found, file = explore(two_phase_commit(3), graph=True), tmp_path / f"graph.{ending}"
    graphs.write_graph(found, file)
    text = file.read_text(encoding="utf-8")
    if ending == "dot":
        nodes, edges = re.findall(r"^  \d+ \[", text, re.M), re.findall(r"^  \d+ -> \d+ \[", text, re.M)
        assert (len(nodes), len(edges)) == (288, 1_145)
    else:
        back = (
            nx.read_graphml(file, force_multigraph=True)
            if ending == "graphml"
            else nx.node_link_graph(json.loads(text), edges="edges")
        )
        assert (len(back), back.number_of_edges()) == (288, 1_145)
        actions = [data["action"] for _, _, data in back.edges(data=True)]
        assert {name: actions.count(name) for name in found.coverage} == found.coverage
    assert "rm[0]=PREPARED" in text and "rm=0" in text
    assert list(tmp_path.iterdir()) == [file]


def test_an_export_that_fails_leaves_the_old_file(tmp_path: File, monkeypatch: pytest.MonkeyPatch) -> None:
    found, file = explore(two_phase_commit(3), graph=True), tmp_path / "graph.dot"
    file.write_text("old")
    monkeypatch.setattr(graphs, "state_text", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        graphs.write_graph(found, file)
    assert [f.name for f in tmp_path.iterdir()] == ["graph.dot"] and file.read_text() == "old"
    with pytest.raises(ValueError, match="written as"):
        graphs.write_graph(found, tmp_path / "graph.png")


def test_without_edges_there_is_no_graph() -> None:
    with pytest.raises(ValueError, match="graph=True"):
        graphs.state_graph(explore(two_phase_commit(3), properties=["consistent"]))


# ------------------------------------------------------------------ the same bytes

DIGEST = """
import hashlib, sys, tempfile, pathlib
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.plain.graph import write_graph
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
found = explore(dijkstra_mutex(2), graph=True)
ways = [getattr(v, "path", None) or getattr(v, "witness", None) for v in found.verdicts]
facts = [(v.property, v.form, way) for v, way in zip(found.verdicts, ways)]
digest = hashlib.sha256(repr((found.states, list(found.parents), found.fired, facts)).encode())
with tempfile.TemporaryDirectory() as folder:
    for ending in ("graphml", "dot", "json"):
        file = pathlib.Path(folder, "g." + ending)
        write_graph(found, file)
        digest.update(file.read_bytes())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("other", ["1", pytest.param("4711", marks=pytest.mark.nightly)])
def test_the_same_bytes_under_every_hash_seed(other: str) -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", other)
    ]
    assert runs[0] == runs[1] != ""
