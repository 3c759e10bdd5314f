"""Which values may be exchanged: what is found, what is refused and why, and that one state can stand for its orbit.

The last is judged without the terms that the answer came from: every reachable state, by the plain explorer, is held
against the state that stands for it, in what it can do and in what is claimed of it.
"""

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.symmetry import Interchangeable, interchangeable, why_not
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.safeguards import SAFEGUARDS
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, Scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Family,
    Step,
    action,
    all_of,
    always,
    any_of,
    boolean,
    choose,
    constant,
    count,
    each,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.language.codegen import compile_protocol, compile_terms
from cutproof.model.language.protocol import Protocol, State

NAMED = {**SCOPES, **SMALL_SCOPES}

# --- what is found -----------------------------------------------------------------------------


def found(protocol: Protocol) -> list[tuple[str, tuple[Any, ...]]]:
    return [(one.index, one.values) for one in interchangeable(protocol)]


def test_documents_of_the_small_cutover() -> None:
    assert interchangeable(small_cutover(2, 1)) == [
        Interchangeable(
            "doc",
            (0, 1),
            (
                (
                    "issued[0]",
                    "acked[0]",
                    "old[0]",
                    "new[0]",
                    "to_old[0,1]",
                    "to_new[0,1]",
                    "page[0]",
                    "holds[0]",
                ),
                (
                    "issued[1]",
                    "acked[1]",
                    "old[1]",
                    "new[1]",
                    "to_old[1,1]",
                    "to_new[1,1]",
                    "page[1]",
                    "holds[1]",
                ),
            ),
        )
    ]
    assert found(small_cutover(3, 2)) == [("doc", (0, 1, 2))]
    assert why_not(small_cutover(3, 2), "doc") == ""
    assert why_not(small_cutover(3, 2), "version") == (
        "with version 1 and 2 exchanged, the guard 'the next version' of write(doc=0, version=1) "
        "is not that of write(doc=0, version=2)"
    )


def test_resource_managers_of_two_phase_commit() -> None:
    (managers,) = interchangeable(two_phase_commit(3))
    assert (managers.index, managers.values) == ("rm", (0, 1, 2))
    assert managers.blocks == tuple((f"rm[{i}]", f"heard[{i}]", f"said_prepared[{i}]") for i in range(3))
    assert why_not(two_phase_commit(3), "rm") == ""
    assert why_not(two_phase_commit(3), "other") == "no field is indexed by other"


def test_processes_at_the_barrier() -> None:
    """They are told apart by nothing; the two chambers are not alike."""
    assert found(barrier(6)) == [("p", tuple(range(6)))]
    assert why_not(barrier(6), "chamber") == (
        "with chamber 1 and 2 exchanged, the guard 'at lock 1' of lock(p=0, chamber=1) "
        "is not that of lock(p=0, chamber=2)"
    )


def test_processes_of_the_mutual_exclusion_are_refused() -> None:
    """A process remembers, for each other one, whether it looked: there are no blocks that could be exchanged."""
    assert found(dijkstra_mutex(3)) == []
    assert why_not(dijkstra_mutex(3), "p") == (
        "with p 1 and 2 exchanged, unseen[1,1]: False becomes unseen[2,1]: False | True"
    )


# --- the cutover -------------------------------------------------------------------------------


def hardened(scope: Scope) -> Protocol:
    return cutover(scope).resolve(resolve(Policy()))


CURSOR = (
    "with doc 0 and 1 exchanged, the guard 'next page' of read_page(doc=0) is not that of read_page(doc=1)"
)
NODES = {
    # On the way back N is the source: all that tells the nodes apart is which is the source now.
    "two_migrations": "the guard 'no live migration' of begin() is not as it was",
    "another_policy": "the guard 'no live migration' of begin() is not as it was",
}


