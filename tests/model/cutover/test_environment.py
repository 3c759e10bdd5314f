"""The writes of others are accepted and applied by the rules that the tracked one obeys, and count where it counts."""

from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.model.cutover import environment
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, TRACKED
from cutproof.model.cutover.slot import Phase, Task
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, Transition

HIGHEST = 6  # versions in random states
QUEUED, DRAIN_SOURCE = list(Task).index(Task.QUEUED), list(Phase).index(Phase.DRAIN_SOURCE)
SAFEGUARDS: tuple[tuple[str, ...], ...] = ((), ("fence_epoch",), ("apply_checks_version",))
PROTOCOLS = {removed: cutover(TRACKED).resolve(resolve(Policy(), removed)) for removed in SAFEGUARDS}
HARDENED = PROTOCOLS[()]
NODES = [n.name for n in HARDENED.indices["node"]]
OWN = {function.name for function in environment.ACTIONS}

Named = dict[str, int]


def steps(protocol: Protocol) -> dict[str, Transition]:
    return {str(t): t for t in protocol.transitions}


def allowed(transition: Transition, state: Named, leaving_out: tuple[str, ...] = ()) -> bool:
    """Whether every guard holds, or every one but some."""
    return all(ex.evaluate(g, state, {}) for name, g in transition.guards if name not in leaving_out)


def after(transition: Transition, state: Named) -> Named:
    done: dict[ex.Term, int] = {}
    return {**state, **{cell.name: ex.evaluate(value, state, done) for cell, value in transition.updates}}


@st.composite
def states(draw: Any) -> Named:
    """Any values within the domains, reachable or not; versions up to `HIGHEST`."""
    fields = [(f.name, f.domain.low, min(f.domain.high, f.domain.low + HIGHEST)) for f in HARDENED.fields]
    return {**HARDENED.start, **{name: draw(st.integers(low, high)) for name, low, high in fields}}


# ------------------------------------------------------------------ the same rules


@pytest.mark.parametrize("removed", SAFEGUARDS)
@examples(25)
@given(state=states())
def test_a_write_of_others_arrives_where_the_tracked_one_would(
    removed: tuple[str, ...], state: Named
) -> None:
    """The guards of an arrival are the same; what is left out says which messages there are."""
    found = steps(PROTOCOLS[removed])
    sent = ("recorded", "writers are not held", "a target")
    seen = 0
    for node in NODES:
        for view in HARDENED.indices["view"]:
            if arrival := found.get(f"others_arrive(node={node}, view={view})"):
                mine = {**state, f"net[{node},0,1]": view + 1}
                assert allowed(arrival, state, sent) == allowed(
                    found[f"accept(node={node}, doc=0, message=1)"], mine
                )
                assert after(arrival, state) == {**state, f"others_queued[{node}]": 1}
                seen += 1
    assert seen > len(NODES)


@pytest.mark.parametrize("removed", SAFEGUARDS)
@examples(25)
@given(state=states(), version=st.integers(1, HIGHEST))
def test_a_write_of_others_is_applied_as_the_tracked_one_would_be(
    removed: tuple[str, ...], state: Named, version: int
) -> None:
    found = steps(PROTOCOLS[removed])
    for node in NODES:
        mine = {**state, "drawn": version, f"task[{node},0,1]": QUEUED}
        other = {**state, "drawn": version + 1, "other": version, f"others_queued[{node}]": 1}
        apply, others_apply = (
            found[f"apply(node={node}, doc=0, message=1)"],
            found[f"others_apply(node={node})"],
        )
        assert allowed(apply, mine)
        assert allowed(others_apply, other)
        one, two = after(apply, mine), after(others_apply, other)
        for name in ("shown[0]", "healed[0]", *(f"stored[{n},0]" for n in NODES)):
            assert one[name] == two[name], name
        assert two["acked[0]"] == other["acked[0]"]


@given(state=states())
def test_the_environment_is_never_about_the_tracked_write(state: Named) -> None:
    for node in NODES:
        about = {**state, "other": state["drawn"], f"others_queued[{node}]": 1}
        assert not allowed(steps(HARDENED)[f"others_apply(node={node})"], about)


# ------------------------------------------------------------------ versions


@given(state=states())
def test_every_version_that_was_drawn_can_be_chosen(state: Named) -> None:
    found = steps(HARDENED)
    state["other"] = min(state["other"], state["sequencer"])
    for wanted in range(1, state["sequencer"] + 1):
        now = after(found["other_again()"], state) if state["other"] > wanted else state
        while now["other"] < wanted:
            assert allowed(found["other_rises()"], now)
            now = after(found["other_rises()"], now)
        assert now == {**state, "other": wanted}
    assert not allowed(found["other_rises()"], {**state, "other": state["sequencer"]})


@given(state=states())
def test_versions_are_drawn_in_order(state: Named) -> None:
    found, last = steps(HARDENED), state["sequencer"]
    assert allowed(found["others_draw()"], state)
    assert after(found["others_draw()"], state) == {**state, "sequencer": last + 1}
    mine = after(found["write(doc=0, rank=1, erases=False, view=0)"], state)
    assert (mine["sequencer"], mine["drawn"]) == (last + 1, last + 1)


def test_versions_have_no_bound() -> None:
    free = {f.variable for f in HARDENED.fields if f.domain.high >= ex.UNBOUNDED}
    assert free == {
        "stored", "page", "scanned", "stray", "repair", "acked", "shown", "floor", "sequencer", "drawn", "other",
    }  # fmt: skip


# ------------------------------------------------------------------ what the coordinator waits for, and clears


def test_the_drain_waits_for_the_writes_of_others() -> None:
    drained = steps(HARDENED)["source_drained()"]
    state = HARDENED.named(HARDENED.initial) | {"phase": DRAIN_SOURCE}
    assert allowed(drained, state)
    assert not allowed(drained, state | {"others_queued[O]": 1})
    hasty = cutover(TRACKED).resolve(resolve(Policy(), ("drain_waits_for_applied",)))
    assert allowed(steps(hasty)["source_drained()"], state | {"others_queued[O]": 1})


def test_a_wipe_clears_their_queue_and_a_restart_keeps_it() -> None:
    found = steps(HARDENED)
    state = HARDENED.named(HARDENED.initial) | {f"others_queued[{n}]": 1 for n in NODES}
    assert after(found["wipe(epoch=4)"], state)["others_queued[N]"] == 0
    assert after(found["late_wipe(epoch=4)"], state)["others_queued[N]"] == 0
    assert after(found["wipe(epoch=4)"], state)["others_queued[O]"] == 1
    assert after(found["restart(pair=N)"], state) == state


@pytest.mark.parametrize("name", [*SCOPES, *SMALL_SCOPES])
def test_nothing_of_it_is_in_a_scope_that_is_explored(name: str) -> None:
    protocol = cutover({**SCOPES, **SMALL_SCOPES}[name])
    assert not OWN & {t.action for t in protocol.transitions}
    assert {t.action for t in HARDENED.transitions} >= OWN
    assert not any(f.domain.high >= ex.UNBOUNDED for f in protocol.cells)
