"""What an exploration and a replay found, as text and as facts, and the traces that are written of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.verdict import Violated, line, to_json
from cutproof.checks.traces.story import story
from cutproof.checks.traces.trace import Trace, from_path, to_bytes, write
from cutproof.model.cutover.safeguards import Harm


def traces_of(found: Exploration, about: Mapping[str, Any]) -> dict[int, Trace]:
    """The counterexamples of an exploration by the number of their verdict; `about` holds scope, policy and
    safeguards removed, for the meta."""
    removed = ", ".join(about["safeguards_removed"])
    setting = f"without {removed}" if removed else "with every safeguard in place"
    traces = {}
    for i, verdict in enumerate(found.verdicts):
        if isinstance(verdict, Violated) and verdict.path is not None:
            harm = f" ({Harm[verdict.harm].value})" if verdict.harm else ""
            what = "it goes round for ever and never comes to" if verdict.form == "cycle" else "this violates"
            path, named = (
                verdict.path,
                {"property": verdict.property, "form": verdict.form, "harm": verdict.harm},
            )
            why = f"{setting[0].upper()}{setting[1:]}, {what} {verdict.property}{harm}."
            traces[i] = from_path(found.protocol, path.states, path.transitions, why=why, **named, **about)
    return traces


def write_traces(traces: Mapping[int, Trace], folder: File, variant: str) -> tuple[dict[int, str], str]:
    """Write them into a folder; the file of each, and what stands in the way. Then none is written."""
    short = variant if len(variant) <= 100 else f"{variant[:90]}-and-more"
    files = {}
    for i, trace in traces.items():
        meta = trace.meta
        parts = (meta.property, "cycle" if meta.form == "cycle" else "", meta.harm, short)
        files[i] = folder / ("-".join(filter(None, parts)) + ".itf.json")
    try:
        for i, file in files.items():
            if file.exists() and file.read_bytes() != to_bytes(traces[i]):
                return {}, f"{file} holds something else; no trace was written: choose another folder"
        for i, file in files.items():
            write(traces[i], file)
    except OSError as error:
        return {}, f"{folder}: {error.strerror or error}"
    return {i: str(file) for i, file in files.items()}, ""


def explored(found: Exploration, files: Mapping[int, str], traces: Mapping[int, Trace]) -> list[str]:
    """The verdicts, violations first; the story of the shortest trace; what never happened."""
    numbered = sorted(enumerate(found.verdicts), key=lambda pair: not isinstance(pair[1], Violated))
    lines = [line(verdict) + (f"; {files[i]}" if i in files else "") for i, verdict in numbered]
    if traces:
        shortest = min(traces.values(), key=lambda trace: len(trace.steps))
        lines += ["", *story(shortest, found.protocol)]
    never = ", ".join(found.never_fired)
    return [*lines, "", f"never happened in this scope: {never}" if never else "every action happened"]


def explored_json(
    found: Exploration, files: Mapping[int, str], about: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """An object for each verdict, and one for what happened how often."""
    more = {"scope": about["scope"], "policy": about["policy"], "removed": list(about["safeguards_removed"])}
    for i, verdict in enumerate(found.verdicts):
        yield {**to_json(verdict, files.get(i)), **more}
    yield {
        "checked": found.protocol.name,
        "coverage": found.coverage,
        "never_fired": found.never_fired,
        **more,
    }
