"""Gates: every way to make an edge, held against truth tables, over all values of a few inputs."""

from functools import reduce
from operator import and_, or_

from hypothesis import given
from hypothesis import strategies as st

from cutproof.model.language.circuit import AND, ANDN, NO, NOR, XOR, YES, Circuit, Edge

INPUTS = 4
ROWS = 1 << INPUTS  # of a truth table
ONES = (1 << ROWS) - 1
TABLES = [sum((row >> i & 1) << row for row in range(ROWS)) for i in range(INPUTS)]  # of the inputs
MADE = st.lists(
    st.tuples(
        st.sampled_from(["both", "either", "differ", "choose", "all", "any", "plane"]),
        st.lists(st.integers(0, 10**6), min_size=3, max_size=7),
    ),
    max_size=40,
)


def table(planes: list[int], edge: Edge) -> int:
    """The truth table of an edge."""
    return planes[edge >> 1] ^ (ONES if edge & 1 else 0)


def called(circuit: Circuit, name: str, some: list[Edge], known: list[int]) -> tuple[Edge, int]:
    """What a method makes of some edges, and the table that it should have, from theirs."""
    (a, b, c, *_), (x, y, z, *_) = some, known
    match name:
        case "both":
            return circuit.both(a, b), x & y
        case "either":
            return circuit.either(a, b), x | y
        case "differ":
            return circuit.differ(a, b), x ^ y
        case "choose":
            return circuit.choose(a, b, c), x & y | ONES & ~x & z
        case "all":
            return circuit.all(some), reduce(and_, known)
        case "any":
            return circuit.any(some), reduce(or_, known)
    return circuit.plane(a), x


def grown(steps: list[tuple[str, list[int]]]) -> tuple[Circuit, dict[Edge, int]]:
    """A circuit made by some calls on edges made before, complements too; and the table that each edge should have."""
    circuit = Circuit(INPUTS)
    edges = [NO, YES, *(circuit.input(i) for i in range(INPUTS))]
    wanted = {NO: 0, YES: ONES, **{circuit.input(i): t for i, t in enumerate(TABLES)}}
    for name, drawn in steps:
        some = [edges[n % len(edges)] ^ (n // len(edges) & 1) for n in drawn]
        known = [wanted[e] if e in wanted else ONES ^ wanted[e ^ 1] for e in some]
        edge, value = called(circuit, name, some, known)
        edges.append(edge)
        assert wanted.setdefault(edge, value) == value, f"{name}{tuple(some)} gave an edge of another value"
        if name == "plane":
            assert edge == YES or not edge & 1
    return circuit, wanted


@given(MADE)
def test_every_edge_is_what_was_asked_for(steps: list[tuple[str, list[int]]]) -> None:
    circuit, wanted = grown(steps)
    planes = circuit.planes(TABLES, ONES)
    assert {edge: table(planes, edge) for edge in wanted} == wanted


@given(MADE)
def test_gates_are_in_order_and_each_is_there_once(steps: list[tuple[str, list[int]]]) -> None:
    circuit, _ = grown(steps)
    assert len(set(circuit.gates)) == len(circuit.gates)
    for number, (kind, a, b) in enumerate(circuit.gates):
        assert kind in (AND, ANDN, NOR, XOR)
        assert not (a | b) & 1, "a gate reads a complement"
        assert 0 < max(a, b) >> 1 <= INPUTS + number, "a gate reads what comes after it"


@given(MADE)
def test_asked_again_nothing_grows(steps: list[tuple[str, list[int]]]) -> None:
    once, twice = grown(steps)[0], grown(steps)[0]
    assert once.gates == twice.gates
    a, b = once.input(0), once.input(1)
    made = [once.both(a, b), once.differ(a, b ^ 1), once.either(a, b)]
    size = len(once.gates)
    assert made == [once.both(b, a), once.differ(b ^ 1, a), once.either(b, a)]
    assert len(once.gates) == size


def test_constants_and_repetitions_cost_no_gate() -> None:
    circuit = Circuit(1)
    a = circuit.input(0)
    assert [circuit.both(a, e) for e in (NO, YES, a, a ^ 1)] == [NO, a, a, NO]
    assert [circuit.either(a, e) for e in (NO, YES, a, a ^ 1)] == [a, YES, a, YES]
    assert [circuit.differ(a, e) for e in (NO, YES, a, a ^ 1)] == [a, a ^ 1, NO, YES]
    assert [circuit.choose(e, a, NO) for e in (NO, YES, a)] == [NO, a, a]
    assert (circuit.all([]), circuit.any([]), circuit.all([a, a, YES]), circuit.any([a, NO])) == (
        YES,
        NO,
        a,
        a,
    )
    assert not circuit.gates


def test_planes_take_the_complement_within_the_states_that_are_there() -> None:
    circuit = Circuit(2)
    edge = circuit.both(circuit.input(0) ^ 1, circuit.input(1) ^ 1)
    assert circuit.planes([0b0011, 0b0101], 0b1111)[edge >> 1] == 0b1000
    assert circuit.planes([0, 0], 0b11)[edge >> 1] == 0b11