@pytest.mark.parametrize("name", NAMED)
def test_nothing_is_interchangeable_in_the_cutover(name: str) -> None:
    """Documents are copied in key order, by a cursor that counts them; nodes have parts, and messages kinds."""
    protocol, scope = hardened(NAMED[name]), NAMED[name]
    assert interchangeable(protocol) == []
    assert why_not(protocol, "doc") == (CURSOR if scope.documents > 1 else "doc has 1 value")
    nodes = NODES.get(name, "net[O,0,page]: 0..0 becomes net[N,0,page]: 0..")
    assert why_not(protocol, "node").startswith(f"with node O and N exchanged, {nodes}")
    first, second = protocol.indices["message"][:2]
    assert why_not(protocol, "message").startswith(f"with message {first} and {second} exchanged, ")
    for index in ("to", "epoch", "view"):
        assert why_not(protocol, index) == f"no field is indexed by {index}"


@pytest.mark.parametrize(
    ("name", "index", "reason"),
    [
        (
            "abort",
            "message",
            "with message 1 and 2 exchanged, the new stored[O,0] of apply(node=O, doc=0, message=1) "
            "is not that of apply(node=O, doc=0, message=2)",
        ),
        (
            "two_migrations",
            "message",
            "with message 1 and page exchanged, earlier[0,1]: False | True becomes earlier[0,page]: False",
        ),
        (
            "reads_and_faults",
            "pair",
            "with pair O and N exchanged, the guard 'reachable' of raise_fence(node=O, epoch=1) is not as it was",
        ),
        ("base", "rank", "with rank 1 and 2 exchanged, version[0,1]: 1..1 becomes version[0,2]: 1..2"),
        (
            "kinds",
            "rank",
            "with rank 1 and 3 exchanged, erased[0,1]: False becomes erased[0,3]: False | True",
        ),
    ],
)
def test_reasons_in_the_cutover(name: str, index: str, reason: str) -> None:
    assert why_not(hardened(NAMED[name]), index) == reason


def test_documents_are_refused_before_the_mechanisms_are_chosen() -> None:
    assert interchangeable(cutover(Scope(documents=2))) == []
    assert why_not(cutover(Scope(documents=2)), "doc") == CURSOR


# --- each condition, seen deciding -------------------------------------------------------------


@action
def flip(s: Any, i: int) -> Step:
    """One of them goes up."""
    return when(guard("down", ~s.up[i])).then(up=put(s.up, i, True))


@action
def fall(s: Any, i: int) -> Step:
    """One of them goes down while another is up; who is named first differs."""
    first, *others = sorted(s.scope, key=lambda other: (other - i) % len(s.scope))
    return when(guard("others", all_of(*(s.up[o] for o in others), s.up[first]))).then(up=put(s.up, i, False))


@always
def some_down(s: Any) -> Any:
    """Not all are up."""
    return any_of(*(~up for up in s.up))


def made(values: int = 3, **changes: Any) -> Protocol:
    """A protocol in which all values may be exchanged, until something is changed."""
    given: dict[str, Any] = {
        "name": "made",
        "scope": range(values),
        "indices": {"i": range(values), "j": range(2)},
        "variables": {"up": family("i", of=boolean()), "sum": count(0, 3)},
        "actions": [flip, fall],
        "properties": [some_down],
    }
    more = changes.pop("more", {})
    return Protocol(**{**given, **changes, "variables": {**given["variables"], **more}})


@action
def first_falls(s: Any) -> Step:
    """Only the first one falls by itself."""
    return when(guard("up", s.up[0])).then(up=put(s.up, 0, False))


@action(fault="wind")
def blown(s: Any, i: int) -> Step | None:
    """A step that only one of them has."""
    return when(guard("up", s.up[i])).then(up=put(s.up, i, False)) if i == 0 else None


@action
def named(s: Any, i: int) -> Step:
    """A number that stands for a value."""
    return when(guard("its turn", s.sum == i)).then(up=put(s.up, i, True))


@action
def counted(s: Any, i: int) -> Step:
    """What it changes depends on which it is."""
    return when(guard("up", s.up[i])).then(up=put(s.up, i, False), sum=i)


