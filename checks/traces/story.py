"""Traces and replays as lines of text: why, what was run, each step with what it changed, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cutproof.checks.traces.replay import Change, Replay, changes_of, flat
from cutproof.checks.traces.trace import Step, Trace


def story(trace: Trace, sentences: Mapping[str, str] | None = None) -> list[str]:
    """The trace as lines, with the changes that it recorded; `sentences`, by action, are added."""
    lines = _head(trace)
    for number, step in enumerate(trace.steps, 1):
        changes = changes_of(*(dict(flat(trace.states[i])) for i in (number - 1, number)))
        lines += _step(number, step, changes, (sentences or {}).get(step.action, ""))
    return lines


def account(result: Replay, *, sentences: bool = False) -> list[str]:
    """The replay as lines: what it did, and at the end what came of it."""
    trace, divergence, lines = result.trace, result.divergence, _head(result.trace)
    for walked in result.walked:
        lines += _step(walked.number, walked.step, walked.changes, walked.sentence if sentences else "")
    lines += [f"note: {note}" for note in result.notes]
    if divergence is None:
        return [
            *lines,
            f"reproduced: {result.checked}" + (f"; harm: {trace.meta.harm}" if trace.meta.harm else ""),
        ]
    where = (
        f"step {divergence.number}, {divergence.step},"
        if divergence.step
        else f"after step {divergence.number}"
    )
    lines.append(f"not reproduced: {where} {divergence.reason}")
    lines += [f"    {difference}" for difference in divergence.differences]
    if divergence.enabled:
        lines.append(f"    enabled instead: {', '.join(divergence.enabled)}")
    return lines


def _head(trace: Trace) -> list[str]:
    meta = trace.meta
    settings = [", ".join(f"{k}={v}" for k, v in values.items()) for values in (meta.scope, meta.policy)]
    parts = {
        "protocol": meta.protocol,
        "property": meta.property,
        "without": ", ".join(meta.safeguards_removed),
        "scope": settings[0],
        "policy": settings[1],
        "seed": "" if meta.seed is None else str(meta.seed),
    }
    return [meta.why, "", "; ".join(f"{k} {v}" for k, v in parts.items() if v), ""]


def _step(number: int, step: Step, changes: Sequence[Change], sentence: str) -> list[str]:
    said = [f"    {sentence}"] if sentence else []
    return [f"{number:3}. {step}", *said, *(f"       {c}" for c in changes)]
