"""Reports: tables, progress, and the diagram of the phases. Text is returned; only `Ticker` writes, on stderr.

On a terminal a table fits its width and has colours; elsewhere it is plain text, each row on one line.
"""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path as File
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.verdict import HOLDS, LIVENESS, SAFETY, UNKNOWN, Violated, line, to_json
from cutproof.checks.ladder.tasks import Row
from cutproof.checks.traces.replay import Replay
from cutproof.checks.traces.story import story
from cutproof.checks.traces.trace import Trace, from_path, to_bytes, write
from cutproof.model.cutover.safeguards import Harm, Safeguard
from cutproof.model.language.protocol import label

WIDE = 100_000  # columns of what is not a terminal: every row on one line


def rendered(table: Table, width: int | None = None) -> str:
    """The table as text: for a terminal of that width, or plain if there is none."""
    out = io.StringIO()
    Console(
        file=out,
        width=width or WIDE,
        force_terminal=width is not None,
        color_system="auto" if width else None,
    ).print(table)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def terminal_width() -> int | None:
    """Of stdout; None where it is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> Table:
    """A table of plain cells; the columns named in `numbers` are aligned to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in head:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for cells in rows:
        style = "bold red" if cells[0] == "FAIL" else ""
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


# ------------------------------------------------------------------ the ladder


def ladder_table(rows: Sequence[Row], width: int | None = None) -> str:
    """What `cutproof verify` found, a line for each row."""
    head = ("", "rung", "what", "states", "transitions", "depth", "seconds", "verdict", "scope")
    return rendered(table_of(head, map(_cells, rows), head[3:7]), width)


def _cells(row: Row) -> tuple[str, ...]:
    counts = [f"{n:,}" if row.states else "" for n in (row.states, row.transitions)]
    depth = str(row.depth) if row.depth else ""
    seconds = f"{row.seconds:.1f}" if row.seconds else ""
    scope = row.scope if row.rung != "scope" else row.scope or "the default bounds"
    mark = "ok" if row.code == HOLDS else "FAIL"
    return (mark, row.rung, row.name, *counts, depth, seconds, verdict_of(row), scope)


def verdict_of(row: Row) -> str:
    """The verdict of a row, with what it is about and why it is not as expected."""
    claim = row.property + (f" ({row.harm})" if row.harm else "")
    about = claim if row.verdict in ("violated", "unknown") else ""
    return row.verdict + "".join(f": {part}" for part in (about, row.detail) if part)


def exit_code_of(rows: Sequence[Row]) -> int:
    """As for verdicts: safety before liveness before unknown; no row at all shows nothing."""
    codes = {row.code for row in rows}
    return next((code for code in (SAFETY, LIVENESS, UNKNOWN, HOLDS) if code in codes), UNKNOWN)


def summary(rows: Sequence[Row], seconds: float, code: int) -> str:
    """The last line: whether everything was as expected."""
    failed = [row for row in rows if row.code != HOLDS]
    if not failed:
        return f"verified: {len(rows)} of {len(rows)} results are as expected, in {seconds:.0f} s"
    names = "; ".join(f"{row.rung} {row.name}" for row in failed[:5])
    more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
    return f"not verified (exit code {code}): {len(failed)} of {len(rows)} results are not as expected: {names}{more}"


def row_json(row: Row) -> dict[str, Any]:
    """The facts of a row for machines."""
    return {
        "checked": "cutover",
        "rung": row.rung,
        "name": row.name,
        "verdict": row.verdict,
        "expected": row.expected,
        "as_expected": row.code == HOLDS,
        "property": row.property,
        "harm": row.harm,
        "reason": row.detail,
        "scope": row.scope,
        "removed": list(row.removed),
        "states": row.states,
        "transitions": row.transitions,
        "depth": row.depth,
        "seconds": round(row.seconds, 3),
        "trace": row.trace,
        **row.facts,
    }


# ------------------------------------------------------------------ progress


class Ticker:
    """Progress on stderr: a line that changes on a terminal, else a line every `pause` seconds.

    `last` is what each name told last: states, transitions, depth, frontier, seconds."""

    def __init__(self, pause: float = 10.0) -> None:
        self.last: dict[str, tuple[int, int, int, int, float] | str] = {}
        self.pause, self.told = pause, time.perf_counter()
        self.status = Status("", console=Console(stderr=True)) if sys.stderr.isatty() else None

    def __enter__(self) -> Ticker:
        if self.status:
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.status:
            self.status.stop()

    def tell(self, name: str, *numbers: Any) -> None:
        """Of a search: states, transitions, depth, frontier, seconds; else a text. Without them: it has ended."""
        if not numbers:
            self.last.pop(name, None)
        else:
            self.last[name] = numbers[0] if isinstance(numbers[0], str) else numbers
        self._show()

    def _show(self) -> None:
        now = time.perf_counter()
        if self.status:
            self.status.update(Text(self.text()))
        elif self.last and now - self.told >= self.pause:
            self.told = now
            print(self.text(), file=sys.stderr, flush=True)

    def text(self) -> str:
        """What is under way, on one line."""
        return "; ".join(self._of(name) for name in self.last)

    def _of(self, name: str) -> str:
        last = self.last[name]
        if isinstance(last, str):
            return f"{name}: {last}"
        states, _, depth, frontier, seconds = last
        rate = f", {states / seconds:,.0f} states/s" if seconds and depth else ""
        where = f"{states:,} states{rate}, frontier {frontier:,}, depth {depth}" if depth else f"{states}"
        return f"{name}: {where}"