@action
def in_two_ways(s: Any, i: int, j: int) -> Step | None:
    """The first one can fall in two ways, which come to the same; the others in one."""
    return when(guard("up", s.up[i])).then(up=put(s.up, i, False)) if i == 0 or j == 0 else None


@action
def another_name(s: Any, i: int) -> Step | None:
    """The first one has a name of its own for it."""
    return when(guard("up", s.up[i])).then(up=put(s.up, i, False)) if i == 0 else None


@action
def one_name(s: Any, i: int) -> Step | None:
    """... and the others have this one."""
    return when(guard("up", s.up[i])).then(up=put(s.up, i, False)) if i else None


@always
def below(s: Any) -> Any:
    """Less and more are not to be exchanged."""
    return s.low[0] < s.low[1]


@always
def first_stays_down(s: Any) -> Any:
    """Something is claimed of the first alone."""
    return ~s.up[0]


class Two(Enum):
    A = "a"
    B = "b"


@action
def crossed(s: Any, i: int, j: int) -> Step:
    """A step of two values, of two indices."""
    return when(guard("down", ~s.of_both[i][j])).then(of_both=put(s.of_both, (i, j), True))


@action
def lit(s: Any, kind: Two) -> Step:
    """A step of a value of another index."""
    return when(guard("dark", ~s.lights[kind])).then(lights=put(s.lights, kind, True))


def test_all_may_be_exchanged_in_what_the_changes_start_from() -> None:
    assert found(made()) == [("i", (0, 1, 2))]
    assert why_not(made(), "i") == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"more": {"up": family("i", of=lambda i: boolean(varies=i > 0))}, "actions": [flip]},
         "with i 0 and 1 exchanged, up[0]: False becomes up[1]: False | True"),
        ({"more": {"low": family("i", of=lambda i: count(0, 1 + (i == 2)))}},
         "with i 0 and 2 exchanged, low[0]: 0..1 becomes low[2]: 0..2"),
        ({"initial": {"up": Family("i", {0: True, 1: False, 2: False})}},
         "with i 0 and 1 exchanged, the initial value of up[0] is not that of up[1]"),
        ({"actions": [flip, first_falls]},
         "with i 0 and 1 exchanged, the guard 'up' of first_falls() is not as it was"),
        ({"actions": [flip, blown]}, "with i 0 and 1 exchanged, blown(i=0) has no counterpart"),
        ({"actions": [flip, named]},
         "with i 0 and 1 exchanged, the guard 'its turn' of named(i=0) is not that of named(i=1)"),
        ({"actions": [flip, counted]},
         "with i 0 and 1 exchanged, the new sum of counted(i=0) is not that of counted(i=1)"),
        ({"properties": [some_down, first_stays_down]},
         "with i 0 and 1 exchanged, always first_stays_down is another claim"),
        ({"actions": [flip, in_two_ways]}, "with i 0 and 1 exchanged, in_two_ways(i=0, j=1) has no counterpart"),
        ({"actions": [flip, another_name, one_name]},
         "with i 0 and 1 exchanged, another_name(i=0) has no counterpart"),
        ({"properties": [below], "more": {"low": family("i", of=count(0, 2))}},
         "with i 0 and 1 exchanged, always below is another claim"),
        ({"more": {"seen": family("i", "i", of=boolean())}}, "seen[0,0] is indexed by i twice"),
        ({"values": 1}, "i has 1 value"),
    ],
)  # fmt: skip
def test_a_difference_is_named(changes: dict[str, Any], reason: str) -> None:
    assert why_not(made(**changes), "i") == reason


def test_some_of_the_values_may_be_exchanged() -> None:
    """Whichever stand next to each other: 0 and 2 may be exchanged, and 1 is special."""
    protocol = made(actions=[flip, special_falls])
    assert found(protocol) == [("i", (0, 2))]
    assert "special_falls" in why_not(protocol, "i")


@action
def special_falls(s: Any) -> Step:
    """The one in the middle falls by itself."""
    return when(guard("up", s.up[1])).then(up=put(s.up, 1, False))


