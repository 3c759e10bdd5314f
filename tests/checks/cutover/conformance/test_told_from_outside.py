"""What was told of it from outside: stores that were accused, or let go, and should not have been."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from places import ROOT

from cutproof.checks.cutover.conformance import conform


def found(adapter: type[conform.Adapter], **arguments: Any) -> conform.NotConforming:
    with pytest.raises(conform.NotConforming) as caught:
        conform.check(adapter, **arguments)
    return caught.value


class ByNode(conform.Adapter):
    """A dictionary for each node, and where the migration stands: what the stores here have in common."""

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        self.nodes: dict[str, dict[str, str | None]] = {n: {} for n in nodes}
        self.owner, self.state = nodes[0], "idle"
        self.left: list[Any] = []

    def delete(self, key: str) -> conform.Answer:
        return self.put(key, None)  # type: ignore[arg-type]

    def get(self, key: str) -> str | None:
        return self.nodes[self.owner].get(key)

    def phase(self) -> str:
        return self.state


# ------------------------------------------------------------------ a leader that resigned and stays in charge


class Resigns(ByNode):
    """The leader of a shard resigns before the move; the move is given up, and it stays resigned (arangodb#12476)."""

    takes_up_again = False

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        super().start(nodes, shards, seed)
        self.resigned = False

    def put(self, key: str, value: str | None) -> conform.Answer:
        if self.resigned:
            return self.while_resigned()
        self.nodes[self.owner][key] = value
        if self.state == "copy":
            self.nodes[self.target][key] = value
        return "acknowledged"

    def while_resigned(self) -> str:
        return "refused"

    def begin_migration(self, node: str) -> None:
        self.target, self.state, self.left, self.resigned = (
            node,
            "copy",
            sorted(self.nodes[self.owner]),
            False,
        )
        self.nodes[node] = {}

    def advance(self) -> bool:
        if self.state == "copy":
            if self.left:
                key = self.left.pop(0)
                self.nodes[self.target][key] = self.nodes[self.owner][key]
            else:
                self.state, self.resigned = "resign", True
        elif self.state == "resign":
            self.nodes[self.owner], self.owner, self.state, self.resigned = {}, self.target, "idle", False
        else:
            return False
        return True

    def inject(self, fault: str, node: str) -> None:
        if fault != "abort":
            raise conform.NotSupported
        self.state = "idle"
        self.resigned &= not self.takes_up_again


class TakesUpAgain(Resigns):
    takes_up_again = True


class Silent(Resigns):
    """Writes are never answered afterwards."""

    def while_resigned(self) -> str:
        return "pending" if self.state == "idle" else "refused"


class Dark(Resigns):
    """Reads have no answer afterwards."""

    def get(self, key: str) -> str | None:
        if self.resigned and self.state == "idle":
            raise conform.Unavailable
        return super().get(key)


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        (Resigns, "is refused, after 8 tries"),
        (Silent, "gets no answer"),
        (Dark, "is without an answer, after 8 tries"),
    ],
)
def test_clients_that_are_not_served_again_are_told(adapter: type[conform.Adapter], said: str) -> None:
    error = found(adapter)
    assert type(error) is conform.NotServed
    assert error.reason.startswith("clients are not served again")
    assert error.reason.endswith(said)
    assert len(error.schedule) <= 7


def test_reads_alone_that_have_no_answer_are_told() -> None:
    class OnlyDark(TakesUpAgain):
        dark = False

        def inject(self, fault: str, node: str) -> None:
            super().inject(fault, node)
            self.dark = True

        def get(self, key: str) -> str | None:
            if self.dark:
                raise conform.Unavailable
            return super().get(key)

    assert found(OnlyDark).reason.endswith("without an answer, after 8 tries")


def test_one_who_takes_up_again_conforms() -> None:
    assert conform.check(TakesUpAgain).verdict == "conforms"


# ------------------------------------------------------------------ a backfill without an end


class Endless(ByNode):
    """What is written while it copies is one more row to copy (pgroll#583)."""

    def put(self, key: str, value: str | None) -> conform.Answer:
        self.nodes[self.owner][key] = value
        self.left.append(key)
        return "acknowledged"

    def begin_migration(self, node: str) -> None:
        self.target, self.state, self.left = node, "copy", sorted(self.nodes[self.owner])
        self.nodes[node] = {}

    def advance(self) -> bool:
        if self.state == "idle":
            return False
        if self.left:
            key = self.left.pop(0)
            self.nodes[self.target][key] = self.nodes[self.owner].get(key)
        else:
            self.nodes[self.owner], self.owner, self.state = {}, self.target, "idle"
        return True


