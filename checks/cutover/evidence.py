"""The evidence: the stored traces, and the parts of the documents that are drawn from them.

    python -m cutproof.checks.cutover.evidence          # write traces/ and the generated parts of docs/
    python -m cutproof.checks.cutover.evidence --check  # exit 1 if anything would change

Every counterexample is searched anew. A generated part of a document stands between two comments,
`<!-- begin NAME -->` and `<!-- end NAME -->`, and everything else in it is left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from cutproof.checks.common.workers import exit_code_of, in_workers
from cutproof.checks.cutover.safeguards.necessity import (
    EXPERIMENTS,
    FINDINGS,
    FOR_EVER,
    GATE_HOLES,
    NECESSARY,
    OPEN,
    REFUSALS,
    UNSERVED,
    Experiment,
    trace_of,
    violated,
)
from cutproof.checks.traces import trace as traces
from cutproof.checks.traces.trace import Trace
from cutproof.model.cutover.safeguards import SAFEGUARDS, Harm


def find(experiment: Experiment) -> Trace:
    """The shortest trace of an experiment. Raises ValueError where there is none."""
    return trace_of(experiment, violated(experiment))


def find_all(experiments: Iterable[Experiment] = EXPERIMENTS, workers: int = 2) -> dict[str, Trace]:
    """Every trace by its file name, in the order of the experiments."""
    chosen = list(experiments)
    return dict(zip((e.file for e in chosen), in_workers(find, chosen, workers), strict=True))


def path_of(experiment: Experiment, folder: Path) -> Path:
    """Where the trace of an experiment is stored."""
    return folder / f"{experiment.file}.itf.json"


# ------------------------------------------------------------------ generated parts of documents


def _link(experiment: Experiment, found: dict[str, Trace]) -> str:
    steps = len(found[experiment.file].steps)
    return f"[{steps} step{'s' * (steps != 1)}](../traces/{experiment.file}.itf.json)"


def _policy(experiment: Experiment) -> str:
    changed = ", ".join(f"{k}={str(v).lower()}" for k, v in experiment.policy.changed().items())
    return changed or "default"


def safeguards_table(found: dict[str, Trace]) -> str:
    """Every safeguard with its harms, and the smallest policy and companions under which it is necessary."""
    lines = ["| safeguard | without it | harm | policy | companions removed | scope | shortest trace |"]
    lines.append("|---|---|---|---|---|---|---|")
    for experiment in NECESSARY:
        harm = Harm[experiment.harm].value
        companions = ", ".join(experiment.companions) or "none"
        lines.append(
            f"| {experiment.safeguard} | {SAFEGUARDS[experiment.safeguard].without} | {harm} | {_policy(experiment)} "
            f"| {companions} | {experiment.scope_name} | {_link(experiment, found)} |"
        )
    return "\n".join(lines)


def unserved_table(found: dict[str, Trace]) -> str:
    """Every safeguard without which somebody is never served again."""
    lines = ["| safeguard | without it | violated | companions removed | scope | shortest trace |"]
    lines.append("|---|---|---|---|---|---|")
    for e in UNSERVED:
        companions = ", ".join(e.companions) or "none"
        lines.append(
            f"| {e.safeguard} | {e.finding} | {e.property} | {companions} | {e.scope_name} | {_link(e, found)} |"
        )
    return "\n".join(lines)


def for_ever_table(found: dict[str, Trace]) -> str:
    """Every safeguard without which something that is asked for never comes."""
    lines = ["| safeguard | without it | violated | scope | shortest lasso |", "|---|---|---|---|---|"]
    lines += [
        f"| {e.safeguard} | {e.why} | {e.property} | {e.scope_name} | {_link(e, found)} |" for e in FOR_EVER
    ]
    return "\n".join(lines)


def findings_table(experiments: Iterable[Experiment]) -> Callable[[dict[str, Trace]], str]:
    """The table of some findings, for `PARTS`."""

    def table(found: dict[str, Trace]) -> str:
        lines = ["| what was found | harm | policy | scope | shortest trace |", "|---|---|---|---|---|"]
        lines += [
            f"| {e.finding} | {Harm[e.harm].value} | {_policy(e)} | {e.scope_name} | {_link(e, found)} |"
            for e in experiments
        ]
        return "\n".join(lines)

    return table


PARTS: dict[str, tuple[str, Callable[[dict[str, Trace]], str]]] = {
    "seed": ("docs/findings.md", findings_table(FINDINGS)),
    "gate": ("docs/findings.md", findings_table(GATE_HOLES)),
    "open": ("docs/findings.md", findings_table(OPEN)),
    "refusals": ("docs/findings.md", findings_table(REFUSALS)),
    "safeguards": ("docs/findings.md", safeguards_table),
    "for_ever": ("docs/findings.md", for_ever_table),
    "unserved": ("docs/findings.md", unserved_table),
}


def replaced(text: str, name: str, part: str) -> str:
    """The document with one generated part anew. Raises ValueError where its two comments are missing."""
    begin, end = f"<!-- begin {name} -->\n", f"\n<!-- end {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the comments for the part {name!r} are missing")
    return before + begin + part + end + after


def outdated(root: Path, found: dict[str, Trace], write: bool) -> list[str]:
    """The files that differ from what was found; written anew if asked."""
    changed = []
    for name, trace in found.items():
        path, data = root / "traces" / f"{name}.itf.json", traces.to_bytes(trace)
        if not path.exists() or path.read_bytes() != data:
            changed.append(str(path.relative_to(root)))
            if write:
                path.parent.mkdir(exist_ok=True)
                traces.write(trace, path, overwrite=True)
    for stale in sorted((root / "traces").glob("*.itf.json")):
        if stale.name.removesuffix(".itf.json") not in found:
            changed.append(f"{stale.relative_to(root)} (no such experiment)")
    for name, (file, part) in PARTS.items():
        path = root / file
        text = path.read_text(encoding="utf-8")
        new = replaced(text, name, part(found))
        if new != text:
            changed.append(f"{file} ({name})")
            if write:
                path.write_text(new, encoding="utf-8")
    return changed


def main(arguments: list[str]) -> int:
    """Write what is outdated of the traces and tables. Exit code 1 if `--check` finds any, 2 for wrong usage."""
    if not all(Path(file).is_file() for file, _ in PARTS.values()):
        print("evidence: docs/ is not here; run this from the root of a checkout", file=sys.stderr)
        return 2
    if arguments not in ([], ["--check"]):
        print("usage: python -m cutproof.checks.cutover.evidence [--check]", file=sys.stderr)
        return 2
    changed = outdated(Path.cwd(), find_all(), write=not arguments)
    print("\n".join(changed) or "nothing changed")
    return 1 if arguments and changed else 0


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
