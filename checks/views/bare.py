"""A drawing of a bare trace in the Informal Trace Format, as Apalache, Quint and others write it: what changed, and
no more. The lanes are guessed: the keys that most variables are told apart by. What cannot be known is said.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from cutproof.checks.traces.itf import TraceError
from cutproof.checks.traces.trace import Trace
from cutproof.checks.views.drawing import Drawing, Lane, Step, Verdict

FEW, DEEP, LONG = 8, 100, 400  # lanes that are guessed, values in values, characters of a value
SHARED = "shared"
TAKEN = ("action", "mbt::actionTaken", "action_taken")
MISSING = (
    "The file has states alone: what a step is called, who took it and which messages there were is not in it.",
    "It does not say which property is violated, nor which steps were possible and which guard was false.",
    "With the protocol (--model FILE.py) all of that can be shown.",
)


def of_bytes(data: bytes, name: str) -> Drawing:
    """The drawing of such a file. Raises TraceError, one line, for what is none."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        raise TraceError(f"{name}: is neither a trace, a schedule nor a history: it is not JSON") from None
    states = whole.get("states") if isinstance(whole, dict) else None
    if not isinstance(states, list) or not states or not all(isinstance(s, dict) for s in states):
        raise TraceError(f"{name}: $.states: there are none, so this is no trace")
    about = whole.get("#meta") if isinstance(whole.get("#meta"), dict) else {}
    loop = whole.get("loop")
    read = [{k: value(v) for k, v in state.items() if not k.startswith("#")} for state in states]
    calls = [_call(state) for state in states]
    return of_states(
        read,
        calls,
        title=str(about.get("description") or name.rsplit("/", 1)[-1])[:LONG],
        missing=MISSING,
        why=f"A run of {len(states) - 1:,} steps, as another tool wrote it.",
        loop=loop if type(loop) is int and 0 <= loop < len(states) else None,
    )


def of_trace(trace: Trace, about: tuple[tuple[str, str], ...]) -> Drawing:
    """The drawing of a trace of this program whose protocol is not at hand: its calls, and what it says of itself."""
    meta = trace.meta
    lost = f"{meta.property} is violated ({meta.form})." if meta.property else "Nothing is said to be lost."
    verdict = Verdict(
        meta.property,
        form=meta.form,
        harm=meta.harm,
        promise=f"{meta.property or 'No property'} (what it says stands in the protocol).",
        loss=lost,
        by=f"By step {len(trace.steps)}.",
        since=len(trace.steps),
        after="After which step it was inevitable is not known: there is no protocol to ask.",
    )
    found = of_states(
        list(trace.states),
        ["", *map(str, trace.steps)],
        meta.property or "A run",
        meta.why,
        (
            f"The protocol {meta.protocol} is not at hand: give its file with --model FILE.py for sentences, "
            "messages, and what else was possible.",
        ),
        trace.loop,
        verdict,
    )
    return msgspec.structs.replace(found, about=about)


def of_states(
    states: list[dict[str, Any]],
    calls: list[str],
    title: str,
    why: str,
    missing: tuple[str, ...],
    loop: int | None = None,
    verdict: Verdict | None = None,
) -> Drawing:
    """A drawing of nothing but states: plain values by variable, and what their steps are called, as far as known."""
    keys = _lanes(states)
    lanes = (*(Lane(str(key)) for key in keys), Lane(SHARED, "what belongs to nobody"))
    before: dict[str, str] = {}
    standing: dict[int, Any] = {}
    steps = list[Step]()
    for number, state in enumerate(states):
        now = {field: text for name, v in state.items() for field, text in _fields(name, v)}
        changed = [f for f in now if before.get(f) != now[f]]
        gone = [f for f in before if f not in now]
        stands = _standing(state, keys)
        touched = {lane for lane, shown in stands.items() if standing.get(lane) != shown}
        words = [f"{f}: {before[f]} \u2192 {now[f]}" if f in before else f"{f}: {now[f]}" for f in changed]
        words += [f"{f} is gone" for f in gone]
        only = touched - {len(keys)}
        steps.append(
            Step(
                call=calls[number] or ("" if number == 0 else f"step {number}"),
                sentence="" if number == 0 else _sentence(words),
                lane=-1 if number == 0 else only.pop() if len(only) == 1 else len(keys),
                changes=() if number == 0 else tuple(words),
                standing={lane: stands[lane] for lane in touched},
                state={**{f: now[f] for f in changed}, **dict.fromkeys(gone, "(gone)")},
            )
        )
        before, standing = now, stands
    return Drawing(
        title=title,
        why=why,
        lanes=lanes,
        steps=tuple(steps),
        missing=missing,
        loop=loop,
        verdict=verdict or _nothing(len(steps) - 1, loop),
        kind="states",
    )


