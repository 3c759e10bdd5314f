"""A search that was ended goes on from its last whole level, and reports what it would have reported."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.engines.exploration import CheckpointError, Limits
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.fast import search as vector
from cutproof.checks.engines.fast.checkpoint import NAME, Saved, _checksum
from cutproof.checks.engines.fast.levels import name_of
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.verdict import Unknown
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.two_phase_commit import two_phase_commit

SCOPE, DEPTH = "two_documents", 37  # 91,212 states in a second
HARMED = ("--scope", "base", "--without", "fence_epoch")


def begun(folder: Path, *options: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "cutproof.checks.cli.main",
        "explore",
        *options,
        "--json",
        "--resume",
        str(folder),
    ]
    debug = {**os.environ, "CUTPROOF_DEBUG": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=debug)


def without_seconds(report: str) -> str:
    assert '"states_per_second": ' in report
    return re.sub(r'"(seconds|states_per_second)": [0-9.]+', r'"\1": 0', report)


def finished(folder: Path, *options: str) -> tuple[int, str]:
    """The exit code and the report, without seconds, of a run to the end."""
    process = begun(folder, *options)
    out, err = process.communicate(timeout=300)
    assert err == ""
    return process.returncode, without_seconds(out)


def wait_for(process: subprocess.Popen[str], file: Path, more: float) -> bool:
    """Until the file is there, and so many seconds more; whether the process lives then."""
    while process.poll() is None and not file.exists():
        time.sleep(0.002)
    try:
        process.wait(more)
    except subprocess.TimeoutExpired:
        return True
    return False


def ended_by(number: signal.Signals, folder: Path, draw: random.Random, *options: str) -> str | None:
    """Begin, or go on, and end the process at a random moment: what it said, or None if it was faster."""
    there = len(list(folder.glob("level-*.npy"))) if folder.exists() else 0
    process = begun(folder, *options)
    level = min(DEPTH, there + draw.randrange(0, 16))
    alive = wait_for(process, folder / name_of(level), draw.random() * 0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    if alive and process.returncode == -signal.SIGKILL:
        assert out == ""
        return ""
    return err if alive and process.returncode == cli.UNKNOWN else None


def kills(times: int, seed: int, folder: Path, options: tuple[str, ...]) -> None:
    """So many kills in all, over as many runs as it takes; each run ends with the report of one that was left alone."""
    draw, killed = random.Random(seed), 0
    wanted = finished(folder / "left alone", *options)
    while killed < times:
        again = folder / str(killed)
        for _ in range(draw.randrange(1, 4)):
            killed += ended_by(signal.SIGKILL, again, draw, *options) is not None
        assert finished(again, *options) == wanted
        shutil.rmtree(again)
    assert finished(folder / "left alone", *options) == wanted  # of a search that had come to its end


def test_a_killed_run_goes_on_and_reports_the_same(tmp_path: Path) -> None:
    kills(1, 7, tmp_path, HARMED)


@pytest.mark.nightly
def test_fifty_kills(tmp_path: Path) -> None:
    kills(40, 11, tmp_path / "holds", ("--scope", SCOPE, "--workers", "2"))
    kills(10, 12, tmp_path / "harmed", HARMED)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_run_says_how_to_go_on(number: signal.Signals, tmp_path: Path) -> None:
    process = begun(tmp_path, "--scope", SCOPE)
    assert wait_for(process, tmp_path / name_of(12), 0)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    *verdicts, counts = map(json.loads, out.splitlines())
    assert process.returncode == cli.UNKNOWN and {v["verdict"] for v in verdicts} == {"holds", "unknown"}
    assert counts["ended"] == "the search was interrupted" and 12 <= counts["depth"] < DEPTH
    assert f"go on with the same command; {tmp_path} holds what was explored" in err
    if number == signal.SIGTERM:
        return
    code, report = finished(tmp_path, "--scope", SCOPE)
    counts = json.loads(report.splitlines()[-1])
    assert (code, counts["distinct"], counts["depth"], counts["ended"]) == (0, 91_212, DEPTH, "")


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize("rows", [64, vector.ROWS])
def test_a_limit_in_the_middle_of_a_level_loses_no_state(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A level that was not expanded as a whole is not gone on from, but expanded again."""
    monkeypatch.setattr(vector, "ROWS", rows)
    protocol, depths = two_phase_commit(5), list[int]()
    for states in (50, 1_000, 3_000, 8_000):
        found = fast.explore(protocol, limits=Limits(states=states), folder=tmp_path, workers=1)
        assert len(found.states) >= states and all(
            isinstance(v, Unknown) for v in found.verdicts if v.form == "always"
        )
        depths.append(found.depth)
    assert depths == sorted(depths)
    found = fast.explore(protocol, folder=tmp_path)
    assert (len(found.states), found.transitions, found.depth, found.ended) == (8_832, 58_145, 16, "")
    expected = plain(protocol)
    assert (found.degrees, found.fired) == (expected.degrees, expected.fired)