def test_two_indices_each_with_fields_of_its_own() -> None:
    protocol = Protocol(
        "lights",
        {"up": family("i", of=boolean()), "lights": family("kind", of=boolean())},
        [flip, lit],
        [],
        {"i": range(2), "kind": tuple(Two)},
    )
    assert found(protocol) == [("i", (0, 1)), ("kind", (Two.A, Two.B))]
    assert unsound(protocol, interchangeable(protocol)) == []


def test_of_two_indices_of_one_field_the_first_is_kept() -> None:
    protocol = Protocol(
        "crossed", {"of_both": family("i", "j", of=boolean())}, [crossed], [], {"j": range(2), "i": range(3)}
    )
    assert found(protocol) == [("j", (0, 1))]
    assert why_not(protocol, "j") == ""
    assert why_not(protocol, "i") == "of_both[0,0] is indexed by j too, which is put in order already"


def test_the_order_in_which_things_are_joined_says_nothing() -> None:
    @always
    def ordered_otherwise(s: Any) -> Any:
        """As many are up as are counted, and not all: written down for one after the other."""
        ups = [choose(up, constant(1), constant(0)) for up in s.up]
        return (
            any_of(*(~up for up in s.up))
            & (s.up[0] | s.up[1] | s.up[2])
            & (ups[0] + (ups[1] + ups[2]) == s.sum)
        )

    assert found(made(properties=[ordered_otherwise])) == [("i", (0, 1, 2))]


def test_an_index_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no index 'k'; there are i, j"):
        why_not(made(), "k")


# --- one state stands for all of its orbit -----------------------------------------------------


def in_order(protocol: Protocol, sets: Sequence[Interchangeable], state: State) -> State:
    """The state that stands for this one: what the blocks hold, in order."""
    values = protocol.named(state)
    for one in sets:
        held = sorted(tuple(values[name] for name in block) for block in one.blocks)
        for block, new in zip(one.blocks, held, strict=True):
            values.update(zip(block, new, strict=True))
    return tuple(values[f.name] for f in protocol.fields)


def unsound(protocol: Protocol, sets: Sequence[Interchangeable]) -> list[str]:
    """What a state can do, or what is claimed of it, and what the state that stands for it cannot, or is not."""
    compiled = compile_protocol(protocol)
    claims = compile_terms(protocol, [c.holds for c in protocol.claims])
    reached = set(explore(protocol, properties=[]).states)

    def leads_to(state: State) -> Counter[tuple[str, State]]:
        return Counter(
            (protocol.transitions[n].action, in_order(protocol, sets, after))
            for n, after in compiled.successors(state)
        )

    faults = list[str]()
    for state in reached:
        stands = in_order(protocol, sets, state)
        if stands not in reached:
            faults.append(f"{stands} stands for {state} and is not reached")
        if leads_to(state) != leads_to(stands):
            faults.append(f"{stands} stands for {state} and leads elsewhere")
        if claims(state) != claims(stands):
            faults.append(f"{stands} stands for {state} and of it something else is claimed")
    return faults


@pytest.mark.parametrize(
    ("protocol", "states", "standing"),
    [
        (two_phase_commit(2), 56, 34),
        (two_phase_commit(3), 288, 80),
        (small_cutover(2, 1), 2_031, 1_060),
        (barrier(3), 353, 85),
        (made(4), 16, 5),
    ],
    ids=lambda value: value.name if isinstance(value, Protocol) else "",
)
def test_one_state_stands_for_all_that_differ_by_an_exchange(
    protocol: Protocol, states: int, standing: int
) -> None:
    sets = interchangeable(protocol)
    assert sets and unsound(protocol, sets) == []
    reached = explore(protocol, properties=[]).states
    assert (len(reached), len({in_order(protocol, sets, s) for s in reached})) == (states, standing)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"actions": [flip, first_falls], "properties": []}, "leads elsewhere"),
        ({"properties": [some_down, first_stays_down]}, "something else is claimed"),
        ({"initial": {"up": Family("i", {0: True, 1: True, 2: False})}, "actions": [flip]}, "is not reached"),
    ],
)
def test_blocks_that_are_not_alike_are_found_out(changes: dict[str, Any], fault: str) -> None:
    """The judge of the answers, given a wrong one."""
    (sets,) = interchangeable(made())
    protocol = made(**changes)
    assert sets not in interchangeable(protocol)
    assert any(fault in one for one in unsound(protocol, [sets]))