def _nothing(last: int, loop: int | None) -> Verdict:
    ends = (
        f"The run ends after step {last}." if loop is None else f"From step {loop} on it goes round for ever."
    )
    return Verdict(
        promise="Which property it is about, the file does not say.",
        loss="What is wrong at the end, the file does not say.",
        by=ends,
        after="After which step it was inevitable is not known: there is no protocol to ask.",
    )


def value(raw: Any, depth: int = 0) -> Any:
    """A value of the format as a plain one: maps and records as dictionaries, sets and tuples as tuples of texts."""
    if depth > DEEP:
        return "..."
    if isinstance(raw, list):
        return [value(v, depth + 1) for v in raw]
    if not isinstance(raw, dict):
        return raw
    if set(raw) == {"#bigint"}:
        return str(raw["#bigint"])
    if set(raw) == {"#map"} and isinstance(raw["#map"], list):
        pairs = [p for p in raw["#map"] if isinstance(p, list) and len(p) == 2]
        return {written(value(k, depth + 1)): value(v, depth + 1) for k, v in pairs}
    if set(raw) == {"#set"} and isinstance(raw["#set"], list):
        return "{" + ", ".join(sorted(written(value(v, depth + 1)) for v in raw["#set"])) + "}"
    if set(raw) == {"#tup"} and isinstance(raw["#tup"], list):
        return "(" + ", ".join(written(value(v, depth + 1)) for v in raw["#tup"]) + ")"
    return {str(k): value(v, depth + 1) for k, v in raw.items() if k != "#meta"}


def written(plain: Any) -> str:
    """A value as text."""
    if isinstance(plain, Mapping):
        return "{" + ", ".join(f"{k}: {written(v)}" for k, v in plain.items()) + "}"
    if isinstance(plain, list | tuple):
        return "[" + ", ".join(map(written, plain)) + "]"
    return str(plain)


def _lanes(states: list[dict[str, Any]]) -> tuple[Any, ...]:
    """The keys by which most variables are told apart, in their order; none where no variable is."""
    seen = Counter(tuple(v) for v in states[0].values() if isinstance(v, Mapping) and 2 <= len(v) <= FEW)
    return seen.most_common(1)[0][0] if seen else ()


def _standing(state: Mapping[str, Any], keys: tuple[Any, ...]) -> dict[int, tuple[tuple[str, str], ...]]:
    found: dict[int, list[tuple[str, str]]] = {n: [] for n in range(len(keys) + 1)}
    for name, v in state.items():
        if keys and isinstance(v, Mapping) and tuple(v) == keys:
            for number, key in enumerate(keys):
                found[number].append((name, written(v[key])[:LONG]))
        else:
            found[len(keys)].append((name, written(v)[:LONG]))
    return {number: tuple(shown) for number, shown in found.items()}


def _fields(name: str, v: Any) -> list[tuple[str, str]]:
    if isinstance(v, Mapping) and v:
        return [(f"{name}[{key}]", written(inner)[:LONG]) for key, inner in v.items()]
    return [(name, written(v)[:LONG])]


def _sentence(words: list[str]) -> str:
    if not words:
        return "Nothing changes."
    return "; ".join(words[:3]) + (f"; and {len(words) - 3} more" if len(words) > 3 else "")


def _call(state: Mapping[str, Any]) -> str:
    about = state.get("#meta")
    for place in (about if isinstance(about, dict) else {}, state):
        for name in TAKEN:
            if isinstance(place.get(name), str):
                return str(place[name])[:LONG]
    return ""
