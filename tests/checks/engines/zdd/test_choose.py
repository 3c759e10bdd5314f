"""Which diagrams there are, and for how much memory."""

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
