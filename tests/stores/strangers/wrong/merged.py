"""Merging gone wrong."""

from __future__ import annotations

from collections.abc import Mapping

from strangers.right.merged import Merged, Part


class LastClockWins(Merged):
    """The clock says what is later."""

    bug = "a write is stamped by its node's clock alone: an acknowledged one loses to an older one of a clock ahead"
    source = "protocol: sequencer_durable (cockroach#36611 by kin)"
    harm = "lost update"

    def stamp(self, name: str) -> int:
        return self.clock(name)


class OwnPartIsBest(Merged):
    """Nobody knows a node's own part better than the node."""

    bug = "a node that forgot its own part begins it anew when it comes back, and the others know an older, higher one"
    source = "scylla#27306"
    harm = "lost increments"

    def merge_parts(self, name: str, key: str, theirs: Mapping[str, Part]) -> None:
        super().merge_parts(name, key, {node: part for node, part in theirs.items() if node != name})


class PartsAdded(Merged):
    """What comes is added."""

    bug = "parts are merged by adding them up: what is exchanged twice counts twice"
    source = "protocol: whole_documents"
    harm = "counted twice"

    def merge_parts(self, name: str, key: str, theirs: Mapping[str, Part]) -> None:
        mine = self.nodes[name].parts.setdefault(key, {})
        for node, part in theirs.items():
            own = mine.get(node, Part(0, 0))
            mine[node] = Part(max(part.count, own.count), own.amount + part.amount)
