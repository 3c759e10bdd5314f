"""Necessity: for every safeguard, what is lost without it, as an experiment that can fail.

A safeguard g is *necessary under (p, M)*, for a policy p and a set M of other safeguards removed, iff the
protocol under p without M holds, and without M and g is violated, by the property and the kind of harm that g
is there to prevent. Most need nothing: p is the default and M is empty. Some are masked by another
safeguard, mostly by the delta pass, which repairs whatever the copy got wrong: for those p or M is given.
"""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass, field
from functools import cached_property

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import NO_LIMITS, explore
from cutproof.checks.engines.verdict import Verdict, Violated
from cutproof.checks.traces.trace import Trace, from_path
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck
from cutproof.model.cutover.policy import (
    CLAUSES,
    Clause,
    DrainOnTimeout,
    Policy,
    Strength,
    example_of,
    resolve,
)
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED, SAFEGUARDS
from cutproof.model.cutover.scopes import Scope, parse_scope
from cutproof.model.language.protocol import Protocol

DEFAULT = Policy()

# Every dual write is acknowledged by both nodes, and the delta is skipped: nothing repairs what the copy got wrong.
BOTH_ACKNOWLEDGE = Policy(
    skip_delta_pass=True,
    acknowledge=Acknowledge.ALL,
    cleanup=Cleanup.IMMEDIATE,
    anti_entropy=AntiEntropy.OFF,
    replicas=False,
)
REPLICA_REQUIRED = Policy(replica_ack=ReplicaAck.REQUIRED)
# The delta is skipped, and the loss is left for anti-entropy to heal from the replica that acknowledged too.
HEALED_LATER = Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE, replica_ack=ReplicaAck.REQUIRED)
# Anti-entropy heals what N missed, and the clean-up waits for a pass that finds nothing.
CLEAN_PASS = Policy(skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS)


@dataclass(frozen=True)
class Experiment:
    """One counterexample worth keeping: of a safeguard and a kind of harm, or a finding about the seed."""

    safeguard: str  # "" for a finding
    harm: str  # LAW, LU, RD, SR or STK
    property: str
    scope_name: str
    policy: Policy = DEFAULT
    companions: tuple[str, ...] = ()
    note: str = ""  # tells apart two experiments of one safeguard and harm
    finding: str = ""  # one sentence, for a finding
    in_place: frozenset[str] = field(default=HARDENED)  # the safeguards in place before anything is removed
    about: str = "seed"  # what a finding is about: the seed, or the gate

    @builtins.property
    def scope(self) -> Scope:
        """The bounds of the exploration."""
        return parse_scope(self.scope_name)

    @cached_property
    def removed(self) -> tuple[str, ...]:
        """Every safeguard that is not in place, the companions and the safeguard itself included."""
        gone = [*sorted(HARDENED - self.in_place), *self.companions]
        return (*gone, self.safeguard) if self.safeguard else tuple(gone)

    @builtins.property
    def file(self) -> str:
        """The name of its trace, by its harm."""
        harm = {"LAW": "lost-write", "LU": "lost-update", "RD": "resurrected-delete", "SR": "stale-read"}
        name = harm.get(self.harm, "stuck")
        middle = f"without-{self.safeguard}" if self.safeguard else self.about
        return "-".join(filter(None, (name, middle, self.note)))

    @builtins.property
    def why(self) -> str:
        """One sentence: what goes wrong."""
        return self.finding or SAFEGUARDS[self.safeguard].without


WRITE, READ, SEARCH = "no_lost_write", "no_stale_read", "search_complete"


def _without(safeguard: str, harm: str, scope: str, prop: str = WRITE, **more: object) -> Experiment:
    return Experiment(safeguard, harm, prop, scope, **more)  # type: ignore[arg-type]


