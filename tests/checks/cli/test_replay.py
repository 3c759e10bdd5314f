"""`cutproof replay`: one trace as a story, several as lines, by name, from stdin, on a protocol of one's own; and
whether what it shows is fixed."""

import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace
from typing import Any

import pytest
from places import ROOT, TRACES
from setuptools import find_namespace_packages

from cutproof.checks.cli import main as cli
from cutproof.checks.traces import stored

LOST = "lost-write-without-fence_epoch"
STUCK = "stuck-without-per_migration_tracking"

LEASE = '''
"""A lease that is handed from node to node."""
from cutproof.model.language import action, all_of, always, boolean, can_always, family, guard, put, when
from cutproof.model.language.protocol import Protocol


@action
def grant(s, node):
    """The node is given the lease."""
    {free}
    return when(free).then(held=put(s.held, node, True))


@action(fault="crash")
def forget(s, node):
    """The node forgets that it holds the lease, and nobody else may have it."""
    return when(guard("holds it", s.held[node]), guard("once", ~s.gone)).then(held=put(s.held, node, False), gone=True)


@always
def one_leader(s, node, other):
    """No two nodes hold the lease."""
    return ~(s.held[node] & s.held[other]) if node != other else None


@can_always
def led(s):
    """Some node can hold the lease."""
    return s.held[0] | s.held[1]


def lease(nodes: int = 2) -> Protocol:
    return Protocol(
        "lease", {{"held": family("node", of=boolean()), "gone": boolean()}}, [grant, forget], [one_leader, led],
        indices={{"node": range(nodes), "other": range(nodes)}},
    )
'''
BROKEN = LEASE.format(free='free = guard("it is not this one\'s", ~s.held[node])')
SOUND = LEASE.format(free='free = guard("nobody holds it", all_of(*(~h for h in s.held)) & ~s.gone)')
HARMLESS = BROKEN.replace("~(s.held[node] & s.held[other]) if", "s.held[node] | ~s.held[node] if")

