"""Harm that is done is done, and is healed, whatever ends the block; what is drawn hangs on the seed alone."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import little_store
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_store import Client, answers

from cutproof.checks.drivers.histories.judge import Unexplained, judge
from cutproof.checks.drivers.histories.pairing import history
from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.nemesis import KINDS, OF_LINKS, OF_SERVERS, Nemesis
from cutproof.checks.drivers.recording.proxy import Proxy
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import Server, Servers, free_ports

PROGRAM = [sys.executable, "-S", "-E", little_store.__file__]


@contextmanager
def system() -> Iterator[tuple[Server, Proxy, Recorder, io.StringIO]]:
    """A little store, a link to it, and a recorder."""
    text = io.StringIO()
    with Servers() as servers:
        (port,) = free_ports(1)
        server = Server(servers, "store", [*PROGRAM, port], lambda: answers(port))
        with Proxy(port) as link:
            yield server, link, Recorder(text, never=(ConnectionRefusedError,)), text


def state(pid: int) -> str:
    """What the kernel says of a process: T is stopped; X is one that is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_each_fault_is_done_and_healed() -> None:
    with system() as (server, link, recorder, text):
        nemesis = Nemesis(recorder, 1, servers={"store": server}, links={"link": link})
        client = Client(link.port)
        client.write("x", 1)
        for kind in KINDS:
            place, first = ("store" if kind in OF_SERVERS else "link"), server.process.pid
            with nemesis.fault(kind, place, 0.01):
                if kind == "stop":
                    assert state(first) == "T"
                if kind == "kill":
                    assert not server.runs
                if kind in ("stop", "hold", "cut", "kill"):
                    with pytest.raises(OSError):
                        client.read("x")
                if kind == "delay":
                    began = time.monotonic()
                    assert client.read("x") is None
                    assert time.monotonic() - began >= 0.02  # both ways
                if kind == "drop":
                    with pytest.raises(OSError):
                        client.read("x")
                    assert client.read("x") is None
            assert (server.process.pid == first) == (kind != "kill")
            assert client.read("x") == (1 if kind == "stop" else None)  # it holds nothing but in memory
        said = text.getvalue()
        assert all(f'"{kind} store"' in said for kind in OF_SERVERS) and '"delay link by 10 ms"' in said
        assert all(f'"{kind} link"' in said for kind in OF_LINKS if kind != "delay")
        assert said.count(" is over") == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_healed_when_the_block_fails(kind: str) -> None:
    with system() as (server, link, recorder, _):
        nemesis = Nemesis(recorder, 1, servers={"store": server}, links={"link": link})
        with (
            pytest.raises(ZeroDivisionError),
            nemesis.fault(kind, "store" if kind in OF_SERVERS else "link", 0.01),
        ):
            raise ZeroDivisionError
        assert server.runs and state(server.process.pid) != "T"
        assert Client(link.port).read("x") is None


@given(st.integers(0, 99), st.sets(st.sampled_from(KINDS), min_size=1).map(lambda some: tuple(sorted(some))))
def test_the_seed_fixes_the_faults(seed: int, kinds: tuple[str, ...]) -> None:
    def drawn(seed: int) -> list[str]:
        servers = dict.fromkeys("ab") if set(kinds) & set(OF_SERVERS) else {}
        links = dict.fromkeys("cd") if set(kinds) & set(OF_LINKS) else {}
        nemesis = Nemesis(Recorder(io.StringIO()), seed, servers=servers, links=links, kinds=kinds)  # type: ignore[arg-type]
        return [str(fault) for fault in nemesis.faults(30)]

    assert drawn(seed) == drawn(seed)
    assert {word.split()[0] for word in drawn(seed)} <= set(kinds)
    assert len({tuple(drawn(n)) for n in range(seed, seed + 3)}) == 3


def test_what_cannot_be_harmed_is_refused() -> None:
    recorder = Recorder(io.StringIO())
    for given_, said in (
        ({"kinds": ("stab",)}, "no fault 'stab'"),
        ({"kinds": ("stop",)}, "give servers"),
        ({"kinds": ("cut",)}, "give links"),
        ({}, "needs servers or links"),
    ):
        with pytest.raises(ValueError, match=said):
            Nemesis(recorder, 1, **given_)  # type: ignore[arg-type]
    with system() as (server, _, _, _), pytest.raises(ValueError, match="nothing to stop of the name 'shop'"):
        Nemesis(recorder, 1, servers={"store": server}).fault("stop", "shop")


@pytest.mark.parametrize("kinds", [("stop", "delay", "hold", "cut", "drop"), ("kill",)])
def test_a_store_in_memory_gets_over_all_but_being_killed(kinds: tuple[str, ...]) -> None:
    with system() as (server, link, recorder, text):
        stores = {f"client-{n}": Client(link.port, 0.1) for n in range(3)}
        load = Load(recorder, stores, 3, registers=4, counters=0, lists=0, expected=(OSError,))
        load.fill()
        nemesis = Nemesis(recorder, 3, servers={"store": server}, links={"link": link}, kinds=kinds)
        with nemesis.fault(kinds[0], "store"):
            pass
        load.read_all()
        with load.running():
            for fault in nemesis.faults(4):
                with fault:
                    load.let_work(20, seconds=0.2)
                assert load.let_work(20)
        load.read_all()
        assert recorder.answers["ok"] >= 80
        verdicts = [
            judge(o, versioned=False)
            for o in history(io.BytesIO(text.getvalue().encode()), "it").keys.values()
        ]
        assert any(isinstance(v, Unexplained) for v in verdicts) == (kinds == ("kill",))


TEST = """
import sys, time
from cutproof.checks.drivers.recording.servers import Server, Servers, free_ports
with Servers() as servers:
    server = Server(servers, "store", ["sleep", "1000"], lambda: True)
    again = Server(servers, "again", ["sleep", "1000"], lambda: True)
    again.kill()
    again.restart()
    server.stop()
    print(server.process.pid, again.process.pid, servers.folder, flush=True)
    time.sleep(1000)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_is_stopped_or_restarted_ends_with_the_test(how: signal.Signals) -> None:
    running = subprocess.Popen([sys.executable, "-c", TEST], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    *pids, folder = running.stdout.readline().split()
    try:
        assert state(int(pids[0])) == "T" and state(int(pids[1])) in "SR"
        running.send_signal(how)
        assert running.wait(30) == (128 + how if how == signal.SIGTERM else -how)
        until(lambda: all(state(int(pid)) in "ZX" for pid in pids))
        assert Path(folder).exists() == (how == signal.SIGKILL)
    finally:
        running.kill()
        running.communicate()
        for pid in pids:
            if state(int(pid)) not in "ZX":
                os.kill(int(pid), signal.SIGKILL)
        if Path(folder).exists():
            (Path(folder) / "store" / "log").unlink()
            (Path(folder) / "again" / "log").unlink()
            for place in ("store", "again", "."):
                (Path(folder) / place).rmdir() if place != "." else Path(folder).rmdir()