NECESSARY: tuple[Experiment, ...] = (
    _without("delta_always", "LAW", "base"),
    _without("delta_compares_versions", "LU", "base"),
    _without("delta_compares_versions", "RD", "deletes"),
    _without("copy_checks_version", "LU", "base", policy=BOTH_ACKNOWLEDGE),
    _without("apply_checks_version", "LU", "base"),
    _without("apply_checks_version", "LU", "after_dual", note="after-dual"),
    _without("apply_checks_version", "RD", "deletes"),
    _without("tombstones", "RD", "deletes"),
    _without("tombstones", "RD", "deletes_after_dual", note="after-dual"),
    _without("tombstone_gc_waits", "RD", "collection"),
    _without("sequencer_durable", "LU", "base"),
    _without("whole_documents", "LU", "base"),
    _without("ack_after_applied", "LAW", "base"),
    _without("ack_needs_source", "LAW", "base"),
    _without("ack_needs_source", "SR", "reads", READ),
    _without("fence_epoch", "LAW", "base"),
    _without("drain_waits_for_fences", "LAW", "base"),
    _without("drain_waits_for_applied", "LAW", "base"),
    _without("fence_outlives_data", "LAW", "base"),
    _without("command_epoch", "LAW", "zombie", note="late-wipe"),
    _without("command_epoch", "LAW", "two_migrations", note="late-deletion"),
    _without("seal_blocks_writes", "LAW", "base"),
    _without("source_fenced_before_open", "SR", "reads", READ),
    _without("dual_until_seal", "LAW", "base", policy=BOTH_ACKNOWLEDGE),
    _without("dual_before_copy", "LAW", "base", policy=BOTH_ACKNOWLEDGE),
    _without("per_write_tracking", "LU", "table", companions=("delta_always",)),
    _without("per_write_tracking", "LAW", "table_and_deletes", companions=("delta_always",)),
    _without("per_migration_tracking", "LAW", "table", companions=("delta_always",)),
    _without("per_migration_tracking", "STK", "table", "complete_at_last", companions=("delta_always",)),
    _without("durable_record", "LAW", "crash"),
    _without("keyset_paging", "LAW", "offsets", policy=BOTH_ACKNOWLEDGE),
    _without("failed_page_is_retried", "LAW", "page_fails", policy=BOTH_ACKNOWLEDGE),
    _without("wipe_before_retry", "RD", "leftovers"),
    _without("wipe_before_retry", "LU", "leftovers,writes=3,before=0"),
    _without("one_owner_record", "LAW", "base"),
    _without("one_owner_record", "SR", "reads", READ),
    _without("target_holds_no_replica", "LAW", "replica", policy=REPLICA_REQUIRED),
    _without("cleanup_needs_proof", "LAW", "base"),
    _without("roll_forward_only", "LAW", "base"),
    _without("one_migration_per_shard", "LAW", "two_migrations"),
    _without("repairs_fenced", "SR", "two_repairs", "no_regress"),
    _without("repairs_fenced", "LU", "leftovers,writes=3,before=0,repairs=1"),
    _without("repairs_fenced", "RD", "leftovers,before=0,repairs=1"),
    _without("repair_is_conditional", "LU", "two_repairs"),
    _without("repair_honours_tombstones", "RD", "kinds"),
    _without("expiry_of_winner_only", "LAW", "kinds"),
    _without("sweep_tie_break", "LAW", "kinds"),
    _without("grace_before_cleanup", "SR", "two_documents", SEARCH),
    _without("search_filters_owned", "SR", "two_documents", SEARCH),
    _without("copy_waits_for_applied", "LAW", "base", policy=BOTH_ACKNOWLEDGE),
    _without("gc_fences_every_replica", "RD", "collection_and_repairs"),
    _without("gc_waits_for_repairs", "RD", "collection_and_repairs"),
    _without("gc_waits_for_applied", "RD", "collection"),
    _without("policy_is_recorded", "LAW", "policy_changes", "no_permanent_loss", policy=HEALED_LATER),
    _without("healed_before_next", "LAW", "another_policy", "no_permanent_loss", policy=HEALED_LATER),
    _without("abort_forgets_cursor", "LAW", "retry", policy=BOTH_ACKNOWLEDGE),
    _without("proof_of_this_attempt", "LAW", "retry"),
    _without(
        "proof_of_this_attempt",
        "LAW",
        "gate,attempts=2,back=1,late=0,queues=0",
        "no_permanent_loss",
        note="clean-pass",
        policy=CLEAN_PASS,
    ),
)


def _unserved(safeguard: str, scope: str, prop: str, finding: str, **more: object) -> Experiment:
    return _without(safeguard, "STK", scope, prop, note="unserved", finding=finding, **more)


# Safeguards without which, besides what is lost, clients or operators ask in vain for ever: a migration that cannot end
# keeps the shard sealed, or the record and the fences say what no router's view fits any more.
UNSERVED: tuple[Experiment, ...] = (
    _unserved("whole_documents", "base", "writable_again",
              "N merged into a copy that lacks fields, so it never equals what was scanned: writers stay held."),
    _unserved("per_migration_tracking", "table", "writable_again",
              "The drain waits for an entry of another migration that never settles: writers stay held.",
              companions=("delta_always",)),
    _unserved("durable_record", "crash", "writable_again",
              "After a crash the record is of an epoch that the fences refuse, whoever asks."),
    _unserved("roll_forward_only", "base", "writable_again",
              "The routers point back at O, which no record says: no view fits, and nothing can be begun."),
    _unserved("one_migration_per_shard", "two_migrations", "begun_again",
              "One activates by the record of the other, without its proof: the clean-up waits for ever."),
)  # fmt: skip

