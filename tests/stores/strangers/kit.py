"""What the stores share: a network that loses and delays, work in small steps, and the adapter around both.

Nothing is drawn. A call of `advance` is one turn: the works and the network take turns, oldest first.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from cutproof.checks.drivers.adapter import FAILED, IDLE, PENDING, Adapter, NotSupported

NETWORK = ("cut", "pause", "fail", "lose", "delay", "duplicate")  # what the network itself does


def nothing() -> None:
    """What is done where nothing is to be done."""


@dataclass(eq=False)
class Ticket:
    """What a client waits for. What it was told once is not told again."""

    status: str = PENDING

    def __call__(self) -> str:
        return self.status

    def tell(self, status: str) -> None:
        """Answer the client, if it still waits."""
        if self.status == PENDING:
            self.status = status


@dataclass(eq=False)
class Message:
    """Something that a node is to do. `accept` is asked when it arrives; a task waits in the node's queue after that.

    `failed` is called where the sender is told that it failed. `state` is one of way, queued, done, failed, lost."""

    node: str
    run: Callable[[], None]
    accept: Callable[[], bool] = lambda: True
    failed: Callable[[], None] = nothing
    task: bool = False
    state: str = "way"
    held: bool = False  # it stays on its way
    late: bool = False  # it goes when nothing else does


class Network:
    """Messages under way, in the order in which they were sent, and the faults that meet them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.lost: list[Message] = []
        self.cut: set[str] = set()
        self.paused: set[str] = set()
        self.struck: list[tuple[str, str]] = []  # (fault, node): what the next delivery meets

    def send(self, node: str, run: Callable[[], None], **more: Any) -> Message:
        """Send a message, or the same one again."""
        self.messages.append(Message(node, run, **more))
        return self.messages[-1]

    def again(self, message: Message, **more: Any) -> Message:
        """Send what was sent before."""
        return self.send(message.node, message.run, accept=message.accept, failed=message.failed,
                         task=message.task, **more)  # fmt: skip

    def queued(self, node: str) -> bool:
        """Whether a node has accepted what it has not applied."""
        return any(m.node == node and m.state == "queued" for m in self.messages)

    def step(self, late: bool = False) -> bool:
        """The oldest message that can goes one step on."""
        for message in self.messages:
            if message.late == late and self._can_go(message):
                self._go(message)
                return True
        return False

    def _can_go(self, message: Message) -> bool:
        if message.state == "queued":
            return message.node not in self.paused
        return not message.held and message.node not in self.cut

    def _go(self, message: Message) -> None:
        if message.state == "queued":
            self._end(message, "done")
            message.run()
            return
        strike = next((s for s in self.struck if s[1] == message.node), None)
        if strike:
            self.struck.remove(strike)
        match strike and strike[0]:
            case "fail":
                self._end(message, "failed")
                message.failed()
            case "lose":
                self._end(message, "lost")
                self.lost.append(message)
            case "delay":
                message.held = True
            case other:
                if other == "duplicate":
                    self.again(message, late=True)
                self._arrive(message)

    def _arrive(self, message: Message) -> None:
        if not message.accept():
            self._end(message, "done")
        elif message.task:
            message.state = "queued"
        else:
            self._end(message, "done")
            message.run()

    def _end(self, message: Message, state: str) -> None:
        message.state = state
        self.messages.remove(message)

    def restart(self, node: str) -> None:
        """A node forgets its queue; whoever waits for it hears of a broken connection."""
        for message in [m for m in self.messages if m.node == node and m.state == "queued"]:
            self._end(message, "failed")
            message.failed()

    def inject(self, fault: str, node: str) -> None:
        """Let a fault of `NETWORK` happen."""
        if fault == "cut":
            self.cut.add(node)
        elif fault == "pause":
            self.paused.add(node)
        else:
            self.struck.append((fault, node))

    def heal(self) -> None:
        """Everything arrives; who waits for what was lost gives up waiting."""
        self.cut.clear()
        self.paused.clear()
        self.struck.clear()
        for message in self.messages:
            message.held = False
        lost, self.lost = self.lost, []
        for message in lost:
            message.failed()


