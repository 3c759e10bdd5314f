"""A slot of a real Redis Cluster is moved while clients work: in the orderly way, and in ways that lose writes.

    python docs/examples/stores/redis_slots.py                 # the orderly way: exit code 0
    python docs/examples/stores/redis_slots.py given-up        # another: exit code 12, and what cannot be true
    python docs/examples/stores/redis_slots.py --help

It needs Debian's redis-tools (Redis 7) and the extra `stores`. The clients are redis-py's. A fault is held, not raced:
clients work between two steps of the operator, or while something waits.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from telling import CannotRun, Names, Told, Variant, main, told

try:
    from redis_cluster import EXPECTED, NEVER, SLOTS, Cluster, Move, Store, program
except CannotRun as error:
    print(f"cannot run: {error}", file=sys.stderr)
    sys.exit(2)
import redis
from redis.crc import key_slot

from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import Servers, go_on, stop_at_once, wait_until

CLIENTS, SOME = 3, 20  # operations of a client between two steps


def orderly(move: Move) -> None:
    """IMPORTING at the target, MIGRATING at the source, MIGRATE a few keys at a time while clients work,
    SETSLOT NODE at the target, then at the others"""
    with move.load.running():
        move.begin()
        while keys := move.keys(move.source, 3):
            try:
                move.carry(keys)
            except redis.ResponseError as error:
                if "NOKEY" not in str(error):  # a client has deleted them meanwhile
                    raise
            if move.random.random() < 0.5:
                move.load.let_work(SOME)
        for node in (move.target, move.source, move.other):
            move.tell(node, "NODE", move.target.id)
        move.agreed(move.target, move.cluster.nodes)
        move.load.let_work(SOME)


def target_alone(move: Move) -> None:
    """some keys are moved, then SETSLOT NODE at the target alone: the source hears of it, and deletes the
    keys that it still has"""
    move.begin()
    move.carry(move.some())
    move.load.batch(SOME)
    move.tell(move.target, "NODE", move.target.id)
    move.agreed(move.target, move.cluster.nodes)
    wait_until(lambda: not move.keys(move.source), "the source has dropped the keys")


def fix(move: Move) -> None:
    """the move is interrupted while most keys are at the source, and `redis-cli --cluster fix` repairs it
    while clients work: it makes the source the owner before it moves anything back"""
    move.begin()
    move.carry(move.some())
    move.target.do("CLIENT", "PAUSE", 60_000, "WRITE")  # a target that is slow to take the first MIGRATE
    log = move.source.folder / "fix.log"
    with log.open("wb") as out:
        repair = subprocess.Popen(
            [program("redis-cli"), "--cluster", "fix", f"127.0.0.1:{move.source.port}"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        wait_until(
            lambda: repair.poll() is not None or not move.source.moves(move.slot), "fix has chosen the owner"
        )
        move.recorder.note("fix has made the source the owner")
        move.load.read_all()
        move.load.batch(SOME)
        move.target.do("CLIENT", "UNPAUSE")
        move.recorder.note(f"fix has ended with {repair.wait(30)}")
    finally:
        repair.kill()
        repair.wait()


def timed_out(move: Move) -> None:
    """the target is stopped, so that MIGRATE times out, and goes on later: both have the keys, and what
    clients delete at the source comes back from the target"""
    move.begin()
    stop_at_once(move.target.process)
    try:
        move.carry(move.keys(move.source), timeout=200)
    except redis.ResponseError as error:
        if "IOERR" not in str(error):
            raise
    finally:
        go_on(move.target.process)
    wait_until(lambda: move.keys(move.target), "what was sent to the target has arrived")
    registers = [key for key in move.load.keys if key.startswith("register")]
    move.load.delete(move.random.sample(registers, len(registers) // 2))


def failed_over(move: Move) -> None:
    """some keys are moved, then the source hands over to its replica by CLUSTER FAILOVER, all of them alive
    and well: the replica does not know that the slot migrates. The target, which still imports from the old
    one, knows of no owner of the slot from then on, and serves nothing at all"""
    _half(move)
    assert move.cluster.replica is not None
    move.recorder.note("CLUSTER FAILOVER")
    move.cluster.replica.do("CLUSTER", "FAILOVER")
    move.agreed(move.cluster.replica, [move.cluster.replica, move.other])


def source_killed(move: Move) -> None:
    """the same, but the source is killed (SIGKILL), and its replica promoted"""
    _half(move)
    assert move.cluster.replica is not None
    move.recorder.note("the source is killed")
    move.source.process.send_signal(signal.SIGKILL)
    move.source.process.wait()
    move.agreed(move.cluster.replica, [move.cluster.replica, move.other])
    move.cluster.serves([move.cluster.replica, move.other])


def _half(move: Move) -> None:
    """Some keys are moved, clients work, and what they did has reached the replica."""
    move.begin()
    move.carry(move.some())
    move.load.batch(SOME)
    move.cluster.caught_up()


def given_up(move: Move) -> None:
    """some keys are moved, then the move is given up by SETSLOT STABLE at both: what was moved stays where
    nobody asks for it"""
    move.begin()
    move.carry(move.some())
    move.load.batch(SOME)
    for node in (move.source, move.target):
        move.tell(node, "STABLE")


VARIANTS = {
    f.__name__.replace("_", "-"): Variant(f, f is not orderly)
    for f in (orderly, target_alone, fix, timed_out, failed_over, source_killed, given_up)
}


def run(name: str, seed: int, file: Path, only: Names = None) -> Told:
    """One run, in a cluster of its own; what clients saw is written to `file`."""
    random = Random(f"{name} {seed}")
    tag = random.randrange(10**6)
    slot = key_slot(f"{{{tag}}}".encode(), SLOTS)
    with Servers() as servers, Recorder(file, NEVER) as recorder:
        cluster = Cluster(servers, slot, replicated=name in ("failed-over", "source-killed"))
        stores = {f"client-{n}": Store(cluster.nodes[n]) for n in range(CLIENTS)}
        load = Load(
            recorder,
            stores,
            seed,
            registers=8,
            counters=4,
            lists=3,
            suffix=f"{{{tag}}}",
            expected=EXPECTED,
            only=only,
        )
        load.fill()
        load.batch(SOME)
        VARIANTS[name].does(Move(cluster, slot, random, load, recorder))
        load.read_all()
        load.batch(SOME)
        final = load.read_all()
    return told(file, final, load.performed)


if __name__ == "__main__":
    main("redis", __doc__, VARIANTS, run)
