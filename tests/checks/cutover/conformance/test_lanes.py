"""A schedule in lanes: what happens, and beside it what each node holds, as far as the system shows it."""

from __future__ import annotations

from typing import Any

from cutproof.checks.cutover.conformance import conform
from cutproof.checks.cutover.conformance.lanes import WIDTH


class Forgetful(conform.Adapter):
    """A migration drops the first document that was there when it began. `shows` is what it shows of itself."""

    shows = "nodes"

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        self.nodes: dict[str, dict[str, str]] = {n: {} for n in nodes}
        self.owner, self.left = nodes[0], 0

    def put(self, key: str, value: str) -> conform.Answer:
        self.nodes[self.owner][key] = value
        return "acknowledged"

    def get(self, key: str) -> str | None:
        return self.nodes[self.owner].get(key)

    def begin_migration(self, node: str) -> None:
        self.left, self.target, self.dropped = 3, node, next(iter(self.nodes[self.owner]), None)

    def advance(self) -> bool:
        if not self.left:
            return False
        self.left -= 1
        if self.left == 1:
            self.nodes[self.target] = {}
        elif not self.left:
            moved = {k: v for k, v in self.nodes[self.owner].items() if k != self.dropped}
            self.nodes[self.target], self.nodes[self.owner], self.owner = moved, {}, self.target
        return True

    def phase(self) -> str:
        return "moving" if self.left else "idle"

    def observe(self) -> dict[str, Any]:
        documents = self.nodes[self.owner]
        if self.shows == "nodes":
            return {"nodes": self.nodes}
        return {"documents": documents, "owner": dict.fromkeys(documents, self.owner)} if self.shows else {}


def lanes(shows: str) -> list[str]:
    try:
        conform.check(type("Shown", (Forgetful,), {"shows": shows}))
    except conform.NotConforming as found:
        assert len(found.lanes) >= len(found.schedule)
        return list(found.lanes)
    raise AssertionError("nothing was found")


def test_each_node_has_a_lane_that_says_what_changed() -> None:
    head, *rows = lanes("nodes")
    assert [cell.strip() for cell in head.split("|")] == ["what happens", "node-0 holds"]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    assert ["put #1 of doc-0: acknowledged", "doc-0 #1"] in cells
    assert all(len(row) <= WIDTH for row in rows)
    assert any("get doc-0: nothing" in row for row in rows)


def test_what_its_owner_holds_is_a_lane_too_where_that_is_all_it_shows() -> None:
    head, *rows = lanes("documents")
    assert "node-0 holds" in head
    assert any("doc-0 #1" in row for row in rows)


def test_where_nothing_is_shown_the_schedule_stays_as_it_is() -> None:
    assert not any("|" in row for row in lanes(""))
