"""`cutproof simulate`: a protocol of one's own and a bundled one, what is found, what is covered, what is refused."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.engines.simulate import simulate as engine
from cutproof.checks.traces.trace import read

LEASE = '''
from cutproof.model.language import action, always, boolean, can_always, family, guard, put, sometimes, when
from cutproof.model.protocol import Protocol

@action
def take(s, node):
    """A node takes the lease if it is free."""
    return when(guard("free", s.free)).then(free=False, leader=put(s.leader, node, True))

@action
def give(s, node):
    """A leader gives it back."""
    return when(guard("leads", s.leader[node])).then(free=True, leader=put(s.leader, node, False))

@action(fault="expiry")
def expire(s):
    """The lease expires, and its leader has not noticed."""
    return when(guard("held", ~s.free), guard("nobody leads", ~(s.leader[0] | s.leader[1]))).then(free=True)

@always
def one_leader(s):
    """At most one of two leads."""
    return ~(s.leader[0] & s.leader[1])

@sometimes
def second_leads(s):
    """The second one leads."""
    return s.leader[1]

def lease(nodes: int = 2) -> Protocol:
    return Protocol("lease", {"free": boolean(), "leader": family("node", of=boolean())}, [take, give, expire],
                    [one_leader, second_leads], {"node": range(nodes)}, initial={"free": True})
'''
Ran = tuple[int, str, str]


@pytest.fixture
def lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A protocol in a file of its own, in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lease.py").write_text(LEASE)
    return tmp_path


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """Run `cutproof simulate` in this process: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def running(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.main(["simulate", *map(str, arguments)])
        return code, *capsys.readouterr()

    return running


def facts(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def without_seconds(out: str) -> list[dict[str, Any]]:
    times = ("seconds", "steps_per_second")
    return [{k: v for k, v in found.items() if k not in times} for found in facts(out)]


def test_nothing_found_is_never_said_to_hold(lease: Path, run: Callable[..., Ran]) -> None:
    code, out, err = run("lease.py", "--runs", 200)
    assert (code, err) == (0, "")
    assert out.startswith("nothing found in 200 runs of at most 100 steps (seed 0, mode pos)\n")
    assert "holds" not in out.replace("no run shows that it holds", "")
    assert (
        'never possible: expire: "held", "nobody leads" (each) false wherever all its other guards were'
        in out
    )
    assert "sometimes, reached first in: second_leads (run" in out
    assert "a violation that 1 such run in 67 or more meets" in out
    assert not (lease / "counterexamples").exists()


def test_a_violation_is_told_short_saved_and_replayed(lease: Path, run: Callable[..., Ran]) -> None:
    given = ("lease.py", "--with", "nodes=3", "--without-guard", "expire:nobody leads", "--seed", 4)
    code, out, _ = run(*given)
    assert code == 12
    assert out.startswith("violated  always one_leader after 3 steps: met in run 1 of seed 4 after ")
    assert "  2. expire()" in out
    (file,) = (lease / "counterexamples").iterdir()
    assert file.name.startswith("one_leader-lease-nodes-3-without-expire-nobody-leads-")
    meta = read(file).meta
    assert (meta.scope, meta.safeguards_removed, meta.seed) == ({"nodes": 3}, ("expire:nobody leads",), 4)
    assert run(*given)[0] == 12  # the same file again
    assert len(list((lease / "counterexamples").iterdir())) == 1


def test_a_bundled_protocol_and_every_property_of_it(run: Callable[..., Ran]) -> None:
    code, out, _ = run("two-phase-commit", "--without-guard", "obey_abort:told", "--keep-going", "--json",
                       "--runs", 500, "--trace", "here")  # fmt: skip
    violated, covered = facts(out)
    assert (
        code == 12 and violated["property"] == "consistent" and Path(violated["trace"]).parent.name == "here"
    )
    assert (covered["runs"], covered["outcome"], covered["ended"]["violation"]) == (500, "found", 0)
    code, out, _ = run(
        "two-phase-commit", "--without-guard", "obey_abort:told", "--property", "decided", "--json"
    )
    assert code == 0 and facts(out)[0]["outcome"] == "nothing found"


def test_of_the_cutover_without_a_safeguard(run: Callable[..., Ran]) -> None:
    code, out, _ = run("--without", "ack_after_applied", "--property", "no_lost_write", "--json")
    violated, covered = facts(out)
    assert code == 12 and violated["removed"] == ["ack_after_applied"] and violated["depth"] == 0
    assert covered["seed"] == 0 and covered["mode"] == "pos"


def test_the_same_report_with_any_number_of_workers(
    run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("dijkstra-mutex", "--with", "processes=2", "--runs", 300, "--json")
    _, alone, _ = run(*given, "--workers", 1)
    monkeypatch.setattr(engine, "ALONE", 0.0)
    monkeypatch.setattr(engine, "WORTH", 0.0)
    assert without_seconds(run(*given, "--workers", 2)[1]) == without_seconds(alone)


def test_what_is_cut_off_is_unknown(run: Callable[..., Ran]) -> None:
    code, out, _ = run("dijkstra-mutex", "--runs", 10**9, "--seconds", 0.3, "--workers", 1)
    assert code == 3 and "of the 1,000,000,000 asked for" in out
    assert "the limit of 0.3 seconds was reached" in " ".join(out.split())


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.nightly)])
def test_an_interrupt_tells_what_was_covered(workers: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cutproof.checks.cli.main",
        "simulate",
        "dijkstra-mutex",
        "--runs",
        "1000000000",
    ]
    child = subprocess.Popen(
        [*command, "--workers", workers],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(8 if workers == "2" else 4)
    child.send_signal(signal.SIGTERM)  # as Ctrl-C, and never inherited as ignored
    out, err = child.communicate(timeout=60)
    assert child.returncode == 3, err
    assert (
        "the runs were interrupted" in " ".join(out.split())
        and "interrupted: the report says what was covered" in err
    )


def test_no_line_is_too_long(run: Callable[..., Ran]) -> None:
    for given in (
        ("--scope", "kinds", "--runs", 30),
        ("--without", "whole_documents"),
        ("--runs", 10**9, "--seconds", 0.1),
    ):
        _, out, _ = run(*given, "--workers", 1)
        assert max(map(len, out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mode", "fair"], "--mode fair: there are uniform, weighted, pct, pos, swarm"),
        (["--runs", "0"], "'--runs'"),
        (["--seed", "-1"], "'--seed'"),
        (["two-phase-commit", "--property", "consistant"], "did you mean consistent?"),
        (["two-phase-commit", "--without-guard", "abort:late"], "abort has no guard 'late'"),
        (["two-phase-commit", "--scope", "base"], "--scope is of the cutover"),
        (["nothing.py"], "nothing.py"),
        (["--trace", "file"], "--trace file: is not a folder"),
    ],
)
def test_wrong_usage_is_one_line(
    run: Callable[..., Ran], tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "file").write_text("")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err and len(err.splitlines()) == 1
