"""Proofs by induction: they hold, they are not vacuous, they notice every removal, and a second solver agrees."""

from dataclasses import fields
from typing import Any

import pytest
import z3
from examples import by_night, examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cutover.proofs import proved
from cutproof.checks.cutover.safeguards.necessity import NECESSARY
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.proof import smt2
from cutproof.checks.engines.proof.bounded import Search
from cutproof.checks.engines.proof.houdini import strongest, trapped
from cutproof.checks.engines.proof.induction import Proof, exit_code, first_refuted, side_by_side
from cutproof.checks.engines.proof.symbolic import Symbols, before
from cutproof.checks.engines.verdict import Violated
from cutproof.checks.ladder.proofs import NEVER, NEVER_IN
from cutproof.model.cutover.coordinator import build, cutover
from cutproof.model.cutover.invariants import INVARIANTS
from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.properties import finish, no_permanent_loss
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, TRACKED, Scope, parse_scope
from cutproof.model.language import (
    Domain,
    Operand,
    Step,
    action,
    always,
    boolean,
    choose,
    constant,
    count,
    guard,
    when,
)
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.protocol import Protocol

EVERY = (*proved.PROVED, *SMALL_SCOPES, "kinds,attempts=2,aborts=1")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", EVERY)
def test_the_hardened_protocol_is_proved_in_every_scope(name: str) -> None:
    proof = proved.proof_in(parse_scope(name))
    answers = [o.ask() for o in proof.obligations()]
    assert [(a.kind, a.name, a.said) for a in answers if not a.proved] == []
    assert exit_code(answers) == 0
    assert {a.kind for a in answers} == {"start", "step", "property", "progress"}


# What a random scope may switch on. Tombstones are collected in scopes of their own (beside a way back, zombies, skew
# or searches no invariant says enough of what was forgotten), and the table is the seed's.
SWITCHES = [
    f.name for f in fields(Scope) if f.type == "bool" and f.name not in ("back", "collect", "others", "table")
]


@st.composite
def scopes(draw: st.DrawFn, documents: int, writes: int) -> Scope:
    """Any combination of what may happen, a way back or retries, within such bounds."""
    chosen: dict[str, Any] = {name: draw(st.booleans()) for name in SWITCHES}
    attempts = draw(st.integers(1, 3))
    if draw(st.booleans()):
        chosen.update(attempts=2, back=True)
    else:
        chosen.update(attempts=attempts, aborts=draw(st.integers(0, attempts)))
    most = {"documents": draw(st.integers(1, documents)), "writes": draw(st.integers(1, writes))}
    if chosen["endless"]:
        chosen.update(dict.fromkeys(("deletes", "searches", "sweep", "skew"), False))
        most["writes"] = max(2, most["writes"])
    return Scope(**most, **chosen)


@examples(3, 150)
@given(scope=scopes(documents=2, writes=3) if by_night() else scopes(documents=1, writes=2))
def test_the_invariants_are_not_made_for_the_named_scopes(scope: Scope) -> None:
    answer = first_refuted(proved.proof_in(scope))
    assert answer is None, f"{answer.kind} {answer.name}: {answer.said}"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", proved.PROVED)
def test_no_proof_is_vacuous(name: str) -> None:
    never = {what for kind, what, there in proved.proof_in(parse_scope(name)).possible() if not there}
    assert never - NEVER - NEVER_IN.get(name, set()) <= (
        {"ABORTED"} if not parse_scope(name).aborts else set()
    )


def test_what_a_proof_calls_impossible_never_happens() -> None:
    for name, actions in NEVER_IN.items():
        assert actions <= set(explore(build(parse_scope(name)), cycles=False).never_fired)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "name", ["base,writes=1", "zombie", "two_migrations", "collection", "replica", "leftovers"]
)
def test_the_invariants_hold_in_every_reachable_state(name: str) -> None:
    scope = parse_scope(name)
    protocol = cutover(scope).judged_by(INVARIANTS).resolve(resolve(Policy(replicas=scope.replica)))
    holds = compile_terms(protocol, [c.holds for c in protocol.claims])
    for state in explore(build(scope), cycles=False).states:
        assert all(holds(state)), [
            c.property for c, h in zip(protocol.claims, holds(state), strict=True) if not h
        ]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("experiment", NECESSARY, ids=lambda e: e.file)
def test_without_a_necessary_safeguard_an_obligation_fails(experiment) -> None:
    proof = Proof(cutover(experiment.scope), resolve(experiment.policy, experiment.removed))
    answer = first_refuted(proof, proved.changed_by(proof, experiment))
    assert answer is not None and answer.said == "refuted"
    assert answer.counterexample is not None and answer.counterexample.broken