def test_a_migration_must_end_while_clients_write() -> None:
    error = found(Endless)
    assert type(error) is conform.NotServed
    assert error.reason.startswith("the migration does not end while clients go on writing")
    assert len(error.schedule) <= 5


def test_who_says_that_it_need_not_is_not_accused() -> None:
    class Admitted(Endless):
        ends_under_load = False

    assert conform.check(Admitted).verdict == "conforms"


# ------------------------------------------------------------------ what is asked of a system


class Streams(ByNode):
    """What was streamed before a move was given up is passed over by the next one (cassandra#5003)."""

    keeps = True

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        super().start(nodes, shards, seed)
        self.shards = shards
        self.streamed: set[tuple[str, str, int]] = set()

    def put(self, key: str, value: str | None) -> conform.Answer:
        self.nodes[self.owner][key] = value
        if self.state != "idle":
            self.nodes[self.target][key] = value
        return "acknowledged"

    def begin_migration(self, node: str) -> None:
        assert node != self.owner, "it owns everything"
        self.target, self.state, self.left = node, "stream", list(range(self.shards))
        if not self.keeps:
            self.streamed.clear()
            self.nodes[node] = {}

    def advance(self) -> bool:
        if self.state != "stream":
            return False
        if self.left:
            shard = self.left.pop(0)
            if (self.owner, self.target, shard) not in self.streamed:
                for key, value in self.nodes[self.owner].items():
                    if zlib.crc32(key.encode()) % self.shards == shard:
                        self.nodes[self.target][key] = value
                self.streamed.add((self.owner, self.target, shard))
        else:
            self.nodes[self.owner], self.owner, self.state = {}, self.target, "idle"
            self.streamed.clear()
        return True

    def inject(self, fault: str, node: str) -> None:
        if fault != "abort":
            raise conform.NotSupported
        assert self.state != "idle", "nothing moves"
        self.state = "idle"


def test_nothing_is_moved_to_its_owner_and_nothing_given_up_that_does_not_move() -> None:
    class Anew(Streams):
        keeps = False

    assert conform.check(Anew).verdict == "conforms"
    error = found(Streams)
    assert "lost" in error.reason or "read" in error.reason
    assert any("abort" in line for line in error.schedule)
    assert len(error.schedule) <= 10


class TooLate(Streams):
    """An abort comes too late once the last shard was streamed: the move ends all the same."""

    keeps = False

    def inject(self, fault: str, node: str) -> None:
        if fault != "abort" or self.left:
            super().inject(fault, node)


def test_after_an_abort_that_came_too_late_nothing_is_moved_to_its_owner() -> None:
    assert (
        conform.check(TooLate).verdict == "conforms"
    )  # its begin_migration fails where the node owns everything


def test_a_migration_that_cannot_begin_now_is_no_fault() -> None:
    class Declines(Endless):
        asked, ends_under_load = 0, False

        def begin_migration(self, node: str) -> None:
            self.asked += 1
            if self.asked == 2:
                raise conform.Unavailable
            super().begin_migration(node)

    report = conform.check(Declines)
    assert report.verdict == "conforms"
    assert report.counts["declined"] > 0


# ------------------------------------------------------------------ answers


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    return __import__("judge_my_store").MendedAdapter


def test_a_read_that_is_not_answered_now_and_then_is_no_fault(mended: Any) -> None:
    class Busy(mended):  # type: ignore[misc]
        reads = 0

        def get(self, key: str) -> Any:
            self.reads += 1
            if self.reads % 3 == 0:
                raise conform.Unavailable
            return super().get(key)

    class EveryFirst(mended):  # type: ignore[misc]
        def start(self, *arguments: Any) -> None:
            super().start(*arguments)
            self.fresh: set[str] = set()

        def put(self, key: str, value: str) -> conform.Answer:
            self.fresh.add(key)
            return super().put(key, value)

        def get(self, key: str) -> Any:
            if key in self.fresh:
                self.fresh.discard(key)
                raise conform.Unavailable
            return super().get(key)

    assert conform.check(Busy, runs=300).verdict == "conforms"
    assert conform.check(EveryFirst, runs=300).verdict == "conforms"


