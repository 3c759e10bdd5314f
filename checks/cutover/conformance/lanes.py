"""A schedule told in lanes: what each client asked and was told, where the migration stood, what each node held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.cutover.conformance.run import Run
from cutproof.checks.cutover.conformance.steps import NODES
from cutproof.checks.drivers.finding import NotConforming

WIDTH = 100  # characters of a line at most


@dataclass
class Lanes:
    """What a system showed after each step; `watch` it while it runs, then `lines`."""

    # By the line of the log: what each node holds.
    shown: dict[int, dict[str, str]] = field(default_factory=dict)

    def watch(self, run: Run) -> None:
        """Look at a run after a step."""
        line = len(run.log)
        try:
            observed = run.observed()
        except NotConforming:  # it cannot show itself now: that is for the end to find
            run.found = None
            return
        nodes = observed.get("nodes") or _by_owner(observed)
        self.shown[line] = {
            node: _held(run, held) for node, held in nodes.items() if isinstance(held, Mapping)
        }

    def lines(self, log: Sequence[str]) -> list[str]:
        """The log, with a lane for each node where it shows what it holds."""
        lanes = [node for node in NODES if any(shown.get(node) for shown in self.shown.values())]
        if not lanes:
            return list(log)
        before: dict[str, str] = {}
        rows: list[tuple[str, ...]] = []
        for number, said in enumerate(log, 1):
            now = self.shown.get(number)
            changed = {} if now is None else {node: now.get(node, "") for node in lanes}
            cells = [("-" if not text and before.get(node) else text) if before.get(node, "") != text else ""
                     for node, text in changed.items()]  # fmt: skip
            before.update(changed)
            rows.append((said, *(cells or [""] * len(lanes))))
        return _table(("what happens", *(f"{node} holds" for node in lanes)), rows)


def _by_owner(observed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Documents with their owners, where that is all it shows."""
    owner, nodes = observed.get("owner") or {}, {}  # type: tuple[dict[str, Any], dict[str, dict[str, Any]]]
    for key, value in (observed.get("documents") or {}).items():
        if key in owner:
            nodes.setdefault(str(owner[key]), {})[key] = value
    return nodes


def _held(run: Run, held: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {run.named(value)}" for key, value in sorted(held.items()) if value is not None)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    room = (WIDTH - 2) // len(head)
    widths = [min(max(len(row[i]) for row in [head, *rows]), room if i else WIDTH) for i in range(len(head))]
    widths[0] = max(20, min(widths[0], WIDTH - sum(w + 3 for w in widths[1:])))
    made = []
    for row in [head, *rows]:
        cells = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            parts = [
                (cell[line] if line < len(cell) else "").ljust(w)
                for cell, w in zip(cells, widths, strict=True)
            ]
            made.append(" | ".join(parts).rstrip(" |"))
    return made


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return [*lines, line]
