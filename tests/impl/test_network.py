"""What is under way: what may arrive where, when a client can be answered, and the seeded scheduler."""

from __future__ import annotations

from shards import do, shard

from cutproof.impl import mover
from cutproof.impl.clients import Write
from cutproof.impl.copies import Copy
from cutproof.impl.network import falls_short
from cutproof.impl.node import Kind, Message
from cutproof.impl.shard import Shard

GROUPS = (("O", "P"), ("R",))


def written(*without: str) -> tuple[Shard, Write]:
    """A write is under way to O, P and R."""
    s = shard(*without, members=GROUPS)
    return s, s.submit("a", {"n": 1})


def message_to(s: Shard, node: str) -> Message:
    return next(m for m in s.network.under_way() if m.replica.node.name == node)


def test_what_is_sent_to_a_node_that_is_cut_off_waits_aside_until_that_is_healed() -> None:
    s, _ = written()
    message = message_to(s, "O")
    assert s.network.can_arrive(message)
    message.replica.node.cut = True
    assert not s.network.can_arrive(message)
    s.network.tick_until(0)
    assert s.network.aside == [message]
    message.replica.node.cut = False
    s.network.reconsider()
    s.network.tick_until(0)
    assert s.network.aside == [] and "a" in s.owner.documents


def test_a_write_of_an_active_epoch_waits_for_a_node_that_takes_part_and_has_no_fence_of_it() -> None:
    s = shard()
    mover.begin(s, "N")
    n = s.at("N")
    copy = Copy("a", (3, 1, 0), {}, 2, s.histories.setdefault("a", _history(s)))
    message = Message(Kind.WRITE, n, (copy,), 3)
    assert not s.network.can_arrive(message)
    s.network.send(message)
    s.network.tick_until(0)
    assert s.network.aside == [message]
    n.fence = 3
    assert s.network.can_arrive(message)


def _history(s: Shard) -> object:
    s.submit("b", {})
    for message in list(s.network.under_way()):
        s.network.drop(message)
    s.network.pool.clear()
    return s.histories["b"]


def test_an_answer_is_due_once_when_enough_have_it_or_nothing_is_under_way() -> None:
    s, write = written()
    for node, due in (("O", False), ("R", False), ("P", True)):
        message = message_to(s, node)
        s.network.accept(message)
        s.network.apply(message)
        assert write.due is due, node
    assert s.network.pool.count(write) == 1

    s, write = written()
    s.network.lose(message_to(s, "R"))
    assert not write.due
    for node in "OP":  # O and P are enough
        do(s, "accept", f"to {node}")
        do(s, "apply", f"to {node}")
    assert write.due and s.network.pool.count(write) == 1

    s, write = written()
    for node in "OPR":
        assert not write.due
        s.network.fail(message_to(s, node))
    assert write.due and s.network.pool.count(write) == 1


def test_an_answer_is_due_where_the_last_one_has_it_and_that_is_not_enough() -> None:
    s, write = written()
    for node in "PR":
        s.network.fail(message_to(s, node))
    message = message_to(s, "O")
    s.network.accept(message)
    s.network.apply(message)
    assert write.due and s.network.pool.count(write) == 1


def test_what_fails_after_enough_have_it_makes_the_answer_due_no_second_time() -> None:
    s, write = written()
    for node in "OP":
        message = message_to(s, node)
        s.network.accept(message)
        s.network.apply(message)
    assert write.due
    s.network.fail(message_to(s, "R"))
    assert s.network.pool.count(write) == 1


def test_a_repair_arrives_where_a_write_was_duplicated() -> None:
    s, _ = written()
    message = message_to(s, "R")
    s.network.duplicate(message)
    copy = message.copies[0]
    repair = Message(Kind.REPAIR, message.replica, (copy,), 0)
    s.network.send(repair)
    s.network.accept(repair)
    s.network.apply(repair)
    assert message.replica.documents["a"] is copy


def test_the_scheduler_goes_on_until_so_few_are_under_way_and_makes_no_more_steps_than_it_may() -> None:
    s, write = written()
    s.network.tick_until(10)
    assert s.network.steps == 0
    s.network.tick_until(0, 2)
    assert s.network.steps == 2
    s.network.tick()
    assert s.network.steps == 3
    s.network.tick_until(0)
    assert s.network.pool == [] and write.acknowledged
    assert s.network.steps == 3 + 2 + 2  # three messages arrive and are applied, and the client is answered


def test_the_scheduler_ends_a_thousand_steps_in_one_call() -> None:
    s = shard(members=GROUPS)
    writes = [s.submit(f"doc-{n}", {}) for n in range(200)]
    s.network.tick_until(0)
    assert all(write.acknowledged for write in writes) and s.network.steps == 200 * 7


def test_a_task_that_fails_does_not_end_the_scheduler() -> None:
    s, write = written()

    class Fails:
        def strikes(self, message: Message) -> bool:
            return True

    s.replicas[1, "R"].node.task_plan = Fails()  # type: ignore[assignment]
    s.network.tick_until(0)
    assert s.network.pool == [] and write.answered
    assert "a" not in s.replicas[1, "R"].documents


def test_a_client_is_served_too_little_where_nothing_that_was_collected_explains_it() -> None:
    s, _ = written()
    history = s.histories["a"]
    copy = history.operations[0]
    assert not falls_short(copy, history, 2)
    assert falls_short(None, history, 2)
    assert falls_short(copy, history, 4)
    history.collected = 2
    assert not falls_short(None, history, 2)  # it was deleted, and that was forgotten
    assert falls_short(copy, history, 4)  # what is there is too old, whatever was forgotten
    assert falls_short(None, history, 4)
    history.collected = 4
    assert falls_short(copy, history, 4)
