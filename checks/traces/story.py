"""Traces and replays as lines of text: why, what was run, each step in words, how things stand at the end, what came
of it. How a protocol is spoken of, it says itself (`model/language/words.py`); there is a default for what it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cutproof.checks.traces.itf import Plain
from cutproof.checks.traces.outcome import Change, Replay, changes_of, flat, places, values_of
from cutproof.checks.traces.trace import Step, Trace, plain
from cutproof.model.language.protocol import Protocol
from cutproof.model.language.words import Changed, Run, Taken, index_names, placed

ENDS = {  # what the form of a trace says of its last state
    "always": "false at the end",
    "sometimes": "true at the end",
    "can_always": "out of reach from here",
    "cycle": "never true, however often this goes round",
    "deadlock": "nothing can change any more",
    "leads_to": "asked for, and never comes",
    "eventually": "never comes",
}
ATTEMPTED = "which may not happen here: a program was asked to do it"


def story(trace: Trace, protocol: Protocol | None = None) -> list[str]:
    """The trace as lines, with the changes that it recorded; in the words of its protocol where that is given."""
    lines = _head(trace)
    if protocol is None:
        for number, step in enumerate(trace.steps, 1):
            lines.append(f"{number:3}. {step}")
            lines += [f"       {c}" for c in changes_of(*map(_flat, trace.states[number - 1 : number + 1]))]
        return [*lines, *_round(trace)]
    run = run_of(protocol, [_whole(protocol, state) for state in trace.states], trace.steps)
    return [*lines, *_steps(run), *_round(trace), *_attempt(trace), *_end(run), *_claim(trace, protocol)]


def account(result: Replay) -> list[str]:
    """The replay as lines: what it did, and at the end what came of it."""
    trace, protocol, divergence = result.trace, result.protocol, result.divergence
    run = run_of(protocol, result.states, [w.step for w in result.walked])
    around = [*_round(trace), *_attempt(trace)] if divergence is None else []
    lines = [*_head(trace), *_steps(run), *around, *_end(run)]
    if divergence is None:
        lines += _claim(trace, protocol)
        harm = f"; harm: {trace.meta.harm}" if trace.meta.harm else ""
        said = [f"{result.verdict}: {result.checked}{harm}"]
    else:
        step = f", {divergence.step}," if divergence.step else ""
        where = f"step {divergence.number}{step}" if step else f"after step {divergence.number}"
        said = [f"not reproduced: {where} {divergence.reason}"]
        said += [f"    {difference}" for difference in divergence.differences]
        if divergence.enabled:
            said.append(f"    enabled instead: {', '.join(divergence.enabled)}")
    return [*lines, *(f"note: {note}" for note in result.notes), *said]


def facts_of(result: Replay) -> list[dict[str, Any]]:
    """The steps for machines: action, arguments, the sentence, and each change with the words for it."""
    run = run_of(result.protocol, result.states, [w.step for w in result.walked])
    return [
        {
            "step": walked.number,
            "action": taken.action,
            "arguments": dict(taken.arguments),
            "sentence": sentence(taken),
            "changes": [
                {"field": c.field, "old": c.old, "new": c.new, "words": words}
                for c, words in zip(walked.changes, changed_words(taken, walked.changes), strict=True)
            ],
        }
        for walked, taken in zip(result.walked, run.steps, strict=False)
    ]


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


# ------------------------------------------------------------------ steps


def run_of(protocol: Protocol, states: Sequence[Mapping[str, Plain]], steps: Sequence[Step]) -> Run:
    """The steps between whole plain states, which are one more."""
    taken = (
        Taken(protocol, step.action, step.arguments, *states[number : number + 2])
        for number, step in enumerate(steps)
    )
    return Run(protocol, tuple(taken), states[len(steps)])


def sentence(taken: Taken) -> str:
    """What the step did: in the words of the protocol, else the sentence of the action."""
    general = next((a.sentence for a in taken.protocol.actions if a.name == taken.action), "")
    return taken.protocol.words.step(taken) or general


def _steps(run: Run) -> list[str]:
    lines = _beginning(run)
    for number, taken in enumerate(run.steps, 1):
        lines.append(f"{number:3}. {Step(taken.action, dict(taken.arguments))}")
        said = sentence(taken)
        lines += [f"    {said}"] if said else []
        changes = changes_of(*(values_of(run.protocol, state) for state in (taken.before, taken.after)))
        lines += [f"       {words}" for words in changed_words(taken, changes) if words]
    return lines


def _round(trace: Trace) -> list[str]:
    """Where the run goes on for ever."""
    if trace.loop is None:
        return []
    again, last = trace.loop + 1, len(trace.steps)
    if again > last:
        return ["     and so for ever: nothing that is owed and fair is possible"]
    return [f"     and {f'step {last}' if again == last else f'steps {again} to {last}'} again, for ever"]


def _attempt(trace: Trace) -> list[str]:
    """What a program was asked to do in the end, though it may not happen."""
    if trace.meta.attempt is None:
        return []
    return [f"{len(trace.steps) + 1:3}. {trace.meta.attempt}", f"    {ATTEMPTED}"]


def attempted(trace: Trace) -> str:
    """What a program was asked to do after the last step, as one sentence; empty elsewhere."""
    return "" if trace.meta.attempt is None else f"Then {trace.meta.attempt}, {ATTEMPTED}."


def _beginning(run: Run) -> list[str]:
    """Where runs may begin in several states: in which this one does."""
    protocol = run.protocol
    chosen = [(cell.variable, cell.where) for choice in protocol.initial_choices for cell in choice.cells]
    begins = values_of(protocol, run.steps[0].before if run.steps else run.last)
    found: dict[str, list[tuple[str, str, str]]] = {}
    for name, (variable, indices) in places(protocol).items():
        is_chosen = any(v == variable and where[: len(indices)] == indices for v, where in chosen)
        if is_chosen and name in begins and protocol.words.variables.get(variable) != "":
            where = ", ".join(str(v) for v in _where(protocol, variable, indices).values())
            found.setdefault(variable, []).append((where, protocol.words.value(variable, begins[name]), ""))
    return [f"  0. at the start, {name}: {_listed(cells, 1)}" for name, cells in found.items()]


def changed_words(taken: Taken, changes: Sequence[Change]) -> list[str]:
    """Each change in words; empty where it is not told."""
    known, found = places(taken.protocol), list[str]()
    for c in changes:
        variable, where = known[c.field]
        changed = Changed(variable, _where(taken.protocol, variable, where), c.old, c.new, taken)
        found.append(taken.protocol.words.change(changed))
    return found


def _where(protocol: Protocol, variable: str, where: Sequence[Any]) -> dict[str, Plain]:
    return dict(zip(index_names(protocol, variable), map(plain, where), strict=True))


# ------------------------------------------------------------------ the end


def ending_rows(run: Run) -> list[Sequence[str]]:
    """How things stand at the end: the protocol's own table, else what differs from the start, by variable."""
    words = run.protocol.words
    return list(words.ending(run)) if words.ending else list(_differing(run))


