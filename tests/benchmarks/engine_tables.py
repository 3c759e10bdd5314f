"""What came of the runs of `bench_engines.py`: where their counts differ, ratios, a table."""

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from frozen_protocols import Frozen

COUNTS = ("states", "transitions", "depth")
Run = dict[str, Any]  # what engine_run.py tells, with whole, cpu and peak


@dataclass(frozen=True)
class Row:
    """A tool and how it is run. `once`: minutes each, and one turn is enough for a factor of a hundred."""

    name: str
    tool: str
    workers: int = 1
    env: dict[str, str] = field(default_factory=dict)
    judged: bool = False
    before: bool = False
    once: bool = False


def differences(known: Frozen, found: dict[str, list[Run]]) -> list[str]:
    """A line for each number in which a complete run differs from the index, or from the first run that has it."""
    first = {key: ("the index", getattr(known, key)) for key in COUNTS if getattr(known, key) is not None}
    lines = dict[str, None]()
    for name, runs in found.items():
        for one in runs:
            for key in COUNTS:
                if "stopped" in one or key not in one:
                    continue
                other, number = first.setdefault(key, (name, one[key]))
                if number != one[key]:
                    lines[f"{name} counts {one[key]:,} {key}; {other} {number:,}"] = None
    return list(lines)


def times(key: str, mine: list[Run], theirs: list[Run]) -> str:
    """How many times as long theirs took: the median over the turns that both have, or of the medians."""
    if not mine or not theirs or any("stopped" in one for one in (*mine, *theirs)):
        return "-"
    if len(mine) == len(theirs):
        ratio = median(b[key] / a[key] for a, b in zip(mine, theirs, strict=True))
    else:
        ratio = median(b[key] for b in theirs) / median(a[key] for a in mine)
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def table(rows: list[Row], found: dict[str, list[Run]]) -> list[str]:
    """The lines of the table."""
    whole = {name: runs for name, runs in found.items() if runs and not any("stopped" in r for r in runs)}
    spins = [whole[row.name] for row in rows if row.tool == "spin" and row.name in whole]
    spin = min(spins, key=lambda runs: median(r["search"] for r in runs), default=[])
    before = {row.workers: whole[row.name] for row in rows if row.before and row.name in whole}
    head = [
        "tool",
        "cores",
        "runs",
        "search s",
        "call s",
        "whole s",
        "cpu s",
        "M states/s",
        "M transitions/s",
    ]
    head += ["nodes", "peak", "peak MB", "B/state", "x SPIN search", "whole", "x before search", "whole"]
    lines = [head]
    for row in rows:
        runs = found[row.name]
        line = [row.name, str(row.workers), str(len(runs))]
        if "stopped" in runs[0]:
            one = runs[0]
            told = f"stopped after {one['search']:.0f} s, {one['states']:,} states: {one['stopped']}"
            lines.append([*line, told])
            continue
        middle = {key: median(r[key] for r in runs) for key in ("search", "call", "whole", "cpu", "peak")}
        line += [f"{middle[key]:.2f}" for key in ("search", "call", "whole", "cpu")]
        line += [f"{runs[0][key] / middle['search'] / 1e6:.2f}" for key in ("states", "transitions")]
        line += [f"{runs[0][key]:,}" if key in runs[0] else "-" for key in ("nodes", "peak_nodes")]
        added = [r["added"] * 1e6 / r["states"] for r in runs if "added" in r]
        line += [f"{middle['peak']:.0f}", f"{median(added):.1f}" if added else "-"]
        line += [times(key, runs, spin) for key in ("search", "whole")]
        line += [times(key, runs, before.get(row.workers, [])) for key in ("search", "whole")]
        lines.append(line)
    widths = [max(len(r[i]) for r in lines if len(r) == len(head)) for i in range(len(head))]
    widths[0] = max(len(r[0]) for r in lines)
    return [
        "  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=False)))
        for line in lines
    ]
