"""The command `cutproof view` of a protocol: what it takes, what it prints, how it ends, and what it refuses."""

import signal
import socket
import subprocess
import sys
import urllib.request
import webbrowser
from pathlib import Path

import pytest
from places import DOCS

from cutproof.checks.cli.by_hand import is_protocol
from cutproof.checks.cli.main import main
from cutproof.checks.views.byhand.server import Server

LEASES, STORED = str(DOCS / "examples" / "leases.py"), "lost-write-without-fence_epoch"


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_by_an_interrupt(ends: signal.Signals) -> None:
    command = [
        sys.executable,
        "-m",
        "cutproof",
        "view",
        LEASES,
        "--no-open",
        "--without-guard",
        "arrive:not fenced off",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None and run.stderr is not None
            address = run.stdout.readline().strip()
            with urllib.request.urlopen(address, timeout=10) as answer:
                page = answer.read().decode()
            assert "leases by hand" in page and "arrive:not fenced off" in page
            run.send_signal(ends)
            assert run.wait(20) == 0
            assert run.stderr.read() == "for this machine alone, and who has the address; Ctrl-C ends it\n"
            assert run.stdout.read() == ""
        finally:
            run.kill()


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every server is interrupted at once; the addresses that a browser was opened with."""
    opened: list[str] = []

    def interrupted(self: Server, poll_interval: float = 0.5) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", interrupted)
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    monkeypatch.setenv("DISPLAY", ":0")
    return opened


def test_a_browser_is_opened_where_there_is_a_display(
    ended: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["view", "two-phase-commit", "--with", "managers=2"]) == 0
    assert capsys.readouterr().out == f"{ended[0]}\n"
    assert main(["view", "two-phase-commit", "--no-open"]) == 0
    if sys.platform == "linux":
        monkeypatch.delenv("DISPLAY")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        assert main(["view", "two-phase-commit"]) == 0
    assert len(ended) == 1


def test_it_takes_the_options_of_explore(ended: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for options in (
        ["cutover", "--scope", "base,writes=1", "--without", "fence_epoch,drain_waits_for_fences"],
        ["cutover", "--as-written"], ["cutover", "--policy", "cleanup=immediate"], ["Two_Phase_Commit"],
        [f"{LEASES}:leases"],
        [LEASES, "--with", "clients=2", "--with", "time=1"], ["barrier", "--without-guard", "lock:lock is free"],
    ):  # fmt: skip
        assert main(["view", *options]) == 0, (options, capsys.readouterr().err)
    assert len(ended) == 7


def test_a_port_that_is_taken_is_refused(ended: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["view", "barrier", "--port", str(port)]) == 2
    assert capsys.readouterr().err == f"cutproof: --port {port}: Address already in use\n"
    assert main(["view", "barrier", "--port", str(port)]) == 0
    assert f"http://127.0.0.1:{port}/" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ["barrier", STORED],
            "another run: has no part in barrier, which is a protocol and explored by hand",
        ),
        ([LEASES, "-o", "x.html"], "--output: has no part"),
        (["barrier", "--max-states", "5"], "--max-states: has no part"),
        (["barrier", "--svg"], "--svg: has no part"),
        (["barrier", "--model", LEASES], "--model: has no part"),
        (["barrier", "--scope", "base"], "--scope is of the cutover"),
        (["barrier", "--with", "processes=0"], "is not 1..9"),
        (["barrier", "--port", "99999"], "--port"),
        (["missing.py"], "missing.py"),
        ([STORED, "--scope", "base"], f"--scope: has no part in {STORED}, which is a run"),
        ([STORED, "--port", "8000"], "--port: has no part"),
        ([STORED, "--no-open"], "--no-open: has no part"),
    ],
)
def test_what_has_no_part_is_refused(
    arguments: list[str], reason: str, ended: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", *arguments]) == 2
    err = capsys.readouterr().err
    assert reason in err and err.count("\n") == 1
    assert not ended


def test_a_file_or_a_stored_trace_comes_before_a_protocol_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_protocol("cutover") and is_protocol("x.py:name") and is_protocol("small_cutover")
    assert not is_protocol(STORED) and not is_protocol("-") and not is_protocol("x.itf.json")
    Path("cutover").write_text("a trace")
    assert not is_protocol("cutover")
