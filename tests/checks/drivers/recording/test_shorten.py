"""Shortening: what is left goes wrong, and with any operation less nothing does, as often as it is tried."""

from __future__ import annotations

from io import StringIO
from random import Random
from threading import Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.shorten import Attempt, shorten

EVERY = tuple(f"c {n}" for n in range(20))


class System:
    """It goes wrong where all operations of one of these sets are performed, and then with a chance."""

    def __init__(self, wrong: list[set[str]], chance: float = 1.0, shown: int = 0) -> None:
        self.wrong, self.chance, self.shown, self.random = wrong, chance, shown, Random(1)
        self.runs = 0

    def perform(self, names: frozenset[str] | None) -> Attempt:
        self.runs += 1
        done = EVERY if names is None else tuple(name for name in EVERY if name in names)
        bad = [s for s in self.wrong if s <= {*done}]
        if not bad or self.random.random() >= self.chance:
            return Attempt(done)
        return Attempt(done, tuple(sorted(bad[0]))[: self.shown or None], tuple(done[:5]))


sets = st.sets(st.sampled_from(EVERY), min_size=1, max_size=6)


@given(st.lists(sets, min_size=1, max_size=3), st.integers(0, 3))
def test_nothing_can_be_left_out_of_what_is_found(wrong: list[set[str]], shown: int) -> None:
    """Whether what is told of a run is all that it takes, or a part of it."""
    system = System(wrong, shown=shown)
    found = shorten(system.perform, repeats=1, most=1000)
    assert found is not None and found.whole and found.of == len(EVERY) and found.runs == system.runs
    kept = {*found.kept}
    assert any(s <= kept for s in wrong)
    assert not any(s <= kept - {name} for s in wrong for name in kept)


def test_what_no_order_explains_is_tried_first() -> None:
    system = System([{"c 3", "c 7"}])
    found = shorten(system.perform, repeats=1)
    assert found is not None and found.kept == ("c 3", "c 7")
    assert system.runs == 4  # all, these two, and each of them by itself


def test_a_try_that_goes_wrong_now_and_then_is_repeated() -> None:
    found = shorten(System([{"c 3", "c 7"}], chance=0.1).perform, repeats=90, most=1000)
    assert found is not None and found.kept == ("c 3", "c 7")
    assert shorten(System([{"c 3"}], chance=0.0).perform, repeats=5) is None


def test_what_was_needed_at_first_is_tried_again() -> None:
    def perform(names: frozenset[str] | None) -> Attempt:
        done = EVERY if names is None else tuple(name for name in EVERY if name in names)
        wrong = "c 3" in done and ("c 2" not in done or "c 0" in done)  # c 2 mends it, and c 0 spoils that
        return Attempt(done, done if wrong else ())

    found = shorten(perform, repeats=1)
    assert found is not None and found.kept == ("c 3",)


def test_runs_are_bounded_and_what_was_found_by_then_is_told() -> None:
    system, heard = System([{"c 3", "c 7"}], shown=1), list[tuple[int, int]]()
    found = shorten(system.perform, 1, 5, lambda kept, runs: heard.append((kept, runs)))
    assert found is not None and system.runs == found.runs == 5 and not found.whole
    assert len(found.kept) < len(EVERY) and heard[-1][0] == len(found.kept)
    for wrong in ({"repeats": 0}, {"most": 0}):
        with pytest.raises(ValueError, match="at least one"):
            shorten(system.perform, **wrong)


class Store:
    """A store that is right."""

    def __init__(self) -> None:
        self.held, self.lock = dict[str, object](), Lock()

    def write(self, key: str, value: str) -> None:
        self.held[key] = value

    def delete(self, key: str) -> None:
        self.held.pop(key, None)

    def add(self, key: str, amount: int) -> None:
        with self.lock:
            self.held[key] = int(str(self.held.get(key, 0))) + amount

    def append(self, key: str, item: str) -> None:
        with self.lock:
            self.held.setdefault(key, []).append(item)  # type: ignore[attr-defined]

    def read(self, key: str) -> object:
        return self.held.get(key)


def worked(only: set[str] | None = None) -> tuple[dict[str, list[str]], list[str]]:
    """What a load performed, and the lines that it recorded."""
    store, file = Store(), StringIO()
    load = Load(Recorder(file), {"a": store, "b": store}, 7, only=only)
    load.fill()
    load.batch(10)
    load.write(["register-1"])
    load.delete(["register-1", "register-2"])
    load.read_all("b")
    load.read_all()
    return load.performed, file.getvalue().splitlines()


def test_each_operation_of_a_load_has_a_name_and_can_be_passed_over() -> None:
    performed, lines = worked()
    every = [name for names in performed.values() for name in names]
    assert len(set(every)) == len(every) == len(lines) / 2 == 7 + 20 + 1 + 2 + 14
    assert performed["b"] == [*(f"b {n}" for n in range(1, 11)), *(f"read 1 {key}" for key in KEYS)]
    assert worked()[0] == performed
    some = {*Random(3).sample(every, 9)}
    less, fewer = worked(some)
    assert less == {client: [n for n in names if n in some] for client, names in performed.items()}
    assert len(fewer) == 18 and {_without_time(line) for line in fewer if "read" not in line} <= {
        _without_time(line) for line in lines
    }


KEYS = ["register-1", "register-2", "register-3", "register-4", "counter-1", "counter-2", "list-1"]


def _without_time(line: str) -> str:
    return line.partition(', "time"')[0]