# A delta that trusts the seed's table, and a second migration under a policy of its own, or one that heals later: no
# invariant speaks of these, so with the safeguard they are not proved (they are explored).
NOT_SPOKEN_OF = [e for e in NECESSARY if e.companions or (e.policy.skip_delta_pass and e.scope.back)]
# Where the policy skips the delta, not every invariant holds: what is left proves the property, with the safeguard.
MASKED = [e for e in NECESSARY if e.policy.skip_delta_pass and e not in NOT_SPOKEN_OF]
QUICK = ("copy_checks_version", "policy_is_recorded")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "experiment", [e for e in NECESSARY if e not in MASKED + NOT_SPOKEN_OF], ids=lambda e: e.file
)
def test_with_the_safeguard_every_obligation_is_proved(experiment) -> None:
    assert first_refuted(Proof(cutover(experiment.scope), resolve(experiment.policy))) is None


@pytest.mark.parametrize(
    "experiment",
    [pytest.param(e, id=e.file, marks=[] if e.safeguard in QUICK else pytest.mark.nightly) for e in MASKED],
)
def test_where_the_delta_is_skipped_the_property_is_proved_with_the_safeguard_alone(experiment) -> None:
    symbolic = cutover(experiment.scope)
    wanted = [p for p in symbolic.properties if p.name == experiment.property]
    assert strongest(symbolic, resolve(experiment.policy), wanted).proved[experiment.property]
    assert not strongest(symbolic, resolve(experiment.policy, experiment.removed), wanted).proved[
        experiment.property
    ]


def test_a_counterexample_is_a_step_out_of_the_invariants() -> None:
    proof = proved.proof_in(SCOPES["abort"], None, ("wipe_before_retry",))
    answer = first_refuted(proof)
    assert answer is not None and answer.counterexample is not None
    found = answer.counterexample
    assert found.transition is not None and found.broken == ("wiped_before_retry",)
    before_it, after_it = {**found.state, **found.values}, {**found.after, **found.values}
    assert all(ex.evaluate(claim.holds, before_it, {}) for claim in proof.clauses)
    after = [c.property for c in proof.clauses if not ex.evaluate(c.holds, after_it, {})]
    assert after == ["wiped_before_retry"]
    text = side_by_side(proof.protocol, found)
    assert text[0] == "begin() breaks: wiped_before_retry"
    assert any(line.split() == ["phase", "ABORTED", "DUAL"] for line in text)


def test_a_time_out_is_unknown_and_proves_nothing() -> None:
    proof = proved.proof_in(parse_scope(proved.EVERYTHING), time_out=0.001)
    answers = [proof.step("apply").ask()]
    assert answers[0].said == "unknown" and not answers[0].proved
    assert exit_code(answers) == 3


def test_no_invariant_is_said_of_the_start_by_luck() -> None:
    """An invariant that is false at the start fails the first obligation."""

    @always
    def never_idle(s):
        """Wrong."""
        return s.epoch != 0

    proof = Proof(cutover(SCOPES["base"]), resolve(Policy()), invariants=[*INVARIANTS, never_idle])
    answer = first_refuted(proof)
    assert answer is not None and answer.kind == "start" and answer.counterexample.broken == ("never_idle",)


def test_the_symbols_agree_with_the_interpreter_on_a_run() -> None:
    protocol = build(SCOPES["base"], None, ("fence_epoch",))
    verdict = explore(protocol, cycles=False, stop_at_first=True).verdicts
    path = next(v.path for v in verdict if isinstance(v, Violated))
    for bits in (False, True):
        symbols, solver = Symbols(protocol, bits=bits), z3.Solver()
        for here, number, there in zip(path.states, path.transitions, path.states[1:], strict=False):
            transition, after = protocol.transitions[number], protocol.named(there)
            solver.push()
            solver.add(*symbols.is_state(here), *symbols.within(), symbols.of(transition.enabled))
            assert solver.check() == z3.sat
            for claim in protocol.claims:  # the weakest precondition here says what the claim says there
                wanted = bool(ex.evaluate(claim.holds, after, {}))
                says = z3.simplify(
                    solver.model().eval(symbols.of(before(claim.holds, transition)), model_completion=True)
                )
                assert z3.is_true(says) is wanted
            solver.pop()


def test_bits_are_refused_where_a_variable_has_no_bound() -> None:
    with pytest.raises(ValueError, match="unbounded"):
        Symbols(cutover(TRACKED), bits=True)


# ------------------------------------------------------------------ what does not vary has a domain too


def set_what_does_not_vary(domain: Domain, new: Any, switched: bool) -> Protocol:
    """A step that gives `fixed` a value, and one that a state within the domains needs to come to a harm."""

    @action
    def set_it(s: Any) -> Step:
        value = choose(s.on, new, domain.decode(domain.low)) if switched else constant(new)
        return when(guard("ready", s.n == 0)).then(fixed=value, n=1)

    @always
    def zero(s: Any) -> Operand:
        return s.n == 0

    variables = {"fixed": domain, "n": count(0, 1), "on": boolean()}
    return Protocol("fixed", variables, [set_it], [zero], initial={"on": True})