def ending(run: Run) -> list[str]:
    """The table at the end as lines of text."""
    rows = ending_rows(run)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _end(run: Run) -> list[str]:
    table = ending(run)
    return ["", *table, ""] if table else [""]


def _differing(run: Run) -> list[tuple[str, str, str]]:
    """A row for each variable that differs, and in it each of its fields that does."""
    protocol, words = run.protocol, run.protocol.words
    first = run.steps[0].before if run.steps else run.last
    start, last = values_of(protocol, first), values_of(protocol, run.last)
    found: dict[str, list[tuple[str, str, str]]] = {}
    for name, (variable, indices) in places(protocol).items():
        old, new = start[name], last[name]
        if old != new and words.variables.get(variable) != "":
            where = placed(_where(protocol, variable, indices))
            values = (words.value(variable, new), words.value(variable, old))
            found.setdefault(variable, []).append((where, *values))
    rows = [(name, _listed(cells, 1), _listed(cells, 2)) for name, cells in found.items()]
    return [("", "at the end", "at the start"), *rows] if rows else []


def _listed(cells: Sequence[tuple[str, str, str]], column: int) -> str:
    """The values, each after its index; one alone where they are the same at every index."""
    if len({cell[column] for cell in cells}) == 1 and column == 2:
        return cells[0][column]
    return ", ".join(f"{cell[0]}: {cell[column]}" if cell[0] else cell[column] for cell in cells)


def _claim(trace: Trace, protocol: Protocol) -> list[str]:
    """Which property it is about, with its sentence, and the harm in words."""
    meta = trace.meta
    known = {p.name: p for p in protocol.properties}
    form = meta.form or (known[meta.property].form if meta.property in known else "")
    if meta.property not in known and form != "deadlock":
        return []
    said = known[meta.property].sentence if meta.property in known else ""
    what = ENDS.get(form, "")
    name = "" if form == "deadlock" else f": {meta.property}"
    harm = protocol.words.harms.get(meta.harm, "")
    line = f"{what}{name}{f' ({harm})' if harm else ''}"
    return [f"{line}: {said}" if said and form != "deadlock" else line]


def _flat(state: Mapping[str, Plain]) -> dict[str, Plain]:
    return dict(flat(state))


def _whole(protocol: Protocol, state: Mapping[str, Plain]) -> dict[str, Plain]:
    """A recorded state with the variables that have one value, which a trace leaves out."""
    return {**plain(protocol.decode(protocol.initial)), **state}
