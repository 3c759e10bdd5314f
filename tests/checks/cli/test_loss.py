"""The commands `cutproof loss` and `cutproof scenarios`: what they print and refuse, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.cutover.loss import runs as loss
from cutproof.checks.cutover.loss.sample import Counts, Setup
from cutproof.checks.traces.trace import read

CUTPROOF = (sys.executable, "-m", "cutproof.checks.cli.main")
UNSAFE = ("--policy", "skip_delta_pass=true,anti_entropy=off,cleanup=immediate")
SMALL = ("--writes", "900", "--migrations", "20", "--workers", "1")
Ran = tuple[int, str, str]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """Run the command in this process, in a folder of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def running(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return running


def but_seconds(out: str) -> dict[str, Any]:
    return {k: v for k, v in json.loads(out).items() if k != "seconds"}


# ------------------------------------------------------------------ what it says


def test_nothing_lost_exits_with_zero(run) -> None:
    code, out, err = run("loss", *SMALL)
    assert (code, err) == (0, "")
    assert "lost          0 acknowledged writes: 0 for good; LAW 0, LU 0, RD 0" in out
    assert "not below 1: that takes 2,995,731 acknowledged writes (--writes 3e6)" in " ".join(out.split())
    assert os.listdir() == []


def test_machines_get_the_same_facts(run) -> None:
    code, out, err = run("loss", *SMALL, "--json", "--seed", 5)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert {
        "migrations", "writes", "acknowledged", "at_risk", "lost", "permanent", "upper_bound_95_per_write",
        "upper_bound_95_per_migration", "seconds",
    } <= found.keys()  # fmt: skip
    assert found["acknowledged"] >= 900 and found["setup"]["seed"] == 5
    assert found["migrations"] == 20 or found["migrations"] == 40
    assert but_seconds(out) == but_seconds(run("loss", *SMALL, "--json", "--seed", 5)[1])
    assert but_seconds(out) != but_seconds(run("loss", *SMALL, "--json", "--seed", 6)[1])


@pytest.mark.parametrize(("migrations", "traffic"), [(5, "mixed"), (40, "mixed"), (40, "seed")])
def test_writes_are_spread_over_about_so_many_migrations(run, migrations: int, traffic: str) -> None:
    arguments = (
        "--writes",
        "20000",
        "--migrations",
        migrations,
        "--traffic",
        traffic,
        "--workers",
        1,
        "--json",
    )
    found = json.loads(run("loss", *arguments)[1])
    assert found["acknowledged"] >= 20_000
    assert 0.7 * migrations <= found["migrations"] <= 1.6 * migrations


def test_the_gate_refuses_the_unsafe_configuration(run) -> None:
    code, out, err = run("loss", *SMALL, *UNSAFE)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "the sound gate refuses this policy: UnsafeCutoverNoAntiEntropy: anti-entropy is disabled" in err
    assert "--gate none" in err


def test_a_policy_under_which_nothing_finishes_exits_with_thirteen(run) -> None:
    """The seed's gate accepts it: clean-up waits for a proof that nobody makes."""
    code, out, _ = run("loss", *SMALL, "--calm", "--gate", "seed", "--policy", "skip_delta_pass=true")
    assert code == 13
    assert "STUCK" in out


def test_what_is_lost_is_explained(run) -> None:
    code, out, _ = run("loss", *SMALL, *UNSAFE, "--gate", "none", "--traffic", "seed", "--failures", "0.2")
    assert code == 12
    assert "fewer than 1 in 1M is refuted" in out
    file = out.rpartition("; ")[2].strip()
    assert read(file).meta.harm == "LAW"
    assert run("replay", file, "--on", "impl")[0] == 0
    found = json.loads(
        run("loss", *SMALL, *UNSAFE, "--gate", "none", "--traffic", "seed", "--failures", "0.2", "--json",
            "--trace", "elsewhere")[1]
    )  # fmt: skip
    assert found["lost"] == found["permanent"] == found["at_risk"] > 0
    assert list(found["traces"].values()) == [f"elsewhere/{Path(file).name}"]


def test_a_safeguard_can_be_removed_near_the_boundary(run) -> None:
    arguments = ("loss", "--traffic", "boundary", "--scope", "base", "--writes", "200", "--workers", "1")
    code, out, _ = run(*arguments, "--without", "fence_epoch")
    assert code == 12
    assert "BIASED" in out and "without fence_epoch" in out
    assert run(*arguments)[0] == 0


# ------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--failures", "1.5"), "failures=1.5: a rate is from 0 to 1"),
        (("--skew", "-0.1"), "skew=-0.1: a rate is from 0 to 1"),
        (("--crashes", "nan"), "crashes=nan: a rate is from 0 to 1"),
        (("--failures", "0.6", "--losses", "0.6"), "adds up to"),
        (("--writes", "0"), "--writes 0: a run has 1 to 1e12 whole writes"),
        (("--writes", "-5"), "--writes -5: a run has"),
        (("--writes", "1.5"), "--writes 1.5: a run has"),
        (("--writes", "many"), "--writes many: is not a number; write 1000000 or 1e6"),
        (("--writes", "inf"), "--writes inf: is not a number"),
        (("--writes", "nan"), "--writes nan: is not a number"),
        (("--migrations", "0"), "--migrations"),
        (("--gate", "best"), "--gate best: there are sound, seed and none"),
        (("--traffic", "heavy"), "--traffic heavy: there are mixed, seed and boundary"),
        (("--scope", "base"), "--scope is of --traffic boundary"),
        (("--traffic", "boundary", "--scope", "bse"), "unknown scope 'bse'"),
        (("--traffic", "boundary", "--migrations", "9"), "--migrations is not of --traffic boundary"),
        (
            ("--traffic", "boundary", "--source-failures", "0.1"),
            "--source-failures is not of --traffic boundary",
        ),
        (("--traffic", "boundary", "--mix", "puts=1"), "--mix is not of --traffic boundary"),
        (("--mix", "sets=1"), "'sets=1' is not a share of writes"),
        (("--policy", "cleanup=never"), "cleanup=never: the values are"),
        (("--without", "fence"), "unknown safeguard 'fence'"),
        (("--policy", "replica_ack=required"), "replica_ack=required with RF * RG = 1"),
        (("--workers", "0"), "--workers"),
        (("--resume", "none/run.json"), "none/run.json: there is no such folder"),
        (("--dask", "tcp://127.0.0.1:9"), "--dask tcp://127.0.0.1:9: "),
    ],
)
def test_bad_input_gets_one_line(run, monkeypatch: pytest.MonkeyPatch, arguments, says) -> None:
    monkeypatch.setattr("cutproof.checks.cutover.loss.dask_executor.SECONDS", 1)
    code, out, err = run("loss", *arguments)
    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1 and err.startswith("cutproof: ")
    assert says in err
    assert os.listdir() == []


