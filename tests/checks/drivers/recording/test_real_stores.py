"""Real stores, moved under clients, as the examples do it: what is orderly is clean, all else is caught in its first
run, and no server outlives an example, whatever ends that.

Skipped where a server is missing; with REAL_STORES=required in the environment that is a failure.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from places import DOCS

from cutproof.checks.drivers.histories.judge import Unexplained, judge
from cutproof.checks.drivers.histories.pairing import read

STORES = DOCS / "examples" / "stores"
CAUGHT = {
    "redis_slots.py": ["target-alone", "fix", "timed-out", "failed-over", "source-killed", "given-up"],
    "postgres_replication.py": ["flipped-early", "sequence-forgotten", "both-written"],
    "redis_migration.py": [
        "no-tombstones", "delta-by-presence", "activated-early", "fence-unchecked", "cleanup-unfenced",
        "record-unfenced", "record-afterwards",
    ],
}  # fmt: skip
CLEAN = {"redis_migration.py": ["orderly", "killed-everywhere", "same-faults"]}
WAYS = [
    (program, way) for program, ways in CAUGHT.items() for way in (*CLEAN.get(program, ["orderly"]), *ways)
]
# By night; the tool is killed at all of its messages in forty runs.
MANY = {"orderly": 100, ("redis_migration.py", "orderly"): 200, "killed-everywhere": 40}


def example(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run an example; the test is skipped if it cannot run here."""
    command = [sys.executable, str(STORES / program), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5000, check=False)
    if done.returncode == 2 and done.stderr.startswith("cannot run: "):
        if os.environ.get("REAL_STORES") == "required":
            pytest.fail(done.stderr)
        pytest.skip(done.stderr.strip())
    return done


