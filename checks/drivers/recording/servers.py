"""Servers that a test starts: on loopback, on free ports, in a temporary folder, and ended with the test, whatever
ends that.

    with Servers() as servers:
        port, = free_ports(1)
        server = Server(servers, "store", [sys.executable, "store.py", port], ready=lambda: answers(port))
        server.kill()
        server.restart()
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

LONGEST = 30.0  # seconds that anything is waited for
GUARD = [
    "/bin/sh",
    "-c",
    'test "$PPID" = "$0" && exec "$@"',
]  # whoever starts it may have ended before it asked to be told


class Servers:
    """A folder and the servers in it. Leaving the block ends them, and removes the folder. If this program is killed,
    the kernel ends them (Linux); SIGTERM leaves the block in order."""

    def __init__(self) -> None:
        self.processes: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []

    def __enter__(self) -> Servers:
        self._before = signal.signal(signal.SIGTERM, _leave)
        self.folder = Path(tempfile.mkdtemp(prefix="stores-", dir=_open_folder()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        late = list[int]()  # a signal that comes now waits until all is cleared away
        signal.signal(signal.SIGTERM, lambda number, frame: late.append(number))
        for process, ending in self.processes:
            process.send_signal(ending)
            process.send_signal(signal.SIGCONT)  # or one that is stopped would not hear it
        for process, _ in self.processes:
            try:
                process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        end = time.monotonic() + LONGEST  # what a server has started may still write for a moment
        while self.folder.exists() and time.monotonic() < end:
            shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._before)
        if late:
            _leave(late[0], None)

    def start(
        self,
        command: Sequence[object],
        log: Path,
        ending: signal.Signals = signal.SIGKILL,
        user: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a server, from the main thread: the kernel sends it `ending` when the thread that started it ends."""
        words = [str(word) for word in command]
        if setpriv := shutil.which("setpriv"):
            other = [] if user is None else [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            words = [setpriv, *other, "--pdeathsig", ending.name[3:], *GUARD, str(os.getpid()), *words]
        with log.open("ab") as out:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=log.parent,
                start_new_session=True,
            )
        self.processes.append((process, ending))
        return process


class Server:
    """A program that runs, can be stopped for a while, and killed and started again: with the same words, in a folder
    of its own, where `log` has what it says. `ready` tells whether it answers; `ending` is how it is ended at last.

    It is started, and started again, from the main thread. Raises TimeoutError if it is not ready in time, and
    RuntimeError, with what it said last, if it ends instead."""

    def __init__(
        self,
        servers: Servers,
        name: str,
        command: Sequence[object],
        ready: Callable[[], object],
        ending: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.servers, self.name, self.command, self.ready, self.ending = servers, name, command, ready, ending
        self.folder = servers.folder / name
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.stopped = False
        self._start()

    def _start(self) -> None:
        self.process = self.servers.start(self.command, self.log, self.ending)
        wait_until(
            lambda: self.process.poll() is not None or self.ready(), f"{self.name}, which is to answer"
        )
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} does not start: {self.log.read_text(errors='replace')[-300:]}")

    @property
    def runs(self) -> bool:
        """Whether it is there, working or stopped."""
        return self.process.poll() is None

    def stop(self) -> None:
        """SIGSTOP: it does nothing from now on, and keeps what it has. Returns when that is so."""
        if self.runs:
            stop_at_once(self.process)
            self.stopped = True

    def go_on(self) -> None:
        """SIGCONT: it works again."""
        if self.stopped and self.runs:
            go_on(self.process)
        self.stopped = False

    def kill(self) -> None:
        """SIGKILL: it has no time to write anything. Returns when it is gone."""
        self.process.kill()
        self.process.wait()
        self.stopped = False

    def restart(self) -> None:
        """Start it again, if it does not run. Returns when it answers."""
        if not self.runs:
            self._start()


def _open_folder() -> str | None:
    """Where temporary folders are made: root may start servers as another user, who must get there."""
    usual = Path(tempfile.gettempdir()).resolve()
    shut = [path for path in (usual, *usual.parents) if not path.stat().st_mode & 0o001]
    return "/tmp" if shut and os.getuid() == 0 else None


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has. Somebody else may take one before it is used: then try others."""
    taken = [socket.socket() for _ in range(count)]
    try:
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]
    finally:
        for one in taken:
            one.close()


def stop_at_once(process: subprocess.Popen[bytes]) -> None:
    """The process does nothing from now on, until `go_on`. Returns when that is so."""
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def go_on(process: subprocess.Popen[bytes]) -> None:
    """What `stop_at_once` has stopped works again."""
    os.kill(process.pid, signal.SIGCONT)


def wait_until(true: Callable[[], object], what: str) -> None:
    """Wait until something is so. Raises TimeoutError, with what was waited for."""
    end = time.monotonic() + LONGEST
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {LONGEST:.0f} s in vain for this: {what}")
        time.sleep(0.01)
