"""Every loss in a whole migration is cut down to a trace that both replayers take, and that has nothing to spare."""

from collections.abc import Iterator
from functools import cache
from random import Random

import pytest

from cutproof.checks.cli.arguments import protocol_of_trace, settings_of
from cutproof.checks.cutover.loss.explained.event_log import EventLog
from cutproof.checks.cutover.loss.explained.events import Event
from cutproof.checks.cutover.loss.explained.minimize import NotCut, minimized
from cutproof.checks.cutover.reference.lockstep import specification
from cutproof.checks.cutover.reference.perform import perform
from cutproof.checks.cutover.safeguards.necessity import BOTH_ACKNOWLEDGE
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.trace import Trace, from_bytes, to_bytes
from cutproof.impl import Cluster
from cutproof.impl.audit import Entry
from cutproof.impl.record import Phase
from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup
from cutproof.model.cutover.policy import Policy, resolve

ALONE = Policy(replicas=False)
UNSAFE = Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE, anti_entropy=AntiEntropy.OFF, replicas=False)
CALM = {"fail": 0.02, "lose": 0.002, "delay": 0.005, "duplicate": 0.005}
ENDS = 100_000  # steps
Case = tuple[Policy, tuple[str, ...], dict[str, float], tuple[int, ...]]

# The last of each are seeds of migrations that lose something.
CASES: dict[str, Case] = {
    "unsafe": (UNSAFE, (), CALM, (0, 3, 5, 13)),
    "a rough network": (
        UNSAFE,
        (),
        {"fail": 0.03, "lose": 0.02, "delay": 0.03, "duplicate": 0.03},
        (0, 1, 4, 12),
    ),
    "late writes": (ALONE, ("apply_checks_version",), {"delay": 0.1, "duplicate": 0.05}, (0, 2)),
    "late pages": (BOTH_ACKNOWLEDGE, ("copy_checks_version",), {"duplicate": 0.05}, (35, 44)),
    "no fence": (ALONE, ("fence_epoch",), {"delay": 0.05, "fail": 0.02}, (4, 19)),
    "no seal": (ALONE, ("seal_blocks_writes",), CALM, (1,)),
    "a delta that trusts a table": (ALONE, ("delta_always",), CALM, (76,)),
    "a delta that adds": (ALONE, ("delta_compares_versions",), CALM, (0, 2)),
    "a failed page": (BOTH_ACKNOWLEDGE, ("failed_page_is_retried",), {"fail": 0.1}, (1, 2)),
    "no tombstones": (ALONE, ("tombstones",), CALM, (0, 5, 13)),
    "the new node alone": (ALONE, ("ack_needs_source",), CALM, (2, 42)),
    "two groups": (Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE), (), CALM, (2, 9)),
}
MIGRATIONS = [(name, seed) for name, (*_, seeds) in CASES.items() for seed in seeds]
# By day one in four, and the same ones in each test: what they lose is found once.
every_migration = pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(
            *migration, id=f"{migration[0]}-{migration[1]}", marks=[pytest.mark.nightly] if i % 4 else []
        )
        for i, migration in enumerate(MIGRATIONS)
    ],
)


