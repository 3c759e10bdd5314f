"""Schedules written by hand: a line is a call of an adapter, and the last line says what a right store then shows.

    put KEY VALUE, delete KEY, add KEY N, append KEY ITEM, put_if KEY OLD NEW ("-": nothing), get KEY, scan
    as CLIENT           who makes the calls that follow
    begin NODE, move SHARDS NODE, split SHARD, merge SHARD OTHER, and abort, crash, ... or FAULT NODE, heal
    advance N, until PHASE, settle          so many turns, until a word stands in the phase, until nothing goes on
    sees KEY VALUE ..., same KEY, told N STATUS ..., idle, serves KEY, finds KEY ..., ends_under KEY
                                            what is expected in the end; one `or` another

Nodes are a, b and c. A line with `;` between calls is several steps.
"""

from __future__ import annotations

import contextlib
from typing import Any

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAULTS, PENDING, Adapter, Unavailable

NODES = ("a", "b", "c")
MOST = 400  # turns within which something must come about


class Hand:
    """An adapter under a schedule."""

    def __init__(self, adapter: type[Adapter]) -> None:
        self.system = adapter()
        self.system.start(NODES, 2, 0)
        self.answers: list[Any] = []
        self.seen: Any = None  # what was read last

    def perform(self, schedule: str) -> bool:
        """Perform a schedule; whether what is expected in the end is so."""
        *steps, last = [line.strip() for line in schedule.replace(";", "\n").strip().splitlines()]
        for step in steps:
            self.step(*step.split())
        return any(getattr(self, one.split()[0])(*one.split()[1:]) for one in last.split(" or "))

    def step(self, word: str, *rest: str) -> None:
        """One call."""
        if word in FAULTS:
            self.system.inject(word, rest[0] if rest else NODES[0])
        elif word in ("put", "delete", "append"):
            self.answers.append(getattr(self.system, word)(*rest))
        elif word == "add":
            self.answers.append(self.system.add(rest[0], int(rest[1])))
        elif word == "put_if":
            self.answers.append(self.system.put_if(rest[0], None if rest[1] == "-" else rest[1], rest[2]))
        else:
            getattr(self, f"do_{word}")(*rest)
        for answer in self.answers:
            if callable(answer):
                answer()

    def do_as(self, client: str) -> None:
        self.system.client = client

    def do_begin(self, node: str) -> None:
        assert self.system.phase() == "idle"
        self.system.begin_migration(node)

    def do_move(self, shards: str, node: str) -> None:
        self.system.move([int(s) for s in shards.split(",")], node)

    def do_split(self, shard: str) -> None:
        self.system.split(int(shard))

    def do_merge(self, shard: str, other: str) -> None:
        self.system.merge(int(shard), int(other))

    def do_get(self, key: str) -> None:
        with contextlib.suppress(Unavailable):
            self.seen = self.system.get(key)

    def do_heal(self) -> None:
        self.system.heal()

    def do_advance(self, times: str) -> None:
        for _ in range(int(times)):
            self.system.advance()

    def do_until(self, *words: str) -> None:
        for _ in range(MOST):
            if " ".join(words) in self.system.phase():
                return
            assert self.system.advance(), f"stands in {self.system.phase()}"
        raise AssertionError(f"never in {' '.join(words)}")

    def do_settle(self) -> None:
        for _ in range(MOST):
            if not self.system.advance():
                return

    # -------------------------------------------------- what is expected

    def told(self, number: str, *statuses: str) -> bool:
        """Whether the answer of that number is one of these."""
        answer = self.answers[int(number) - 1]
        return (answer() if callable(answer) else answer) in statuses

    def sees(self, key: str, *values: str) -> bool:
        """Whether a client reads this (a "-" for nothing), or gets no answer."""
        try:
            found = self.system.get(key)
        except Unavailable:
            return True
        if isinstance(found, list):
            found = ",".join(found)
        return ("-" if found is None else str(found)) in values

    def same(self, key: str) -> bool:
        """Whether a client reads what was read last."""
        return bool(self.system.get(key) == self.seen)

    def idle(self) -> bool:
        """Whether the migration ends."""
        self.do_settle()
        return self.system.phase() == "idle"

    def ends_under(self, key: str) -> bool:
        """Whether the migration ends while a client goes on writing."""
        for number in range(MOST):
            if self.system.phase() == "idle":
                return True
            self.system.put(key, f"more-{number}")
            self.system.advance()
        return False

    def serves(self, key: str) -> bool:
        """Whether a client's write is acknowledged, once everything is healed and settled."""
        self.system.heal()
        self.do_settle()
        answer = self.system.put(key, "last")
        self.do_settle()
        status = answer() if callable(answer) else answer
        assert status != PENDING or callable(answer)
        return status == ACKNOWLEDGED and self.system.get(key) == "last"

    def finds(self, *keys: str) -> bool:
        """Whether a search finds exactly these, or gets no answer."""
        try:
            return sorted(key for key, _ in self.system.scan()) == sorted(keys)
        except Unavailable:
            return True
