"""The route that a record says: who is written to, who serves, and what an acknowledgement takes."""

import pytest
from shards import shard

from cutproof.impl import mover
from cutproof.impl.clients import Route, route_of
from cutproof.impl.record import Phase
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import Acknowledge, ReplicaAck, WritesWhileSealed


def begun(**knobs: object) -> Shard:
    """A migration from O to N has begun; R is in a second group, A beside O in the first."""
    s = shard(members=(("O", "A"), ("R",)), **knobs)
    mover.begin(s, "N")
    assert s.record.phase is Phase.DUAL
    return s


def names(route: Route) -> set[str]:
    return {replica.node.name for replica, _ in route.sends}


def succeeded(route: Route, *nodes: str) -> bool:
    """These successes, and no others, are enough for an acknowledgement."""
    return bool(route.enough[sum(bit for replica, bit in route.sends if replica.node.name in nodes)])


@pytest.mark.parametrize("writes", WritesWhileSealed)
@pytest.mark.parametrize("epoch", range(4))
def test_n_is_written_to_in_dual_and_while_sealed_where_the_policy_says_so(
    writes: WritesWhileSealed, epoch: int
) -> None:
    s = begun(cutover_writes=writes)
    route = route_of(s.record.with_(epoch=epoch), s.replicas)
    assert ("N" in names(route)) is (epoch == 1 or (epoch == 2 and writes is WritesWhileSealed.BOTH))
    assert route.held is (epoch == 2 and writes is WritesWhileSealed.BLOCK)


@pytest.mark.parametrize("epoch", range(4))
def test_the_owner_serves_not_another_of_its_group(epoch: int) -> None:
    s = begun()
    assert route_of(s.record.with_(epoch=epoch), s.replicas).serving.node.name == "O"


def test_another_group_counts_where_the_policy_says_so_and_the_own_never_for_itself() -> None:
    s = begun(acknowledge=Acknowledge.ALL, replica_ack=ReplicaAck.COUNTS)
    assert not succeeded(s.route, "O", "A")  # not all: N is missing
    assert succeeded(s.route, "O", "A", "N")
    assert succeeded(s.route, "R")


def test_a_write_is_answered_once_its_client_is_told() -> None:
    s = begun()
    write = s.submit("a", {"x": 1})
    assert write.answered is False and write.acknowledged is False
