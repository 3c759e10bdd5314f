"""Orders that are worth a try: each has every field once, and what is used together comes to stand together."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from random_protocols import made, source

from cutproof.checks.engines.zdd.order.candidates import candidates, pulled, used_together, walked
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.two_phase_commit import two_phase_commit


@given(st.integers(0, 1 << 30))
def test_each_names_every_field_once_and_no_two_are_the_same(seed: int) -> None:
    protocol = made(source(seed))
    names = [f.name for f in protocol.fields]
    found = list(candidates(protocol, names).values())
    assert found[0] == names
    assert all(sorted(order) == sorted(names) for order in found)
    assert len(set(map(tuple, found))) == len(found)


def test_all_of_one_manager_stands_together_and_what_belongs_to_none_before() -> None:
    protocol = two_phase_commit(3)
    order = candidates(protocol, [f.name for f in protocol.fields])["by rm"]
    assert order[:3] == ["tm", "said_commit", "said_abort"]
    assert [name.partition("[")[2] for name in order[3:]] == ["0]"] * 3 + ["1]"] * 3 + ["2]"] * 3


def test_indices_with_the_same_values_are_one() -> None:
    """What is between two processes stands with the later one."""
    protocol = dijkstra_mutex(3)
    found = candidates(protocol, [f.name for f in protocol.fields])
    assert [said for said in found if said.startswith("by ")] == ["by p"]
    order = found["by p"]
    assert (
        order.index("at[2]") < order.index("unseen[1,2]") < order.index("at[3]") < order.index("unseen[3,1]")
    )
    assert order[0] == "turn"


@given(st.integers(5, 40), st.integers(0, 1 << 30))
def test_a_ring_whose_names_say_nothing_is_found(size: int, seed: int) -> None:
    """Neighbours on the ring are at most two places apart, however it is declared."""
    ring = [f"x{i}" for i in range(size)]
    together = [[ring[i - 1], ring[i]] for i in range(size)]
    names = Random(seed).sample(ring, size)
    place = {name: i for i, name in enumerate(walked(together, names))}
    assert sorted(place) == sorted(ring)
    assert max(abs(place[a] - place[b]) for a, b in together) == 2


def lengths(together: Iterable[Sequence[str]], order: Sequence[str]) -> int:
    return sum(max(map(order.index, used)) - min(map(order.index, used)) for used in together)


@given(st.integers(2, 30), st.integers(0, 1 << 30))
def test_pulling_never_makes_spans_longer(size: int, seed: int) -> None:
    rng = Random(seed)
    names = [f"x{i}" for i in range(size)]
    together = [rng.sample(names, rng.randint(2, min(4, size))) for _ in range(size)]

    def spans(order: list[str]) -> int:
        return lengths(together, order)

    found = pulled(together, names)
    assert sorted(found) == sorted(names)
    assert spans(found) <= spans(names)
    chain = [list(pair) for pair in pairwise(sorted(names, key=len))]
    shuffled = rng.sample(names, size)
    assert size < 12 or lengths(chain, pulled(chain, shuffled)) < lengths(chain, shuffled)


def test_what_a_transition_reads_and_writes_is_used_together() -> None:
    protocol = two_phase_commit(2)
    together = used_together(protocol, [f.name for f in protocol.fields])
    assert ["heard[0]", "heard[1]", "said_commit", "tm"] in [sorted(used) for used in together]
    assert ["rm[1]", "said_prepared[1]"] in [sorted(used) for used in together]
