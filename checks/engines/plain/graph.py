"""The state graph as a networkx graph: what can always happen, what can go on for ever, and export.

Two graphs are made of one exploration. `moves` keeps only steps that no fault takes and that change the
state, without labels: *can always* and cycles are read off it. `state_graph` keeps every fired transition
under its number, with action and arguments; parallel transitions and self-loops too. Nodes are numbers of
states.

No fairness is assumed: a cycle is a run that a scheduler could keep up for ever.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path as File
from typing import Any

import networkx as nx

from cutproof.checks.engines.exploration import INTERRUPTED, Exploration, Limits, resident
from cutproof.checks.engines.verdict import Holds, Path, Unknown, Verdict, Violated
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.protocol import Claim, Protocol, State, label

NODE_BYTES, MOVE_BYTES = 500, 130  # of the unlabelled graph, measured and rounded up


@contextmanager
def _no_collection() -> Iterator[None]:
    """Building millions of dictionaries, none of them garbage, is faster without looking for garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def moves(found: Exploration, among: set[int] | None = None) -> nx.DiGraph[int]:
    """The steps that somebody owes and that change the state; `among` some states only, if given.

    One empty dictionary stands for the attributes of every edge."""
    edges, plain = _edges(found), [t.owed for t in found.protocol.transitions]
    starts, targets, numbers = edges.starts, edges.targets, edges.numbers
    graph: nx.DiGraph[int] = nx.DiGraph()
    with _no_collection():
        graph.add_nodes_from(range(len(found.states)) if among is None else sorted(among))
        after, before = graph._adj, graph._pred  # type: ignore[attr-defined]  # see `state_graph`
        nothing: dict[str, str] = {}
        for here, leaving in after.items():
            if here < found.expanded:
                for i in range(starts[here], starts[here + 1]):
                    there = targets[i]
                    if there != here and plain[numbers[i]] and (among is None or there in among):
                        leaving[there] = before[there][here] = nothing
    return graph


def state_graph(found: Exploration) -> nx.MultiDiGraph[int]:
    """Every fired transition: the key of an edge is the number of its transition; its attributes are action,
    arguments and fault. For reading: edges of one transition share their dictionaries, so the graph is frozen."""
    edges = _edges(found)
    labels = [_label(t) for t in found.protocol.transitions]
    single = [{number: text} for number, text in enumerate(labels)]  # what most pairs of states have
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=found.protocol.name)
    with _no_collection():
        graph.add_nodes_from(range(len(found.states)))
        # Written into networkx's own dictionaries: `add_edge` would copy the attributes of each edge.
        after, before = graph._adj, graph._pred  # type: ignore[attr-defined]
        starts, targets, numbers = edges.starts, edges.targets, edges.numbers
        for here in range(found.expanded):
            leaving, first, last = after[here], starts[here], starts[here + 1]
            for there, number in zip(targets[first:last], numbers[first:last], strict=True):
                if there in leaving:
                    leaving[there] = before[there][here] = {**leaving[there], number: labels[number]}
                else:
                    leaving[there] = before[there][here] = single[number]
    return nx.freeze(graph)


def _label(transition: Any) -> dict[str, str]:
    arguments = ", ".join(f"{k}={label(v)}" for k, v in transition.arguments)
    return {"action": transition.action, "arguments": arguments, "fault": transition.fault}


def _edges(found: Exploration) -> Any:
    if found.edges is None:
        raise ValueError("this exploration kept no edges; explore with graph=True")
    return found.edges


# ------------------------------------------------------------------ liveness


def judge_liveness(found: Exploration, claims: Sequence[Claim], limits: Limits, cycles: bool) -> None:
    """Put verdicts where *can always* claims are unknown yet; add "deadlock", and a cycle for each if asked.

    States that were not expanded may lead anywhere: what can reach one is not violated, only unknown."""
    places = [i for i, c in enumerate(claims) if c.form == "can_always"]
    if not places:
        return
    start, verdicts = time.perf_counter(), found.verdicts
    rounds = len(verdicts) + 1
    holding = compile_terms(found.protocol, [claims[i].holds for i in places])
    held = list(zip(*map(holding, found.states), strict=True))
    verdicts.append(_deadlock(found, held))
    reason = found.ended if found.interrupted else _too_large(found, limits)
    for i in places:
        verdicts[i] = found.unknown(claims[i].property, "can_always", claims[i].harm, reason)
    verdicts += [found.unknown(claims[i].property, "cycle", claims[i].harm, reason) for i in places if cycles]
    if not reason:
        try:
            graph = moves(found)
            around = _parts(graph) if cycles else []
            for place, (i, good) in enumerate(zip(places, held, strict=True)):
                verdicts[i] = _can_always(found, claims[i], graph, good)
                if cycles:
                    verdicts[rounds + place] = _cycle(found, claims[i], around, good)
        except KeyboardInterrupt:
            found.interrupted = True
    seconds = found.seconds + time.perf_counter() - start
    for i in [*places, *range(rounds - 1, len(verdicts))]:
        verdicts[i] = replace(verdicts[i], seconds=seconds)
        if isinstance(verdicts[i], Unknown) and not verdicts[i].reason:
            verdicts[i] = replace(verdicts[i], reason=INTERRUPTED)


def _too_large(found: Exploration, limits: Limits) -> str:
    needed = len(found.states) * NODE_BYTES + len(_edges(found).targets) * MOVE_BYTES
    if limits.memory is None or resident() + needed <= limits.memory:
        return ""
    return f"the graph needs {needed / 1e6:,.0f} MB more than the search, over the limit of memory"


