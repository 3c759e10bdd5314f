"""The table of safeguards is whole: it names every mechanism, and leaves nothing unsaid."""

import re
from dataclasses import fields

import pytest

from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.safeguards import _TABLE, AS_WRITTEN, HARDENED, SAFEGUARDS, Harm, Safeguard

SENTENCE = re.compile(r"[A-Z][^.\n]*\.")  # starts large, ends with its only full stop
ANSWER = re.compile(r"[\w-]+ (?:#\d+|SERVER-\d+): .+")
SEEDS = {"yes", "no", "undefined", "contradictory"}

every_safeguard = pytest.mark.parametrize("safeguard", SAFEGUARDS.values(), ids=list(SAFEGUARDS))


def test_every_switch_has_an_entry_and_every_entry_a_switch():
    """`delta` is a bool too, but the policy chooses it."""
    switches = [f.name for f in fields(Mechanisms) if isinstance(getattr(Mechanisms(), f.name), bool)]
    assert list(SAFEGUARDS) == [name for name in switches if name != "delta"]
    assert set(SAFEGUARDS) == HARDENED


def test_names_are_not_repeated():
    assert len(_TABLE) == len(SAFEGUARDS)
    for part in ("rule", "without"):
        assert len({getattr(s, part) for s in _TABLE}) == len(_TABLE), f"two safeguards share a {part!r}"


@every_safeguard
def test_rule_and_without_are_one_sentence_each(safeguard: Safeguard):
    assert SENTENCE.fullmatch(safeguard.rule)
    assert SENTENCE.fullmatch(safeguard.without)


@every_safeguard
def test_harms_are_named_once_and_the_seed_is_judged(safeguard: Safeguard):
    assert safeguard.harms
    assert all(isinstance(harm, Harm) for harm in safeguard.harms)
    assert len(set(safeguard.harms)) == len(safeguard.harms)
    assert safeguard.seed in SEEDS


@every_safeguard
def test_answers_name_a_system_and_its_issue_and_say_what_happened(safeguard: Safeguard):
    for answer in safeguard.answers.split("; ") if safeguard.answers else []:
        assert ANSWER.fullmatch(answer)
        assert 8 <= len(answer.split(": ", 1)[1].split()) <= 15
        assert not answer.endswith(".")


def test_no_bug_is_claimed_twice():
    bugs = [a.split(":")[0] for s in SAFEGUARDS.values() for a in s.answers.split("; ") if a]
    assert len(bugs) == len(set(bugs))


def test_what_the_seed_has_or_may_be_said_to_have():
    assert {name: SAFEGUARDS[name].seed for name in AS_WRITTEN} == {
        "dual_before_copy": "yes",
        "ack_needs_source": "undefined",
        "failed_page_is_retried": "undefined",
        "abort_forgets_cursor": "undefined",
        "proof_of_this_attempt": "undefined",
        "seal_blocks_writes": "contradictory",
    }


def test_every_harm_is_the_main_one_of_some_safeguard():
    assert {s.harms[0] for s in SAFEGUARDS.values()} == set(Harm)
