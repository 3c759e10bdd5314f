"""Clients can always be served again: what is left out of a step is noticed where it leaves nobody served."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.proof.induction import Proof
from cutproof.checks.engines.verdict import Holds, Violated
from cutproof.model.cutover.availability import AVAILABILITY
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms, WritesWhileSealed
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, Transition

NAMES = [p.name for p in AVAILABILITY]


def hardened(scope: str) -> Protocol:
    return cutover(parse_scope(scope)).resolve(Mechanisms())


def altered(protocol: Protocol, change: object) -> Protocol:
    """The protocol with every transition as `change` makes it, None for none."""
    copy = protocol._copy()
    made = [change(t) for t in protocol.transitions]  # type: ignore[operator]
    copy.transitions = tuple(t for t in made if t is not None)
    return copy


def without_effect(protocol: Protocol, action: str, variable: str) -> Protocol:
    """The action leaves the variable as it is."""

    def change(t: Transition) -> Transition:
        kept = tuple(u for u in t.updates if t.action != action or u[0].variable != variable)
        return replace(t, updates=kept)

    return altered(protocol, change)


def without_action(protocol: Protocol, *actions: str) -> Protocol:
    return altered(protocol, lambda t: None if t.action in actions else t)


def out_of_reach(protocol: Protocol) -> dict[str, int]:
    """The properties of this file that are violated, with the fewest steps; both engines must agree."""
    found = []
    for judge in (fast.explore, explore):
        verdicts = judge(protocol, properties=NAMES, cycles=False).verdicts  # type: ignore[operator]
        lost = [v for v in verdicts if isinstance(v, Violated) and v.form == "can_always"]
        found.append({v.property: v.path.steps for v in lost if v.path})
    assert found[0] == found[1]
    return found[0]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("scope", "action", "variable", "expected"),
    [
        # Writers are held for ever after an abort, and nobody takes that epoch for one in which to begin again.
        ("aborts=1,reads=1,late=1", "abort", "epoch", {"writable_again": 7, "begun_again": 2}),
        # N never opens for writes; reads go on for as long as O answers them.
        ("base", "activate", "epoch", {"writable_again": 6}),
        ("attempts=2,aborts=1", "wipe", "fence", {"begun_again": 2}),
        ("partitions=1,stale=0", "heal", "cut", dict.fromkeys(NAMES[:3], 1) | {"begun_again": 2}),
        # A read that is never over: where the node is fenced it is refused at last, so N must have opened.
        ("reads=1,stale=0", "answer_read", "reading", {"readable_again": 15}),
        ("searches=1,stale=0", "step_search", "search", {"searchable_again": 2, "begun_again": 3}),
    ],
)
def test_an_effect_without_which_nobody_is_served_is_noticed(
    scope: str, action: str, variable: str, expected: dict[str, int]
) -> None:
    assert out_of_reach(hardened(scope)) == {}
    assert out_of_reach(without_effect(hardened(scope), action, variable)) == expected


def test_a_step_that_nobody_takes_any_more_leaves_clients_waiting() -> None:
    assert out_of_reach(without_action(hardened("base"), "raise_fence")).keys() >= {"begun_again"}
    assert "writable_again" in out_of_reach(without_action(hardened("writes=1"), "apply"))
    assert "readable_again" in out_of_reach(
        without_action(hardened("reads=1,failing_tasks=1"), "refuse_read")
    )


def test_where_writers_are_not_held_a_shard_that_stays_sealed_serves_them() -> None:
    """It is the policy that holds them: the guards of the clients' steps are asked, not the phase."""
    protocol = cutover(parse_scope("writes=1")).resolve(
        replace(Mechanisms(), writes_while_sealed=WritesWhileSealed.SOURCE)
    )
    for held, expected in ((protocol, False), (hardened("writes=1"), True)):
        assert ("writable_again" in out_of_reach(without_action(held, "start_drain", "activate"))) is expected


def test_what_is_said_of_a_state_is_what_the_next_step_does() -> None:
    """Where a fresh write, read or search is said to be possible, one can be sent and is answered by steps alone."""
    scope = "reads=1,searches=1,aborts=1,stale=0,writes=1"
    protocol = hardened(scope)
    found = explore(protocol, properties=NAMES, cycles=False)
    goals = {c.property: c.holds for c in protocol.claims if c.property in NAMES}
    sent = {"writable_again": "write", "readable_again": "read", "searchable_again": "search"}
    seen = set()
    for state in found.states[::97]:
        here = protocol.named(state)
        for name, start in sent.items():
            for t in protocol.transitions:
                if t.action == start and ex.evaluate(t.enabled, here, {}):
                    promised = bool(ex.evaluate(goals[name], here, {}))
                    after = here | {c.name: ex.evaluate(v, here, {}) for c, v in t.updates}
                    served = answered_at_once(protocol, after, start)
                    assert served or not promised, (name, t)
                    seen.add((name, promised))
    assert {name for name, promised in seen if promised} == set(sent)


def answered_at_once(protocol: Protocol, state: dict[str, int], start: str) -> bool:
    """Whether the request that was just sent can be answered by nothing but the steps that serve it."""
    serving = {
        "write": {"accept", "apply", "acknowledge"},
        "read": {"answer_read"},
        "search": {"admit_search", "step_search"},
    }[start]
    todo, seen = [state], list[dict[str, int]]()
    while todo:
        here = todo.pop()
        done = {
            "write": here["acked[0]"] != 0,
            "read": here["reading"] == 0,
            "search": here["search[O]"] == here["search[N]"] == 0,
        }
        if done[start]:
            return True
        for t in protocol.transitions:
            if t.action in serving and ex.evaluate(t.enabled, here, {}):
                after = here | {c.name: ex.evaluate(v, here, {}) for c, v in t.updates}
                if after not in seen:
                    seen.append(after)
                    todo.append(after)
    return False


def test_policies_that_hang_are_said_to_serve_clients_all_the_same() -> None:
    """A clean-up that waits for ever: no other migration can be begun, but the target serves."""
    from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup

    hangs = Policy(
        skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS, anti_entropy=AntiEntropy.OFF, replicas=False
    )
    protocol = cutover(parse_scope("gate_alone")).resolve(resolve(hangs))
    assert out_of_reach(protocol).keys() == {"begun_again"}


@pytest.mark.parametrize("name", NAMES)
def test_the_measure_proves_it_and_does_not_where_a_step_is_gone(name: str) -> None:
    goal = next(p for p in AVAILABILITY if p.name == name)
    gone = {"writable_again": "accept", "readable_again": "answer_read", "searchable_again": "admit_search"}
    scope = "reads=1,searches=1,partitions=1,aborts=1,attempts=2"
    proof = Proof(cutover(parse_scope(scope)), Mechanisms())
    assert proof.progress(goal).ask().proved
    proof.protocol = without_action(proof.protocol, gone.get(name, "wipe"))
    assert proof.progress(goal).ask().said == "refuted"


def test_all_of_it_is_claimed() -> None:
    assert {c.property for c in hardened("base").claims} >= {*NAMES}
    verdicts = fast.explore(hardened("zombie"), properties=NAMES, cycles=False).verdicts
    assert all(isinstance(v, Holds) for v in verdicts)