# What a drawn protocol is made of: some say nothing of which value it is, and some do.
CONDITIONS = {
    "x is 0": lambda s, i: s.x[i] == 0,
    "x is not 0": lambda s, i: s.x[i] != 0,
    "up": lambda s, i: s.up[i],
    "some up": lambda s, i: any_of(*s.up),
    "all others down": lambda s, i: all_of(*(~s.up[j] for j in s.scope if j != i)),
    "sum is small": lambda s, i: s.sum < 2,
    "sum is x": lambda s, i: s.sum == s.x[i],
    "its number": lambda s, i: s.sum == i,
    "first": lambda s, i: s.x[0] == 1,
    "next": lambda s, i: s.up[(i + 1) % 3],
}
CHANGES = {
    "x := 1": lambda s, i: {"x": put(s.x, i, 1)},
    "x := 0": lambda s, i: {"x": put(s.x, i, 0)},
    "up := not up": lambda s, i: {"up": put(s.up, i, ~s.up[i])},
    "all down": lambda s, i: {"up": each(s.up, False)},
    "sum := x": lambda s, i: {"sum": s.x[i]},
    "sum := 2": lambda s, i: {"sum": constant(2)},
    "sum := its number": lambda s, i: {"sum": constant(i)},
    "next down": lambda s, i: {"up": put(s.up, (i + 1) % 3, False)},
    "sum := how many are up": lambda s, i: {"sum": sum(choose(u, constant(1), constant(0)) for u in s.up)},
}
STEPS = st.tuples(
    st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=2, unique=True), st.sampled_from(sorted(CHANGES))
)


def drawn(steps: list[tuple[list[str], str]], claims: list[str]) -> Protocol:
    @action
    def step(s: Any, i: int, which: int) -> Step:
        """One of the steps that were drawn."""
        conditions, change = steps[which]
        return when(*(guard(c, CONDITIONS[c](s, i)) for c in conditions)).then(**CHANGES[change](s, i))

    @sometimes
    def claim(s: Any, i: int, said: int) -> Any:
        """One of the conditions that were drawn."""
        return CONDITIONS[claims[said]](s, i)

    indices = {"i": range(3), "which": range(len(steps)), "said": range(len(claims))}

    return Protocol(
        "drawn",
        {"x": family("i", of=count(0, 1)), "up": family("i", of=boolean()), "sum": count(0, 3)},
        [step] if steps else [],
        [claim] if claims else [],
        {name: values for name, values in indices.items() if values},
        scope=range(3),
    )


def test_what_is_found_in_any_protocol_is_sound() -> None:
    answers = set[int]()

    @given(st.lists(STEPS, min_size=1, max_size=3), st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=1))
    def judged(steps: list[tuple[list[str], str]], claims: list[str]) -> None:
        protocol = drawn(steps, claims)
        sets = interchangeable(protocol)
        answers.update(len(one.values) for one in sets) if sets else answers.add(0)
        assert unsound(protocol, sets) == []

    judged()
    assert answers == {0, 2, 3}  # nothing, some of the values, and all of them


@pytest.mark.parametrize("name", ["two_documents", "offsets"])
def test_without_a_safeguard_documents_are_no_more_alike(name: str) -> None:
    """Pages go in key order, whatever else is missing; so there is nothing to reduce, and nothing to compare."""
    for safeguard in SAFEGUARDS:
        protocol = cutover({**SCOPES, **SMALL_SCOPES}[name]).resolve(resolve(Policy(), [safeguard]))
        assert interchangeable(protocol) == [], safeguard
