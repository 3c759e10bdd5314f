"""Tables move between two real PostgreSQL servers while clients work: in an orderly way, and in ways that lose writes.

    python docs/examples/stores/postgres_replication.py                  # the orderly way: exit code 0
    python docs/examples/stores/postgres_replication.py flipped-early    # another: exit code 12
    python docs/examples/stores/postgres_replication.py --help

It needs the extra `stores`, which brings a PostgreSQL of its own. A fault is held, not raced: the subscription is
disabled while clients work.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from telling import CannotRun, Names, Told, Variant, main, told

try:
    from postgres import EXPECTED, NEVER, Database, Gate, Move, Programs, Store
except CannotRun as error:
    print(f"cannot run: {error}", file=sys.stderr)
    sys.exit(2)

from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import Servers

CLIENTS, SOME = 3, 20  # operations of a client between two steps


def orderly(move: Move) -> None:
    """CREATE SUBSCRIPTION, the tables are copied; then clients are held, all that was written is waited
    for, the sequence is set, the subscription dropped, and clients are led to the target"""
    _moved(move, True)


def sequence_forgotten(move: Move) -> None:
    """as *orderly*, but nobody sets the sequence, which is not replicated: entries get numbers that others have"""
    _moved(move, False)


def _moved(move: Move, sequence: bool) -> None:
    with move.load.running():
        move.load.let_work(SOME)
        move.begin()
        move.load.let_work(SOME)
        with move.gate.shut():
            move.catch_up()
            if sequence:
                move.set_sequence()
            move.unsubscribe()
            move.flip()
        move.load.let_work(SOME)


def flipped_early(move: Move) -> None:
    """clients are led to the target while it has yet to apply something, and the subscription stays: they
    read what is old, and what is applied later overwrites what they wrote"""
    move.begin()
    move.load.batch(SOME)
    move.catch_up()
    move.hold_apply()
    move.load.batch(SOME)
    move.set_sequence()
    move.flip()
    move.load.batch(SOME)
    move.do(move.target, "ALTER SUBSCRIPTION moving ENABLE")
    move.catch_up(or_stop=True)


def both_written(move: Move) -> None:
    """the new address reaches one client before the others: for a while both sides are written to, and the
    subscription goes on applying at one of them"""
    move.begin()
    move.load.batch(SOME)
    move.catch_up()
    move.set_sequence()
    move.gate.strays["client-0"] = move.target
    move.recorder.note("client-0 is led to the target")
    move.load.batch(2 * SOME)
    move.load.read_all("client-1")
    move.flip()


VARIANTS = {
    f.__name__.replace("_", "-"): Variant(f, f is not orderly)
    for f in (orderly, flipped_early, sequence_forgotten, both_written)
}


def run(name: str, seed: int, file: Path, only: Names = None) -> Told:
    """One run, on two new servers; what clients saw is written to `file`."""
    with Servers() as servers, Recorder(file, NEVER) as recorder:
        programs = Programs(servers)
        programs.prepare("source", "target")
        source, target = (Database(programs, which) for which in ("source", "target"))
        gate = Gate(source)
        stores = {f"client-{n}": Store(f"client-{n}", gate, [source, target]) for n in range(CLIENTS)}
        load = Load(recorder, stores, seed, registers=8, counters=4, lists=3, expected=EXPECTED, only=only)
        load.fill()
        load.batch(SOME)
        VARIANTS[name].does(Move(source, target, gate, Random(f"{name} {seed}"), load, recorder))
        load.read_all()
        load.batch(SOME)
        final = load.read_all()
    return told(file, final, load.performed)


if __name__ == "__main__":
    main("postgres", __doc__, VARIANTS, run)
