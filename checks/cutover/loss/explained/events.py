"""Events: what happened to a document, in the specification's vocabulary, and how it is told from the outside.

`event_log.py` records them. Here is how each is read off: from what a record becomes, from a choice, from a replica.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutproof.impl.choices import Choice
from cutproof.impl.clients import Write
from cutproof.impl.copies import Copy
from cutproof.impl.node import Replica
from cutproof.impl.record import LIVE, Phase, Record, Stage, stage_of
from cutproof.impl.shard import Shard

Value = bool | int | str

PROCEEDS = {
    Phase.COPY: "start_copy", Phase.SEAL: "seal", Phase.DRAIN_SOURCE: "start_drain",
    Phase.DRAIN_TARGET: "source_drained", Phase.DELTA: "target_drained", Phase.ACTIVATE: "activate",
    Phase.GRACE: "start_grace", Phase.CLEANUP: "start_cleanup", Phase.COMPLETE: "complete",
}  # fmt: skip
# What is done by name alone, past the methods that are watched; the first ones do nothing else that is watched.
SILENT = ("late_fence", "late_wipe", "late_delete", "collect", "change_policy", "restart")
ANSWERS = ("acknowledge", "fail", "time_out")
TABLE = ("other_migration_ends", "other_migration_hangs")


@dataclass(frozen=True, slots=True)
class Event:
    """An action with its arguments, and the record's epoch once it had happened.

    Nodes are O, N and R. `rank` is the place of a client's operation among those of its document, from 1, and so is
    the `message` that carries it; other messages have a `number` of their own beside their kind."""

    action: str
    arguments: Mapping[str, Value]
    epoch: int

    def __str__(self) -> str:
        return f"{self.action}({', '.join(f'{k}={v}' for k, v in self.arguments.items())})"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it was recorded, and which documents it concerns: one, those of some copies, those of a page or of it
    and all later pages, or all."""

    shard: Shard
    action: str
    about: dict[str, Any]
    epoch: int
    key: str | None = None
    copies: tuple[Copy, ...] | None = None
    page: int | None = None
    onwards: bool = False

    def concerns(self, key: str, page: int) -> bool:
        """Whether it concerns this document, which lies in this page."""
        if self.key is not None:
            return self.key == key
        if self.copies is not None:
            return any(c.key == key for c in self.copies)
        return self.page is None or self.page == page or (self.onwards and self.page < page)


def action_of(expected: Record, new: Mapping[str, Any]) -> str:
    """What the coordinator or an operator did, from what the record becomes; empty for what concerns single pages."""
    phase = new.get("phase")
    if phase is Phase.DUAL:
        return "begin_another" if expected.phase in LIVE else "begin"
    if phase is Phase.ABORTED:
        return "abort" if stage_of(new.get("epoch", expected.epoch)) is Stage.IDLE else "revert_routing"
    if phase is Phase.ACTIVATE and expected.phase is not Phase.DELTA:
        return "rival_activates"
    if phase is not None:
        return PROCEEDS[phase]
    return "prove" if new.get("proof") else "clean_pass" if new.get("clean") else ""


def answered(write: Write) -> dict[str, Any]:
    """What an answer to a client is about: the rank of the write, and the epoch of its route."""
    return {"rank": write.copy.order // 2, "view": write.route.epoch}


def about_of(choice: Choice) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a choice is about, and which documents it concerns."""
    match choice.action, choice.what:
        case "late_fence", (command,):
            return {"pair": choice.shard.at(command.node), "epoch": command.epoch}, {}
        case "late_wipe", (command,):
            return {"epoch": command.epoch}, {}
        case "collect", (replica, key):
            return {"node": replica}, {"key": key}
        case "restart", (replica,):
            return {"pair": replica}, {}
        case action, (write,) if action in ANSWERS:
            return answered(write), {"key": write.copy.key}
    return {}, {}


def node_name(shard: Shard, replica: Replica) -> str:
    """O and N are of the shard's first migration, if that is in the group that clients read from; R is in the next."""
    record, name = shard.record, replica.node.name
    first = record.moves[0] if record.moves else (record.owner, "")
    if record.group == 0 and replica.group == 0 and name in first:
        return "ON"[first.index(name)]
    if record.group == 0 and replica.group == 1 and name == record.members[1][0]:
        return "R"
    return f"{replica.group}/{name}"