def migration(
    seed: int, policy: Policy, without: tuple[str, ...], rates: dict[str, float]
) -> Iterator[Cluster]:
    """A whole migration among writes, crashes and aborts: given before anything has happened, and at the end."""
    draw = Random(seed)
    nodes = [["old-0"], ["replica-0"]] if policy.replicas else ["old-0"]
    cluster = Cluster(nodes, 1, 1, seed, policy=policy, without=without, gate=None, pages=8, passes=10**9)
    yield cluster
    keys = [f"b{i}" for i in range(40)]
    cluster.faults.stale("late")
    cluster.faults.skew("slow")
    for key in keys:
        cluster.submit(key, {"n": 0})
    while cluster.network.pool:
        cluster.network.tick()
    moves, limit = cluster.move([0], "new-0"), draw.choice((0, 2, 4, 12))
    cluster.faults.plan("new-0", **rates)
    cluster.faults.fail("old-0", rate=0.03)
    abort_in = draw.randrange(5, 40) if draw.random() < 0.2 else -1
    for number in range(600):
        key = draw.choice(keys) if draw.random() < 0.6 else f"n{number}"
        keys.append(key)
        router = draw.choices(("", "late", "slow"), (97, 2, 1))[0]
        cluster.submit(key, None if draw.random() < 0.2 else {"n": number}, router=router)
        while len(cluster.network.pool) > limit:
            cluster.network.tick()
        if draw.random() < 0.1:
            cluster.turn()
            abort_in -= 1
            if draw.random() < 0.01:
                cluster.faults.crash()
            if abort_in == 0:
                moves.abort()
            elif cluster.shards[0].record.phase is Phase.ABORTED and not cluster.shards[0].record.owes_wipe:
                moves.retry()
    for name in ("new-0", "old-0"):
        cluster.faults.plan(name)
    for _ in range(ENDS):
        if not (cluster.moving or cluster.network.pool):
            break
        cluster.step()
    yield cluster


@cache
def losses(name: str, seed: int) -> tuple[tuple[Entry, tuple[Event, ...]], ...]:
    """What a migration loses, at most three of a kind, with what happened to it."""
    policy, without, rates, _ = CASES[name]
    *_, plain = migration(seed, policy, without, rates)
    run = migration(seed, policy, without, rates)
    log = EventLog(next(run))
    again = next(run)
    assert again.fingerprint() == plain.fingerprint()
    lost = again.audit().lost
    found = [entry for kind in ("LAW", "LU", "RD") for entry in [e for e in lost if e.kind == kind][:3]]
    return tuple((entry, tuple(log.of(entry.key))) for entry in found)


@cache
def traces(name: str, seed: int) -> tuple[Trace, ...]:
    policy, without, _, _ = CASES[name]
    return tuple(minimized(events, policy, without, entry.kind) for entry, events in losses(name, seed))


def is_lost(trace: Trace, labels: list[str]) -> bool:
    """Whether it is lost at the end of these steps, where those that can't be taken are left out."""
    scope, policy, removed = settings_of(trace, "trace")
    walked = specification(scope, resolve(policy, removed))
    state = walked.protocol.initial
    for label in labels:
        state = walked.successors(state).get(label, state)
    return ("no_lost_write", trace.meta.harm) in {(c.property, c.harm) for c in walked.violated(state)}


@every_migration
def test_every_loss_is_cut_down(name: str, seed: int) -> None:
    found = losses(name, seed)
    assert found
    assert [t.meta.harm for t in traces(name, seed)] == [entry.kind for entry, _ in found]
    assert max(len(trace.steps) for trace in traces(name, seed)) <= 40


@every_migration
def test_both_replayers_take_it(name: str, seed: int) -> None:
    policy, without, _, _ = CASES[name]
    for made in traces(name, seed):
        trace = from_bytes(to_bytes(made), "trace")
        scope, its_policy, removed = settings_of(trace, "trace")
        assert (its_policy, removed) == (policy, tuple(sorted(without)))
        protocol = protocol_of_trace(trace, "trace")
        assert replay(trace, protocol).reproduced
        performed = perform(trace, protocol, scope, policy)
        assert performed.reproduced, performed.divergence
        assert performed.checked.endswith(f"lost: 1 {trace.meta.harm}")


@every_migration
def test_no_step_can_be_left_out(name: str, seed: int) -> None:
    for trace in traces(name, seed):
        labels = [str(step) for step in trace.steps]
        assert is_lost(trace, labels)
        assert not is_lost(trace, labels[:-1])
        spare = [label for i, label in enumerate(labels) if is_lost(trace, labels[:i] + labels[i + 1 :])]
        assert spare == []


@every_migration
def test_the_same_bytes_again(name: str, seed: int) -> None:
    policy, without, _, _ = CASES[name]
    for (entry, events), trace in list(zip(losses(name, seed), traces(name, seed), strict=True))[:1]:
        assert to_bytes(minimized(list(events), policy, without, entry.kind)) == to_bytes(trace)


