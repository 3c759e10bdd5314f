"""Tours: whatever the graph, each run is one, and together they take every edge."""

from examples import examples
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_protocols import made, source

from cutproof.checks.drivers.driving.tour import tours
from cutproof.checks.engines.plain.explore import explore
from cutproof.model.examples.two_phase_commit import two_phase_commit


@given(seed=st.integers(0, 10**9), longest=st.integers(1, 30))
@settings(examples(15), phases=(Phase.explicit, Phase.generate))
def test_every_edge_is_taken_by_runs_of_bounded_length(seed: int, longest: int) -> None:
    found = explore(made(source(seed)), properties=[], graph=True)
    assert found.edges is not None
    edges, taken = found.edges, set[int]()
    initials = sum(via < 0 for via in found.via)
    for tour in tours(found, longest):
        here, new = tour.start, set(tour.edges) - taken
        assert here < initials
        assert new
        deepest = 0
        for edge in tour.edges:
            assert edges.starts[here] <= edge < edges.starts[here + 1]
            if edge in new:
                deepest = max(deepest, found.path_to(here).steps + 1)
            here = edges.targets[edge]
        assert len(tour.edges) <= max(longest, deepest)
        taken |= new
    assert taken == set(range(len(edges.targets)))


def test_they_are_the_same_each_time_and_not_too_many() -> None:
    found = explore(two_phase_commit(), properties=[], graph=True)
    assert found.edges is not None
    runs = list(tours(found, 100))
    assert runs == list(tours(found, 100))
    steps, edges = sum(len(t.edges) for t in runs), len(found.edges.targets)
    assert steps < 3 * edges