def test_where_actions_left_their_domains_it_goes_on_too(tmp_path: Path) -> None:
    """What left its domain before the end of the first run is known in the second one."""
    protocol = barrier(2).without_guard("lock", "at lock 1")
    fast.explore(protocol, limits=Limits(states=60), folder=tmp_path)
    found, expected = fast.explore(protocol, folder=tmp_path, graph=True), plain(protocol, graph=True)
    said = [[(type(v), v.property, getattr(v, "path", None)) for v in f.verdicts] for f in (found, expected)]
    assert said[0] == said[1] and found.cut == expected.cut != {}


# ------------------------------------------------------------------ folders that are refused


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that was ended by a limit."""
    folder = tmp_path_factory.mktemp("stopped")
    found = fast.explore(build(parse_scope("base")), limits=Limits(states=4_000), folder=folder)
    assert found.ended and (folder / name_of(9)).exists()
    return folder


def text(change: Callable[[str], str]) -> Callable[[Path], object]:
    return lambda file: file.write_text(change(file.read_text()))


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)


def zipped(file: Path) -> None:
    with file.open("wb") as out:
        np.savez(out, a=np.zeros(3))


def square(file: Path) -> None:
    np.save(file, np.zeros((2, 2), np.uint64))


LEVEL = name_of(5)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("search.json", text(lambda t: t[: len(t) // 2]), "search.json cannot be read"),
        ("search.json", text(lambda t: "[]"), "search.json cannot be read"),
        ("search.json", text(lambda t: ""), "search.json cannot be read"),
        ("search.json", text(lambda t: t.replace('"depth":', '"depth":1', 1)), "search.json is damaged"),
        ("search.json", text(lambda t: t.replace('"expanded":', '"expanded":"x"', 1)), "search.json cannot be read"),
        ("search.json", text(lambda t: t.replace('"format":2', '"format":9')), "has format 9, not 2"),
        ("search.json", lambda file: (file.unlink(), file.mkdir()), "search.json cannot be read"),
        (LEVEL, Path.unlink, f"{LEVEL} is missing"),
        (LEVEL, lambda file: file.write_text("hello"), f"{LEVEL} cannot be read"),
        (LEVEL, lambda file: file.write_bytes(b""), f"{LEVEL} cannot be read"),
        (LEVEL, lambda file: file.write_bytes(file.read_bytes()[:-8]), f"{LEVEL} cannot be read"),
        (LEVEL, lambda file: (file.unlink(), file.mkdir()), f"{LEVEL} cannot be read"),
        (LEVEL, lambda file: shutil.copy(file.with_name(name_of(6)), file), f"{LEVEL} is not as it was written"),
        (LEVEL, flipped, f"{LEVEL} is not as it was written"),
        (LEVEL, zipped, f"{LEVEL} is not as it was written"),
        (LEVEL, square, f"{LEVEL} is not as it was written"),
    ],
)  # fmt: skip
def test_a_damaged_folder_is_refused_in_one_line(
    stopped: Path, name: str, spoil: Callable[[Path], object], said: str, tmp_path: Path, capsys
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(stopped, folder)
    spoil(folder / name)
    refused(folder, said, capsys)


def never(saved: Saved) -> None:
    saved.fired[0] = -1


def of_another_layout(saved: Saved) -> None:
    saved.laid_out[2] = len(saved.fast)


def of_no_field(saved: Saved) -> None:
    saved.fast[-1] = ["nonsense"]


def of_no_layout(saved: Saved) -> None:
    saved.fast = []


def of_too_many(saved: Saved) -> None:
    saved.fast[-1] = [f.name for f in build(parse_scope("base")).fields]


def fewer_levels(saved: Saved) -> None:
    saved.laid_out.pop()


def left_out(saved: Saved) -> None:
    del saved.told[0]


def of_another_claim(saved: Saved) -> None:
    saved.told[0].claim = 0


def moved(saved: Saved) -> None:
    saved.told[-1].depth -= 1


def of_no_origin(saved: Saved) -> None:
    saved.told[0].origin = 7


def of_nothing(saved: Saved) -> None:
    saved.told[0].rows = []


def before_the_start(saved: Saved) -> None:
    saved.told[0].depth = -1


def deeper(saved: Saved) -> None:
    saved.depth += 1


def more(saved: Saved) -> None:
    saved.expanded += 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (never, "a transition was not taken less than never"),
        (of_another_layout, "its levels are of no layout"),
        (fewer_levels, "its levels are of no layout"),
        (of_no_field, "its fast fields are none of this search"),
        (of_no_layout, "its fast fields are none of this search"),
        (of_too_many, "fast values, and 64 is what a mask has"),
        (left_out, "its levels say otherwise of a claim than it does"),
        (of_another_claim, "its levels say otherwise of a claim than it does"),
        (more, "its states were counted otherwise"),
        (deeper, "its depth or its time is not that of its levels"),
        (before_the_start, "a level that is told of is not there"),
        (of_no_origin, "has no such state as is told of it"),
        (of_nothing, "what is told is of no search for these settings"),
        (moved, "has no such state as is told of it"),
    ],
)
def test_what_was_made_by_hand_is_refused_where_it_does_not_fit(
    stopped: Path, change: Callable[[Saved], None], said: str, tmp_path: Path, capsys
) -> None:
    """Not damaged: its checksum is right."""
    folder = tmp_path / "made"
    shutil.copytree(stopped, folder)
    saved = msgspec.json.decode((folder / NAME).read_bytes(), type=Saved)
    change(saved)
    saved.checksum = _checksum(saved)
    (folder / NAME).write_bytes(msgspec.json.encode(saved))
    refused(folder, said, capsys)


def refused(folder: Path, said: str, capsys, *options: str) -> None:
    before = sorted((f.name, f.stat().st_mtime_ns) for f in folder.iterdir()) if folder.is_dir() else []
    assert cli.main(["explore", "--scope", "base", "--resume", str(folder), *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("cutproof: --resume ") and said in err
    assert before == (sorted((f.name, f.stat().st_mtime_ns) for f in folder.iterdir()) if before else [])


@pytest.mark.parametrize(
    "options", [("--without", "fence_epoch"), ("--symmetry",), ("--policy", "skip_delta_pass=true")]
)
def test_the_folder_of_another_search_is_refused(stopped: Path, options: tuple[str, ...], capsys) -> None:
    refused(stopped, "is of another search", capsys, *options)


def test_other_limits_and_workers_are_the_same_search(stopped: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "same"
    shutil.copytree(stopped, folder)
    assert cli.main(["explore", "--resume", str(folder), "--workers", "1", "--max-seconds", "600"]) == 0
    assert "12,239 distinct, 0 left on queue, depth 33" in capsys.readouterr()[0]


def test_a_folder_with_foreign_files_is_refused_and_left_alone(tmp_path: Path, capsys) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused(tmp_path, "holds thesis.txt, which is of no search", capsys)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.txt"]
    refused(tmp_path / "thesis.txt", "is not a folder", capsys)
    refused(tmp_path / "thesis.txt" / "below", "Not a directory", capsys)


def test_what_a_run_left_that_was_killed_at_once_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "level-0000.npy").write_text("half")
    (tmp_path / "search.json.part").write_text("half")
    assert len(fast.explore(two_phase_commit(3), folder=tmp_path).states) == 288


def test_the_error_is_one_of_its_own(stopped: Path) -> None:
    with pytest.raises(CheckpointError, match="is of another search"):
        fast.explore(two_phase_commit(3), folder=stopped)