def test_kinds_of_every_sort_are_lost() -> None:
    some = MIGRATIONS[::4]
    assert {entry.kind for name, seed in some for entry, _ in losses(name, seed)} == {"LAW", "LU", "RD"}


SAID = {
    "unsafe": (
        "An acknowledged put has not reached N, the delta pass was skipped, and N, now the owner, has an older put.",
        "An acknowledged put has not reached N, the delta pass was skipped, and N, now the owner, has nothing of it.",
    ),
    "no tombstones": (
        "An acknowledged delete has not reached N, the delta pass found no tombstone on O, and N, now the owner, has "
        "the document.",
    ),
    "a failed page": (
        "An acknowledged put was in a page that failed on its way to N, the delta pass was skipped, and N, now the "
        "owner, has nothing of it.",
    ),
    "the new node alone": ("An acknowledged put has not reached O, and O, the owner, has nothing of it.",),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", SAID)
def test_the_sentence_says_what_happened(name: str) -> None:
    said = {trace.meta.why for seed in CASES[name][-1] for trace in traces(name, seed)}
    assert said >= set(SAID[name])


def test_a_sentence_of_ones_own() -> None:
    entry, events = losses("unsafe", 0)[0]
    assert minimized(events, UNSAFE, (), entry.kind, why="Because.").meta.why == "Because."


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ((), "nothing of the document was acknowledged"),
        ((("begin", {"source": "0/x", "target": "N"}),), "between other nodes than its owner and one target"),
        ((("repair_expired", {"node": "O", "to": "R", "number": 1}),), "a document that expires"),
        (
            (("write", {"rank": 1, "erases": False, "view": 0}), ("acknowledge", {"rank": 1, "view": 0})),
            "no choice of up to 9 operations loses it",
        ),
    ],
)
def test_what_can_not_be_cut_down_is_said(actions: tuple[tuple[str, dict], ...], reason: str) -> None:
    with pytest.raises(NotCut, match=reason):
        minimized([Event(action, about, 0) for action, about in actions], UNSAFE, (), "LAW")


def test_a_document_of_many_operations() -> None:
    """More than a scope has room for: those that matter are found among them."""
    cluster = Cluster(["old-0"], 1, 1, 3, policy=UNSAFE, gate=None, pages=2)
    log = EventLog(cluster)
    for number in range(30):
        cluster.put("a", {"n": number})
    moves = cluster.move([0], "new-0")
    cluster.run_until(lambda: cluster.shards[0].record.cursor == 2)
    cluster.faults.fail("new-0", rate=1.0)
    cluster.submit("a", None)
    while cluster.network.pool:
        cluster.network.tick()
    cluster.faults.plan("new-0")
    cluster.run_until(moves.finished)
    cluster.settle()
    assert [e.kind for e in cluster.audit().lost] == ["RD"]
    trace = minimized(log.of("a"), UNSAFE, (), "RD")
    assert trace.meta.scope["writes"] == 2
    assert len(trace.steps) <= 24


def test_what_was_healed_is_cut_down_too() -> None:
    """Lost at the activation, and brought back by anti-entropy: the trace ends where it was lost."""
    policy = Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE)
    cluster = Cluster([["old-0"], ["replica-0"]], 1, 1, 3, policy=policy, gate=None, pages=1, passes=10**9)
    log = EventLog(cluster)
    moves = cluster.move([0], "new-0")
    cluster.run_until(lambda: cluster.shards[0].record.cursor == 1)
    cluster.faults.fail("new-0", rate=1.0)
    cluster.submit("a", {"n": 1})
    while cluster.network.pool:
        cluster.network.tick()
    cluster.faults.plan("new-0")
    cluster.run_until(moves.finished)
    while cluster.repair():
        cluster.settle()
    assert [(e.kind, e.healed) for e in cluster.audit().documents] == [("", True)]
    trace = minimized(log.of("a"), policy, (), "LAW")
    assert trace.steps[-1].action == "activate"