@pytest.mark.parametrize(("program", "way"), WAYS)
def test_each_way_is_judged_rightly(program: str, way: str, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    done = example(program, way, "--seed", "3", "--history", str(file))
    clean = way not in CAUGHT[program]
    assert done.returncode == (0 if clean else 12), done.stdout + done.stderr
    first, *more = done.stdout.splitlines()
    told = re.fullmatch(rf"{way}, seed 3: ([\d,]+) operations acknowledged on 15 keys; (.*)", first)
    assert told and int(told[1].replace(",", "")) >= (130 if program == "redis_migration.py" else 140)
    assert clean == ("some order explains them all" in first)
    assert len(more) <= 0 if clean else 3 <= len(more) <= 13
    # What was kept says the same.
    verdicts = [judge(operations, versioned=False) for operations in read(str(file)).keys.values()]
    faulty = sum(isinstance(verdict, Unexplained) for verdict in verdicts)
    assert faulty == 0 if clean else f"no order explains those on {faulty}" in first


def shortened(program: str, way: str, file: Path, *words: str) -> tuple[int, int]:
    """Shorten a run that went wrong: how many operations there were, and how many are left."""
    done = example(program, way, "--history", str(file), "--shorten", *words)
    assert done.returncode == 12, done.stdout + done.stderr
    told = re.search(r"^shortened from (\d+) to (\d+) operations, in \d+ runs", done.stdout, re.MULTILINE)
    assert told, done.stdout
    histories = read(str(file)).keys.values()
    assert any(isinstance(judge(operations, versioned=False), Unexplained) for operations in histories)
    assert sum(map(len, histories)) == int(told[2])
    return int(told[1]), int(told[2])


def test_a_run_that_went_wrong_is_shortened(tmp_path: Path) -> None:
    before, after = shortened("redis_slots.py", "given-up", tmp_path / "history.jsonl", "6")
    assert after < before / 2


@pytest.mark.nightly
@pytest.mark.parametrize(("program", "way"), [(p, way) for p, ways in CAUGHT.items() for way in ways])
def test_runs_that_went_wrong_are_shortened(program: str, way: str, tmp_path: Path) -> None:
    before, after = shortened(program, way, tmp_path / "history.jsonl")
    assert after < before / 3


def test_what_is_missing_is_said_in_a_line(tmp_path: Path) -> None:
    for program, words, said in (
        ("redis_slots.py", (), r"cannot run: .* is not installed: (apt-get|pip) install .*\n"),
        ("redis_slots.py", ("given_up",), r"usage: (.*\n)+.*invalid choice: 'given_up'.*\n"),
        ("redis_slots.py", ("--runs", "0"), r"usage: (.*\n)+.*--runs: at least one\n"),
        ("redis_slots.py", ("--history", str(tmp_path)), r"usage: (.*\n)+.*--history .*: Is a directory\n"),
    ):
        command, bare = [sys.executable, str(STORES / program), *words], {**os.environ, "PATH": str(tmp_path)}
        done = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(said, done.stderr)


@pytest.mark.nightly
@pytest.mark.parametrize(("program", "way"), WAYS)
def test_each_of_many_runs_is_judged_rightly(program: str, way: str) -> None:
    runs = MANY.get((program, way), MANY.get(way, 20))
    done = example(program, way, "--seed", "1000", "--runs", str(runs))
    verdicts = re.findall(
        rf"^{way}, seed \d+: .* operations acknowledged on 15 keys; (.*)$", done.stdout, re.MULTILINE
    )
    assert len(verdicts) == runs, done.stderr
    assert {verdict == "some order explains them all" for verdict in verdicts} == {way not in CAUGHT[program]}


@pytest.mark.parametrize("seed", [20, 22])
@pytest.mark.parametrize("way", ["orderly", *CAUGHT["redis_migration.py"]])
def test_a_few_more_runs_of_the_tool_are_judged_rightly(way: str, seed: int) -> None:
    done = example("redis_migration.py", way, "--seed", str(seed), "--runs", "2")
    verdicts = re.findall(
        rf"^{way}, seed \d+: .* operations acknowledged on 15 keys; (.*)$", done.stdout, re.MULTILINE
    )
    assert len(verdicts) == 2, done.stderr
    assert {verdict == "some order explains them all" for verdict in verdicts} == {way == "orderly"}


def test_the_tool_says_what_it_cannot_do() -> None:
    program = "migration_tool.py"
    given = ("--slot", "7", "--record", "1", "--node", "a=2", "--node", "b=3")
    for words, code, said in (
        ((), 2, r"usage: (.*\n)+.*the following arguments are required: what, .*\n"),
        (("move", *given), 2, r"usage: (.*\n)+.*--to: one of a, b\n"),
        (("move", "--to", "c", *given), 2, r"usage: (.*\n)+.*--to: one of a, b\n"),
        (
            ("abort", *given, "--node", "c"),
            2,
            r"usage: (.*\n)+.*--node: a name and a port, as in a=7001: 'c'\n",
        ),
        (("abort", *given, "--patience", "0"), 3, r"a server does not answer: .*\n"),
    ):
        done = example(program, *words)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert re.fullmatch(said, done.stderr)


def test_a_safeguard_that_is_left_out_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    example("redis_migration.py", "--help")
    pytest.importorskip("redis")
    monkeypatch.syspath_prepend(str(STORES))
    tool = importlib.import_module("migration_tool")
    whole = tool.library().splitlines()
    assert not any("safeguard: " in line or "instead of: " in line for line in whole)
    assert sum("return stale(at)" in line for line in whole) == 8
    for name, less, more in (("fence", 3, 0), ("cleanup", 1, 0), ("record", 1, 0), ("tombstones", 0, 3)):
        lines = tool.library(name).splitlines()
        assert (len([x for x in whole if x not in lines]), len(lines) - len(whole)) == (less, more - less)
    assert all(tool.library(name).splitlines() == whole for name in tool.IN_TOOL)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def works(pid: int) -> bool:
    """Whether a process is there, and not one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(
    ("program", "servers"), [("redis_slots.py", 3), ("postgres_replication.py", 2), ("redis_migration.py", 3)]
)
def test_no_server_outlives_its_example(
    program: str, servers: int, how: signal.Signals, tmp_path: Path
) -> None:
    example(program, "--help")
    command = [sys.executable, str(STORES / program), "--runs", "9"]
    place = {**os.environ, "TMPDIR": str(tmp_path)}
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=place
    )
    folder, started = None, list[int]()
    try:
        until(lambda: running.poll() is not None or len(children(running.pid)) >= servers)
        if running.poll() == 2:
            pytest.skip(running.stderr.read() if running.stderr else "")
        started = children(running.pid)
        words = Path(f"/proc/{started[0]}/cmdline").read_text().split("\0")
        folder = next(Path(*Path(word).parts[: n + 1]) for word in words for n, part in enumerate(Path(word).parts)
                      if part.startswith("stores-"))  # fmt: skip
        started += [pid for child in started for pid in children(child)]
        assert folder.is_dir()
        running.send_signal(how)
        assert running.wait(60) == (128 + how if how == signal.SIGTERM else -how)
        until(lambda: not any(map(works, started)))
        assert folder.exists() == (how == signal.SIGKILL)
    finally:
        running.kill()
        running.communicate()
        for pid in filter(works, started):
            os.kill(pid, signal.SIGKILL)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
