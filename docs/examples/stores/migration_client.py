"""The client of the moving slot, as an application has it: it knows the record as it once was, asks the owner, and
sends on what was written while a copy is under way."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

import redis
from migration_tool import connect

COPYING = 1  # the epoch, modulo 4, in which what is written goes to the target too


class Refused(Exception):
    """It was not done, and will not be: no server that was asked has taken it."""


class Client:
    """One client. `record` and `nodes` are ports; an answer that takes longer than `timeout` seconds is given up, and
    a slot that takes nothing is waited for so long."""

    def __init__(
        self, record: int, nodes: Mapping[str, int], slot: int, timeout: float, patience: float
    ) -> None:
        self.record, self.slot, self.patience = connect(record, timeout), slot, patience
        self.nodes = {name: connect(port, timeout) for name, port in nodes.items()}
        self.view: dict[str, str] = {}

    def write(self, key: str, value: str) -> None:
        self._change(key, "write", value)

    def delete(self, key: str) -> None:
        self._change(key, "delete", "")

    def add(self, key: str, amount: int) -> None:
        self._change(key, "add", amount)

    def append(self, key: str, item: str) -> None:
        self._change(key, "append", item)

    def cas(self, key: str, old: str, new: str) -> bool:
        return bool(self._change(key, "cas", json.dumps([old, new])))

    def read(self, key: str) -> Any:
        found = self._ask("look", key)
        if key.startswith("list"):
            return json.loads(found[0]) if found else []
        value = found[0] if found else None
        return int(value or 0) if key.startswith("counter") else value

    def _change(self, key: str, operation: str, argument: object) -> int:
        answer, *document = self._ask("change", key, operation, argument)
        if document and int(self.view["epoch"]) % 4 == COPYING:
            with contextlib.suppress(redis.RedisError):  # the owner has it: the delta pass brings it
                target = self.nodes[self.view["target"]]
                target.fcall("apply", 0, self.slot, self.view["epoch"], key, *document)
        return int(answer)

    def _ask(self, function: str, *words: object) -> Any:
        """Ask the owner. Where it says that the slot has moved on, or waits, look into the record, and ask again."""
        end = time.monotonic() + self.patience
        while True:
            if not self.view:
                self.view = self._seen()
            node = self.nodes[self.view["owner"]]
            try:
                return node.fcall(function, 0, self.slot, self.view["epoch"], *words)
            except redis.ResponseError as error:
                if not str(error).startswith(("STALE", "WAIT")):
                    raise
            except redis.ConnectionError:
                time.sleep(0.02)  # a server that is not there is not asked again at once
                raise
            if time.monotonic() > end:
                raise Refused("the slot waits for its move")
            time.sleep(0.005)
            self.view = {}

    def _seen(self) -> dict[str, str]:
        try:
            return dict(self.record.hgetall(f"r:{self.slot}"))
        except redis.RedisError as error:
            time.sleep(0.02)
            raise Refused(f"the record cannot be read: {error}") from None
