"""A Redis Cluster of three masters on this machine, its clients, and the commands by which one slot is moved."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from random import Random
from typing import Any

from telling import CannotRun

from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import Servers, free_ports, wait_until

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.cluster import RedisCluster
    from redis.retry import Retry
except ImportError as missing:
    raise CannotRun(
        f"the Python package {missing.name} is not installed: pip install '.[stores]' in a clone"
    ) from None

SLOTS = 16384
TIMEOUT = 2000  # milliseconds until a silent node is taken for dead
NEVER = (redis.ResponseError,)  # the server answered with an error: nothing was done
EXPECTED = (redis.RedisError,)


def program(name: str) -> str:
    """Where a program of Redis is. In Debian's redis-tools the server is there under another name."""
    found = shutil.which(name) or (shutil.which("redis-check-rdb") if name == "redis-server" else None)
    if found is None:
        raise CannotRun(f"{name} is not installed: apt-get install redis-tools")
    return found


class Node:
    """A server, and a connection to it that follows no redirections."""

    def __init__(self, servers: Servers, name: str) -> None:
        self.servers, self.name = servers, name
        self.folder = servers.folder / name
        self.folder.mkdir()
        server = self.folder / "redis-server"
        server.symlink_to(program("redis-server"))
        for _ in range(5):
            self.port, self.bus = free_ports(2)
            self.process = servers.start([server, *self._settings()], self.folder / "log")
            self.client = redis.Redis(port=self.port, decode_responses=True, retry=Retry(NoBackoff(), 0))
            if self._is_up():
                break
        else:
            raise CannotRun(f"redis-server does not start: {(self.folder / 'log').read_text()[-300:]}")
        self.id: str = self.do("CLUSTER", "MYID")

    def _settings(self) -> list[object]:
        given = {
            "port": self.port, "cluster-port": self.bus, "bind": "127.0.0.1", "dir": self.folder, "save": "",
            "appendonly": "no", "cluster-enabled": "yes", "cluster-announce-ip": "127.0.0.1",
            "cluster-node-timeout": TIMEOUT, "repl-diskless-sync-delay": 0, "repl-ping-replica-period": 1,
        }  # fmt: skip
        return [word for name, value in given.items() for word in (f"--{name}", value)]

    def _is_up(self) -> bool:
        def answers() -> bool:
            with contextlib.suppress(redis.ConnectionError):
                return self.process.poll() is not None or bool(self.client.ping())
            return False

        wait_until(answers, "a server that answers")
        return self.process.poll() is None

    def do(self, *words: object) -> Any:
        """One command, a word at a time as it is typed; what the server answers."""
        return self.client.execute_command(*words)

    def nodes(self) -> list[list[str]]:
        """What it thinks of all nodes: the words of each line of CLUSTER NODES."""
        return [line.split() for line in self.do("CLUSTER", "NODES").splitlines()]

    def owns(self, slot: int) -> str:
        """The id of the node that it takes for the owner of a slot; empty if there is none."""
        for words in self.nodes():
            for shown in words[8:]:
                first, _, last = shown.partition("-")
                if shown[0] != "[" and int(first) <= slot <= int(last or first):
                    return words[0]
        return ""

    def moves(self, slot: int) -> bool:
        """Whether it takes the slot for one that is on the move, from itself or to itself."""
        return any(shown.startswith(f"[{slot}-") for words in self.nodes() for shown in words[8:])


