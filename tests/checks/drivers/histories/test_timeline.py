"""Operations as lanes, within their lines and columns."""

from __future__ import annotations

from random import Random

import pytest
from every_order import random_history

from cutproof.checks.drivers.histories.judge import Unexplained, judge
from cutproof.checks.drivers.histories.operation import Operation
from cutproof.checks.drivers.histories.timeline import ROWS, timeline


def test_a_read_that_goes_back_is_seen() -> None:
    operations = [
        Operation(1, "0", "put", "k", "a", 1, 3, "acknowledged", step=3),
        Operation(2, "1", "put_if", "k", ("a", "b"), 2, 4, "failed", step=4),
        Operation(5, "0", "get", "k", None, 5, 6, "acknowledged", "b", 6),
        Operation(7, "0", "get", "k", None, 7, 8, "acknowledged", None, 8),
    ]
    assert timeline(operations) == [
        "#1  0  put 'a'            acknowledged  line 3  |=====|",
        "#2  1  put_if 'a' -> 'b'  failed        line 4     |====================>",
        "#5  0  get                -> 'b'        line 6              |==|",
        "#7  0  get                -> nothing    line 8                    |==|",
    ]


def test_what_is_between_is_summed_up() -> None:
    adds = [Operation(n, "c", "add", "k", 2, 2 * n, 2 * n + 1, "acknowledged", step=n) for n in range(1, 100)]
    lines = timeline([*adds, Operation(100, "c", "get", "k", None, 300, 301, "acknowledged", 7, 100)])
    assert len(lines) == ROWS
    assert lines[2] == "... 91 add acknowledged (of 182 in all)"


def test_a_list_shows_the_items_that_are_spoken_of() -> None:
    append = Operation(1, "c", "append", "k", 40, 1, 2, "acknowledged")
    read = Operation(2, "c", "get", "k", None, 3, 4, "acknowledged", [*range(100), 40])
    assert "-> [..., 40, ..., 40]" in timeline([append, read])[1]


@pytest.mark.parametrize("width", [80, 100])
def test_it_keeps_within_its_columns(width: int) -> None:
    for seed in range(60):
        draw = Random(seed)
        operations = random_history(draw, draw.choice(["register", "counter", "list"]), 14, clients=5)
        for o in operations:
            o.client = "a client with a long name"[: draw.randrange(3, 26)]
            o.step = draw.randrange(10**6)
        for part in (operations, getattr(judge(operations), "operations", ())):
            lines = timeline(part, width)
            assert len(lines) <= ROWS
            assert all(len(line) <= width for line in lines), lines


def test_parts_of_planted_mistakes_fit() -> None:
    found = [judge(random_history(Random(seed), "counter", 30)) for seed in range(40)]
    parts = [v.operations for v in found if isinstance(v, Unexplained)]
    assert parts and all(0 < len(timeline(part)) <= ROWS for part in parts)


def test_each_row_is_one_line_whoever_asks() -> None:
    read = Operation(1, "a\n\x1b[31m\u202eb", "get", "k", None, 1, 2, "acknowledged", None, 1)
    assert timeline([read]) == ["#1  a??[31m?b  get  -> nothing  line 1  |==|"]
