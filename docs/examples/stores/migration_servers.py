"""Two plain Redis servers between which a slot moves, a third with the record, a link from everybody to each of them,
clients, and the tool as a program of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from telling import CannotRun

from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.nemesis import Nemesis
from cutproof.checks.drivers.recording.proxy import Proxy
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import LONGEST, Server, Servers, free_ports, wait_until

try:
    import redis
    from migration_client import Client, Refused
    from migration_tool import connect, library
    from redis_cluster import program
except ImportError as missing:
    raise CannotRun(
        f"the Python package {missing.name} is not installed: pip install '.[stores]' in a clone"
    ) from None

TOOL = Path(__file__).with_name("migration_tool.py")
NEVER = (Refused, redis.ResponseError)  # nothing was done
EXPECTED = (Refused, redis.RedisError)
NODES = ("a", "b")
CLIENTS = 3
TIMEOUTS = (0.1, 0.4, 3.0)  # seconds: who waits longer is answered where others do not know
PATIENCE = 0.2  # seconds for which a client asks again where the slot waits
SLOT = 7


class Node:
    """A plain server that has written what it says to its file, and what the functions do."""

    def __init__(self, servers: Servers, name: str, without: str) -> None:
        server = servers.folder / "redis-server"
        if not server.exists():
            server.symlink_to(program("redis-server"))
        for left in reversed(range(5)):
            (self.port,) = free_ports(1)
            self.direct = connect(self.port, LONGEST)
            given = {
                "port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "yes", "appendfsync": "always",
            }  # fmt: skip
            command = [
                server,
                *(word for setting in given.items() for word in (f"--{setting[0]}", setting[1])),
            ]
            try:
                self.server = Server(servers, name if left == 4 else f"{name}-{left}", command, self._answers)
                break
            except RuntimeError as error:  # somebody else has taken the port
                if not left:
                    raise CannotRun(str(error)) from None
        self.direct.function_load(library(without))

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(self.direct.ping())
        return False


class Run:
    """Everything in one run: servers `a`, `b` and `record`, clients at work (`load`), and how the slot is moved.
    `without` is a safeguard that is left out, a client is `patient` if it waits for what is held, and `only` these
    operations of clients are performed, if it is not None."""

    def __init__(
        self,
        servers: Servers,
        recorder: Recorder,
        seed: int,
        random: Random,
        without: str = "",
        patient: bool = True,
        only: frozenset[str] | None = None,
    ) -> None:
        self.servers, self.recorder, self.seed = servers, recorder, seed
        self.random, self.without, self.patient = random, without, patient
        self.nodes = {name: Node(servers, name, without) for name in (*NODES, "record")}
        first = random.choice(NODES)
        record = {"phase": "IDLE", "owner": first, "epoch": 0, "revision": 0}
        self.nodes["record"].direct.hset(f"r:{SLOT}", mapping=record)  # type: ignore[arg-type]
        self.nodes[first].direct.fcall("fence", 0, SLOT, 0, "owner")
        self.links = dict[tuple[str, str], Proxy]()
        self.tools = list[subprocess.Popen[bytes]]()
        stores = {
            f"client-{n}": self._client(f"client-{n}", LONGEST if patient else TIMEOUTS[n])
            for n in range(CLIENTS)
        }
        self.load = Load(
            recorder, stores, seed, registers=8, counters=4, lists=3, swaps=0.3, expected=EXPECTED, only=only
        )
        self.nemesis = Nemesis(
            recorder, seed, servers={name: node.server for name, node in self.nodes.items()},
            links={f"{who} to {name}": link for (who, name), link in self.links.items()},
        )  # fmt: skip

    def link(self, who: str, node: str) -> Proxy:
        """The link of a client or a coordinator to a server."""
        if (who, node) not in self.links:
            self.links[who, node] = Proxy(self.nodes[node].port)
        return self.links[who, node]

    def _client(self, name: str, timeout: float) -> Client:
        nodes = {node: self._port(name, node) for node in NODES}
        return Client(self._port(name, "record"), nodes, SLOT, timeout, PATIENCE)

    def _port(self, who: str, node: str) -> int:
        return self.link(who, node).port

    def clients_to(self, node: str) -> list[Proxy]:
        """The links of all clients to a server."""
        return [self.link(f"client-{n}", node) for n in range(CLIENTS)]

    @property
    def record(self) -> dict[str, str]:
        """The record of the slot, as it is now."""
        return dict(self.nodes["record"].direct.hgetall(f"r:{SLOT}"))

    @property
    def source(self) -> str:
        """Who has the slot now."""
        return self.record["owner"]

    @property
    def target(self) -> str:
        """Who has it not."""
        return next(name for name in NODES if name != self.source)

    def tool(self, who: str, *words: str) -> subprocess.Popen[bytes]:
        """Start the tool, as a program that has links of its own."""
        self.recorder.note(f"{who}: {' '.join(words)}")
        command = [
            sys.executable, TOOL, *words, "--slot", SLOT, "--record", self._port(who, "record"),
            *(word for n in NODES for word in ("--node", f"{n}={self._port(who, n)}")),
            *(["--timeout", LONGEST] if self.patient else []),
            *(["--without", self.without] if self.without else []),
        ]  # fmt: skip
        self.tools.append(self.servers.start(command, self.servers.folder / f"{who}.log"))
        return self.tools[-1]

    def held(self, who: str, node: str, like: bytes, way: str = "asks") -> None:
        """Wait until something that a link was told to hold is held there."""
        if not self.link(who, node).wait_held(LONGEST):
            raise TimeoutError(f"waited in vain for {like!r} from {who} to {node}; {self.said(who)}")

    def comes(self, link: Proxy, tool: subprocess.Popen[bytes], seconds: float) -> bool:
        """Wait until something is held on a link, unless the tool ends before, or that takes too long."""
        end = time.monotonic() + seconds
        while not (there := link.wait_held(0.02)) and tool.poll() is None and time.monotonic() < end:
            pass
        return there

    def arrived(self, who: str, node: str) -> None:
        """Release what is held on a link, and wait until the server has answered it."""
        link = self.link(who, node)
        before = link.passed["answers"]
        self.recorder.note(f"what {who} asked of {node} arrives")
        link.release()
        wait_until(lambda: link.passed["answers"] > before, "an answer to what was held")

    def kill(self, tool: subprocess.Popen[bytes]) -> None:
        """SIGKILL."""
        self.recorder.note("the coordinator is killed")
        tool.kill()
        tool.wait()

    def ended(self, tool: subprocess.Popen[bytes], *codes: int) -> int:
        """Wait until a tool has ended; with one of these codes."""
        code = tool.wait(LONGEST)
        self.recorder.note(f"the coordinator has ended with {code}")
        if code not in codes:
            logs = "; ".join(self.said(log.stem) for log in self.servers.folder.glob("*.log"))
            raise RuntimeError(f"the tool has ended with {code}: {logs}")
        return code

    def said(self, who: str) -> str:
        """The last that a tool has said."""
        log = self.servers.folder / f"{who}.log"
        return f"{who}: {log.read_text()[-300:]}" if log.exists() else f"{who}: nothing"

    def close(self) -> None:
        """End the tools and the links."""
        for tool in self.tools:
            tool.kill()
            tool.wait()
        for link in self.links.values():
            link.close()


__all__ = ["CLIENTS", "EXPECTED", "NEVER", "NODES", "SLOT", "Run", "wait_until"]
