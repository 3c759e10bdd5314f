"""Mutants judged: what notices them, and why nothing does."""

from __future__ import annotations

import pytest

from cutproof.checks.cutover.safeguards import judged
from cutproof.checks.cutover.safeguards.judged import (
    Alike,
    Judged,
    Setting,
    held,
    judge,
    looked_at,
    noticed,
    scopes_of,
    siblings,
    why_at_all,
)
from cutproof.checks.cutover.safeguards.mutants import Kind, Mutant
from cutproof.checks.cutover.safeguards.necessity import BOTH_ACKNOWLEDGE

RETRY = Setting("retry")
SKIPPED = Setting("retry", BOTH_ACKNOWLEDGE)


@pytest.mark.parametrize(
    ("mutant", "setting", "said"),
    [
        (Mutant("abort", "epoch"), RETRY, "begun_again STK, 2 steps, retry"),
        (Mutant("activate", "epoch"), RETRY, "writable_again STK, 9 steps, retry"),
        (Mutant("activate", "epoch"), Setting("base"), "writable_again STK, 6 steps, base"),
        (Mutant("abort", "cursor"), RETRY, ""),
        (Mutant("abort", "cursor", Kind.NEXT), SKIPPED, "no_lost_write LAW, 18 steps, "),
        (Mutant("abort", "cursor"), SKIPPED, "no_lost_write LAW, 22 steps, retry; skip_delta_pass=true,"),
        (Mutant("begin", "proof"), Setting("two_migrations"), "no_regress SR, 34 steps, two_migrations"),
        (Mutant("write", "waits", Kind.NEXT), RETRY, ""),
        (Mutant("answer_read", "reading"), RETRY, ""),  # there is none
    ],
    ids=str,
)
def test_what_notices_a_mutant(mutant: Mutant, setting: Setting, said: str) -> None:
    found = noticed(mutant, setting)
    assert str(found or "").startswith(said) and bool(found) is bool(said)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small scope, and one other policy."""
    monkeypatch.setattr(judged, "SCOPES", ("retry",))
    monkeypatch.setattr(judged, "LARGER", ())
    monkeypatch.setattr(judged, "MASKED_IN", ())
    monkeypatch.setattr(judged, "other_settings", lambda: (SKIPPED,))
    monkeypatch.setattr(judged, "masking", lambda: (Setting("retry", without=("cleanup_needs_proof",)),))


@pytest.mark.parametrize(
    ("mutant", "why", "about"),
    [
        (Mutant("abort", "cursor"), "policy", "no_lost_write LAW, 22 steps, retry; skip"),
        (Mutant("proof_fails", "cursor", Kind.NEXT), "the same", ""),
        (Mutant("complete", "scanned"), "tidying", ""),
        (Mutant("source_drained", "phase", Kind.NEXT), "seldom", "reaches_drain_target in retry"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("narrow")
def test_why_nothing_notices_a_mutant(mutant: Mutant, why: str, about: str) -> None:
    found = judge(mutant)
    assert (found.by, found.why) == (None, why)
    assert found.about.startswith(about)


@pytest.mark.usefixtures("narrow")
def test_another_effect_or_a_safeguard_may_mask_a_mutant_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    why, about = why_at_all(Mutant("repaired", "task", Kind.NEXT), [])
    assert (why, about) == (
        "a safeguard",
        "no_permanent_loss LAW, 24 steps, retry; without cleanup_needs_proof",
    )
    assert why_at_all(Mutant("read_page", "page", Kind.NEXT), []) == ("harmless", "")
    monkeypatch.setattr(judged, "MASKED_IN", ("retry",))
    assert judge(Mutant("abort", "proof")).about == "begin.proof: no_regress SR, 30 steps, retry"


@pytest.mark.usefixtures("narrow")
def test_what_is_noticed_needs_no_reason() -> None:
    by = noticed(Mutant("abort", "epoch"), RETRY)
    assert judge(Mutant("abort", "epoch")) == Judged(Mutant("abort", "epoch"), by)


def test_a_mutant_is_held_beside_the_protocol_as_it_is() -> None:
    assert looked_at(Mutant("abort", "proof"), RETRY) == (None, Alike(same=False, tidying=True))
    assert looked_at(Mutant("abort", "cursor"), RETRY) == (None, Alike(same=False, tidying=False))
    assert looked_at(Mutant("proof_fails", "cursor", Kind.NEXT), RETRY) == (None, Alike(True, True))
    by, alike = looked_at(Mutant("abort", "epoch"), RETRY)
    assert by is not None and alike is None


def test_large_scopes_are_for_what_is_in_no_other() -> None:
    assert [s.scope for s in scopes_of(Mutant("sweep", "net"))] == ["kinds"]
    assert [s.scope for s in scopes_of(Mutant("abort", "proof"))] == ["retry", "zombie", "leftovers"]
    assert scopes_of(Mutant("heal", "nothing")) == []


def test_a_pair_is_of_two_that_nothing_notices_alone() -> None:
    assert siblings(Mutant("abort", "proof"), RETRY) == [Mutant("begin", "proof")]
    assert siblings(Mutant("abort", "proof"), Setting("base")) == []  # no abort there


def test_what_a_policy_breaks_by_itself_is_not_what_notices() -> None:
    forced = Setting("retry", without=("ack_needs_source",))
    assert "no_lost_write" not in held(forced)
    assert set(held(forced)) < set(held(RETRY))
    assert "retried" not in held(RETRY)  # what happens sometimes is another question
