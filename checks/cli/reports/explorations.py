"""What an exploration found, as text and as facts, and the traces that are written of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path as File
from typing import Any

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.verdict import FORMS, Violated, line, to_json
from cutproof.checks.protocols.load import Loaded
from cutproof.checks.protocols.registry import Bundled
from cutproof.checks.traces.counterexample import trace_of
from cutproof.checks.traces.story import story
from cutproof.checks.traces.trace import Trace, to_bytes, write
from cutproof.checks.views.carried import pictured
from cutproof.model.language.protocol import Protocol


def traces_of(found: Exploration, settings: Mapping[str, Any], entry: Bundled | None) -> dict[int, Trace]:
    """The counterexamples of an exploration by the number of their verdict; `settings` holds scope, policy and
    safeguards removed, for the meta, and `entry` is the bundled protocol, if it is one."""
    return {
        i: trace_of(replace(verdict, settings=settings), entry.intact if entry else "")
        for i, verdict in enumerate(found.verdicts)
        if isinstance(verdict, Violated) and verdict.path is not None
    }


def variant_of(loaded: Loaded, as_written: bool = False) -> str:
    """What tells the traces of one variant of a protocol from those of another, in the names of their files."""
    removed = loaded.settings["safeguards_removed"]
    without = "-".join(["without", *removed]) if removed else ""
    if loaded.protocol.name == "cutover":
        return "as-written" if as_written else without or "hardened"
    given = "-".join(f"{name}-{value}" for name, value in loaded.given)
    return "-".join(filter(None, (loaded.protocol.name, given, without)))


def write_traces(
    traces: Mapping[int, Trace], folder: File, variant: str, protocol: Protocol | None = None
) -> tuple[dict[int, str], str]:
    """Write them into a folder; the file of each, and what stands in the way. Then none is written. `protocol` is
    theirs: where it does not come with the package, the files carry what is needed to show them."""
    traces = {i: pictured(trace, protocol) for i, trace in traces.items()}
    short = variant if len(variant) <= 100 else f"{variant[:90]}-and-more"
    files = {}
    for i, trace in traces.items():
        meta = trace.meta
        parts = (meta.property, "cycle" if meta.form == "cycle" else "", meta.harm, short)
        files[i] = folder / (re.sub(r"[^\w.=-]+", "-", "-".join(filter(None, parts))) + ".itf.json")
    try:
        for i, file in files.items():
            if file.exists() and not _holds(file, to_bytes(traces[i])):
                return {}, f"{file} holds something else; no trace was written: choose another folder"
        for i, file in files.items():
            write(traces[i], file)
    except OSError as error:
        return {}, f"{folder}: {error.strerror or error}"
    return {i: str(file) for i, file in files.items()}, ""


def _holds(file: File, data: bytes) -> bool:
    return file.is_file() and file.stat().st_size == len(data) and file.read_bytes() == data


def explored(found: Exploration, files: Mapping[int, str], traces: Mapping[int, Trace]) -> list[str]:
    """What is violated, with the story of the worst of it; then the other verdicts, and what never happened."""
    lines = {i: line(v) + (f"; {files[i]}" if i in files else "") for i, v in enumerate(found.verdicts)}
    bad = [i for i, verdict in enumerate(found.verdicts) if isinstance(verdict, Violated)]
    said = [lines[i] for i in bad]
    if traces:
        worst = min(traces, key=lambda i: badness(found.protocol, traces[i]))
        said += ["", *story(traces[worst], found.protocol)]
    if bad and len(bad) < len(lines):
        said.append("")
    never = ", ".join(found.never_fired)
    happened = f"never happened in this scope: {never}" if never else "every action happened"
    if not found.fired_counted:
        happened = "which actions happened was not counted"
    rest = [text for i, text in lines.items() if i not in bad]
    return [*said, *rest, "", happened]


def badness(protocol: Protocol, trace: Trace) -> tuple[int, int, int]:
    """What is told first: the worst kind of harm, as the protocol lists them; then what is never to be before what must
    stay possible; then the shortest."""
    harms = [*protocol.words.harms]
    harm = harms.index(trace.meta.harm) if trace.meta.harm in harms else len(harms)
    return harm, FORMS.index(trace.meta.form or FORMS[0]), len(trace.steps)


def explored_json(
    found: Exploration, files: Mapping[int, str], about: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """An object for each verdict, and one for what happened how often."""
    more = {"scope": about["scope"], "policy": about["policy"], "removed": list(about["safeguards_removed"])}
    for i, verdict in enumerate(found.verdicts):
        yield {**to_json(verdict, files.get(i)), **more}
    yield {
        "checked": found.protocol.name,
        "coverage": found.coverage if found.fired_counted else None,
        "never_fired": found.never_fired if found.fired_counted else None,
        **more,
    }
