"""A slot moves between two plain Redis servers, by a tool of our own, while clients work and a nemesis does harm.

    python docs/examples/stores/redis_migration.py                  # under the nemesis: exit code 0
    python docs/examples/stores/redis_migration.py no-tombstones    # a safeguard less: exit code 12
    python docs/examples/stores/redis_migration.py --help

It needs Debian's redis-tools (Redis 7) and the extra `stores`. The tool is migration_tool.py, what servers do is
migration_server.lua, what a client does migration_client.py. A fault is held, not raced: a message waits on its link
while clients work, or the tool is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from subprocess import Popen

from telling import CannotRun, Names, Told, Variant, main, told

try:
    from migration_servers import CLIENTS, NEVER, NODES, Run
except CannotRun as error:
    print(f"cannot run: {error}", file=sys.stderr)
    sys.exit(2)

from cutproof.checks.drivers.recording.proxy import Way
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import LONGEST, Servers

SOME = 14  # operations of a client between two steps
FAULTS = 6  # of the nemesis
LONG = 0.6  # seconds that is waited for clients that a fault may keep from working
MESSAGES = {"record": 25, "source": 23, "target": 22}  # of a coordinator in one move
WAYS: tuple[Way, ...] = ("asks", "answers")
EVERYWHERE = [
    (role, way, number, late)
    for role, most in MESSAGES.items() for way in WAYS for number in range(most) for late in (False, True)
]  # fmt: skip
STRETCHES = 40  # runs that together do all of it


def orderly(run: Run) -> None:
    """moves there and back under a nemesis, all safeguards in place: servers are stopped, or killed and started again;
    links delay, hold, drop and cut; coordinators are killed at any message, or replaced while they live; moves are
    aborted, and begun again"""
    with run.load.running():
        for fault in run.nemesis.faults(FAULTS):
            to = run.target if run.random.random() < 0.8 else run.source
            with fault:
                coordinator(run, to)
                run.load.let_work(SOME, LONG)
            run.load.let_work(SOME, LONG)
            if run.random.random() < 0.4:
                run.ended(run.tool("next", "move", "--to", to), 0, 1)
        to = run.target
        while run.ended(run.tool("last", "move", "--to", to), 0, 1):
            pass  # one that was started before has taken over only now
        run.load.let_work(SOME, LONG)


def coordinator(run: Run, to: str) -> None:
    """A coordinator is started, and at one of its messages, or of the answers to it, it is killed, or another one takes
    over while it waits. What was on its way is lost, or arrives late."""
    who, late, abort = f"tool-{len(run.tools)}", run.random.random() < 0.5, run.random.random() < 0.2
    link = run.link(who, run.random.choice([*NODES, "record"]))
    link.hold(run.random.choice(["asks", "asks", "answers"]), after=run.random.randrange(12))
    first = run.tool(who, *(["abort"] if abort else ["move", "--to", to]))
    if not run.comes(link, first, 2 * LONG):
        link.release()
        return
    if run.random.random() < 0.6:
        run.kill(first)
    run.load.let_work(SOME, LONG)
    if run.random.random() < 0.6:
        run.tool(f"tool-{len(run.tools)}", "move", "--to", to)
        run.load.let_work(SOME * CLIENTS, LONG)
    if not late:
        link.drop()
    link.release()


def killed_everywhere(run: Run) -> None:
    """a coordinator is killed at one of its messages or answers after the other, a few in each run, all of them in
    40 runs; what was on its way is lost, or arrives after another one has ended the move or aborted it"""
    registers = [key for key in run.load.keys if key.startswith("register")]
    for role, way, number, late in EVERYWHERE[(run.seed - 1) % STRETCHES :: STRETCHES]:
        to, who = run.target, f"tool-{len(run.tools)}"
        link = run.link(who, {"record": "record", "source": run.source, "target": to}[role])
        link.hold(way, after=number)
        run.load.write(registers)  # as many documents, and so as many messages, each time
        first = run.tool(who, "move", "--to", to)
        if not run.comes(link, first, LONGEST):
            raise RuntimeError(f"a coordinator and its {role}: no {way} number {number + 1}")
        run.kill(first)
        if not late:
            link.drop()
            link.release()
        run.load.batch(3)
        run.ended(run.tool(f"tool-{len(run.tools)}", run.random.choice(["abort", "move"]), "--to", to), 0)
        run.load.batch(3)
        link.release()
        run.load.batch(3)
    run.load.write(registers)
    ends = {"record": "record", "source": run.source, "target": run.target}
    run.ended(run.tool("last", "move", "--to", run.target), 0)
    if (seen := {role: run.link("last", end).passed["asks"] for role, end in ends.items()}) != MESSAGES:
        raise RuntimeError(f"messages of a coordinator: {seen}")


def no_tombstones(run: Run) -> None:
    """a delete leaves nothing behind, and a page that was read before it arrives after it"""
    to = run.target
    run.link("tool", to).hold(like=b"register")
    tool = run.tool("tool", "move", "--to", to)
    run.held("tool", to, b"register")
    run.load.delete([key for key in run.load.keys if key.startswith("register")])
    run.load.read_all()
    run.link("tool", to).release()
    run.ended(tool, 0)


def delta_by_presence(run: Run) -> None:
    """the delta pass brings what the target has not, and does not compare versions; while clients did not reach
    the target, documents that had been copied changed"""
    tool = copied(run, run.target)
    run.ended(tool, 0)


def activated_early(run: Run) -> None:
    """the target is activated first, and the delta pass follows"""
    source, to = run.source, run.target
    tool = copied(run, to, going_on=False)
    run.link("tool", source).hold(like=b"\r\npage\r\n")
    run.link("tool", "record").release()
    run.held("tool", source, b"page")
    run.load.batch(SOME)
    run.link("tool", source).release()
    run.ended(tool, 0)


def copied(run: Run, to: str, going_on: bool = True) -> Popen[bytes]:
    """A move whose copy is done, and after which clients, cut off from the target, have written at the source."""
    run.link("tool", "record").hold(like=b"\r\nSEAL\r\n")
    tool = run.tool("tool", "move", "--to", to)
    run.held("tool", "record", b"SEAL")
    for link in run.clients_to(to):
        link.cut()
    run.load.batch(SOME)
    for link in run.clients_to(to):
        link.heal()
    if going_on:
        run.link("tool", "record").release()
    return tool


def fence_unchecked(run: Run) -> None:
    """servers do not compare epochs: a write that was long on its way to the source is taken there after the move, and
    its client goes on there"""
    source, to = run.source, run.target
    link = run.link(f"client-{CLIENTS - 1}", source)
    with run.load.running():
        link.hold(like=b"\r\nchange\r\n")
        run.held(f"client-{CLIENTS - 1}", source, b"change")
        run.ended(run.tool("tool", "move", "--to", to), 0)
        run.load.let_work(SOME)
        link.release()
        run.load.let_work(SOME * CLIENTS)


def cleanup_unfenced(run: Run) -> None:
    """servers delete whatever a coordinator says: one is killed in the clean-up, another ends the move and moves the
    slot back, and then the deletion arrives"""
    source, to = run.source, run.target
    run.link("tool", source).hold(like=b"\r\ndrop\r\n")
    first = run.tool("tool", "move", "--to", to)
    run.held("tool", source, b"drop")
    run.kill(first)
    run.ended(run.tool("second", "move", "--to", to), 0)
    run.load.batch(SOME)
    run.ended(run.tool("second", "move", "--to", source), 0)
    run.load.batch(SOME)
    run.arrived("tool", source)


def record_unfenced(run: Run) -> None:
    """the record takes changes from a coordinator that was replaced: another one has aborted the move and begun it
    again, and then the activation of the first one arrives"""
    to = run.target
    run.link("tool", "record").hold(like=b"\r\nACTIVATE\r\n")
    first = run.tool("tool", "move", "--to", to)
    run.held("tool", "record", b"ACTIVATE")
    run.ended(run.tool("second", "abort"), 0)
    run.load.batch(SOME)
    run.link("second", to).hold(like=b"\r\napply\r\n")
    second = run.tool("second", "move", "--to", to)
    run.held("second", to, b"apply")
    run.link("tool", "record").release()
    run.ended(first, 0, 1)
    run.load.batch(SOME)
    run.link("second", to).release()
    run.ended(second, 0, 1)


def record_afterwards(run: Run) -> None:
    """the coordinator opens the target and cleans the source up before the record says so: it is killed in between,
    and another one, which knows nothing of it, aborts the move"""
    to = run.target
    run.link("tool", "record").hold(like=b"documents\r\n")
    first = run.tool("tool", "move", "--to", to)
    run.held("tool", "record", b"documents")
    run.kill(first)
    run.link("tool", "record").drop()
    run.link("tool", "record").release()
    run.ended(run.tool("second", "abort"), 0)
    run.load.batch(SOME)


LEFT_OUT = {
    no_tombstones: "tombstones", delta_by_presence: "versions", activated_early: "delta", fence_unchecked: "fence",
    cleanup_unfenced: "cleanup", record_unfenced: "record", record_afterwards: "record-first",
}  # fmt: skip


def same_faults(run: Run) -> None:
    """what is done in the ways below, one after the other, all safeguards in place"""
    for way in run.random.sample(list(LEFT_OUT), len(LEFT_OUT)):
        way(run)
        run.load.batch(SOME)


VARIANTS = {
    f.__name__.replace("_", "-"): Variant(f, f in LEFT_OUT)
    for f in (orderly, killed_everywhere, same_faults, *LEFT_OUT)
}


def run(name: str, seed: int, file: Path, only: Names = None) -> Told:
    """One run, with servers of its own; what clients saw is written to `file`."""
    random, way = Random(f"{name} {seed}"), VARIANTS[name].does
    with Servers() as servers, Recorder(file, NEVER) as recorder:
        one = Run(servers, recorder, seed, random, LEFT_OUT.get(way, ""), way is not orderly, only)
        try:
            one.load.fill()
            one.load.batch(SOME)
            way(one)
            one.load.read_all()
            one.load.batch(SOME)
            final = one.load.read_all()
        finally:
            one.close()
    return told(file, final, one.load.performed)


if __name__ == "__main__":
    main("migration", __doc__, VARIANTS, run)