# ------------------------------------------------------------------ the phases


def phase_diagram(explorations: Iterable[Exploration]) -> str:
    """A mermaid state diagram of the phases: an arrow wherever a transition that really fired changed the phase,
    named by the actions that did. ValueError for explorations that kept no edges, or of a protocol without phases."""
    arrows: dict[tuple[int, int], list[str]] = {}
    phases: dict[int, str] = {}
    initial: set[int] = set()
    for found in explorations:
        protocol, edges = found.protocol, found.edges
        if edges is None:
            raise ValueError("an exploration kept no edges; explore with graph=True")
        place = next((i for i, f in enumerate(protocol.fields) if f.name == "phase"), None)
        if place is None:
            raise ValueError(f"{protocol.name} has no phases")
        domain = protocol.fields[place].domain
        phases |= {code: label(domain.decode(code)) for code in range(domain.low, domain.high + 1)}
        order = {a.name: i for i, a in enumerate(protocol.actions)}
        initial.add(found.states[0][place])
        steps = {
            (found.states[here][place], found.states[edges.targets[i]][place], edges.numbers[i])
            for here in range(found.expanded)
            for i in range(edges.starts[here], edges.starts[here + 1])
            if found.states[here][place] != found.states[edges.targets[i]][place]
        }
        for before, after, number in steps:
            names = {*arrows.get((before, after), ()), protocol.transitions[number].action}
            arrows[before, after] = sorted(names, key=lambda name: order.get(name, len(order)))
    lines = ["stateDiagram-v2", *(f"    [*] --> {phases[code]}" for code in sorted(initial))]
    lines += [f"    {phases[a]} --> {phases[b]} : {', '.join(arrows[a, b])}" for a, b in sorted(arrows)]
    ends = sorted({after for _, after in arrows} - {before for before, _ in arrows})
    lines += [f"    {phases[code]} --> [*]" for code in ends]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------ safeguards


def safeguard_entry(safeguard: Safeguard) -> dict[str, Any]:
    """A safeguard with its exhibits, the smallest first: fewest policy values changed and companions removed."""
    from cutproof.checks.cutover.safeguards import necessity

    mine = [e for e in necessity.EXHIBITS if e.safeguard == safeguard.name]
    mine.sort(key=lambda e: len(e.policy.changed()) + len(e.companions))
    return {
        "safeguard": safeguard.name,
        "rule": safeguard.rule,
        "harms": [harm.name for harm in safeguard.harms],
        "without": safeguard.without,
        "seed": safeguard.seed,
        "answers": safeguard.answers,
        "necessary": [
            {
                "property": e.property,
                "harm": e.harm,
                "scope": e.scope_name,
                "policy": e.policy.changed(),
                "companions": list(e.companions),
                "trace": f"traces/{e.file}.itf.json",
            }
            for e in mine
        ],
    }


def _under(exhibit: dict[str, Any]) -> str:
    """Under which policy, companions and scope."""
    policy = ",".join(f"{k}={str(v).lower()}" for k, v in exhibit["policy"].items())
    without = ", ".join(exhibit["companions"])
    parts = (f"scope {exhibit['scope']}", policy and f"policy {policy}", without and f"without {without}")
    return "; ".join(part for part in parts if part)


def safeguard_table(entries: Sequence[dict[str, Any]], width: int | None = None) -> str:
    """A line for each safeguard."""
    head = ("safeguard", "harm", "seed", "necessary under", "trace", "rule")
    rows = []
    for entry in entries:
        first = next(iter(entry["necessary"]), None)
        shown = (_under(first), first["trace"]) if first else ("not seen to be necessary", "")
        rows.append((entry["safeguard"], " ".join(entry["harms"]), entry["seed"], *shown, entry["rule"]))
    return rendered(table_of(head, rows), width)


def safeguard_text(entry: dict[str, Any]) -> list[str]:
    """One safeguard at length."""
    lines = [entry["safeguard"], ""]
    for key in ("rule", "without", "seed", "answers"):
        if entry[key]:
            lines.append(f"{key + ':':9} {entry[key]}")
    lines.append(f"{'harm:':9} {', '.join(Harm[name].value for name in entry['harms'])}")
    lines.append("")
    lines += ["not seen to be necessary"] if not entry["necessary"] else []
    for exhibit in entry["necessary"]:
        lines.append(f"necessary: {exhibit['property']} ({exhibit['harm']}) is violated without it")
        lines.append(f"    {_under(exhibit)}")
        lines.append(f"    cutproof replay {exhibit['trace']}")
    return lines


# ------------------------------------------------------------------ explorations and replays


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
        lines += ["", *story(shortest, {a.name: a.sentence for a in found.protocol.actions})]
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


def replay_json(result: Replay, file: str) -> dict[str, Any]:
    """The facts of a replay for machines."""
    meta, stopped = result.trace.meta, result.divergence
    return {
        "checked": meta.protocol,
        "verdict": "reproduced" if result.reproduced else "not reproduced",
        "property": meta.property,
        "form": meta.form,
        "harm": meta.harm,
        "depth": len(result.walked),
        "reason": stopped.reason if stopped else result.checked,
        "step": stopped.number if stopped else None,
        "false_guards": list(stopped.false_guards) if stopped else [],
        "enabled": list(stopped.enabled) if stopped else [],
        "differences": [str(d) for d in stopped.differences] if stopped else [],
        "notes": list(result.notes),
        "trace": file,
        "scope": meta.scope,
        "policy": meta.policy,
        "removed": list(meta.safeguards_removed),
    }
