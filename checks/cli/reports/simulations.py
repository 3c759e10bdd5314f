"""What random runs found and covered, as text and as facts."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path as File
from textwrap import wrap
from typing import Any

from cutproof.checks.cli.pipelines.cases import PASSED, SKIPPED, UNKNOWN
from cutproof.checks.engines.simulate.estimate import unseen
from cutproof.checks.engines.simulate.guards import Blocked
from cutproof.checks.engines.simulate.simulate import Simulation
from cutproof.checks.engines.simulate.walk import DEADLOCK, LIMIT, VIOLATION
from cutproof.checks.engines.verdict import Violated, line, to_json
from cutproof.checks.protocols.registry import Bundled
from cutproof.checks.traces.counterexample import trace_of
from cutproof.checks.traces.trace import Trace, TraceError, to_bytes, write
from cutproof.checks.views.carried import pictured
from cutproof.model.language.protocol import Protocol

WIDTH = 110
NAMED = 6  # guards that the text names; --json has all
ENDS = {
    DEADLOCK: "where nothing can change any more",
    LIMIT: "at the limit of steps",
    VIOLATION: "in a violation",
}


def simulated(found: Simulation, files: Mapping[int, str], story: Sequence[str]) -> list[str]:
    """What was found first, with its story; then what was covered, and what was not. `files` are those of the
    violations, by their number."""
    lines = list[str]()
    for i, verdict in enumerate(found.violations):
        lines += _wrapped(line(verdict) + (f"; {files[i]}" if i in files else ""))
    if found.violations:
        lines += ["", *story, ""]
    return [*lines, *_wrapped(head(found)), *_covered(found), *_unseen(found), _speed(found)]


def trace_of_violation(violated: Violated, settings: Mapping[str, Any], entry: Bundled | None) -> Trace:
    """The short run as a trace; `settings` are what it carries, `entry` is the bundled protocol, if it is one."""
    return trace_of(replace(violated, settings=settings), entry.intact if entry else "")


def write_traces(
    traces: Sequence[Trace], folder: File, variant: str, protocol: Protocol | None = None
) -> tuple[dict[int, str], str]:
    """Write them into a folder, by names that end in a few digits of what is in the file: other runs find other ways to
    the same violation, and none stands in the way of another. The file of each, and what stood in the way. `protocol`
    as for `explorations.write_traces`."""
    files = dict[int, str]()
    for i, bare in enumerate(traces):
        trace = pictured(bare, protocol)
        meta, digits = trace.meta, hashlib.sha256(to_bytes(trace)).hexdigest()[:8]
        name = "-".join(filter(None, (meta.property, meta.harm, variant[:100], digits)))
        file = folder / (re.sub(r"[^\w.=-]+", "-", name) + ".itf.json")
        try:
            write(trace, file)
        except (OSError, TraceError) as error:
            return files, f"--trace {folder}: {getattr(error, 'strerror', None) or error}"
        files[i] = str(file)
    return files, ""


def head(found: Simulation) -> str:
    """What came of it, in one sentence, which never says that anything holds."""
    budget, runs = found.budget, _count(found.coverage.runs, "run")
    how = f"of at most {_count(budget.steps, 'step')} (seed {budget.seed}, mode {budget.mode})"
    if found.violations:
        return f"{_count(len(found.violations), 'violation')} found in {runs} {how}"
    asked = "" if budget.runs in (None, found.coverage.runs) else f" of the {budget.runs:,} asked for"
    why = f": {found.ended}" if found.ended else ""
    if found.coverage.runs and not found.coverage.steps:
        why = ": not exercised, no step is possible at the start"
    return f"nothing found in {runs}{asked} {how}{why}"


def not_violated(found: Simulation, asked: Sequence[str] | None) -> Iterator[tuple[str, str, str]]:
    """Every other claim that was asked for: its name, how it ended for who counts, and what is said of it."""
    violated = {v.property for v in found.violations}
    nothing = PASSED if found.coverage.steps and not found.ended else UNKNOWN
    for form, name in dict.fromkeys((c.form, c.property) for c in found.protocol.claims):
        if name in violated or (asked is not None and name not in asked):
            continue
        run = found.sometimes.get(name)
        if form == "sometimes" and run is None:
            outcome, said = SKIPPED, f"reached in no run: {head(found)}"
        elif form == "sometimes":
            outcome, said = PASSED, f"reached first in run {run:,}"
        else:
            outcome, said = nothing, head(found)
        yield f"{form.replace('_', ' ')} {name}", outcome, said


def _covered(found: Simulation) -> list[str]:
    coverage, seen = found.coverage, found.coverage.seen
    if not coverage.runs:
        return []
    about = "" if seen.exact else f"about (a sample of {len(seen.runs):,} was kept) "
    lines = [f"{_count(coverage.steps, 'step')}, {about}{_count(seen.distinct, 'different state')}"]
    ends = ", ".join(
        f"{coverage.ended[end]:,} ended {text}" for end, text in ENDS.items() if coverage.ended[end]
    )
    low, middle, high = lengths(coverage.lengths)
    lines += _wrapped(f"length of a run: {low:,} to {high:,} steps, median {middle:,}; {ends}")
    reached = [f"{name} (run {run:,})" for name, run in found.sometimes.items() if run is not None]
    missed = [name for name, run in found.sometimes.items() if run is None]
    lines += _wrapped(f"sometimes, reached first in: {', '.join(reached)}") if reached else []
    lines += _wrapped(f"sometimes, reached in no run: {', '.join(missed)}") if missed else []
    if runs := sorted({f"{c.form.replace('_', ' ')} {c.property}" for c in found.protocol.claims if c.cases}):
        text = "judged only where a run may rest, not where it may go round for ever"
        lines += _wrapped(f"{', '.join(runs)}: {text}")
    lines += _actions(found)
    if can := sorted({c.property for c in found.protocol.claims if c.form == "can_always"}):
        text = "no run shows that it holds; judged only where no step is owed any more"
        lines += _wrapped(f"can always {', '.join(can)}: {text}")
    return lines


def _actions(found: Simulation) -> list[str]:
    lines = list[str]()
    never = [b for b in found.never_enabled if not b.absent]
    lines += [part for blocked in never for part in _wrapped(_held(blocked))]
    if found.never_taken:
        lines += _wrapped(f"possible and never taken, or without effect: {', '.join(found.never_taken)}")
    absent = sum(b.absent for b in found.never_enabled)
    if not never and not found.never_taken:
        lines.append(f"every {'other ' * bool(absent)}action was taken")
    if absent:
        lines.append(f"{_count(absent, 'action')} cannot happen as the protocol is set (--json names them)")
    if idle := found.guards.idle:
        named = "; ".join(f"{action}: {name}" for action, name in idle[:NAMED])
        more = f"; and {len(idle) - NAMED:,} more (--json)" if len(idle) > NAMED else ""
        lines += _wrapped(f"guards that alone held back no step: {named}{more}")
    return lines


def _held(blocked: Blocked) -> str:
    if blocked.alone:
        each = " (each)" if len(blocked.alone) > 1 else ""
        why = f"{_quoted(blocked.alone)}{each} false wherever all its other guards were true"
    elif blocked.never:
        why = f"{_quoted(blocked.never)} true in no state"
    else:
        why = "never were all of its guards but one true"
    return f"never possible: {blocked.action}: {why}"


def _unseen(found: Simulation) -> list[str]:
    guess = unseen(found.coverage)
    if guess is None or found.violations or not found.coverage.steps:
        return []
    chance = "" if guess.chance is None else f"the chance is {_percent(guess.chance)} that it meets any, "
    lines = _wrapped(
        f"not seen (Good-Turing): one more run would be the first in {guess.states:,.2g} states on average, "
        f"{_percent(guess.share)} of its own; {chance}if it is drawn as these were"
    )
    if not guess.states:
        lines = _wrapped(
            "not seen (Good-Turing): hardly anything by more such runs; each state was met by two or more"
        )
    return lines + _wrapped(
        f"a violation that 1 such run in {int(1 / guess.bound):,} or more meets would have been met, with 95 % "
        "confidence; of what is rarer, or comes later in a run, nothing is said"
    )


def _speed(found: Simulation) -> str:
    return f"{found.seconds:.1f} s, {found.rate:,.0f} steps/s"


def lengths(counts: Counter[int]) -> tuple[int, int, int]:
    """The least, the middle (the lower of two) and the greatest of so many of each."""
    left = (counts.total() + 1) // 2
    for length in sorted(counts):
        left -= counts[length]
        if left <= 0:
            return min(counts), length, max(counts)
    return 0, 0, 0


def facts(
    found: Simulation, files: Mapping[int, str], settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """An object for each violation, and one for what was covered."""
    more = {
        "scope": settings["scope"],
        "policy": settings["policy"],
        "removed": list(settings["safeguards_removed"]),
    }
    for i, verdict in enumerate(found.violations):
        yield {**to_json(verdict, files.get(i)), **more}
    coverage, seen, guess, budget = found.coverage, found.coverage.seen, unseen(found.coverage), found.budget
    low, middle, high = lengths(coverage.lengths)
    yield {
        "checked": found.protocol.name,
        "outcome": "found" if found.violations else "cut off" if found.ended else "nothing found"
        if coverage.steps else "not exercised",
        "reason": found.ended,
        "seed": budget.seed,
        "mode": budget.mode,
        "budget": {"runs": budget.runs, "steps": budget.steps, "seconds": budget.seconds},
        "runs": coverage.runs,
        "steps": coverage.steps,
        "states": seen.distinct,
        "states_exact": seen.exact,
        "states_in_one_run": seen.once,
        "run_lengths": {"minimum": low, "median": middle, "maximum": high},
        "ended": {end: coverage.ended[end] for end in ENDS},
        "taken": found.taken,
        "sometimes": found.sometimes,
        "never_enabled": [{"action": b.action, "part_of_protocol": not b.absent, "held_back_alone_by": list(b.alone),
                           "guards_never_true": list(b.never)} for b in found.never_enabled],
        "never_taken": found.never_taken,
        "guards_that_held_nothing_back": [{"action": a, "guard": g} for a, g in found.guards.idle],
        "unseen": guess and {"states_in_another_run": guess.states, "share_of_its_states": guess.share,
                             "chance_of_any": guess.chance, "violation_met_at_least": guess.bound},
        "seconds": round(found.seconds, 3),
        "steps_per_second": round(found.rate),
        **more,
    }  # fmt: skip


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"