def test_a_folder_for_traces_is_no_file(run) -> None:
    Path("file").write_text("mine")
    code, _, err = run("loss", *SMALL, "--trace", "file")
    assert code == 2 and "--trace file: is not a folder" in err
    assert Path("file").read_text() == "mine"


def test_a_file_of_another_run_is_refused(run) -> None:
    assert run("loss", *SMALL, "--resume", "run.json")[0] == 0
    before = Path("run.json").read_bytes()
    code, out, err = run("loss", *SMALL, "--seed", 9, "--resume", "run.json")
    assert (code, out) == (2, "")
    assert err == "cutproof: run.json: is of another run: its seed is 0, not 9\n"
    Path("text.json").write_text("mine")
    assert run("loss", *SMALL, "--resume", "text.json")[0] == 2
    assert Path("text.json").read_text() == "mine"
    assert Path("run.json").read_bytes() == before


def test_a_disk_that_is_full_gets_one_line(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    code, out, err = run("loss", *SMALL, "--resume", "run.json")
    assert (code, out) == (2, "")
    assert err == "cutproof: run.json: No space left on device: what was finished could not be kept\n"
    assert os.listdir() == []


# ------------------------------------------------------------------ how it ends


def test_a_finished_file_is_the_same_report(run) -> None:
    first = run("loss", *SMALL, "--json", "--resume", "run.json")[1]
    assert but_seconds(run("loss", *SMALL, "--json", "--resume", "run.json")[1]) == but_seconds(first)
    longer = ("loss", "--writes", "1800", "--migrations", "40", "--workers", "1", "--json")
    assert but_seconds(run(*longer, "--resume", "run.json")[1]) == but_seconds(run(*longer)[1])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_short_run_is_not_made_a_long_one(run, workers: int) -> None:
    """Writes are never given to more migrations than are needed, and the next file of a longer run is another one."""
    short = ("loss", "--writes", "300", "--workers", workers, "--json", "--resume", "run.json")
    code, out, _ = run(*short)
    found = json.loads(out)
    each = found["setup"]["each"]
    assert code == 0 and 300 <= found["acknowledged"] < 300 + each, (
        "without the last migration it was too few"
    )
    code, out, err = run("loss", "--writes", "20", "--migrations", "1", "--resume", "run.json")
    assert (code, out) == (2, "") and "its each is 375, not 25" in err


def test_a_file_of_another_grain_is_refused(run) -> None:
    arguments = ("--migrations", "20", "--workers", "1", "--resume", "run.json")
    assert run("loss", "--writes", "900", *arguments)[0] == 0
    code, out, err = run("loss", "--writes", "90", "--migrations", "2", *arguments[2:])
    assert (code, out) == (2, "") and err.count("\n") == 1
    says = "run.json: counts its migrations 20 at a time, and a run of so many writes 1 at a time: choose another file"
    assert says in err


def test_an_interrupted_run_leaves_what_it_finished(run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = loss.do_chunk

    def once(setup: Setup, number: int, size: int) -> Counts:
        if number:
            raise KeyboardInterrupt
        return real(setup, number, size)

    arguments = ("loss", "--writes", "3000", "--migrations", "60", "--workers", "1")
    monkeypatch.setattr(loss, "do_chunk", once)
    code, out, err = run(*arguments)
    assert code == 3
    assert out.startswith("PARTIAL: interrupted")
    (file,) = [f for f in os.listdir() if f.startswith("cutproof-loss-")]
    assert f"go on with the same command and --resume {file}" in err
    assert run(*arguments)[2].endswith(f"{file} is there already: what was finished now is not kept\n")
    monkeypatch.setattr(loss, "do_chunk", real)
    assert but_seconds(run(*arguments, "--json", "--resume", file)[1]) == but_seconds(
        run(*arguments, "--json")[1]
    )


def _started(arguments: tuple[str, ...], folder: Path) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [*CUTPROOF, "loss", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _kept(folder: Path, chunks: int) -> None:
    """Wait until the file holds so many chunks."""
    for _ in range(3_000):
        file = folder / "run.json"
        if file.exists() and len(json.loads(file.read_bytes())["chunks"]) >= chunks:
            return
        time.sleep(0.02)
    raise AssertionError("no chunk was finished")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_a_run_that_is_ended_goes_on(how: signal.Signals, tmp_path: Path) -> None:
    arguments = ("--writes", "12000", "--migrations", "120", "--json")
    process = _started((*arguments, "--resume", "run.json"), tmp_path)
    _kept(tmp_path, 2)
    process.send_signal(how)
    out, err = process.communicate(timeout=120)
    if how is not signal.SIGKILL:
        assert process.returncode == 3, err
        assert json.loads(out)["partial"] == "interrupted"
        assert "go on with the same command; run.json holds what was finished" in err
    assert json.loads((tmp_path / "run.json").read_bytes())["chunks"]
    again = _started((*arguments, "--resume", "run.json"), tmp_path).communicate(timeout=300)[0]
    whole = _started(arguments, tmp_path).communicate(timeout=300)[0]
    assert but_seconds(again) == but_seconds(whole)
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == ["run.json"]


# ------------------------------------------------------------------ scenarios


def test_one_scenario_tells_its_checks(run) -> None:
    code, out, err = run("scenarios", "boundary_burst", "--form", "pure")
    assert (code, err) == (0, "")
    assert " 5 boundary_burst              pure  passed" in out
    assert "   ok   the source is deleted" in out
    assert out.endswith("1 of 1 show what they must\n")


def test_scenarios_for_machines(run) -> None:
    code, out, _ = run("scenarios", 4, "--json", "--workers", 1)
    assert code == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert [f["form"] for f in found] == ["pure", "mixed"]
    assert all(f["passed"] and f["scenario"] == "no_ae_no_delta_blocked" for f in found)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("burst",), "no scenario 'burst': did you mean boundary_burst?"),
        ((0,), "there are 1 to 19"),
        ((4, "--form", "plain"), "--form plain: there are pure, mixed and both"),
    ],
)
def test_scenarios_that_are_not_there(run, arguments, says) -> None:
    code, out, err = run("scenarios", *arguments)
    assert (code, out) == (2, "") and says in err and err.count("\n") == 1


def test_a_scenario_that_fails_exits_with_twelve(run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from cutproof.checks.cutover.scenarios import runner as chaos

    real = chaos.run

    def failing(*arguments: Any) -> Any:
        found = real(*arguments)
        return replace(found, checks=(*found.checks, chaos.Check("made up", False, "to fail")))

    monkeypatch.setattr(chaos, "run", failing)
    code, out, _ = run("scenarios", 4, "--workers", 1)
    assert code == 12
    assert "FAILED" in out and "made up: to fail" in out and "FAIL made up" in out
    assert "0 of 2 show what they must" in out