def test_a_loss_that_is_hidden_behind_no_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    mine = __import__("judge_my_store").MyAdapter

    class Hides(mine):  # type: ignore[misc, valid-type]
        def start(self, *arguments: Any) -> None:
            super().start(*arguments)
            self.told: dict[str, Any] = {}

        def put(self, key: str, value: Any) -> conform.Answer:
            ask = super().put(key, value)

            def status() -> str:
                if (said := ask()) == "acknowledged":
                    self.told[key] = value
                return str(said)

            return status

        def get(self, key: str) -> Any:
            value = super().get(key)
            if key in self.told and value != self.told[key]:
                raise conform.Unavailable
            return value

    assert found(Hides).reason.endswith("without an answer, after 8 tries")


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        ("get", [1, 2], "get showed [1, 2] for doc-"),
        ("get", b"value-1", "it must be a text, or None"),
        ("observe", ["documents"], "observe must return a dict"),
        ("observe", {"documents": None, "owner": None}, "observe must return a dict"),
        ("observe", {"nodes": {"node-0": 3}}, "observe must return a dict"),
        ("phase", 7, "phase returned 7; it must be a text"),
        ("scan", 3, "scan returned 3; it must be pairs of key and value"),
        ("scan", [("doc-0",)], "it must be pairs of key and value"),
        ("put", None, "it answered None to put #1"),
        ("put", lambda: "unequal", "it answered 'unequal' to put #1"),
        ("get", SystemExit(0), "get raised SystemExit: 0"),
        ("get", lambda: "value-1", "a read that was pending came to 'value-1'"),
    ],
)
def test_an_answer_that_is_none_is_the_adapters_failure(
    mended: Any, method: str, answer: Any, said: str
) -> None:
    def answers(self: Any, *arguments: Any) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    odd = type("Odd", (mended,), {method: answers})
    error = found(odd, runs=20)
    assert type(error) is conform.AdapterFailed
    assert said in error.reason


def test_a_start_that_fails_once_is_the_adapters_failure(mended: Any) -> None:
    class Once(mended):  # type: ignore[misc]
        starts = 0

        def start(self, *arguments: Any) -> None:
            type(self).starts += 1
            if self.starts == 50:
                raise OSError("no port")
            super().start(*arguments)

    error = found(Once)
    assert type(error) is conform.AdapterFailed
    assert "no port" in error.reason


# ------------------------------------------------------------------ short schedules


class TwoRouters(conform.Adapter):
    """A move that failed leaves the old owner open, and requests alternate between two routers of which one is stale:
    with each step that is left out they change their turns (pulsar#3574)."""

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        self.nodes: dict[str, dict[str, str | None]] = {n: {} for n in nodes}
        self.owner, self.left, self.turn, self.open, self.fails = nodes[0], 0, 0, "", False
        self.behind = ""

    def routed(self) -> str:
        self.turn += 1
        return self.behind if self.turn % 2 and self.behind else self.owner

    def put(self, key: str, value: str | None) -> conform.Answer:
        node = self.routed()
        if node not in (self.owner, self.open):
            return "refused"
        self.nodes[node][key] = value
        return "acknowledged"

    def delete(self, key: str) -> conform.Answer:
        return self.put(key, None)

    def get(self, key: str) -> str | None:
        return self.nodes[self.owner].get(key)

    def begin_migration(self, node: str) -> None:
        self.left, self.target = 3, node

    def advance(self) -> bool:
        if not self.left:
            return False
        self.left -= 1
        if not self.left:
            self.open = self.owner if self.fails else ""
            self.nodes[self.target], self.owner = {**self.nodes[self.owner]}, self.target
        return True

    def phase(self) -> str:
        return "unload" if self.left else "idle"

    def inject(self, fault: str, node: str) -> None:
        if fault == "fail":
            self.fails = True
        elif fault == "stale":
            self.behind = self.owner
        else:
            raise conform.NotSupported

    def heal(self) -> None:
        self.fails, self.behind = False, ""


def test_no_two_steps_can_be_left_out_wherever_they_are() -> None:
    error = found(TwoRouters)
    assert error.reason.startswith("lost")
    assert error.whole
    assert len(error.schedule) <= 7