# Safeguards without which no state is bad, but a run may go on for ever.
FOR_EVER: tuple[Experiment, ...] = (
    _without("copy_waits_for_earlier_alone", "STK", "endless", "begun_ends"),
)  # fmt: skip


def _seed(harm: str, scope: str, prop: str, note: str, finding: str, **more: object) -> Experiment:
    return Experiment("", harm, prop, scope, note=note, finding=finding, **{"in_place": AS_WRITTEN, **more})  # type: ignore[arg-type]


_ALONE = {"replicas": False, "cleanup": Cleanup.IMMEDIATE, "skip_delta_pass": True}

# Each claim of the seed that a trace contradicts, in the order of its text.
FINDINGS: tuple[Experiment, ...] = (
    _seed("LAW", "base", WRITE, "as-written",
          "As written, with delta and anti-entropy on: acknowledged when it was queued, and the queued task fails."),
    _seed("LAW", "after_dual", WRITE, "as-written-acks-applied",
          "Even if acknowledgements waited until it was applied: the joining node acknowledges alone, O has nothing.",
          in_place=AS_WRITTEN | {"ack_after_applied"}, ),
    _seed("LU", "base", WRITE, "as-written",
          "The seed's tests compare sets of ids; an acknowledged update is lost to the version that it replaced.",
          in_place=AS_WRITTEN | {"ack_after_applied", "one_owner_record", "whole_documents"}),
    _seed("RD", "deletes", WRITE, "as-written",
          "The seed's tests never delete; a deleted document that was acknowledged as gone comes back.",
          in_place=AS_WRITTEN | {"ack_after_applied"}),
    _seed("SR", "reads", READ, "as-written",
          "Routers take the joining node for the owner, and a read misses what was acknowledged.",
          in_place=AS_WRITTEN | {"ack_after_applied"}),
    _seed("LAW", "after_dual", WRITE, "delta-alone",
          '"Delta pass alone provides 0-loss": with all other safeguards in place, the delta as written loses a write.',
          in_place=HARDENED - {"delta_always", "delta_compares_versions"}),
    _seed("LU", "after_dual", WRITE, "delta-writes-what-is-missing",
          '"Writes any docs missing on NEW": a stale copy is not missing, and the acknowledged update is lost.',
          in_place=HARDENED - {"delta_compares_versions"}),
    _seed("LU", "two_repairs", WRITE, "anti-entropy-as-written",
          '"Anti-entropy as a final safety net": its unconditional repair overwrites an acknowledged write by itself.',
          in_place=HARDENED - {"repairs_fenced", "repair_is_conditional", "repair_honours_tombstones"}),
    _seed("LAW", "crash,before=0", WRITE, "crash",
          '"Coordinator crashes": the phase is in memory; after a crash the old owner serves again.',
          in_place=HARDENED - {"durable_record"}),
    _seed("LAW", "two_migrations", WRITE, "two-migrations",
          "Two migrations of one shard at once lose an acknowledged write; the seed's own test of this is ignored.",
          in_place=HARDENED - {"one_migration_per_shard"}),
)  # fmt: skip

# The five holes of the seed's gate: it accepts each of these policies. What is broken is the policy alone: every
# safeguard that the policy does not switch off is in place.
GATE_HOLES: tuple[Experiment, ...] = (
    _seed("LAW", "gate", "no_permanent_loss", "gate-accepts-an-alert",
          "It asks whether anti-entropy is enabled; with auto_repair = false that only reports the loss.",
          policy=Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE, anti_entropy=AntiEntropy.ALERT),
          in_place=HARDENED),
    _seed("LAW", "gate_alone", "no_permanent_loss", "gate-accepts-a-single-copy",
          "Anti-entropy is on, but RF * RG = 1: after the clean-up there is nothing to repair from.",
          policy=Policy(**_ALONE), in_place=HARDENED),  # type: ignore[arg-type]
    _seed("LAW", "gate", "no_permanent_loss", "gate-accepts-an-acknowledgement-by-the-source",
          "There are replicas, but the acknowledgement rested on the source alone, and the source was cleaned away.",
          policy=Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE), in_place=HARDENED),
    _seed("LAW", "gate", "no_permanent_loss", "gate-reads-another-configuration",
          "The gate was shown one configuration, with anti-entropy on; the workers run another, with it off.",
          policy=Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE, anti_entropy=AntiEntropy.OFF,
                        replica_ack=ReplicaAck.REQUIRED), in_place=HARDENED),
    _seed("LAW", "policy_changes", "no_permanent_loss", "gate-is-not-asked-again",
          "Anti-entropy is switched off between the begin and the clean-up, and nobody asks the gate again.",
          policy=HEALED_LATER, in_place=HARDENED - {"policy_is_recorded"}),
)  # fmt: skip


