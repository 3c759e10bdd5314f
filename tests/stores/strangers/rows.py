"""What stores share whose nodes change a document in one step: every operation is a function of what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, UNEQUAL, Answer, Value
from strangers.kit import Store

How = Callable[[Any], Any]  # from what a document holds to what it is to hold, or `UNEQUAL`


class RowStore(Store):
    """All operations, in terms of `change`."""

    def put(self, key: str, value: str) -> Answer:
        return self.change(key, lambda old: value)

    def delete(self, key: str) -> Answer:
        return self.change(key, lambda old: None)

    def put_if(self, key: str, old: str | None, new: str) -> Answer:
        return self.change(key, lambda held: new if held == old else UNEQUAL)

    def add(self, key: str, amount: int) -> Answer:
        return self.change(key, lambda old: (old or 0) + amount)

    def append(self, key: str, item: str) -> Answer:
        return self.change(key, lambda old: [*(old or []), item])

    def change(self, key: str, how: How) -> Answer:
        """Change a document."""
        raise NotImplementedError

    @staticmethod
    def write(rows: dict[str, Any], key: str, how: How) -> str:
        """Change a document among these, in one step."""
        new = how(rows.get(key))
        if new == UNEQUAL:
            return UNEQUAL
        if new is None:
            rows.pop(key, None)
        else:
            rows[key] = new
        return ACKNOWLEDGED

    @staticmethod
    def shown(nodes: Mapping[str, Mapping[str, Value]], owner: Callable[[str], str]) -> Mapping[str, Any]:
        """What `observe` tells."""
        keys = sorted({key for rows in nodes.values() for key in rows})
        owners = {key: owner(key) for key in keys}
        return {"documents": {key: nodes[owners[key]].get(key) for key in keys}, "owner": owners,
                "nodes": {name: dict(rows) for name, rows in nodes.items()}}  # fmt: skip
