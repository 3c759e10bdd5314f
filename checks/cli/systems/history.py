"""The command `cutproof history`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutproof.checks.cli.console import Json, say, say_json
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.common.refusals import plain, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.drivers.histories.judge import Verdict
    from cutproof.checks.drivers.histories.operation import Operation
    from cutproof.checks.drivers.histories.pairing import History

STDIN = "-"
VALID, INVALID, UNKNOWN, EMPTY = "valid", "invalid", "unknown", "unread"
CODES = {INVALID: 12, UNKNOWN: 3, EMPTY: 3, VALID: 0}  # the first that there is, is the verdict on them all
FEW, WIDE = 20, 100  # keys that are named, columns of a timeline


def history(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="What clients recorded: JSON lines, or *.edn; - for stdin."),
    ],
    versioned: Annotated[
        bool,
        typer.Option(
            "--versioned/--any-time",
            help="Whether an operation of unknown outcome has a version, and gives way to what was issued after it"
            " failed; else it may happen at any later time.",
        ),
    ] = False,
    edn: Annotated[bool, typer.Option("--edn", help="Read EDN, whatever the name; for stdin.")] = False,
    most: Annotated[
        int, typer.Option("--max-configurations", min=1, help="Tried for a key before it is unknown.")
    ] = 500_000,
    json_lines: Json = False,
) -> int:
    """Judge recorded histories: whether some order explains what clients were told, key by key."""
    verdicts = []
    for file in dict.fromkeys(files):
        recorded = _read(file, edn)
        found = _judged(file, recorded, versioned, most)
        verdicts.append(_verdict(found))
        _count(file, found)
        if json_lines:
            _tell_json(file, recorded, found)
        else:
            _tell(file, recorded, found)
    return next(code for verdict, code in CODES.items() if verdict in verdicts)


def _read(file: str, edn: bool) -> History:
    from cutproof.checks.drivers.histories import pairing

    if file == STDIN:
        return pairing.history(sys.stdin.buffer, "stdin", edn)
    if "\0" in file:
        refuse(f"{file!r}: is a name that no file can have")
    return pairing.read(file, edn)


Found = list[tuple[str, "list[Operation]", str, "Verdict"]]


def _judged(file: str, recorded: History, versioned: bool, most: int) -> Found:
    from cutproof.checks.drivers.histories.judge import Undecided, Unexplained, judge

    found: Found = []
    for key, operations in recorded.keys.items():
        try:
            verdict = judge(operations, versioned=versioned, most=most, place="line")
        except ValueError as error:
            refuse(f"{file}: key {plain(key)}: {error}")
        word = VALID if any(o.shows for o in operations) else EMPTY
        if isinstance(verdict, Unexplained):
            word = INVALID
        elif isinstance(verdict, Undecided):
            word = UNKNOWN
        found.append((key, operations, word, verdict))
    return found


def _verdict(found: Found) -> str:
    """The word for all keys: those of which nothing was read say nothing, if there are others."""
    words = [word for _, _, word, _ in found]
    return next((word for word in (INVALID, UNKNOWN, VALID) if word in words), EMPTY)


def _tell(file: str, recorded: History, found: Found) -> None:
    from cutproof.checks.drivers.histories.judge import Undecided, Unexplained
    from cutproof.checks.drivers.histories.timeline import timeline

    clients = {o.client for _, operations, _, _ in found for o in operations}
    size = [_many(len(recorded), "operation"), _many(len(found), "key"), _many(len(clients), "process")]
    say(f"{'stdin' if file == STDIN else plain(file, 300)}: {size[0]} on {size[1]} by {size[2]}")
    faulty = [entry for entry in found if entry[2] in (INVALID, UNKNOWN)]
    named = found if len(found) <= FEW else faulty[:FEW]
    for key, operations, word, verdict in named:
        what = f"{word:8} {plain(key)}, {_many(len(operations), 'operation')}"
        if isinstance(verdict, Unexplained):
            say("", what, verdict.reason)
            say(*(f"  {row}" for row in timeline(verdict.operations, WIDE - 2)), "", verbatim=True)
        else:
            say(f"{what}: {verdict.reason}" if isinstance(verdict, Undecided) else what)
    if len(faulty) > len(named):
        say(
            f"... and {_many(len(faulty) - len(named), 'key')} more that are invalid or unknown; --json has them all"
        )
    counts = {word: sum(entry[2] == word for entry in found) for word in CODES}
    say(
        f"{_verdict(found)}: "
        + (", ".join(f"{word} {n:,}" for word, n in counts.items() if n) or "no operations")
    )


def _count(file: str, found: Found) -> None:
    """A case for each key. Where something was read of others, one of which nothing was does not make a build red."""
    from cutproof.checks.drivers.histories.judge import Explained, Unexplained

    empty = cases.UNKNOWN if _verdict(found) == EMPTY else cases.SKIPPED
    outcomes = {VALID: cases.PASSED, INVALID: cases.FAILED, UNKNOWN: cases.UNKNOWN, EMPTY: empty}
    for key, operations, word, verdict in found:
        said = word if isinstance(verdict, Explained) else f"{word}: {verdict.reason}"
        line = verdict.operations[0].number if isinstance(verdict, Unexplained) and verdict.operations else 1
        place = cases.NOWHERE if file == STDIN else (file, line)
        cases.case(file, f"{key}, {_many(len(operations), 'operation')}", outcomes[word], said, place=place)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 'es' if what.endswith('s') else 's'}"


def _tell_json(file: str, recorded: History, found: Found) -> None:
    from cutproof.checks.drivers.histories.judge import Explained, Unexplained

    for key, operations, word, verdict in found:
        facts: dict[str, Any] = {"file": file, "key": key, "verdict": word, "operations": len(operations)}
        if not isinstance(verdict, Explained):
            facts["reason"] = verdict.reason
        if isinstance(verdict, Unexplained):
            facts["part"] = [_facts(o) for o in verdict.operations]
        say_json(facts)
    counts = {word: sum(entry[2] == word for entry in found) for word in CODES}
    say_json({"file": file, "verdict": _verdict(found), "operations": len(recorded), "keys": counts})


def _facts(o: Operation) -> dict[str, Any]:
    """An operation, by the line of its call and of its answer."""
    from cutproof.checks.drivers.histories.timeline import asked, told

    return {
        "line": o.number,
        "answered": o.step or None,
        "process": o.client,
        "asked": asked(o),
        "told": told(o),
    }
