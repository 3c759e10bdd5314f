"""Clients that do something: registers are written, deleted and read, counters added to, lists appended to.

    load = Load(recorder, {"c1": Store(), "c2": Store()}, seed=7, registers=4, counters=2, lists=1)
    load.batch(20)              # each client does twenty operations, all at once; returns when they are done
    with load.running():        # they go on until the block is left
        move_a_shard()
        load.let_work(20)       # waits until they have done twenty more
    load.read_all()             # a client reads every key

A store is any object with the methods `write(key, value)`, `delete(key)`, `add(key, amount)`, `append(key, item)` and
`read(key)`, of which it needs those of its kinds of keys; and `cas(key, old, new)`, which returns whether it wrote, if
`swaps` asks for it: that share of the changes of registers, each from what the client saw there last. What a client
does next hangs on the seed and on how much it has done before, not on time: so each operation has a name, `performed`
has them, and a load with `only` some of them passes over the others (`shorten.py`). Keys are `register-1`, `counter-1`,
`list-1` and so on; every value is written once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Condition, Event, Thread
from typing import Any

from cutproof.checks.drivers.recording.recorder import Client, Recorder

READS = 0.35  # of the operations
DELETES = 0.3  # of those that change a register
MOST_ADDED = 5


class Load:
    """A client for each store, all on the same keys, recorded. `suffix` ends the name of each key. `only`: the names of
    the operations that are performed; None for all. `performed` has, by the name of a client, those that were.

    `expected` are exceptions that a client gets over: it goes on with its next operation. Others end the load, and
    `batch` and `running` raise them."""

    def __init__(
        self,
        recorder: Recorder,
        stores: Mapping[str, Any],
        seed: int,
        *,
        registers: int = 4,
        counters: int = 2,
        lists: int = 1,
        swaps: float = 0.0,
        suffix: str = "",
        expected: tuple[type[BaseException], ...] = (),
        only: Container[str] | None = None,
    ) -> None:
        kinds = {"register": registers, "counter": counters, "list": lists}
        self.keys = [f"{kind}-{n}{suffix}" for kind, most in kinds.items() for n in range(1, most + 1)]
        self.expected, self.swaps = expected, swaps
        self.only, self.performed = only, {name: list[str]() for name in stores}
        self._written, self._times = 0, Counter[str]()  # by `write`; calls of `delete` and `read_all`
        self._saw = dict[tuple[str, str], Any]()  # by a client and a register
        self._changed, self._done, self._ended = (
            Condition(),
            0,
            False,
        )  # operations that are over; a client has failed
        self._clients = [
            (recorder.client(name), store, enumerate(self.drawn(seed, name), 1))
            for name, store in stores.items()
        ]

    def drawn(self, seed: int, name: str) -> Iterator[tuple[str, str, Any]]:
        """What a client of this name does, without end: (f, key, value)."""
        random = Random(f"{seed} {name}")
        for n in count(1):
            key = random.choice(self.keys)
            reads, deletes, amount = (
                random.random() < READS,
                random.random() < DELETES,
                random.randint(1, MOST_ADDED),
            )
            if reads:
                yield "read", key, None
            elif key.startswith("counter"):
                yield "add", key, amount
            elif key.startswith("list"):
                yield "append", key, f"{name}.{n}"
            else:
                changes = "cas" if self.swaps and random.random() < self.swaps else "write"
                yield ("delete", key, None) if deletes else (changes, key, f"{name}.{n}")

    def fill(self) -> None:
        """The first client writes every key once."""
        client, store, _ = self._clients[0]
        for key in self.keys:
            kind = key.partition("-")[0]
            f, value = {"register": ("write", "first"), "counter": ("add", 1), "list": ("append", "first")}[
                kind
            ]
            self._perform(client, store, f, key, value, f"fill {key}")

    def write(self, keys: Iterable[str]) -> None:
        """The first client writes these registers, each a value of its own."""
        client, store, _ = self._clients[0]
        for key in keys:
            self._written += 1
            self._perform(client, store, "write", key, f"written.{self._written}", f"write {self._written}")

    def delete(self, keys: Iterable[str]) -> None:
        """The first client deletes these registers."""
        client, store, _ = self._clients[0]
        self._times["delete"] += 1
        for key in keys:
            self._perform(client, store, "delete", key, None, f"delete {self._times['delete']} {key}")

    def batch(self, operations: int) -> None:
        """Each client does so many operations, all clients at the same time."""
        self._together([self._some(n, range(operations)) for n in range(len(self._clients))])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Clients work while the block does, and end with it."""
        over, failed = Event(), list[BaseException]()
        threads = self._threads(
            [self._some(n, iter(over.is_set, True)) for n in range(len(self._clients))], failed
        )
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()
        if failed:
            raise failed[0]

    def let_work(self, operations: int, seconds: float | None = None) -> bool:
        """While they are running: wait until the clients together have done so many more, or have failed; not longer
        than so many seconds, if a fault may keep them from it. Returns whether they have done it."""
        with self._changed:
            enough = self._done + operations
            self._changed.wait_for(lambda: self._done >= enough or self._ended, seconds)
            return self._done >= enough

    def read_all(self, name: str | None = None) -> dict[str, Any]:
        """A client, the first one unless another is named, reads every key: what it was answered, where it was."""
        client, store, _ = next(some for some in self._clients if name in (None, some[0].name))
        found = {}
        self._times["read"] += 1
        for key in self.keys:
            name = f"read {self._times['read']} {key}"
            answered, value = self._perform(client, store, "read", key, None, name)
            if answered:
                found[key] = value
        return found

    def _some(self, number: int, times: Iterable[object]) -> Iterator[None]:
        client, store, drawn = self._clients[number]
        for _ in times:
            yield
            number, (f, key, value) = next(drawn)
            self._perform(client, store, f, key, value, f"{client.name} {number}")
            with self._changed:
                self._done += 1
                self._changed.notify_all()

    def _perform(
        self, client: Client, store: Any, f: str, key: str, value: Any, name: str
    ) -> tuple[bool, Any]:
        if self.only is not None and name not in self.only:
            time.sleep(0.0005)  # clients that only pass over operations leave room for others
            return False, None
        self.performed[client.name].append(name)
        arguments = (key,) if f in ("read", "delete") else (key, value)
        if f == "cas":
            value = (self._saw.get((client.name, key), "first"), value)
            arguments = (key, *value)
        try:
            result = client.call(f, key, value, lambda: getattr(store, f)(*arguments))
        except self.expected:
            return False, None
        if self.swaps and (seen := result if f == "read" else value if f == "write" else None) is not None:
            self._saw[client.name, key] = seen
        return True, result

    def _together(self, works: list[Iterator[None]]) -> None:
        failed = list[BaseException]()
        for thread in self._threads(works, failed):
            thread.join()
        if failed:
            raise failed[0]

    def _threads(self, works: list[Iterator[None]], failed: list[BaseException]) -> list[Thread]:
        self._ended = False

        def work(steps: Iterator[None]) -> None:
            try:
                for _ in steps:
                    pass
            except BaseException as error:
                failed.append(error)
                with self._changed:
                    self._ended = True
                    self._changed.notify_all()

        threads = [Thread(target=work, args=(steps,), daemon=True) for steps in works]
        for thread in threads:
            thread.start()
        return threads
