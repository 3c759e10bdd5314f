"""The trace of a verdict: what it says of itself, and its story."""

from __future__ import annotations

from cutproof.checks.engines.verdict import Holds, Verdict, run_of
from cutproof.checks.traces.story import story
from cutproof.checks.traces.trace import Trace, from_path
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Protocol


def trace_of(verdict: Verdict, intact: str = "") -> Trace:
    """The run that a verdict shows, with what its `settings` say. `intact` is how the sentence at the top begins where
    nothing was removed. Raises ValueError where the verdict shows no run."""
    path, protocol = run_of(verdict), verdict.protocol
    if path is None or protocol is None:
        raise ValueError(f"{verdict.form} {verdict.property}: this verdict shows no run of which to tell")
    settings = {"scope": {}, "policy": {}, "safeguards_removed": (), **verdict.settings}
    removed = ", ".join(settings["safeguards_removed"])
    setting = f"without {removed}" if removed else intact
    harm = f" ({protocol.words.harms.get(verdict.harm, verdict.harm)})" if verdict.harm else ""
    what = f"this violates {verdict.property}{harm}"
    if isinstance(verdict, Holds):
        what = f"this reaches {verdict.property}"
    elif verdict.form == "cycle":
        what = f"it goes round for ever and never comes to {verdict.property}{harm}"
    elif verdict.form in TEMPORAL:
        asked = f"what {verdict.property} asks for" if verdict.form == "leads_to" else verdict.property
        what = f"it can go on for ever, and {asked} never comes"
    why = f"{setting}, {what}." if setting else f"{what}."
    return from_path(
        protocol, path.states, path.transitions, path.back, why=why[0].upper() + why[1:], property=verdict.property,
        form=verdict.form, harm=verdict.harm, **settings,
    )  # fmt: skip


def told(trace: Trace, protocol: Protocol | None) -> list[str]:
    """The story of a trace, in the words of its protocol."""
    return story(trace, protocol)