class Work:
    """Something that takes many steps. The steps yield a new phase, a message to wait for, or a condition.

    A message that failed, or was lost, is sent again: `tries` says otherwise."""

    def __init__(self, network: Network, job: Any, steps: Iterator[Any]) -> None:
        self.network, self.job, self.steps = network, job, steps
        self.phase = "beginning"
        self.awaited: Any = None
        self.over = False

    def step(self) -> bool:
        """One step, if it need not wait."""
        waits = self.awaited
        if isinstance(waits, Message) and waits.state != "done":
            if waits.state not in ("failed", "lost"):
                return False
            self.awaited = self.network.again(waits)
            return True
        if waits is not None and not isinstance(waits, Message) and not waits():
            return False
        self.awaited = None
        try:
            said = next(self.steps)
        except StopIteration:
            self.over = True
            return True
        if isinstance(said, str):
            self.phase = said
        else:
            self.awaited = said
        return True


class Store(Adapter):
    """An adapter with a network, and works that take turns with it. `faults` are those that it knows."""

    faults: ClassVar[tuple[str, ...]] = ()

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        self.names, self.shards, self.seed = list(nodes), shards, seed
        self.network = Network()
        self.works: list[Work] = []
        self.tickets: list[Ticket] = []
        self.sent: list[Message] = []  # commands of coordinators
        self.turn = 0
        self.set_up()

    def set_up(self) -> None:
        """Make the nodes."""

    def shard_of(self, key: str) -> int:
        """The shard of a document."""
        return zlib.adler32(key.encode()) % self.shards

    def ticket(self) -> Ticket:
        """A new one."""
        self.tickets.append(Ticket())
        return self.tickets[-1]

    def reached(self, node: str) -> bool:
        """Whether a node can be reached."""
        return node not in self.network.cut

    # -------------------------------------------------- what goes on

    def begin(self, job: Any) -> None:
        """Begin a work: its steps are those of its job."""
        self.works.append(Work(self.network, job, self.steps(job)))

    def advance(self) -> bool:
        self.turn += 1
        turns = (self._work, self.network.step)
        first, second = turns if self.turn % 2 else turns[::-1]
        return first() or second() or self.network.step(late=True)

    def command(self, job: Any, node: str, run: Callable[[], None]) -> Message:
        """Have a node do something, once, and only for the coordinator of now: `job.term` says which that is."""
        done: list[str] = []
        term = job.term

        def once() -> None:
            if term == job.term and not done:
                done.append(node)
                run()

        message = self.network.send(node, once, task=True)
        self.sent.append(message)
        return message

    def take_over(self, work: Work) -> None:
        """A coordinator begins anew from the job's record: the store's `steps` say how."""
        work.job.term += 1
        work.steps, work.awaited = self.steps(work.job), None

    def steps(self, job: Any) -> Iterator[Any]:
        """What a coordinator does, from where the job's record stands."""
        raise NotImplementedError

    def _work(self) -> bool:
        for work in list(self.works):
            if work.step():
                self.works.remove(work)
                if not work.over:
                    self.works.append(work)
                return True
        return False

    def phase(self) -> str:
        return ", ".join(sorted({work.phase for work in self.works})) or IDLE

    # -------------------------------------------------- faults

    def inject(self, fault: str, node: str) -> None:
        if fault not in self.faults:
            raise NotSupported
        if fault in NETWORK:
            self.network.inject(fault, node)
        else:
            getattr(self, f"on_{fault}")(node)

    def on_timeout(self, node: str) -> None:
        """Clients give up waiting; it may have happened, and may yet."""
        for ticket in self.tickets:
            ticket.tell(FAILED)

    def on_crash(self, node: str) -> None:
        """Another coordinator goes on from the record."""
        for work in self.works:
            self.take_over(work)

    def on_zombie(self, node: str) -> None:
        """The oldest command of all arrives once more."""
        if self.sent:
            self.network.again(self.sent[0], late=True)

    def on_restart(self, node: str) -> None:
        """A node restarts without its queue."""
        self.network.restart(node)

    def heal(self) -> None:
        self.network.heal()
