"""The graph of the fast engine is that of the plain one: same numbers, same edges, same bytes."""

from pathlib import Path

import pytest

from cutproof.checks.engines.exploration import Exploration, Limits
from cutproof.checks.engines.fast import conversion as handover
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.plain.graph import write_graph
from cutproof.checks.engines.verdict import Violated
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import always, boolean
from cutproof.model.language.protocol import Protocol


@always
def fine(s):
    """A claim about nothing."""
    return s.x | ~s.x


def stores_only(scope: str, action: str, guard: str) -> Protocol:
    return build(parse_scope(scope)).without_guard(action, guard)


PROTOCOLS = {
    "nothing happens": Protocol("empty", {"x": boolean(varies=False)}, [], [fine]),
    "commit": two_phase_commit(4),
    "barrier": barrier(3),
    "mutex": dijkstra_mutex(2),
    "cycles": build(parse_scope("writes=1")).without_guard("read_page", "not landed yet"),
    "small": small_cutover(2, 1),
    "leaves its domain early": barrier(2).without_guard("lock", "at lock 1"),
    "leaves its domain": stores_only("base", "read_page", "next page"),
    "migrations": build(parse_scope("two_migrations")),
    "a removed safeguard": build(parse_scope("zombie"), None, ["command_epoch"]),
}


def graphs_differ(one: Exploration, two: Exploration) -> list[str]:
    """What two explorations that kept their graphs do not have in common."""
    names = (
        "expanded",
        "frontier",
        "depth",
        "fired",
        "degrees",
        "deadlocks",
        "cut",
        "parents",
        "via",
        "edges",
    )
    found = [name for name in names if getattr(one, name) != getattr(two, name)]
    assert one.graph is not None and two.graph is not None
    edges = [list(found.graph.edges(keys=True, data=True)) for found in (one, two) if found.graph]
    return found + ["states"] * (list(one.states) != list(two.states)) + ["graph"] * (edges[0] != edges[1])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_graph_is_that_of_the_plain_engine(name: str, tmp_path: Path) -> None:
    protocol = PROTOCOLS[name]
    one, two = plain(protocol, graph=True), fast.explore(protocol, graph=True, workers=2)
    assert graphs_differ(one, two) == []
    assert all(two.path_to(n) == one.path_to(n) for n in range(0, len(one.states), 97))
    if len(one.states) > 3_000:
        return
    for found, file in ((one, tmp_path / "one.graphml"), (two, tmp_path / "two.graphml")):
        write_graph(found, file)
    assert (tmp_path / "one.graphml").read_bytes() == (tmp_path / "two.graphml").read_bytes()


def test_some_of_them_have_what_could_go_wrong() -> None:
    found = {name: plain(protocol) for name, protocol in PROTOCOLS.items()}
    assert found["leaves its domain"].cut and found["leaves its domain early"].cut
    assert found["barrier"].deadlocks or found["small"].deadlocks
    assert any(isinstance(v, Violated) and v.form == "cycle" for v in found["cycles"].verdicts)


def test_a_difference_is_found() -> None:
    one, two = plain(PROTOCOLS["commit"], graph=True), plain(PROTOCOLS["commit"], graph=True)
    assert graphs_differ(one, two) == [] and two.edges is not None
    two.edges.numbers[3] += 1
    assert graphs_differ(one, two) == ["edges"]
    assert {"states", "graph"} <= set(graphs_differ(one, plain(barrier(3), graph=True)))


def test_there_is_no_graph_of_too_many_states(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = two_phase_commit(3)
    monkeypatch.setattr(handover, "LIMIT", 287)
    found = fast.explore(protocol, graph=True)
    assert (found.graph, found.edges) == (None, None)
    assert len(found.states) == 288 and found.verdicts
    monkeypatch.setattr(handover, "LIMIT", 288)
    assert fast.explore(protocol, graph=True).graph is not None


@pytest.mark.parametrize(
    ("limit", "options", "reason"),
    [
        (287, {}, "288 states are too many for a graph, which has 287 at most"),
        (288, {"limits": Limits(states=10)}, "the limit of 10 states was reached, and a graph is made of a whole"),
        (288, {"symmetry": True}, "reduced by symmetry has representatives only"),
    ],
)  # fmt: skip
def test_why_not(limit: int, options: dict, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = []

    def noted(search: fast.VectorSearch) -> str:
        with pytest.raises(ValueError, match=r"graph|representatives"):
            handover.handed_over(search)
        reasons.append(handover.why_not(search))
        return reasons[-1]

    monkeypatch.setattr(fast, "why_not", noted)
    monkeypatch.setattr(handover, "LIMIT", limit)
    assert fast.explore(two_phase_commit(3), graph=True, **options).graph is None
    assert len(reasons) == 1 and reason in reasons[0]
