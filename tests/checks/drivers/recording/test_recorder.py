"""The recorder writes what was asked and answered, as the judge reads it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.drivers.histories.judge import Explained, Unexplained, judge
from cutproof.checks.drivers.histories.pairing import History, history
from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.recorder import Recorder


class Store:
    """A dictionary; `lost` are keys whose second change is forgotten."""

    def __init__(self, lost: tuple[str, ...] = ()) -> None:
        self.held, self.lost, self.changes = dict[str, object](), lost, dict[str, int]()

    def write(self, key: str, value: object) -> None:
        self.changes[key] = self.changes.get(key, 0) + 1
        if key not in self.lost or self.changes[key] != 2:
            self.held[key] = value

    def delete(self, key: str) -> None:
        self.write(key, None)

    def add(self, key: str, amount: int) -> None:
        self.write(key, self.held.get(key, 0) + amount)  # type: ignore[operator]

    def append(self, key: str, item: str) -> None:
        self.write(key, [*self.held.get(key, []), item])  # type: ignore[misc]

    def read(self, key: str) -> object:
        return self.held.get(key, {"c": 0, "l": []}.get(key[0]))


def recorded(text: str) -> History:
    return history(io.BytesIO(text.encode()), "history")


def test_outcomes_are_told_apart() -> None:
    file = io.StringIO()

    def raises(error: BaseException):
        raise error

    with Recorder(file, never=(ConnectionRefusedError,)) as recorder:
        c = recorder.client("c")
        assert c.call("write", "k", "a", lambda: 7) == 7
        for error in (ConnectionRefusedError(), TimeoutError(), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                c.call("write", "k", "b", lambda error=error: raises(error))
        with pytest.raises(TimeoutError):
            c.call("read", "k", operation=lambda: raises(TimeoutError()))
        recorder.note("stopped", "node 1")
        c.call("cas", "k", ("a", "c"), lambda: False)
        c.call("cas", "k", ("a", "c"), lambda: True)
        c.call("read", "k", operation=lambda: b"c\xff")
    records = [json.loads(line) for line in file.getvalue().splitlines()]
    answers = [r for r in records if r["type"] != "invoke" and r["process"] == "c"]
    assert [r["type"] for r in answers] == ["ok", "fail", "info", "info", "fail", "fail", "ok", "ok"]
    assert [r.get("error") for r in answers[5:]] == ["unequal", None, None]
    assert answers[-1]["value"] == "c\\xff"
    assert [r["time"] for r in records] == sorted(r["time"] for r in records)
    assert recorder.answers == {"ok": 3, "fail": 3, "info": 2}
    operations = recorded(file.getvalue()).keys["k"]
    assert [o.outcome for o in operations] == [
        "acknowledged", "refused", "failed", "failed", "refused", "unequal", "acknowledged", "acknowledged",
    ]  # fmt: skip


def test_what_is_asked_is_written_before_it_is_done(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    with Recorder(file) as recorder:
        seen = recorder.client("c").call("write", "k", "a", file.read_text)
    assert [json.loads(line)["type"] for line in seen.splitlines()] == ["invoke"]


def test_wrong_use_is_said_at_once() -> None:
    recorder = Recorder(io.StringIO())
    c = recorder.client("c")
    for name in ("c", "nemesis"):
        with pytest.raises(ValueError):
            recorder.client(name)
    with pytest.raises(ValueError, match="there is no operation 'set'"):
        c.call("set", "k", 1, lambda: None)
    with pytest.raises(TypeError, match="whether it wrote"):
        c.call("cas", "k", (1, 2), lambda: None)
    begun, go_on = Event(), Event()
    thread = Thread(
        target=c.call, args=("read", "k"), kwargs={"operation": lambda: begun.set() or go_on.wait(9)}
    )
    thread.start()
    assert begun.wait(9)
    with pytest.raises(RuntimeError, match="a client of its own"):
        c.call("read", "k", operation=lambda: None)
    go_on.set()
    thread.join()


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_a_load_hangs_on_its_seed_and_is_judged(seed: int, size: int) -> None:
    texts, final_without_loss = [], dict[str, object]()
    for lost in ((), (), ("register-1", "counter-1", "list-1")):
        file, store = io.StringIO(), Store(lost)
        load = Load(Recorder(file), {"a": store}, seed, registers=1, counters=1, lists=1)
        load.fill()
        load.batch(size)
        final = load.read_all()
        texts.append([{**json.loads(line), "time": 0} for line in file.getvalue().splitlines()])
        for key, operations in recorded(file.getvalue()).keys.items():
            verdict = judge(operations, versioned=False)
            if key not in lost:
                assert isinstance(verdict, Explained), (key, verdict)
            elif final[key] != final_without_loss[key]:
                assert isinstance(verdict, Unexplained), (key, verdict)
        final_without_loss = final
    assert texts[0] == texts[1]


def test_clients_work_until_the_block_ends_and_their_errors_are_raised() -> None:
    class Broken(Store):
        def read(self, key: str) -> object:
            raise ZeroDivisionError

    file, working = io.StringIO(), Event()

    class Telling(Store):
        def read(self, key: str) -> object:
            working.set()
            return super().read(key)

    with Load(Recorder(file), {"a": Telling(), "b": Telling()}, 1).running():
        assert working.wait(9)
    assert {o.client for keys in recorded(file.getvalue()).keys.values() for o in keys} <= {"a", "b"}
    with pytest.raises(ZeroDivisionError):
        Load(Recorder(io.StringIO()), {"a": Broken()}, 1).batch(50)
    load = Load(Recorder(io.StringIO()), {"a": Broken()}, 1, expected=(ZeroDivisionError,))
    load.batch(50)
    assert load.read_all() == {}


@given(st.integers(0, 99))
def test_registers_are_swapped_from_what_was_seen_and_written_anew(seed: int) -> None:
    class Swapping(Store):
        def cas(self, key: str, old: object, new: object) -> bool:
            if self.held.get(key) != old:
                return False
            self.write(key, new)
            return True

    file, store = io.StringIO(), Swapping()
    load = Load(Recorder(file), {"a": store}, seed, registers=2, counters=0, lists=0, swaps=0.5)
    load.fill()
    load.batch(120)
    load.write(load.keys)
    load.write(load.keys)
    assert store.held == {"register-1": "written.3", "register-2": "written.4"}
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    ends = [r["type"] for r in lines if r["f"] == "cas" and r["type"] != "invoke"]
    assert "ok" in ends and len(ends) >= 10
    written = [r["value"] for r in lines if r["f"] == "write" and r["type"] == "ok" and r["value"] != "first"]
    assert len(set(written)) == len(written)
    assert all(
        isinstance(judge(o, versioned=False), Explained) for o in recorded(file.getvalue()).keys.values()
    )


def test_waiting_for_clients_that_do_nothing_ends() -> None:
    going_on = Event()

    class Stuck(Store):
        def read(self, key: str) -> object:
            going_on.wait(30)
            return super().read(key)

        def write(self, key: str, value: object) -> None:
            going_on.wait(30)
            super().write(key, value)

    load = Load(Recorder(io.StringIO()), {"a": Stuck()}, 1)
    with load.running():
        assert not load.let_work(1, seconds=0.02)
        going_on.set()
        assert load.let_work(5, seconds=30)