def refusal(strength: Strength, clause: Clause) -> Experiment:
    """What a policy does that a clause of the sound gate refuses: it loses for good (eventual) or for a while
    (strict), or its migration hangs. The policy is the default but for what the clause names."""
    policy = example_of(clause, strength)
    hangs = clause.why.startswith("the clean-up waits")
    lost = "no_lost_write" if strength is Strength.STRICT else "no_permanent_loss"
    return Experiment(
        "", "STK" if hangs else "LAW", "finish" if hangs else lost, "gate" if policy.replicas else "gate_alone", policy,
        note=f"{strength.value}-{re.sub('[^a-z]+', '-', clause.name)}", finding=f"Refused, since {clause.why}.",
        about="gate",
    )  # fmt: skip


# What the sound gate accepts, and a scope that is wider than its own breaks.
OPEN: tuple[Experiment, ...] = (
    Experiment(
        "", "LAW", "no_permanent_loss", "gate_alone,attempts=2,back=1,crashes=1,strays=1,zombies=1",
        Policy(drain_on_timeout=DrainOnTimeout.FORCE, acknowledge=Acknowledge.ALL, replicas=False),
        note="late-deletion-on-the-way-back", about="gate",
        finding="On the way back O applies a write before its fence is up, and a late deletion takes that again.",
    ),
)  # fmt: skip

# One for each clause of the sound gates.
REFUSALS: tuple[Experiment, ...] = tuple(refusal(s, c) for s in Strength for c in CLAUSES[s])

EXPERIMENTS: tuple[Experiment, ...] = (
    *NECESSARY,
    *UNSERVED,
    *FOR_EVER,
    *FINDINGS,
    *GATE_HOLES,
    *OPEN,
    *REFUSALS,
)


def _protocol(experiment: Experiment, removed: tuple[str, ...]) -> Protocol:
    return cutover(experiment.scope).resolve(resolve(experiment.policy, removed))


def protocol_of(experiment: Experiment) -> Protocol:
    """The protocol without the safeguard."""
    return _protocol(experiment, experiment.removed)


def without_removal(experiment: Experiment) -> Protocol:
    """The protocol with the safeguard in place, and only its companions removed: this must hold."""
    return _protocol(experiment, experiment.companions)


def _verdict(experiment: Experiment, protocol: Protocol, limits: Limits) -> Verdict:
    harms = [c.harm for c in protocol.claims if c.property == experiment.property]
    harm = "" if harms == [""] else experiment.harm  # a claim of whole runs names none
    found = explore(
        protocol, only=(experiment.property, harm), stop_at_first=True, limits=limits, cycles=False
    )
    mine = [v for v in found.verdicts if v.property in (experiment.property, "domain")]
    return next((v for v in mine if isinstance(v, Violated)), mine[0])


def violated(experiment: Experiment, limits: Limits = NO_LIMITS) -> Verdict:
    """Violated, by the shortest path to that harm; anything else means that the safeguard is not necessary here."""
    return _verdict(experiment, protocol_of(experiment), limits)


def holds_with(experiment: Experiment, limits: Limits = NO_LIMITS) -> Verdict:
    """Holds, if the safeguard is what prevents the harm."""
    return _verdict(experiment, without_removal(experiment), limits)


def trace_of(experiment: Experiment, verdict: Verdict) -> Trace:
    """The counterexample as a trace. Raises ValueError if the verdict carries none."""
    if not isinstance(verdict, Violated) or verdict.path is None:
        raise ValueError(f"{experiment.file} has no counterexample: {verdict.property} is not violated")
    return from_path(
        protocol_of(experiment),
        verdict.path.states,
        verdict.path.transitions,
        verdict.path.back,
        why=experiment.why,
        property=experiment.property,
        form=verdict.form,
        harm=verdict.harm,
        safeguards_removed=experiment.removed,
        policy=experiment.policy.changed(),
        scope=experiment.scope.bounds(),
    )
