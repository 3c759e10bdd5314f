"""Small shards for tests: O and N, perhaps a second group; steps by name."""

from __future__ import annotations

from random import Random
from typing import Any

from cutproof.impl import choices, mover
from cutproof.impl.choices import Choice
from cutproof.impl.network import Network
from cutproof.impl.node import Node
from cutproof.impl.shard import Shard
from cutproof.impl.table import Table
from cutproof.model.cutover.policy import Policy, resolve


class Drawn(Random):
    """Draws the same number again and again."""

    def __init__(self, number: float) -> None:
        super().__init__(0)
        self.number = number

    def random(self) -> float:
        return self.number


def shard(
    *without: str,
    members: tuple[tuple[str, ...], ...] = (("O",),),
    pages: int = 1,
    table: bool = False,
    **knobs: Any,
) -> Shard:
    """A shard of its own, with node N beside its members; `without` safeguards, under a policy of such knobs."""
    network = Network(seed=1)
    nodes = {name: Node(name) for name in ("N", *(n for group in members for n in group))}
    mechanisms = resolve(Policy(**knobs), without)
    made = Shard(0, network, members, nodes, mechanisms, pages, table=Table(mechanisms) if table else None)
    network.shards.append(made)
    return made


def offered(of: Shard, action: str, *words: str) -> list[Choice]:
    """What may happen of an action, about these words."""
    found = [c for c in choices.enabled(of) if c.action == action]
    return [c for c in found if all(word in str(c) for word in words)]


def do(of: Shard, action: str, *words: str) -> None:
    """Do the one thing of that action, about these words."""
    found = offered(of, action, *words)
    assert found, f"{action} {words} is not enabled; there are {[str(c) for c in choices.enabled(of)]}"
    choices.step(found[0])


def everything(of: Shard, *but: str) -> None:
    """Whatever may happen, faults and aborts apart, until nothing changes."""
    for _ in range(500):
        before = choices_state(of)
        for choice in [
            c for c in choices.enabled(of) if not c.fault and c.action not in ("abort", "give_up", *but)
        ]:
            if choice in list(choices.enabled(of)):
                choices.step(choice)
        if choices_state(of) == before:
            return


def deliver(of: Shard) -> None:
    """Whatever is under way arrives and is applied, in the order in which it was sent."""
    for message in of.network.under_way():
        if not message.queued:
            of.network.accept(message)
        of.network.apply(message)


def choices_state(of: Shard) -> object:
    """The state, as a value."""
    from cutproof.impl.state import state_of

    return state_of(of)


def drive(of: Shard, until: str) -> None:
    """The coordinator alone, with its own messages, until the record is in that phase."""
    for _ in range(200):
        if of.record.phase.value == until:
            return
        commands = [c for c in mover.wants(of) if mover.can_perform(of, c)]
        pages = [m for m in of.network.under_way() if m.write is None]
        if pages:
            message = pages[0]
            (of.network.apply if message.queued else of.network.accept)(message)
        else:
            mover.perform(of, commands[-1])
    raise AssertionError(f"{until} was not reached, {of.record.phase} was")
