"""Which diagrams there are, and for how much memory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cutproof.checks.engines.zdd import choose
from cutproof.checks.engines.zdd.plain import PlainDiagrams


def test_without_loops_that_are_compiled_there_are_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert not choose.compiled()
    made = choose.diagrams(3)
    assert isinstance(made, PlainDiagrams)
    assert made.count(made.single([1, 0, 1])) == 1


def test_more_memory_has_more_nodes() -> None:
    few, many = (choose.diagrams(3, memory=size << 20) for size in (100, 200))
    assert many.limit == pytest.approx(2 * few.limit, abs=2)
    assert few.limit * choose.NODE <= 100 << 20


class Cache:
    """Of a loop, as numba has it; what it keeps cannot be read."""

    flushed = False

    def load_overload(self, *_: object) -> object:
        raise ValueError("garbage")

    def flush(self) -> None:
        self.flushed = True


def test_what_numba_kept_and_cannot_read_counts_as_none() -> None:
    cache = Cache()
    choose._loaded_with_care(cache)
    assert cache.load_overload("signature", "target") is None and cache.flushed


def test_an_interrupt_while_loops_are_loaded_is_not_lost() -> None:
    """In a callback from outside Python it would be: it waits until the loop is there."""
    steps = list[str]()

    class Cache:
        def load_overload(self) -> str:
            signal.raise_signal(signal.SIGINT)
            steps.append("loaded")
            return "loop"

    cache = Cache()
    choose._loaded_with_care(cache)
    with pytest.raises(KeyboardInterrupt):
        cache.load_overload()
    assert steps == ["loaded"]


@pytest.mark.nightly
@pytest.mark.skipif(not choose.compiled(), reason="there is nothing to damage without numba")
def test_damaged_loops_are_compiled_anew(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cutproof", "explore", "two_phase_commit", "--engine", "zdd"]
    told = []
    for damage in (b"", b"garbage\n"):
        for file in tmp_path.rglob("*.nb?") if damage else ():
            file.write_bytes(damage)
        there = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": ""}
        ran = subprocess.run(command, env=there, capture_output=True, text=True, check=True)
        told.append(ran.stdout.partition("zdd engine")[0])
    assert told[0] == told[1] and "288 states" in told[0]
    assert any(tmp_path.rglob("*.nbc"))
