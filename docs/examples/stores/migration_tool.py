"""A tool that moves a slot between two plain Redis servers while clients work. Its record is in a third.

    python migration_tool.py move --to b --slot 7 --record 7000 --node a=7001 --node b=7002
    python migration_tool.py abort --slot 7 --record 7000 --node a=7001 --node b=7002

It may be killed at any moment: who runs it again goes on from the record. A move that was aborted is begun again by
`move`. Exit code 0: done; 1: another coordinator has taken over; 2: wrong usage; 3: a server did not answer in time.

`--without` leaves a safeguard out, to show what it is good for; never do that with data that you need.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as missing:
    if __name__ != "__main__":
        raise
    print(
        f"cannot run: the Python package {missing.name} is not installed: pip install '.[stores]' in a clone",
        file=sys.stderr,
    )
    sys.exit(2)

LIBRARY = Path(__file__).with_name("migration_server.lua")
PAGE = 4  # documents
PATIENCE = 20.0  # seconds in which a server must have answered
ENDED = ("IDLE", "COMPLETE", "ABORTED")
BEFORE_ACTIVATION = ("DUAL", "COPY", "SEAL", "DELTA")
IN_SERVERS = ("tombstones", "fence", "cleanup", "record")  # safeguards of the functions
IN_TOOL = ("delta", "versions", "record-first")
DUAL, SEALED, ACTIVE, IDLE, SAME = 1, 2, 3, 0, -1  # stages: what the epoch is, modulo 4

Document = tuple[str, str, str, str]  # key, version, dead, value


class Replaced(Exception):
    """Another coordinator has taken over: this one must not go on."""


class Unusable(Exception):
    """What the tool was told, or found, makes no sense: one line says why."""


def connect(port: int, timeout: float) -> redis.Redis:
    """A connection that repeats nothing by itself, and says nothing but what it is asked to."""
    return redis.Redis(
        port=port, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0),
        decode_responses=True, protocol=2, driver_info=None,
    )  # fmt: skip


def library(without: str = "") -> str:
    """The functions of a server, one safeguard left out or none."""
    lines = []
    for line in LIBRARY.read_text("utf-8").splitlines():
        code, _, remark = line.partition("  -- ")
        kind, _, name = remark.partition(": ")
        if (kind == "safeguard" and name == without) or (kind == "instead of" and name != without):
            continue
        lines.append(code)
    return "\n".join(lines) + "\n"


class Coordinator:
    """Moves one slot. `nodes` are connections to the servers by their names."""

    def __init__(
        self, record: redis.Redis, nodes: Mapping[str, redis.Redis], slot: int, without: str = ""
    ) -> None:
        self.record, self.nodes, self.slot, self.without = record, nodes, slot, without
        self.seen: dict[str, str] = {}
        self.patience = PATIENCE

    def move(self, to: str) -> None:
        """Move the slot there, or go on with the move that is under way, and do this one then."""
        self._persist(lambda: self._move(to))

    def abort(self) -> None:
        """Give up the move that is under way, if that is still possible; else go on with it."""
        self._persist(self._abort)

    def _move(self, to: str) -> None:
        self._finish()
        if self.seen["owner"] != to:
            self._change(DUAL, phase="DUAL", source=self.seen["owner"], target=to, cursor="", proof="")
            self._finish()

    def _abort(self) -> None:
        if self.seen["phase"] in BEFORE_ACTIVATION:
            self._change(IDLE, phase="ABORTING")
        self._finish()

    def _finish(self) -> None:
        while (phase := self.seen["phase"]) not in ENDED:
            getattr(self, f"_{phase.lower()}")()

    def _persist(self, work: Callable[[], None]) -> None:
        """Take the record over, and work. Where a server did not answer, do both again: what is in doubt is in the
        record."""
        end = time.monotonic() + self.patience
        for wait in count(1):
            try:
                self._take()
                return work()
            except (redis.ConnectionError, redis.TimeoutError):
                if time.monotonic() > end:
                    raise
                time.sleep(min(0.02 * wait, 0.2))

    def _take(self) -> None:
        """A new revision: a coordinator that was here before can change the record no more."""
        for _ in range(20):
            self._look()
            try:
                self._change(SAME)
                return
            except Replaced:  # two take it over at the same time
                continue
        raise Replaced("others take over again and again")

    def _look(self) -> None:
        self.seen = self.record.hgetall(f"r:{self.slot}")
        if not self.seen:
            raise Unusable(f"there is no record of slot {self.slot}")
        named = {self.seen[side] for side in ("owner", "source", "target") if self.seen.get(side)}
        if not named <= set(self.nodes):
            raise Unusable(f"the record names {', '.join(sorted(named))}: give a --node for each")

    def _change(self, stage: int, **fields: str) -> None:
        """Change the record if nobody else has, and look at it."""
        words = [word for pair in fields.items() for word in pair]
        revision = self._ask(self.record, "record", self.seen["revision"], stage, *words)
        self._look()
        if int(self.seen["revision"]) != revision and self.without != "record":
            raise Replaced("another coordinator has changed the record")

    def _ask(self, node: redis.Redis, function: str, *words: object) -> Any:
        try:
            return node.fcall(function, 0, self.slot, *words)
        except redis.ResponseError as error:
            if str(error).startswith(("STALE", "CONFLICT")):
                raise Replaced(str(error)) from None
            raise

    def _source(self, function: str, *words: object) -> Any:
        return self._ask(self.nodes[self.seen["source"]], function, self.seen["epoch"], *words)

    def _target(self, function: str, *words: object) -> Any:
        return self._ask(self.nodes[self.seen["target"]], function, self.seen["epoch"], *words)

    # The steps: each may be done again, by another coordinator too, and begins with what the record says.

    def _dual(self) -> None:
        self._source("fence", "owner")
        self._target("fence", "target")  # empty from now on
        self._change(SAME, phase="COPY")

    def _copy(self) -> None:
        for last, page in self._pages("source", self.seen["cursor"]):
            self._target("apply", *page)
            self._change(SAME, cursor=last)
        self._change(SEALED, phase="SEAL")

    def _seal(self) -> None:
        self._source("fence", "sealed")  # a function is done when it answers: nothing is left to be drained
        self._target("fence", "closed")
        self._change(SAME, phase="DELTA")

    def _delta(self) -> None:
        proof = "none" if self.without == "delta" else self._level()
        if self.without == "record-first":
            self.seen["epoch"] = str(int(self.seen["epoch"]) + 1)
            self._open()
            self._drop()
            self._change(ACTIVE, phase="COMPLETE", owner=self.seen["target"], proof=proof)
            return
        self._change(ACTIVE, phase="ACTIVATE", owner=self.seen["target"], proof=proof)

    def _activate(self) -> None:
        self._open()
        if self.without == "delta":
            self._level()
        self._change(SAME, phase="CLEANUP")

    def _cleanup(self) -> None:
        self._drop()
        self._target("collect")
        self._change(SAME, phase="COMPLETE")

    def _aborting(self) -> None:
        self._source("fence", "owner")
        self._target("fence", "gone")
        self._change(SAME, phase="ABORTED")

    def _open(self) -> None:
        self._source("fence", "gone")  # first: or a stale router could still read there what is old by then
        self._target("fence", "owner")

    def _drop(self) -> None:
        while self._source("drop", PAGE):
            pass

    def _level(self) -> str:
        """The delta pass: all that the source has, tombstones too, goes to the target, and is read back there."""
        for _ in range(5):
            here = {d[0]: d for d in self._all("target")}
            scanned = 0
            for _, page in self._pages("source", ""):
                scanned += len(page) // 4
                missing = [d for d in _documents(page) if self.without != "versions" or d[0] not in here]
                if missing:
                    self._target("apply", *(word for d in missing for word in d))
            there = {d[0]: d for d in self._all("target")}
            wrong = [d for d in self._all("source") if not self._covered(d, there.get(d[0]))]
            if not wrong or self.without == "delta":
                return f"{scanned} documents"
        raise Unusable(f"the target does not get level: {wrong[:3]}")

    def _covered(self, document: Document, there: Document | None) -> bool:
        if there is None or self.without == "versions":
            return there is not None
        return int(there[1]) > int(document[1]) or there == document

    def _pages(self, side: str, after: str) -> Iterator[tuple[str, list[str]]]:
        """Pages in the order of keys, each with its last key."""
        while page := (self._source if side == "source" else self._target)("page", after, PAGE):
            after = page[-4]
            yield after, page

    def _all(self, side: str) -> Iterator[Document]:
        for _, page in self._pages(side, ""):
            yield from _documents(page)


def _documents(page: list[str]) -> Iterator[Document]:
    for at in range(0, len(page), 4):
        yield page[at], page[at + 1], page[at + 2], page[at + 3]


def _node(word: str) -> tuple[str, int]:
    name, _, port = word.partition("=")
    if not name or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"a name and a port, as in a=7001: {word!r}")
    return name, int(port)


def main() -> int:
    """The command of the tool."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["move", "abort"])
    parser.add_argument("--to", metavar="NODE")
    parser.add_argument("--slot", type=int, required=True)
    parser.add_argument("--record", type=int, required=True, metavar="PORT")
    parser.add_argument("--node", type=_node, action="append", required=True, metavar="NAME=PORT")
    parser.add_argument("--timeout", type=float, default=1.0, metavar="SECONDS", help="for one answer")
    parser.add_argument("--patience", type=float, default=PATIENCE, metavar="SECONDS", help="for a server")
    parser.add_argument("--without", choices=[*IN_SERVERS, *IN_TOOL], default="")
    given = parser.parse_args()
    nodes = {name: connect(port, given.timeout) for name, port in given.node}
    if given.what == "move" and given.to not in nodes:
        parser.error(f"--to: one of {', '.join(nodes)}")
    tool = Coordinator(connect(given.record, given.timeout), nodes, given.slot, given.without)
    tool.patience = given.patience
    try:
        tool.move(given.to) if given.what == "move" else tool.abort()
    except Replaced as error:
        print(f"another coordinator has taken over: {error}", file=sys.stderr)
        return 1
    except Unusable as error:
        parser.error(str(error))
    except redis.RedisError as error:
        print(f"a server does not answer: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