def _deadlock(found: Exploration, held: Sequence[Sequence[int]]) -> Verdict:
    """Of the states that no step leaves, in every one some *can always* claim must hold."""
    for number in found.deadlocks:
        if not any(good[number] for good in held):
            return Violated(path=found.path_to(number), **found.about("deadlock", "deadlock"))
    if found.reason:
        return found.unknown("deadlock", "deadlock")
    return Holds(**found.about("deadlock", "deadlock"))


def _can_always(found: Exploration, claim: Claim, graph: nx.DiGraph[int], good: Sequence[int]) -> Verdict:
    unfinished = [*range(found.expanded, len(found.states)), *found.cut]
    ends = {here: None for here, holds in enumerate(good) if holds} | dict.fromkeys(unfinished)
    layers = nx.bfs_layers(graph.reverse(copy=False), ends) if ends else ()
    reaching = set(chain.from_iterable(layers))
    about = found.about(claim.property, claim.form, claim.harm)
    lost = next((here for here in range(len(found.states)) if here not in reaching), None)
    if lost is not None:
        return Violated(path=found.path_to(lost), **about)
    return found.unknown(claim.property, claim.form, claim.harm) if unfinished else Holds(**about)


def _cycle(found: Exploration, claim: Claim, parts: Sequence[set[int]], good: Sequence[int]) -> Verdict:
    """A run without faults that goes round for ever and never comes to where the claim holds; `parts` are
    the strongly connected components of all moves."""
    apart = {here for part in parts for here in part if not good[here]}
    loops = _parts(moves(found, apart))
    about = found.about(claim.property, "cycle", claim.harm)
    if loops:
        entry, members = min((min(part), part) for part in loops)
        return Violated(path=_around(found, entry, members), **about)
    return found.unknown(claim.property, "cycle", claim.harm) if found.reason else Holds(**about)


def _parts(graph: nx.DiGraph[int]) -> list[set[int]]:
    """The strongly connected components in which a run can go round."""
    return [part for part in nx.strongly_connected_components(graph) if len(part) > 1]


def _around(found: Exploration, entry: int, members: set[int]) -> Path:
    """The shortest way to `entry`, and from there the shortest way round, first by the order of actions."""
    edges, transitions = _edges(found), found.protocol.transitions
    came: dict[int, tuple[int, int]] = {}
    queue = [entry]
    for here in queue:  # grows as it is walked
        for i in range(edges.starts[here], edges.starts[here + 1]):
            there, number = edges.targets[i], edges.numbers[i]
            if there in members and there not in came and there != here and transitions[number].owed:
                came[there] = here, number
                queue.append(there)
        if entry in came:
            break
    states, numbers, here = list[State](), list[int](), entry
    while not numbers or here != entry:
        states.append(found.states[here])
        here, number = came[here]
        numbers.append(number)
    way = found.path_to(entry)
    return Path(way.states + tuple(reversed(states)), way.transitions + tuple(reversed(numbers)))


# ------------------------------------------------------------------ export


def state_text(protocol: Protocol, state: State) -> str:
    """A state as one line: every field that varies, by name."""
    return " ".join(
        f"{f.name}={label(f.domain.decode(v))}" for f, v in zip(protocol.fields, state, strict=True)
    )


def write_graph(found: Exploration, file: str | os.PathLike[str]) -> None:
    """Write the labelled graph as GraphML, DOT or node-link JSON, by the ending of the name; the same bytes
    for the same protocol. Nodes carry their state as text. Written beside and renamed: never half a file.

    ValueError for another ending."""
    target = File(file)
    writers = {".graphml": _graphml, ".dot": _dot, ".gv": _dot, ".json": _json}
    if target.suffix not in writers:
        raise ValueError(f"{target.name}: a graph is written as {', '.join(writers)}")
    graph = found.graph if found.graph is not None else state_graph(found)
    beside = target.with_name(target.name + ".part")
    try:
        writers[target.suffix](graph, found, beside)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def _lines(found: Exploration) -> Callable[[int], str]:
    return lambda number: state_text(found.protocol, found.states[number])


def _numbered(graph: nx.MultiDiGraph[int], found: Exploration) -> nx.MultiDiGraph[int]:
    """A copy that carries texts; its edges are numbered through, because readers want identities."""
    text = _lines(found)
    copy: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=graph.name)
    copy.add_nodes_from((n, {"state": text(n)}) for n in graph)
    for i, (here, there, attributes) in enumerate(graph.edges(data=True)):
        copy.add_edge(here, there, i, **attributes)
    return copy


def _graphml(graph: nx.MultiDiGraph[int], found: Exploration, file: File) -> None:
    nx.write_graphml_xml(
        _numbered(graph, found), str(file)
    )  # the standard library's writer: one kind of bytes


def _json(graph: nx.MultiDiGraph[int], found: Exploration, file: File) -> None:
    data = nx.node_link_data(_numbered(graph, found), edges="edges")
    with file.open("w", encoding="utf-8", newline="\n") as out:
        json.dump(data, out, indent=1, ensure_ascii=False)
        out.write("\n")


def _dot(graph: nx.MultiDiGraph[int], found: Exploration, file: File) -> None:
    text, quoted = _lines(found), json.dumps
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"digraph {quoted(graph.name)} {{\n")
        out.writelines(f"  {n} [label={quoted(text(n), ensure_ascii=False)}];\n" for n in graph)
        for here, there, a in graph.edges(data=True):
            style = ", style=dashed" if a["fault"] else ""
            words = quoted(f"{a['action']}({a['arguments']})", ensure_ascii=False)
            out.write(f"  {here} -> {there} [label={words}{style}];\n")
        out.write("}\n")
