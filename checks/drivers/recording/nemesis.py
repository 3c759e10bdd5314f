"""A nemesis: harm done to servers and to the links between them and their clients, one fault at a time.

    nemesis = Nemesis(recorder, seed=3, servers={"store": server}, links={"link": proxy})
    with load.running():
        for fault in nemesis.faults(6):
            with fault:                             # done here ...
                load.let_work(20, seconds=1)
            load.let_work(20)                       # ... and healed by now

The seed fixes which faults there are, and in which order. What they meet hangs on time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from types import TracebackType

from cutproof.checks.drivers.recording.proxy import Proxy
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import Server

OF_SERVERS = ("stop", "kill")
OF_LINKS = ("delay", "hold", "cut", "drop")
KINDS = (*OF_SERVERS, *OF_LINKS)
DELAYS = (0.002, 0.01, 0.03)  # seconds


@dataclass
class Fault:
    """Something bad that lasts as long as a `with` block, whatever ends that.

    A server is stopped (SIGSTOP) and goes on, or it is killed (SIGKILL) and is started again. A link delays; holds
    what clients send, and delivers it at the end; is cut until the end; or drops its connections, once."""

    kind: str
    name: str
    seconds: float = 0.0  # of a delay
    server: Server | None = field(default=None, repr=False, compare=False)
    link: Proxy | None = field(default=None, repr=False, compare=False)
    recorder: Recorder | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (
            f" by {self.seconds * 1000:.0f} ms" if self.kind == "delay" else ""
        )

    def begin(self) -> None:
        """Do it."""
        if self.recorder is not None:
            self.recorder.note(str(self))
        if self.server is not None:
            (self.server.stop if self.kind == "stop" else self.server.kill)()
        elif self.link is not None:
            match self.kind:
                case "delay":
                    self.link.delay(self.seconds)
                case "hold":
                    self.link.hold()
                case "cut":
                    self.link.cut()
                case "drop":
                    self.link.drop()

    def heal(self) -> None:
        """Make it good again. Does nothing where all is well."""
        if self.server is not None:
            self.server.go_on()
            self.server.restart()
        if self.link is not None:
            self.link.heal()
        if self.recorder is not None:
            self.recorder.note(f"{self.kind} {self.name} is over")

    def __enter__(self) -> Fault:
        try:
            self.begin()
        except BaseException:
            self.heal()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.heal()


class Nemesis:
    """Draws faults of these kinds for these servers and links, and writes a note of each into the history.

    Raises ValueError if there is no such kind, or nothing to harm in one of them."""

    def __init__(
        self,
        recorder: Recorder,
        seed: int,
        *,
        servers: Mapping[str, Server] | None = None,
        links: Mapping[str, Proxy] | None = None,
        kinds: tuple[str, ...] | None = None,
    ) -> None:
        self.recorder, self.servers, self.links = recorder, dict(servers or {}), dict(links or {})
        self.random = Random(f"{seed} nemesis")
        usual = (OF_SERVERS if self.servers else ()) + (OF_LINKS if self.links else ())
        self.kinds = usual if kinds is None else kinds
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"there is no fault {kind!r}; there are {', '.join(KINDS)}")
            if not self._places(kind):
                raise ValueError(
                    f"nothing is there to {kind}: give {'servers' if kind in OF_SERVERS else 'links'}"
                )
        if not self.kinds:
            raise ValueError("a nemesis needs servers or links")

    def _places(self, kind: str) -> Mapping[str, object]:
        return self.servers if kind in OF_SERVERS else self.links

    def fault(self, kind: str, name: str, seconds: float = 0.0) -> Fault:
        """One fault of your choice."""
        if kind not in KINDS or name not in self._places(kind):
            raise ValueError(f"there is nothing to {kind} of the name {name!r}")
        server = self.servers[name] if kind in OF_SERVERS else None
        link = self.links[name] if kind in OF_LINKS else None
        return Fault(kind, name, seconds, server, link, self.recorder)

    def faults(self, count: int) -> Iterator[Fault]:
        """So many faults, drawn from the seed."""
        for _ in range(count):
            kind = self.random.choice(self.kinds)
            name = self.random.choice(sorted(self._places(kind)))
            yield self.fault(kind, name, self.random.choice(DELAYS) if kind == "delay" else 0.0)
