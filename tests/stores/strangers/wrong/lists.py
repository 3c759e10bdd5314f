"""Shipped logs gone wrong."""

from __future__ import annotations

from strangers.right.lists import Entry, Lists, Log, Node


class ProducersForgotten(Lists):
    """Who has sent what is known to the leader alone."""

    bug = "the new leader does not know the producers' numbers: an entry that is sent again is appended again"
    source = "automq#437"
    harm = "appended twice"

    def is_known(self, node: Node, shard: int, entry: Entry) -> bool:
        return entry.number in node.producers.get(shard, set())

    def take(self, node: Node, shard: int, entry: Entry) -> None:
        node.producers.setdefault(shard, set()).add(entry.number)
        super().take(node, shard, entry)


class GapsBelowTheHighest(Lists):
    """New entries are pushed to the follower as well."""

    bug = (
        "new entries are pushed to a follower that has gaps below them; it asks for history from its highest"
    )
    source = "ignite#10396"
    harm = "lost acknowledged write"

    def take(self, node: Node, shard: int, entry: Entry) -> None:
        super().take(node, shard, entry)
        for work in self.works:
            mine = self.nodes[work.job.target].logs.get(shard)
            if work.job.shard == shard and mine is not None and mine is not node.logs[shard]:
                mine.append(entry)

    def fetched(self, mine: Log, theirs: Log) -> int:
        return theirs.index(mine[-1]) + 1 if mine and mine[-1] in theirs else 0


class LeaderAloneAcknowledges(Lists):
    """The leader has it: that is enough."""

    bug = "a write is acknowledged before the follower that is in step has it, and the follower leads without it"
    source = "protocol: ack_after_applied, on all that must have it"
    harm = "lost acknowledged write"

    def committed(self, shard: int) -> Log:
        return self.nodes[self.leaders[shard]].logs[shard]


class ReadsBeyondTheWatermark(Lists):
    """The leader shows what it has."""

    bug = "clients read what the leader has alone; the next leader does not have it"
    source = "no_regress in the protocol: reads of what is not committed"
    harm = "a read goes back"

    def visible(self, shard: int) -> Log:
        return self.nodes[self.leaders[shard]].logs[shard]
