"""The bench of the engines: unequal counts end it with code 1, ratios are those of the same turn."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bench_engines
import pytest
from bench_engines import ROWS
from engine_tables import COUNTS, differences, table, times
from frozen_protocols import FOLDER, Frozen
from hypothesis import given
from hypothesis import strategies as st

KNOWN = Frozen("scope", "", 10, 20, 3)
NAMES = [row.name for row in ROWS]


def a_run(**changed: Any) -> dict[str, Any]:
    spent = {"search": 2.0, "call": 3.0, "whole": 4.0, "cpu": 5.0, "peak": 6.0}
    return {"states": 10, "transitions": 20, "depth": 3, **spent, **changed}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, bench_engines.__file__, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@given(st.data())
def test_one_wrong_number_of_one_run_is_told_with_its_row(data: st.DataObject) -> None:
    runs = {name: [a_run(), a_run()] for name in NAMES}
    known = data.draw(st.sampled_from([KNOWN, Frozen("scope", "")]))
    assert differences(known, runs) == []
    name, key = data.draw(st.sampled_from(NAMES[1:])), data.draw(st.sampled_from(COUNTS))
    one = runs[name][data.draw(st.integers(0, 1))]
    one[key] += data.draw(st.integers(-3, 3).filter(bool))
    first = "the index" if known.states else NAMES[0]
    number = runs[NAMES[0]][0][key]
    assert differences(known, runs) == [f"{name} counts {one[key]} {key}; {first} {number}"]


def test_a_search_without_depth_and_one_that_was_stopped_are_not_compared_in_it() -> None:
    deep = a_run()
    del deep["depth"]
    assert (
        differences(KNOWN, {"SPIN": [deep], "TLC": [{"states": 7, "stopped": "the limit", "search": 1.0}]})
        == []
    )


def test_a_ratio_is_of_the_same_turn_unless_one_ran_once() -> None:
    mine, theirs = [a_run(search=s) for s in (1, 2, 9)], [a_run(search=s) for s in (4, 8, 36)]
    assert times("search", mine, theirs) == "4.0"
    assert times("search", mine, theirs[:1]) == "2.0"
    assert times("search", theirs, mine) == "0.25"
    assert times("search", mine, []) == times("search", mine, [a_run(stopped="the limit")]) == "-"


def test_a_table_has_a_line_for_each_row_and_says_which_was_stopped() -> None:
    rows = [row for row in ROWS if row.name in ("fast, 2 cores", "before, 2 cores", "SPIN, exported", "TLC")]
    found = {row.name: [a_run(search=3.0)] for row in rows}
    found["fast, 2 cores"] = [a_run(search=0.5, added=0.001)]
    found["TLC"] = [{"search": 9.0, "stopped": "the limit of time", "states": 1234}]
    lines = table(rows, found)
    assert len({len(line) for line in lines[:4]}) == 1
    numbers = "2 1 0.50 3.00 4.00 5.00 0.00 0.00 - - 6 100.0 6.0 1.0 6.0 1.0"
    assert " ".join(lines[1].split()) == f"fast, 2 cores {numbers}"
    assert lines[4].split(maxsplit=3)[3] == "stopped after 9 s, 1,234 states: the limit of time"


def test_equal_counts_end_with_0_and_a_wrong_one_with_1(tmp_path: Path) -> None:
    words = ("small-1-1", "--runs", "1", "--only", "plain", "--save", str(tmp_path / "runs"))
    told = bench(*words)
    assert (told.returncode, "89 states, 197 transitions" in told.stdout) == (0, True), told.stderr
    saved = json.loads((tmp_path / "runs").read_text("utf-8"))
    assert {name: runs[0]["states"] for name, runs in saved["runs"].items()} == {
        "plain engine": 89, "plain Python": 89
    }  # fmt: skip
    shutil.copytree(FOLDER, tmp_path / "frozen")
    index = json.loads((tmp_path / "frozen" / "index.json").read_text("utf-8"))
    index["models"]["small-1-1"]["transitions"] += 1
    (tmp_path / "frozen" / "index.json").write_text(json.dumps(index), "utf-8")
    told = bench(*words, "--models", str(tmp_path / "frozen"))
    assert told.returncode == 1
    assert "small-1-1: plain Python counts 197 transitions; the index 198" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nix"], "there is no frozen model 'nix'"),
        (["today:nix"], "unknown scope 'nix'"),
        (["small-1-1", "--only", "nix"], "no row is left"),
    ],
)
def test_what_cannot_be_run_is_told_on_one_line(words: list[str], said: str) -> None:
    told = bench(*words)
    assert (told.returncode, len(told.stderr.splitlines())) == (2, 1), told.stderr
    assert said in told.stderr
