"""How a run ends, in sentences: the promise, the loss, by which step, and after which it was inevitable."""

from __future__ import annotations

from collections.abc import Sequence

from cutproof.checks.traces import story
from cutproof.checks.traces.outcome import changes_of, values_of
from cutproof.checks.traces.trace import Trace
from cutproof.checks.views.drawing import Verdict
from cutproof.checks.views.inevitable import Fated, of_deadlock, of_reach, of_safety
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.picture import Loss
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Claim, Protocol, State
from cutproof.model.language.words import Run, placed

FORMS = {  # what became of a property, where the protocol has no words for it
    "always": "This is not so any more",
    "can_always": "This cannot come any more, whatever is done that somebody owes",
    "cycle": "This never comes, though the same steps go round for ever",
    "leads_to": "It was asked for, and need never come: the same steps can go round for ever",
    "eventually": "This need never come",
    "deadlock": "Nothing can be done any more",
    "domain": "An action leaves the values that its variable can have",
    "sometimes": "It is so at the end",
}
SHOWS = ("", "sometimes")  # forms of runs in which nothing goes wrong


def verdict_of(trace: Trace, run: Run, states: Sequence[State] | None, most: int) -> Verdict:
    """The verdict on a run; `states` are its states as the protocol has them, None where it has not."""
    protocol, meta = run.protocol, trace.meta
    claims = [c for c in protocol.claims if c.property == meta.property and meta.harm in ("", c.harm)]
    form = "domain" if meta.property == "domain" else meta.form or (claims[0].form if claims else "")
    said = next((p.sentence for p in protocol.properties if p.name == meta.property), "")
    loss = _loss(run, meta.property, form, said)
    attempt = story.attempted(trace)
    if form in SHOWS:
        by = f"It is so after step {len(run.steps)}." if form else "A run, and nothing is said of its end."
        return Verdict(meta.property, said, form, promise=loss.promise, loss=attempt or loss.loss, by=by,
                       since=len(run.steps) if form else None, rows=_rows(run),
                       after="Nothing was lost, so no step made it inevitable.")  # fmt: skip
    since = _since(protocol, claims, form, states, len(run.steps))
    fated = _fated(protocol, claims, form, states, since, most)
    return Verdict(
        meta.property, said, form, protocol.words.harms.get(meta.harm, meta.harm), loss.promise, loss.loss,
        _by(trace, run, form, since, fated), since, fated.step, _after(run, fated, since), _rows(run),
    )  # fmt: skip


def _loss(run: Run, name: str, form: str, said: str) -> Loss:
    """The protocol's own words; else the sentence of the property, and that it is false."""
    own = run.protocol.picture.loss
    found = own(run, name) if own and form not in SHOWS else None
    if found is not None:
        return found
    promise = said or (name and f"{name} holds.") or "Nothing in particular was promised."
    if form == "deadlock":
        promise = said or "Something can always be done."
    became = FORMS.get(form, "")
    if form == "always" and run.steps:
        changes = changes_of(*(values_of(run.protocol, s) for s in (run.steps[-1].before, run.last)))
        told = [words for words in story.changed_words(run.steps[-1], changes) if words]
        became += f". The last step changed {'; '.join(told)}" if told else ""
    return Loss(promise, f"{became}." if became else "Nothing is said to be lost.")


def _since(
    protocol: Protocol, claims: Sequence[Claim], form: str, states: Sequence[State] | None, last: int
) -> int:
    """The step after which the property is false, and stays so to the end."""
    if form != "always" or states is None or not claims:
        return last
    holds = compile_terms(protocol, [c.holds for c in claims])
    since = last
    while since > 0 and not all(holds(states[since - 1])):
        since -= 1
    return since


def _fated(
    protocol: Protocol,
    claims: Sequence[Claim],
    form: str,
    states: Sequence[State] | None,
    since: int,
    most: int,
) -> Fated:
    if states is None:
        return Fated(unknown="the states are not those of the protocol")
    if form == "deadlock":
        return of_deadlock(protocol, states, most)
    if not claims:
        return Fated(unknown="no property says what went wrong")
    if form == "always":
        return of_safety(protocol, [c.holds for c in claims], states, since, most)
    if form in ("can_always", "cycle", *TEMPORAL):
        return of_reach(protocol, claims[0].holds, states, most)
    return Fated(unknown="no property says what went wrong")


def _by(trace: Trace, run: Run, form: str, since: int, fated: Fated) -> str:
    """By which step it was lost."""
    if form in ("leads_to", "eventually", "cycle"):
        if trace.loop is None or trace.loop == len(run.steps):
            return f"After step {len(run.steps)} it can stay so for ever: nothing that is owed leads on."
        return f"Steps {trace.loop + 1} to {len(run.steps)} go round for ever, from {_step(run, trace.loop + 1)}."
    step = fated.step if form == "can_always" and fated.step is not None else since
    return f"By {_step(run, step)}." if step else "From the beginning."


def _after(run: Run, fated: Fated, since: int) -> str:
    """After which step it was inevitable."""
    more = f" Until then a run could avoid it, going on with {fated.instead}." if fated.instead else ""
    if fated.never:
        return "It was never inevitable: after every step there was still another way to go on."
    if fated.step is None:
        return f"After which step it was inevitable is not known: {fated.unknown}."
    if fated.unknown:
        return f"It was inevitable after {_step(run, fated.step)} at the latest ({fated.unknown})."
    if fated.step == 0:
        return "It was inevitable from the beginning."
    return f"It was inevitable after {_step(run, fated.step)}, and not before.{more}"


def _step(run: Run, number: int) -> str:
    if not 0 < number <= len(run.steps):
        return f"step {number}"
    taken = run.steps[number - 1]
    said = story.sentence(taken).rstrip(".") or taken.action
    where = "" if taken.protocol.words.step(taken) else placed(taken.arguments)
    return f"step {number} ({said}{f': {where}' if where else ''})"


def _rows(run: Run) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(str, row)) for row in story.ending_rows(run))
