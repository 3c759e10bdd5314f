"""Each step with many writes is matched by steps of the tracked protocol; an environment that does less is found."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cutover.proofs.tracked import Memory, Tracking, Unmatched
from cutproof.model.cutover.scopes import TRACKED, Scope
from cutproof.model.language.codegen import compile_protocol, compile_terms
from cutproof.model.language.protocol import Protocol, State

SMALL = Scope(writes=2, late=True)
WIDE = Tracking(replace(TRACKED, others=False, writes=3))
CLAIMS = ("no_lost_write", "abort_safe")


def judge(protocol: Protocol) -> Callable[[State], tuple[int, ...]]:
    """Whether each claim of `CLAIMS` holds in a state."""
    return compile_terms(
        protocol, [c.holds for c in protocol.claims if c.form == "always" and c.property in CLAIMS]
    )


# ------------------------------------------------------------------ matched, everywhere


@pytest.mark.parametrize(("tracked", "states", "steps"), [(1, 12_637, 43_029), (2, 12_239, 42_131)])
def test_every_step_is_matched(tracked: int, states: int, steps: int) -> None:
    assert Tracking(SMALL).everywhere(tracked) == (states, steps, None)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("scope", "tracked", "states", "steps"),
    [
        (replace(SMALL, attempts=2, aborts=1), 1, 47_410, 178_844),
        (replace(SMALL, attempts=2, aborts=1), 2, 47_179, 180_234),
        (replace(SMALL, reads=True, failing_tasks=True), 1, 74_264, 391_954),
        (replace(SMALL, reads=True, failing_tasks=True), 2, 71_511, 380_906),
    ],
)
def test_every_step_is_matched_in_larger_scopes(scope: Scope, tracked: int, states: int, steps: int) -> None:
    assert Tracking(scope).everywhere(tracked) == (states, steps, None)


# ------------------------------------------------------------------ matched, at random


def walk(tracking: Tracking, tracked: int, seed: int, length: int) -> tuple[Unmatched | None, State]:
    """A random run: actions are as likely as each other, faults a tenth of that, so that migrations come to an end."""
    draw, state, memory = random.Random(seed), tracking.explicit.initial, Memory()
    for _ in range(length):
        moves = list(tracking.moves(state))
        weights = [0.1 if t.fault else 1.0 for t, _ in moves]
        transition, after = draw.choices(moves, weights)[0]
        wrong, memory = tracking.step(state, transition, after, tracked, memory)
        if wrong:
            return Unmatched(tracked, str(transition), wrong), state
        state = after
    return None, state


@examples(8)
@given(tracked=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_runs_with_every_fault_are_matched(tracked: int, seed: int) -> None:
    assert walk(WIDE, tracked, seed, 250)[0] is None
    assert WIDE.at_random(tracked, seed, 50) is None


def test_such_runs_come_to_an_end() -> None:
    """Else the runs above would show little."""
    names = [f.name for f in WIDE.explicit.fields]
    ends = [dict(zip(names, walk(WIDE, 2, seed, 250)[1], strict=True)) for seed in range(20)]
    phases = {WIDE.explicit.decode(tuple(e.values()))["phase"].name for e in ends}
    assert {"COMPLETE"} <= phases
    assert max(e["acked[0]"] for e in ends) == 3


# ------------------------------------------------------------------ an environment that may do less


@pytest.mark.parametrize(
    ("taken_away", "reason"),
    [
        ("others_arrive(node=N", "others_arrive(node=N, view=1) is not enabled"),
        ("others_arrive(node=O", "others_arrive(node=O, view=0) is not enabled"),
        ("others_draw", "others_draw() is not enabled"),
        ("others_apply(node=N", "others_apply(node=N) is not enabled"),
        ("other_rises", "other_rises() is not enabled"),
        ("others_are_done(node=O", "others_are_done(node=O) is not enabled"),
    ],
)
def test_an_environment_that_may_do_less_is_found_out(taken_away: str, reason: str) -> None:
    tracking = Tracking(SMALL)
    steps = tracking._steps
    tracking._steps = {name: step for name, step in steps.items() if not name.startswith(taken_away)}
    assert len(tracking._steps) < len(steps)
    found = tracking.everywhere(1)[2]
    assert found is not None
    assert found.reason == reason


def test_an_environment_that_obeys_a_fence_that_clients_do_not_is_found_out() -> None:
    tracking = Tracking(SMALL, without=("fence_epoch",))
    assert unfenced(tracking)
    tracking._steps = Tracking(SMALL)._steps
    assert not unfenced(tracking)


def unfenced(tracking: Tracking) -> bool:
    """Write 1, sent before the migration began, arrives behind O's fence of the dual epoch: whether that is matched."""
    state, memory = tracking.explicit.initial, Memory()
    steps = (
        "write(doc=0, rank=1, erases=False, view=0)", "time_out(doc=0, rank=1)", "begin()",
        "raise_fence(node=O, epoch=1)", "accept(node=O, doc=0, message=1)",
    )  # fmt: skip
    for name in steps:
        transition, after = next((t, a) for t, a in tracking.moves(state) if str(t) == name)
        wrong, memory = tracking.step(state, transition, after, 2, memory)
        if wrong:
            return False
        state = after
    return True


# ------------------------------------------------------------------ what is claimed


@pytest.mark.parametrize(
    "safeguard", ["fence_epoch", "delta_always", "ack_after_applied", "drain_waits_for_applied"]
)
def test_what_is_violated_is_violated_for_the_write_that_was_acknowledged_last(safeguard: str) -> None:
    """The claims say the same of a state and of its image for the highest acknowledged write."""
    tracking = Tracking(SMALL, without=(safeguard,))
    explicit, abstract = judge(tracking.explicit), judge(tracking.abstract)
    acked = tracking.explicit.fields.index(next(f for f in tracking.explicit.fields if f.name == "acked[0]"))
    violated = 0
    for state in reachable(tracking, 25_000):
        if r := state[acked]:
            said = explicit(state)
            assert said == abstract(tracking.image(state, r, Memory(acknowledged=True)))
            violated += not all(said)
    assert violated


def test_a_stale_read_is_one_for_the_write_that_was_acknowledged_last() -> None:
    tracking = Tracking(replace(SMALL, late=False, reads=True), without=("one_owner_record",))
    stale = 0
    for state in reachable(tracking, 25_000):
        if r := tracking.explicit.named(state)["floor"]:
            for transition, after in tracking.moves(state):
                if transition.action == "answer_read":
                    moved = tracking._steps[str(transition)](tracking.image(state, r, Memory(True, True)))
                    assert moved is not None
                    said = tracking.explicit.named(after)["stale_read"]
                    assert tracking.abstract.named(moved)["stale_read"] == said
                    stale += said
    assert stale


def reachable(tracking: Tracking, limit: int) -> list[State]:
    """So many states, breadth first."""
    successors, found = compile_protocol(tracking.explicit).successors, {tracking.explicit.initial: None}
    for state in (order := list(found)):
        for _, after in successors(state):
            if after not in found and len(found) < limit:
                found[after] = None
                order.append(after)
    return order


# ------------------------------------------------------------------ what cannot be tracked


@pytest.mark.parametrize("bound", ["deletes", "searches", "sweep", "collect", "table", "skew", "orderly"])
def test_what_cannot_be_tracked_is_refused(bound: str) -> None:
    with pytest.raises(ValueError, match=r"^others=1 tracks one write of one document"):
        Tracking(replace(SMALL, **{bound: True}))
