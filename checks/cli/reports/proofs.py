"""What `cutproof prove` says, and does: a protocol by induction; the cutover in many scopes, for many policies."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cutproof.checks.cli.arguments import the_policy, the_properties, the_removed, the_scope
from cutproof.checks.cli.console import say, say_json
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.cli.reports import explorations
from cutproof.checks.cli.reports.progress import Ticker
from cutproof.checks.common.refusals import checked, refuse
from cutproof.checks.cutover.proofs.proved import PROVED, accepted, proof_in
from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.proof.asking import hearing
from cutproof.checks.engines.proof.induction import (
    Answer,
    Counterexample,
    Obligation,
    Proof,
    conditional,
    exit_code,
    side_by_side,
)
from cutproof.checks.engines.proof.judge import Judged, judge
from cutproof.checks.engines.proof.smt2 import write_all
from cutproof.checks.engines.verdict import UNKNOWN, Holds, Verdict, Violated, line, to_json
from cutproof.checks.protocols.load import Loaded
from cutproof.checks.protocols.registry import without_guards
from cutproof.checks.traces.counterexample import told
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.language.protocol import Protocol

SHOWN = 5  # refuted obligations that are shown at length


def answer_json(answer: Answer, scope: str) -> dict[str, Any]:
    """One answer, as `--json` gives it."""
    found = answer.counterexample
    broken = list(found.broken) if found else []
    step = str(found.transition) if found and found.transition else None
    return {
        "scope": scope, "kind": answer.kind, "name": answer.name,
        "said": answer.said, "seconds": round(answer.seconds, 3),
        "broken": broken, "step": step, "reason": answer.reason,
    }  # fmt: skip


# ------------------------------------------------------------------ any protocol


def prove_any(
    loaded: Loaded,
    only: Sequence[str],
    smt2: Path | None,
    time_out: float,
    steps: int,
    folder: Path | None,
    json_lines: bool,
) -> int:
    """Prove one protocol: every obligation, then a verdict for each property, with the run where one is violated."""
    began, name = time.perf_counter(), loaded.protocol.name

    def before(obligations: Sequence[Obligation]) -> None:
        if smt2 is not None:
            _write(obligations, smt2, name)

    with Ticker() as ticker:
        try:
            found = checked(
                lambda: judge(
                    loaded.protocol, only=only, time_out=time_out, steps=steps, obligations=before,
                    progress=lambda text: ticker.tell("prove", text),
                )
            )  # fmt: skip
        except KeyboardInterrupt:
            print(f"interrupted: {ticker.text() or 'nothing was asked'}", file=sys.stderr)
            return UNKNOWN
    exploration = Exploration(loaded.protocol, verdicts=list(found.verdicts))
    traces = explorations.traces_of(exploration, loaded.settings, loaded.entry)
    variant = explorations.variant_of(loaded)
    files, conflict = (
        explorations.write_traces(traces, folder, variant, loaded.protocol) if folder else ({}, "")
    )
    answers = conditional(found.answers)
    cases.of_verdicts(found.verdicts, files, loaded.file)
    if json_lines:
        for answer in answers:
            say_json(answer_json(answer, name))
        for i, verdict in enumerate(found.verdicts):
            settings = loaded.settings
            more = {"scope": settings["scope"], "removed": list(settings["safeguards_removed"])}
            say_json({**to_json(verdict, files.get(i)), **more})
    else:
        counts = Counter(a.kind for a in answers)
        about = (
            f"{_many(len(found.proof.invariants), 'invariant')}, {_many(counts['step'], 'action')}, "
            f"{counts['property']} always, {counts['progress']} can always"
        )
        say(*_told(name, about, answers, found.proof), "", *_verdicts(found, files))
        if traces:
            shortest = min(traces.values(), key=lambda trace: len(trace.steps))
            say("", *told(shortest, loaded.protocol))
        say("", _summary([(name, a) for a in answers], began))
    if conflict:
        refuse(conflict)
    return found.code


def _verdicts(found: Judged, files: Mapping[int, str]) -> list[str]:
    with_all = (
        f"with {_many(len(found.proof.invariants), 'invariant')}" if found.proof.invariants else "alone"
    )
    by = with_all if all(a.proved for a in found.answers) else "with those clauses that every step keeps"
    lines = [
        _verdict(verdict, by) + (f"; {files[i]}" if i in files else "")
        for i, verdict in enumerate(found.verdicts)
    ]
    for wrong in found.wrong:
        steps = wrong.path.steps if wrong.path else 0
        lines.append(f"wrong     invariant {wrong.property}: it is false after {_many(steps, 'step')}")
        lines += [
            f"          {wrong.protocol.transitions[n]}" for n in (wrong.path.transitions if wrong.path else ())
            if wrong.protocol
        ]  # fmt: skip
    return lines or ["nothing to prove: no *always* and no *can always* is claimed"]


def _verdict(verdict: Verdict, by: str) -> str:
    claim = f"{verdict.form} {verdict.property}"
    if isinstance(verdict, Holds):
        return f"proved    {claim}: in runs of any length, by induction {by}"
    if isinstance(verdict, Violated):
        return line(verdict)
    return f"unknown   {claim}: {getattr(verdict, 'reason', '')}"


# ------------------------------------------------------------------ the cutover


def prove_cutover(
    scope: str,
    without: str,
    policy: str,
    guards: Sequence[str],
    only: Sequence[str],
    smt2: Path | None,
    time_out: float,
    json_lines: bool,
) -> int:
    """Prove it in one scope, or in all of `PROVED`; under one policy, or all that the gate accepts."""
    names = [scope] if scope else list(PROVED)
    scopes, removed = [the_scope(name) for name in names], the_removed(without)
    chosen = the_policy(policy) if policy else None
    began, every = time.perf_counter(), list[tuple[str, Answer]]()

    def change(protocol: Protocol) -> Protocol:
        the_properties(protocol, only)
        return without_guards(protocol, guards)

    try:
        for name, bounds in zip(names, scopes, strict=True):
            with hearing():
                proof = proof_in(bounds, chosen, removed, time_out, only=only, change=change)
                obligations = list(proof.obligations())
                if smt2 is not None:
                    _write(obligations, smt2, name)
                mine = conditional(o.ask(to_show=True) for o in obligations)
            every += [(name, a) for a in mine]
            _count(name, mine)
            if json_lines:
                for answer in mine:
                    say_json(answer_json(answer, name))
            else:
                spoken_of = {resolve(p, removed): p for p in ([chosen] if chosen else accepted(bounds))}
                kinds = Counter(a.kind for a in mine)
                under = "1 policy" if len(spoken_of) == 1 else f"{len(spoken_of)} policies"
                about = (
                    f"{under}, {kinds['step']} actions, {kinds['property']} always, "
                    f"{kinds['progress']} can always"
                )
                say(*_told(name, about, mine, proof, partial(_under, proof, spoken_of)))
    except KeyboardInterrupt:
        print(f"interrupted: {len(every)} obligations were asked", file=sys.stderr)
        return UNKNOWN
    if not json_lines:
        say(_summary(every, began))
    return exit_code(a for _, a in every)


def _count(scope: str, answers: Sequence[Answer]) -> None:
    """A case for each obligation."""
    for a in answers:
        outcome = cases.PASSED if a.proved else cases.FAILED if a.said == "refuted" else cases.UNKNOWN
        cases.case(scope, f"{a.kind} {a.name}", outcome, f"{a.said} {a.reason}".strip(), seconds=a.seconds)


def _under(proof: Proof, spoken_of: Mapping[Mechanisms, Policy], found: Counterexample) -> str:
    """Under which policy a counterexample is, where that is not the default one."""
    mine = (p.changed() for r, p in spoken_of.items() if proof.symbols.codes_of(r) == found.values)
    set_to = ", ".join(f"{k}={str(v).lower()}" for k, v in next(mine, {}).items() if k != "replicas")
    return f", under {set_to}" if set_to else ""


# ------------------------------------------------------------------ both


def _told(
    name: str,
    about: str,
    answers: Sequence[Answer],
    proof: Proof,
    under: Callable[[Counterexample], str] = lambda found: "",
) -> list[str]:
    """One proof: that it is one, or what is not proved, with the states of what is refuted side by side."""
    bad = [a for a in answers if not a.proved]
    if not bad:
        return [f"proved   {name}: {about}, {sum(a.seconds for a in answers):.2f} s"]
    asked = [a for a in bad if a.said != "conditional"]
    lines = [f"{'refuted' if any(a.said == 'refuted' for a in bad) else 'unknown'}  {name}: {about}"]
    for answer in asked[:SHOWN]:
        lines.append(f"  {answer.kind} {answer.name}: {answer.said} {answer.reason}".rstrip())
        if found := answer.counterexample:
            first, *states = side_by_side(proof.protocol, found)
            lines += [f"  {first}{under(found)}", *(f"  {line}" for line in states)]
    if len(asked) > SHOWN:
        lines.append(f"  and {len(asked) - SHOWN} more obligations")
    return lines


def _summary(every: Sequence[tuple[str, Answer]], began: float) -> str:
    slow = sorted(every, key=lambda pair: -pair[1].seconds)[:3]
    slowest = ", ".join(f"{a.name} in {name} {a.seconds:.2f} s" for name, a in slow)
    said = Counter(a.said for _, a in every)
    counts = ", ".join(f"{n} {word}" for word, n in sorted(said.items()))
    return f"{len(every)} obligations: {counts}; {time.perf_counter() - began:.1f} s; slowest: {slowest}"


def _write(obligations: Sequence[Obligation], folder: Path, name: str) -> None:
    try:
        write_all(obligations, folder, name)
    except OSError as error:
        refuse(f"--smt2 {folder}: {error.strerror or error}")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
