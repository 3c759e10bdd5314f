"""The safeguards as a table, at length, and as facts; and the phases as a diagram."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cutproof.checks.cli.reports.tables import WIDEST, table
from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.traces.stored import ENDING
from cutproof.model.cutover.safeguards import Harm, Safeguard
from cutproof.model.language.protocol import label


def safeguard_entry(safeguard: Safeguard) -> dict[str, Any]:
    """A safeguard with its experiments, the smallest first: fewest policy values changed and companions removed."""
    from cutproof.checks.cutover.safeguards import necessity

    mine = [e for e in necessity.EXPERIMENTS if e.safeguard == safeguard.name]
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


def _under(experiment: dict[str, Any]) -> str:
    """Under which policy, companions and scope."""
    policy = ", ".join(f"{k}={str(v).lower()}" for k, v in experiment["policy"].items())
    without = ", ".join(experiment["companions"])
    parts = (f"scope {experiment['scope']}", policy and f"policy {policy}", without and f"without {without}")
    return "; ".join(part for part in parts if part)


def safeguard_table(
    entries: Sequence[dict[str, Any]], width: int = WIDEST, coloured: bool = False
) -> list[str]:
    """The lines of a table with a row for each safeguard."""
    head = ("safeguard", "harm", "seed", "necessary under", "rule")
    rows = []
    for entry in entries:
        first = next(iter(entry["necessary"]), None)
        shown = _under(first) if first else "not seen to be necessary"
        rows.append((entry["safeguard"], " ".join(entry["harms"]), entry["seed"], shown, entry["rule"]))
    return table(
        head, rows, width, wrap=("seed", "necessary under", "rule"), drop=("seed", "rule"), coloured=coloured
    )


def safeguard_text(entry: dict[str, Any]) -> list[str]:
    """One safeguard at length."""
    lines = [entry["safeguard"], ""]
    for key in ("rule", "without", "seed", "answers"):
        if entry[key]:
            lines.append(f"{key + ':':9} {entry[key]}")
    lines.append(f"{'harm:':9} {', '.join(Harm[name].value for name in entry['harms'])}")
    lines.append("")
    lines += ["not seen to be necessary"] if not entry["necessary"] else []
    for experiment in entry["necessary"]:
        lines.append(f"necessary: {experiment['property']} ({experiment['harm']}) is violated without it")
        lines.append(f"    {_under(experiment)}")
        lines.append(
            f"    cutproof replay {experiment['trace'].removeprefix('traces/').removesuffix(ENDING)}"
        )
    return lines


# ------------------------------------------------------------------ the phases


def phase_diagram(explorations: Iterable[Exploration], variable: str = "phase") -> str:
    """A mermaid state diagram of the values of a variable: an arrow wherever a transition that really fired changed it,
    named by the actions that did. ValueError for explorations that kept no edges, or of a protocol without it."""
    arrows: dict[tuple[int, int], list[str]] = {}
    phases: dict[int, str] = {}
    initial: set[int] = set()
    for found in explorations:
        protocol, edges = found.protocol, found.edges
        if edges is None:
            raise ValueError("an exploration kept no edges; explore with graph=True")
        place = next((i for i, f in enumerate(protocol.fields) if f.name == variable), None)
        if place is None:
            raise ValueError(f"{protocol.name} has no variable {variable!r}")
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
