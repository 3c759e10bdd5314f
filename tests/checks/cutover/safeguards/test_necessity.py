"""Every safeguard is shown to be necessary, by the property and the harm that it is there for."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from places import ROOT

from cutproof.checks.cutover import evidence
from cutproof.checks.cutover.reference.perform import perform
from cutproof.checks.cutover.safeguards.necessity import (
    DEFAULT,
    EXPERIMENTS,
    FINDINGS,
    FOR_EVER,
    GATE_HOLES,
    NECESSARY,
    UNSERVED,
    Experiment,
    holds_with,
    protocol_of,
    trace_of,
    violated,
    without_removal,
)
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Violated
from cutproof.checks.engines.zdd import choose
from cutproof.checks.engines.zdd.explore import explore as explore_wide
from cutproof.checks.traces import trace
from cutproof.checks.traces.replay import replay
from cutproof.model.cutover.availability import AVAILABILITY
from cutproof.model.cutover.mechanisms import AntiEntropy
from cutproof.model.cutover.policy import Policy, policy_of, seed_gate
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED, SAFEGUARDS, Harm
from cutproof.model.cutover.scopes import SCOPES, scope_of

TRACES = ROOT / "traces"


def named(experiments: tuple[Experiment, ...]) -> list[object]:
    return [pytest.param(e, id=e.file) for e in experiments]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("experiment", named(EXPERIMENTS))
def test_the_stored_trace_is_the_shortest_and_replays(experiment: Experiment) -> None:
    found = violated(experiment)
    assert isinstance(found, Violated)
    assert (found.property, found.form) != ("domain", "always")
    stored = trace.read(evidence.path_of(experiment, TRACES))
    assert trace.to_bytes(trace_of(experiment, found)) == trace.to_bytes(stored)
    again = replay(stored, protocol_of(experiment))
    assert again.reproduced
    assert not again.notes


MASKED = tuple(e for e in NECESSARY if e.policy != DEFAULT or e.companions)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("experiment", named(MASKED))
def test_with_the_safeguard_it_holds(experiment: Experiment) -> None:
    """For the others this is the hardened protocol in that scope, which test_cutover.py explores."""
    assert isinstance(holds_with(experiment), Holds)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("experiment", named(MASKED))
def test_only_what_is_masked_names_a_policy_or_companions(experiment: Experiment) -> None:
    """Under the default policy, with nothing else removed, the same scope holds without the safeguard, or another
    experiment shows it there: what is published is the smallest."""
    plain = Experiment(experiment.safeguard, experiment.harm, experiment.property, experiment.scope_name)
    smaller = [
        e
        for e in NECESSARY
        if e.safeguard == experiment.safeguard and e.policy == DEFAULT and not e.companions
    ]
    assert smaller or isinstance(violated(plain), Holds)


def test_every_safeguard_and_every_harm_in_the_table_has_an_experiment() -> None:
    every = (*NECESSARY, *FOR_EVER, *UNSERVED)
    shown = {(e.safeguard, e.harm) for e in every}
    assert {(name, h.name) for name, s in SAFEGUARDS.items() for h in s.harms} == shown
    assert {e.safeguard for e in (*NECESSARY, *FOR_EVER)} == HARDENED


def test_the_seed_is_violated_by_every_kind_of_harm() -> None:
    assert {e.harm for e in FINDINGS} == {"LAW", "LU", "RD", "SR"}
    assert AS_WRITTEN < HARDENED


@pytest.mark.parametrize("experiment", named(GATE_HOLES))
def test_the_seed_gate_accepts_what_loses(experiment: Experiment) -> None:
    """In the hole of two configurations the gate is shown the one with anti-entropy on."""
    shown = experiment.policy
    if shown.anti_entropy is AntiEntropy.OFF:
        shown = policy_of({**shown.changed(), "anti_entropy": "repair"})
    assert seed_gate(shown) is None
    assert seed_gate(Policy(skip_delta_pass=True, anti_entropy=AntiEntropy.OFF)) is not None


# What a sentence speaks of must happen in its trace, or the trace shows something else.
SPOKEN_OF = {
    "lost-write-seed-crash": "crash",
    "lost-write-seed-two-migrations": "begin_another",
    "lost-write-seed-delta-alone": "source_drained",
    "lost-update-seed-delta-writes-what-is-missing": "scan",
    "lost-update-seed-anti-entropy-as-written": "repair",
    "stale-read-seed-as-written": "answer_read",
    "lost-write-seed-gate-accepts-a-single-copy": "delete_source",
    "lost-write-seed-gate-accepts-an-acknowledgement-by-the-source": "delete_source",
    "lost-write-seed-gate-is-not-asked-again": "change_policy",
    "lost-write-without-durable_record": "crash",
    "lost-write-without-command_epoch-late-wipe": "late_wipe",
    "lost-write-without-command_epoch-late-deletion": "late_delete",
    "lost-write-without-roll_forward_only": "revert_routing",
    "lost-write-without-one_migration_per_shard": "begin_another",
    "lost-write-without-failed_page_is_retried": "delivery_fails",
    "lost-write-without-sweep_tie_break": "sweep",
    "lost-write-without-expiry_of_winner_only": "repair_expired",
    "resurrected-delete-without-wipe_before_retry": "abort",
    "lost-update-without-wipe_before_retry": "abort",
    "lost-update-without-repairs_fenced": "wipe",
    "resurrected-delete-without-repairs_fenced": "repair",
    "resurrected-delete-without-gc_waits_for_repairs": "repair",
    "resurrected-delete-without-tombstone_gc_waits": "collect",
    "stale-read-without-source_fenced_before_open": "read_by_stale_router",
    "stale-read-without-repairs_fenced": "repair",
    "lost-write-without-per_migration_tracking": "other_migration_ends",
    "lost-write-without-abort_forgets_cursor": "abort",
    "lost-write-without-proof_of_this_attempt": "abort",
    "lost-write-without-proof_of_this_attempt-clean-pass": "clean_pass",
}


@pytest.mark.parametrize(("file", "action"), list(SPOKEN_OF.items()))
def test_what_the_sentence_speaks_of_happens(file: str, action: str) -> None:
    steps = trace.read(TRACES / f"{file}.itf.json").steps
    assert action in [step.action for step in steps]


def test_a_trace_says_which_protocol_it_is_of() -> None:
    for experiment in EXPERIMENTS:
        meta = trace.read(evidence.path_of(experiment, TRACES)).meta
        assert scope_of(meta.scope) == experiment.scope
        assert policy_of(meta.policy) == experiment.policy
        assert meta.safeguards_removed == tuple(sorted(experiment.removed))
        assert meta.why == experiment.why


def test_file_names_are_unique_and_nothing_else_is_stored() -> None:
    names = [e.file for e in EXPERIMENTS]
    assert len(set(names)) == len(names)
    assert {p.name for p in TRACES.iterdir()} == {f"{name}.itf.json" for name in names}


def test_without_removal_removes_only_the_companions() -> None:
    masked = next(e for e in NECESSARY if e.companions)
    assert not getattr(without_removal(masked).mechanisms, masked.companions[0])
    assert getattr(without_removal(masked).mechanisms, masked.safeguard)


@pytest.mark.nightly
@pytest.mark.parametrize("experiment", named(MASKED))
@pytest.mark.parametrize("scope", [name for name in SCOPES if name not in ("kinds", "reads_and_faults")])
def test_what_is_masked_is_masked_in_every_scope(experiment: Experiment, scope: str) -> None:
    plain = Experiment(experiment.safeguard, experiment.harm, experiment.property, scope)
    if any(
        e.safeguard == experiment.safeguard and e.policy == DEFAULT and not e.companions for e in NECESSARY
    ):
        pytest.skip("it has an experiment without any")
    assert isinstance(violated(plain), Holds)


@pytest.mark.skipif(not choose.compiled(), reason="so large a scope takes the extra `fast`")
@pytest.mark.parametrize(
    "scope",
    [
        "reads_and_faults,writes=2",
        pytest.param("reads_and_faults,writes=2,documents=2", marks=pytest.mark.nightly),
    ],
)
def test_what_is_lost_in_a_scope_that_no_list_holds_is_performed_on_both(scope: str) -> None:
    """The hardened protocol has 10^12 states there, with two documents."""
    experiment = Experiment("fence_epoch", "LAW", "no_lost_write", scope)
    protocol = protocol_of(experiment)
    found = explore_wide(
        protocol, only=(experiment.property, experiment.harm), stop_at_first=True, cycles=False
    )
    assert isinstance(found.verdicts[0], Violated)
    shown = perform(trace_of(experiment, found.verdicts[0]), protocol, experiment.scope, experiment.policy)
    assert shown.reproduced, shown.divergence
    assert shown.checked.endswith("lost: 1 LAW")


SAME = """
import hashlib, json
from cutproof.checks.traces import trace
from cutproof.checks.cutover.safeguards.necessity import NECESSARY, trace_of, violated
small = [e for e in NECESSARY if e.scope_name in ("base", "reads", "two_repairs", "zombie")]
found = [(e, violated(e)) for e in small]
print(json.dumps([[e.file, v.states, v.transitions, hashlib.sha256(trace.to_bytes(trace_of(e, v))).hexdigest()]
                  for e, v in found]))
"""


def test_same_counts_and_same_bytes_under_any_hash_seed() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", SAME],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    ]
    assert runs[0] == runs[1] == runs[2]
    assert len(json.loads(runs[0])) > 20


@pytest.mark.nightly
def test_without_any_other_safeguard_everybody_is_served_again() -> None:
    """In its scope and under its policy: being stuck is a harm of those in the table, and of no others."""
    stuck = set()
    names = [p.name for p in AVAILABILITY]
    for experiment in NECESSARY:
        found = explore(protocol_of(experiment), properties=names, cycles=False)
        if any(isinstance(v, Violated) and v.form == "can_always" for v in found.verdicts):
            stuck.add(experiment.safeguard)
    assert stuck == {e.safeguard for e in UNSERVED}
    known = {name for name, s in SAFEGUARDS.items() if Harm.STK in s.harms}
    assert stuck == known - {e.safeguard for e in FOR_EVER}


@pytest.mark.parametrize("experiment", named(UNSERVED))
def test_with_the_safeguard_everybody_is_served_again(experiment: Experiment) -> None:
    assert isinstance(holds_with(experiment), Holds)
    assert experiment.property in [p.name for p in AVAILABILITY]
