"""The state graph as a networkx graph, and export.

Two graphs are made of one exploration. `moves` keeps only steps that no fault takes and that change the
state, without labels: what can always happen and what can go on for ever are read off it (`liveness.py`).
`state_graph` keeps every fired transition under its number, with action and arguments; parallel transitions and
self-loops too. Nodes are numbers of states.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path as File
from typing import Any

import networkx as nx

from cutproof.checks.engines.exploration import Exploration
from cutproof.model.language.protocol import Protocol, State, label


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


def moves(found: Exploration, among: set[int] | None = None, choices: bool = False) -> nx.DiGraph[int]:
    """The steps that somebody owes and that change the state, and those by choice if asked; `among` some states only,
    if given.

    One empty dictionary stands for the attributes of every edge."""
    edges = edges_of(found)
    plain = [t.owed or (choices and not t.fault) for t in found.protocol.transitions]
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
    edges = edges_of(found)
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


def edges_of(found: Exploration) -> Any:
    """Every fired transition. ValueError where none were kept."""
    if found.edges is None:
        raise ValueError("this exploration kept no edges; explore with graph=True")
    return found.edges


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
