"""The command under hostile and unlucky input: one clear line, exit code 2, and never a wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.common.files import alone
from cutproof.checks.engines.exploration import LOCK
from cutproof.model.cutover.scopes import TRACKED

CUTPROOF = (sys.executable, "-m", "cutproof.checks.cli.main")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command, which is to refuse; the one line."""

    def running(*arguments: object) -> str:
        capsys.readouterr()
        code = cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        assert (code, out) == (2, ""), err
        assert err.startswith("cutproof: ") and err.count("\n") == 1 and err[:-1].isprintable()
        assert len(err) < 2100
        return err[len("cutproof: ") : -1]

    return running


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "kind",
    ["policy", "trace", "protocol", "loss", "search", "level", "unfinished search", "unfinished level"],
)
def test_a_pipe_where_a_file_is_expected_is_never_waited_for(kind: str, tmp_path: Path) -> None:
    name = {"search": "search.json", "level": "level-0000.npy", "protocol": "p.py"}.get(kind, "pipe")
    command = {
        "policy": ["gate", "pipe"], "trace": ["replay", "pipe"], "protocol": ["explore", "p.py"],
        "loss": ["loss", "--writes", "100", "--resume", "pipe"],
    }.get(kind, ["explore", "--scope", "writes=1", "--max-states", "9", "--resume", "."])  # fmt: skip
    if kind.startswith("unfinished"):  # what a run that was killed has left is written anew
        os.mkfifo(tmp_path / {"search": "search.json.part", "level": "level-0000.npy.part"}[kind.split()[1]])
        ran = subprocess.run(
            [*CUTPROOF, *command], cwd=tmp_path, capture_output=True, timeout=60, check=False
        )
        assert ran.returncode == 3
        return
    if kind == "level":
        subprocess.run([*CUTPROOF, *command], cwd=tmp_path, capture_output=True, timeout=60, check=False)
        (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    ran = subprocess.run([*CUTPROOF, *command], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 2 and ran.stderr.count(b"\n") == 1, ran.stderr
    assert b"pipe" in ran.stderr or kind == "level"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('cleanup = "\\u001b[2J\\u202e"', "cleanup: found"),
        ('"\\u001b[31m\\u202e" = 1', "is no key of a policy"),
        (f"[anti_entropy]\nshards_per_pass = 0x{'f' * 5000}", "a number of more than 4,000 digits"),
        (f"{'k' * 100_000} = 1", "is no key of a policy"),
        (f"cleanup = '{'v' * 100_000}'", "cleanup: found"),
        (f"[topology]\nreplica_ack = 0x{'f' * 5000}", "a number of more than 4,000 digits"),
    ],
)
def test_what_a_policy_holds_is_shown_so_that_a_terminal_takes_it(refused, tmp_path, text, said) -> None:
    (tmp_path / "policy.toml").write_text(text, "utf-8")
    assert said in refused("gate", tmp_path / "policy.toml")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("prove --gate nope", "--gate nope: has a part in `cutproof prove gate` only"),
        ("prove --gate seed", "--gate seed: has a part in `cutproof prove gate` only"),
        ("prove --strength strict --scope base", "--strength strict: has a part in"),
        ("prove --steps 3", "--steps has no part in a proof of the cutover"),
        ("prove gate --time-out 3", "--time-out has no part in `prove gate`"),
        ("prove gate --steps 3", "--steps has no part in `prove gate`"),
        ("verify --scope base --full", "--full has no part in --scope"),
        ("loss --dask tcp://localhost:1 --workers 2", "--workers has no part in --dask"),
    ],
)
def test_an_option_without_effect_is_refused(refused, command: str, said: str) -> None:
    assert said in refused(*command.split())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("prove --time-out inf", "--time-out inf: is no number of seconds"),
        ("prove --time-out nan", "--time-out"),
        ("explore --max-seconds nan", "--max-seconds"),
        ("simulate --seconds inf", "--seconds inf: is no number of seconds"),
        ("explore --scope writes=1000000000", "a bound is a whole number of at most three digits"),
        ("explore --scope base,base", "base is a named scope: it stands first"),
        ("explore --policy ,", "--policy ,: names no value"),
        ("loss --policy ,", "--policy ,: names no value"),
        ("explore --trace /proc/none", "--trace /proc/none: "),
        ("simulate --trace /proc/none", "--trace /proc/none: "),
        ("loss --trace /proc/none", "--trace /proc/none: "),
        ("prove --smt2 /proc/none", "--smt2 /proc/none: "),
        (f"explore {'x' * 100_000}", "xxx"),
        (f"replay {'x' * 100_000}", "xxx"),
        (f"explore --scope {'x' * 100_000}", "unknown scope"),
        (f"safeguards {'x' * 100_000}", "unknown safeguard"),
        (f"prove --property {'x' * 100_000}", "xxx"),
        (f"export {'x' * 100_000}", "xxx"),
        (f"loss --writes {'x' * 100_000}", "is not a number"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_any_work(refused, command: str, said: str) -> None:
    assert said in refused(*command.split())


def test_a_second_run_in_a_folder_says_that_one_is_there(refused, tmp_path: Path) -> None:
    with alone(tmp_path / LOCK) as other:
        assert other == 0
        said = refused("explore", "--scope", "writes=1", "--resume", tmp_path)
        assert f"another run (process {os.getpid()}) is in this folder" in said
    assert not (tmp_path / LOCK).exists(), "an ended run leaves nothing that stops others"
    assert cli.main(["explore", "--scope", "writes=1", "--resume", str(tmp_path)]) == 0


def test_a_second_run_at_a_file_says_that_one_is_there(refused, tmp_path: Path) -> None:
    file, small = tmp_path / "run.json", ("loss", "--writes", "200", "--workers", "1")
    with alone(tmp_path / ".run.json.lock") as other:
        assert other == 0
        said = refused(*small, "--resume", file)
        assert f"another run (process {os.getpid()}) is at this file" in said and not file.exists()
    assert cli.main([*small, "--resume", str(file)]) == 0
    assert sorted(f.name for f in tmp_path.iterdir()) == ["run.json"], "an ended run leaves nothing else"


def test_an_empty_name_of_a_trace_is_said_to_be_empty(refused) -> None:
    assert "'': is no name of a file" in refused("replay", "")


def test_a_time_out_longer_than_can_be_counted_is_not_a_short_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Of one millisecond, if the rest of it were dropped: nothing that Z3 thinks about is proved in that."""
    assert cli.main(["prove", "--scope", "writes=1", "--time-out", "4294967.297"]) == 0
    assert "time-out" not in capsys.readouterr().out


def test_a_trace_of_any_number_of_writes_is_not_performed(refused, tmp_path: Path) -> None:
    meta = {"protocol": "cutover", "scope": TRACKED.bounds()}
    changed = tmp_path / "others.itf.json"
    changed.write_text(json.dumps({"#meta": meta, "steps": []}), "utf-8")
    assert "versions have no bound with others=1" in refused("replay", "--on", "impl", changed)


def test_numba_that_compiles_nothing_is_not_used(tmp_path: Path) -> None:
    command = [*CUTPROOF, "explore", "--scope", "writes=1", "--engine", "fast"]
    ran = subprocess.run(
        command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, cwd=tmp_path, capture_output=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