Ran = tuple[int, str, str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def running(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return running


@pytest.fixture
def mine(tmp_path: Path, run: Callable[..., Ran]) -> SimpleNamespace:
    """A protocol of one's own in a file, and the trace that exploring it left."""
    file = tmp_path / "lease.py"
    file.write_text(BROKEN)
    assert run("explore", file, "--with", "nodes=3", "--trace", tmp_path / "found")[0] == 12
    [found] = (tmp_path / "found").glob("one_leader*.itf.json")
    return SimpleNamespace(file=file, trace=found, folder=tmp_path)


# ------------------------------------------------------------------ several, and by name


def test_a_stored_trace_is_found_by_its_name(run) -> None:
    code, by_path, _ = run("replay", TRACES / f"{LOST}.itf.json")
    assert code == 0 and "a read of N shows  nothing" in by_path
    assert run("replay", LOST) == (0, by_path, "")
    assert run("replay", f"{LOST}.itf.json")[1] == by_path


def test_from_another_folder_the_path_in_the_project_still_leads_there(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("replay", f"traces/{LOST}.itf.json")[0] == 0
    (tmp_path / LOST).write_text("{}")
    assert run("replay", LOST)[0] == 2, "a file that is there is what was meant"


def test_a_name_that_is_not_stored_is_refused_with_one_that_is(run) -> None:
    code, out, err = run("replay", "lost-write-without-fence_epok")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "no stored trace of that name; did you mean lost-write-without-fence_epoch" in err
    assert "No such file or directory" in run("replay", "traces/nothing.itf.json")[2]


def test_a_folder_is_a_line_for_each_and_the_worst_code(
    run, mine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mine.folder)
    mine.trace = mine.trace.relative_to(mine.folder)
    for name in (LOST, STUCK):
        (mine.folder / "some" / name).parent.mkdir(exist_ok=True)
        (mine.folder / "some" / f"{name}.itf.json").write_bytes((TRACES / f"{name}.itf.json").read_bytes())
    code, out, _ = run("replay", "some")
    assert code == 0 and out.splitlines() == [
        f"reproduced      some/{LOST}.itf.json  18 steps  no_lost_write (LAW)",
        f"reproduced      some/{STUCK}.itf.json  1 step  complete_at_last (STK)",
    ]
    whole = json.loads((mine.folder / "some" / f"{LOST}.itf.json").read_text())
    whole["#meta"]["safeguards removed"] = []
    (mine.folder / "some" / f"{LOST}.itf.json").write_text(json.dumps(whole))
    code, out, _ = run("replay", "some", STUCK)
    assert code == 1 and [line.split("  ")[0] for line in out.splitlines() if line[0] != " "] == [
        "not reproduced", "reproduced", "reproduced",
    ]  # fmt: skip
    assert "step 16, accept(node=O, doc=0, message=1), is not enabled:" in " ".join(out.split())
    code, out, err = run("replay", LOST, mine.trace, STUCK)
    assert (code, err) == (2, "") and out.splitlines()[1].startswith(f"refused         {mine.trace}: ")
    assert "give its file: --model FILE.py" in " ".join(out.split())
    rows = [json.loads(line) for line in run("replay", LOST, mine.trace, "--json")[1].splitlines()]
    assert [row["verdict"] for row in rows] == ["reproduced", "refused"]


def test_a_folder_without_traces_is_refused(run, tmp_path: Path) -> None:
    code, out, err = run("replay", tmp_path)
    assert (code, out) == (2, "") and "is a folder without traces (*.itf.json)" in err


def test_a_trace_is_read_from_stdin(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(data: bytes) -> Ran:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        return run("replay", "-")

    assert given((TRACES / f"{LOST}.itf.json").read_bytes()) == run("replay", LOST)
    code, out, err = given(b"\x1b[31m")
    assert (code, out) == (2, "") and err.startswith("cutproof: stdin: $: is not JSON") and "\x1b" not in err


def test_the_steps_are_given_to_machines(run) -> None:
    code, out, _ = run("replay", LOST, "--json")
    facts = json.loads(out)
    assert code == 0 and facts["depth"] == len(facts["steps"]) == 18
    last = facts["steps"][-1]
    assert (last["step"], last["action"], last["arguments"]) == (
        18,
        "acknowledge",
        {"doc": 0, "rank": 1, "view": 0},
    )
    assert last["sentence"] == "The client is told that write 1 of document 0 succeeded."
    words = "acknowledged to clients, document 0: write 1"
    assert {"field": "acked[0]", "old": 0, "new": 1, "words": words} in last["changes"]


# ------------------------------------------------------------------ what must stay possible


def test_what_must_stay_possible_is_explored_before_it_is_said(run) -> None:
    code, out, _ = run("replay", STUCK)
    said = " ".join(out.split())
    assert code == 0
    assert (
        "complete_at_last is out of reach: 697 states, by every step that is owed, and true in none" in said
    )
    code, out, _ = run("replay", STUCK, "--max-states", 1)
    assert (
        code == 3
        and "not judged: the path can be walked; whether complete_at_last is out of reach is not" in out
    )
    assert json.loads(run("replay", STUCK, "--max-states", 1, "--json")[1])["verdict"] == "not judged"
    assert run("replay", STUCK, LOST, "--max-states", 1)[0] == 3


# ------------------------------------------------------------------ a protocol of one's own


def test_a_trace_of_ones_own_is_replayed_on_its_file(run, mine: SimpleNamespace) -> None:
    code, out, _ = run("replay", mine.trace, "--model", mine.file)
    assert code == 0
    assert out.splitlines()[2] == "protocol lease; property one_leader; scope nodes=3"
    assert "held of node 0: False -> True" in out and "held  node 0: True, node 1: True  False" in out
    assert "false at the end: one_leader: No two nodes hold the lease." in out
    assert run("replay", mine.trace, "--model", f"{mine.file}:lease", "--with", "nodes=4")[0] == 0
    code, out, err = run("replay", mine.file)
    assert (code, out) == (
        2,
        "",
    ) and f"is a protocol, not a trace: cutproof replay TRACE --model {mine.file}" in err
    code, out, err = run("replay", mine.trace)
    assert (code, out) == (2, "") and "give its file: --model FILE.py" in err


def test_code_is_run_from_the_command_line_alone(run, mine: SimpleNamespace) -> None:
    whole = json.loads(mine.trace.read_text())
    whole["#meta"]["protocol"] = str(mine.file)
    evil = mine.folder / "evil.itf.json"
    evil.write_text(json.dumps(whole))
    mine.file.write_text("raise SystemExit(0)")
    code, _, err = run("replay", evil)
    assert code == 2 and "unknown protocol" in err


def test_a_file_of_actions_alone_is_replayed(run, mine: SimpleNamespace) -> None:
    steps = [{"action": "grant", "arguments": {"node": node}} for node in (1, 0)]
    bare = mine.folder / "bare.json"
    bare.write_text(json.dumps({"#meta": {"protocol": "lease", "property": "one_leader"}, "steps": steps}))
    code, out, _ = run("replay", bare, "--model", mine.file)
    assert code == 0 and "note: the file holds actions alone, so no states were compared" in out
    bare.write_text(json.dumps({"#meta": {"protocol": "lease"}, "steps": steps[:1]}))
    code, out, _ = run("replay", bare, "--model", mine.file)
    assert code == 0 and out.splitlines()[-1] == "reproduced: the path can be walked"


def test_whether_a_fault_is_fixed(run, mine: SimpleNamespace) -> None:
    def fixed(text: str, *more: object) -> tuple[int, str]:
        mine.file.write_text(text)
        code, out, _ = run("replay", mine.trace, "--model", mine.file, "--expect", "fixed", *more)
        return code, "".join(out.splitlines()[-1:])

    assert fixed(BROKEN) == (1, "not fixed: what the trace shows is there")
    assert fixed(SOUND) == (0, "fixed: what the trace shows is gone")
    assert fixed(HARMLESS) == (0, "fixed: what the trace shows is gone")
    assert fixed(SOUND.replace("[grant, forget]", "[forget]")) == (2, ""), (
        "an action that is unknown means nothing"
    )
    whole = json.loads(mine.trace.read_text())
    whole["states"][0]["gone"] = True
    mine.trace.write_text(json.dumps(whole))
    assert fixed(SOUND) == (4, "fixed? not known: the trace could not be performed as it was recorded")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--on", "paper"), "--on paper: a trace is replayed on model or on impl"),
        (("--expect", "luck"), "--expect luck: there are reproduced and fixed"),
        (("--with", "nodes=3"), "--with nodes=3: has a part only with --model FILE.py"),
        (("--model", "lease.py", "--on", "impl"), "--model lease.py: has no part in --on impl"),
        (("--model", "nowhere.py"), "nowhere.py: No such file"),
        (("--model", "two-phase-commit"), "is of the protocol 'cutover', not 'two_phase_commit'"),
        (("--max-states", "0"), "greater than or equal to 1"),
    ],
)
def test_wrong_options_are_refused_in_one_line(run, options: Any, said: str) -> None:
    code, out, err = run("replay", LOST, *options)
    assert (code, out) == (2, "") and err.count("\n") == 1 and said in err


# ------------------------------------------------------------------ an installed wheel


def test_what_is_installed_carries_the_traces(tmp_path: Path) -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folder, out = about["packages"]["find"]["where"][0], tmp_path / "out"
    copytree(ROOT / folder, tmp_path / folder)
    out.mkdir()
    build = "import json, sys, setuptools; setuptools.setup(**json.loads(sys.argv[1]))"
    settings = {
        "name": "cutproof", "version": "0", "package_dir": {"": folder},
        "package_data": {name.replace("*", ""): files for name, files in about["package-data"].items()},
        "packages": find_namespace_packages(str(tmp_path / folder)),
        "script_args": ["-q", "build_py", "--build-lib", str(tmp_path / "site")],
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-c", build, json.dumps(settings)], cwd=tmp_path, check=True, capture_output=True
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "cutproof", "replay", LOST]
    ran = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "") and "a read of N shows" in ran.stdout
    where = "import cutproof.checks.traces.stored as s; print(s.FOLDER); print(len(s.names()))"
    command = [sys.executable, "-c", where]
    ran = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(tmp_path / "site" / "cutproof" / "traces"), str(len(stored.names()))]
    code = ROOT / "src" / "cutproof"  # whatever is read beside the code is there too
    data = {
        f.relative_to(code) for n in ("checks", "model", "impl") for f in (code / n).rglob("*") if f.is_file()
    }
    there = tmp_path / "site" / "cutproof"
    assert [f for f in data if f.suffix not in (".pyc", ".md") and not (there / f).exists()] == []


def test_the_smallest_file_of_the_documents_is_one(run, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "traces.md").read_text("utf-8").partition("## By hand")[2]
    (tmp_path / "small.json").write_text(text.partition("```json\n")[2].partition("```")[0])
    code, out, err = run("replay", tmp_path / "small.json")
    assert (code, err) == (1, "") and "  2. abort()" in out
    assert out.splitlines()[-1] == "not reproduced: after step 2 it is not so that consistent is false"