class Cluster:
    """Three masters, each with a third of the slots; a replica for that of `replicated`."""

    def __init__(self, servers: Servers, slot: int, replicated: bool = False) -> None:
        self.nodes = [Node(servers, f"node-{n}") for n in range(3)]
        share = SLOTS // 3 + 1
        for n, node in enumerate(self.nodes):
            node.do("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            node.do("CLUSTER", "ADDSLOTSRANGE", n * share, min((n + 1) * share, SLOTS) - 1)
        self.source = self.nodes[slot // share]
        self.replica: Node | None = Node(servers, "replica") if replicated else None
        everybody = [*self.nodes, *([self.replica] if self.replica else [])]
        for node in everybody[1:]:
            self.nodes[0].do("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        if self.replica is not None:
            copy = self.replica
            wait_until(
                lambda: any(self.source.id == words[0] for words in copy.nodes()), "it knows its master"
            )
            copy.do("CLUSTER", "REPLICATE", self.source.id)
            wait_until(
                lambda: copy.do("INFO", "replication")["master_link_status"] == "up", "a replica's link"
            )
        self.serves(everybody)
        wait_until(
            lambda: all(len(n.nodes()) == len(everybody) for n in everybody), "nodes that know each other"
        )

    @staticmethod
    def serves(nodes: Sequence[Node]) -> None:
        """Wait until the cluster is whole in the eyes of these nodes."""
        wait_until(
            lambda: all("cluster_state:ok" in n.do("CLUSTER", "INFO") for n in nodes), "a cluster that serves"
        )

    def caught_up(self) -> None:
        """Wait until the replica has what its master has; nobody writes meanwhile."""
        copy = self.replica
        assert copy is not None
        wanted = self.source.do("INFO", "replication")["master_repl_offset"]
        wait_until(
            lambda: copy.do("INFO", "replication")["slave_repl_offset"] >= wanted, "a replica that is level"
        )


class Store:
    """A client of the cluster, as an application has it: redis-py, which knows the slots and follows redirections. It
    repeats nothing that got no answer, for that may have happened."""

    def __init__(self, node: Node) -> None:
        self.client = RedisCluster(
            host="127.0.0.1",
            port=node.port,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=10,
        )

    def write(self, key: str, value: str) -> None:
        self.client.set(key, value)

    def delete(self, key: str) -> None:
        self.client.delete(key)

    def add(self, key: str, amount: int) -> None:
        self.client.incrby(key, amount)

    def append(self, key: str, item: str) -> None:
        self.client.rpush(key, item)

    def read(self, key: str) -> Any:
        if key.startswith("list"):
            return self.client.lrange(key, 0, -1)
        value = self.client.get(key)
        return int(value or 0) if key.startswith("counter") else value


class Move:
    """The move of one slot from its owner, `source`, to `target`; `other` is the third master. `load` are clients at
    work on the keys of that slot, and what is drawn is drawn from `random`."""

    def __init__(self, cluster: Cluster, slot: int, random: Random, load: Load, recorder: Recorder) -> None:
        self.cluster, self.slot, self.random, self.load, self.recorder = cluster, slot, random, load, recorder
        self.source = cluster.source
        self.target, self.other = random.sample(
            [node for node in cluster.nodes if node is not self.source], 2
        )

    def begin(self) -> None:
        """Tell the target that it imports the slot, then the source that it migrates it."""
        self.tell(self.target, "IMPORTING", self.source.id)
        self.tell(self.source, "MIGRATING", self.target.id)

    def tell(self, node: Node, *words: str) -> None:
        """CLUSTER SETSLOT at one node."""
        self.recorder.note(f"{node.name}: CLUSTER SETSLOT {self.slot} {' '.join(words)}")
        node.do("CLUSTER", "SETSLOT", self.slot, *words)

    def keys(self, node: Node, most: int = 1000) -> list[str]:
        """Keys of the slot that are on a node."""
        return list(node.do("CLUSTER", "GETKEYSINSLOT", self.slot, most))

    def carry(self, keys: Sequence[str], timeout: int = 5000) -> None:
        """MIGRATE these keys from the source to the target, all at once."""
        self.recorder.note(f"{self.source.name}: MIGRATE {' '.join(keys)}")
        self.source.do("MIGRATE", "127.0.0.1", self.target.port, "", 0, timeout, "KEYS", *keys)

    def some(self) -> list[str]:
        """Some of the keys that the source has, a third of them. Which ones hangs on the seed, not on what clients did:
        a shortened run moves the same. Raises RuntimeError if there is none."""
        chosen = self.random.sample(self.load.keys, round(len(self.load.keys) / 3))
        if not (keys := sorted({*chosen} & {*self.keys(self.source)})):
            raise RuntimeError("there is no key to move")
        return keys

    def agreed(self, owner: Node, nodes: Sequence[Node]) -> None:
        """Wait until these nodes take that one for the owner of the slot."""
        wait_until(lambda: all(n.owns(self.slot) == owner.id for n in nodes), "nodes that agree on the owner")
