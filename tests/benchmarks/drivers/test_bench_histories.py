"""The histories that are timed are those of a store that is right, and can be read by others."""

import io

import pytest
from bench_histories import MIX, as_lines, broken, simulated

from cutproof.checks.drivers.histories.judge import Explained, judge
from cutproof.checks.drivers.histories.pairing import history


@pytest.mark.parametrize("mix", MIX)
def test_a_right_store_is_explained_also_when_it_is_read_back(mix: str) -> None:
    operations = simulated(1, mix, 120, 4, failing=0.05)
    assert isinstance(judge(operations, versioned=False), Explained)
    read = history(io.BytesIO(as_lines({"k": operations}).encode()), "bench").keys["k"]
    assert len(read) == len(operations)
    assert isinstance(judge(read, versioned=False), Explained)
    broken(operations)
    assert mix.endswith("values") or not isinstance(judge(operations, versioned=False), Explained)