@pytest.mark.parametrize("switched", [False, True])
@pytest.mark.parametrize(
    ("domain", "new"),
    [(boolean(varies=False), True), (count(2, 7, varies=False), 3)],
    ids=["boolean", "count"],
)
def test_what_does_not_vary_may_not_be_given_another_value(domain: Domain, new: Any, switched: bool) -> None:
    protocol = set_what_does_not_vary(domain, new, switched)
    found = explore(protocol)
    assert [v.property for v in found.verdicts if isinstance(v, Violated)] == ["domain"]
    assert len(found.states) == 1

    answer = Proof(protocol, only=["none"]).step("set_it").ask()
    assert answer.counterexample is not None
    assert answer.counterexample.broken == ("the domain of fixed",)
    rows = [line.split() for line in side_by_side(protocol, answer.counterexample)]
    assert ["fixed", str(domain.decode(domain.low)), f"{int(new)}", "(outside)"] in rows
    assert Search(protocol, [None]).run(3).found == ()  # as the explorer, which does not take the step


# ------------------------------------------------------------------ what remains of the invariants


def test_what_remains_of_the_invariants_proves_a_policy_that_heals_later() -> None:
    policy = Policy(skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS)
    kept = strongest(cutover(SMALL_SCOPES["gate"]), resolve(policy), [no_permanent_loss], [finish])
    assert kept.proved == {"no_permanent_loss": True, "finish": True}
    assert "promised_is_at_the_owner" in kept.dropped


def test_what_remains_does_not_prove_what_is_false() -> None:
    policy = Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE, anti_entropy=AntiEntropy.ALERT)
    kept = strongest(cutover(SMALL_SCOPES["gate"]), resolve(policy), [no_permanent_loss])
    assert kept.proved == {"no_permanent_loss": False}


def test_a_trap_is_proved_and_a_way_out_is_not() -> None:
    stuck = Policy(skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS, anti_entropy=AntiEntropy.OFF)
    for policy, expected in ((stuck, True), (Policy(), False)):
        protocol = build(SMALL_SCOPES["gate"], policy)
        goal = next(c.holds for c in protocol.claims if c.property == "complete_at_last")
        kept = strongest(cutover(SMALL_SCOPES["gate"]), resolve(policy), [no_permanent_loss])
        known = [term for _, term in kept.clauses]
        assert trapped(protocol, protocol.initial, goal, known) is expected


# ------------------------------------------------------------------ one write among any number


@pytest.mark.parametrize(
    "safeguard",
    ["fence_epoch", "drain_waits_for_fences", "drain_waits_for_applied", "apply_checks_version", "ack_needs_source",
     "wipe_before_retry", "command_epoch", "source_fenced_before_open", "delta_always", "cleanup_needs_proof",
     "whole_documents"],
)  # fmt: skip
def test_one_write_among_any_number_needs_the_safeguards(safeguard: str) -> None:
    assert first_refuted(Proof(cutover(TRACKED), resolve(Policy(), (safeguard,)))) is not None


# ------------------------------------------------------------------ a second opinion


def confirmed(proof: Proof) -> None:
    pytest.importorskip("cvc5")
    for obligation in proof.obligations():
        said = smt2.ask_cvc5(smt2.text_of(obligation))
        assert said == ("unsat" if obligation.ask().proved else "sat"), obligation.name


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["base", "zombie", "tracked"])
def test_cvc5_gives_the_same_answers(name: str) -> None:
    confirmed(proved.proof_in(parse_scope(name)))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("removed", ["fence_epoch", "drain_waits_for_applied", "delta_always"])
def test_cvc5_gives_the_same_answers_where_a_safeguard_is_missing(removed: str) -> None:
    confirmed(proved.proof_in(SCOPES["base"], None, (removed,)))


@pytest.mark.nightly
@pytest.mark.parametrize("name", EVERY)
def test_cvc5_gives_the_same_answers_everywhere(name: str) -> None:
    confirmed(proved.proof_in(parse_scope(name)))


def test_obligations_are_written_one_a_file(tmp_path) -> None:
    obligations = list(proved.proof_in(SCOPES["base"]).obligations())
    files = smt2.write_all(obligations, tmp_path, "base")
    assert sorted(files) == sorted(tmp_path.iterdir()) and len(files) == len(obligations)
    solver = z3.Solver()
    solver.from_file(str(tmp_path / "base-step-seal.smt2"))
    assert solver.check() == z3.unsat
    assert "(set-logic QF_LIA)" in files[0].read_text(encoding="utf-8")


def test_the_codes_of_a_record_are_what_resolve_puts_in() -> None:
    symbols = Symbols(cutover(SCOPES["base"]))
    codes = symbols.codes_of(resolve(Policy(), ("fence_epoch",)))
    assert codes["mechanisms.fence_epoch"] == 0 and codes["mechanisms.delta"] == 1
