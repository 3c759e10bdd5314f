"""What users give on the command line, checked: one clear line says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from cutproof.checks.common.files import alone, why_no_folder
from cutproof.checks.common.refusals import Wrong, near, refuse
from cutproof.checks.protocols.cutover import the_bounded_scope, the_policy, the_removed, the_scope

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.protocols.load import Loaded
    from cutproof.checks.protocols.studies import Study
    from cutproof.checks.traces.trace import Trace
    from cutproof.model.cutover.policy import Policy
    from cutproof.model.cutover.scopes import Scope
    from cutproof.model.language.protocol import Protocol

__all__ = [
    "can_hold", "finite", "is_cutover", "only_of_the_cutover", "protocol_of_trace", "settings_of", "the_bounded_scope",
    "the_bytes", "the_only_run", "the_policy", "the_properties", "the_protocol", "the_removed", "the_scope",
    "the_share", "the_study",
]  # fmt: skip

OURS = "cutover"  # the protocol that is meant where none is named


def the_protocol(
    named: str,
    parameters: Sequence[str] | None = None,
    guards: Iterable[str] | None = None,
    scope: str = "",
    policy: str = "",
    without: str = "",
    as_written: bool = False,
) -> Loaded:
    """The protocol that a command is about: a file, a bundled one, or the cutover where nothing is named. `scope`,
    `policy`, `without` and `as_written` are the cutover's, and refused for others."""
    from cutproof.checks.protocols.load import load
    from cutproof.checks.protocols.parameters import parsed

    given: dict[str, object] = dict(parsed(",".join(parameters or ())))
    own = {"scope": scope, "policy": policy, "without": without}
    if is_cutover(named):
        for name, text in own.items():
            if text and name in given:
                refuse(f"--{name} {text}: --with gives {name} too")
        given |= {name: text for name, text in own.items() if text}
        if without or as_written or "without" in given:
            given["without"] = ",".join(the_removed(str(given.get("without", "")), as_written))
    else:
        only_of_the_cutover(named, {**own, "as-written": as_written})
    return load(named or OURS, given).without_guards(guards or ())


def can_hold(option: str, folder: Path | None) -> None:
    """Refuse, before long work, a folder that its results could not be written into."""
    if folder is not None and (why := why_no_folder(folder)):
        refuse(f"{option} {folder}: {why}")


def finite(option: str, seconds: float) -> float:
    """Refuse what is no number of seconds that ends."""
    if not isfinite(seconds):
        refuse(f"{option} {seconds}: is no number of seconds; leave it out for the default")
    return seconds


def is_cutover(named: str) -> bool:
    """The protocol that a command names is the cutover, or it names none."""
    return named.strip().lower() in ("", OURS)


def only_of_the_cutover(named: str, options: dict[str, object]) -> None:
    """Refuse for another protocol the options that are the cutover's own."""
    for option, given in options.items():
        if given:
            refuse(
                f"--{option} is of the cutover: {named} takes --with NAME=VALUE and --without-guard ACTION:GUARD"
            )


def the_study(name: str) -> Study:
    """The protocol whose study a command is about: it has safeguards, policies, a gate and proofs of its own."""
    from cutproof.checks.protocols.studies import study

    return study(name or OURS)


def the_properties(protocol: Protocol, names: Sequence[str] | None) -> list[str] | None:
    """The properties that are asked for, each once; None for all. Refuses what the protocol does not claim."""
    if not names:
        return None
    known = list(dict.fromkeys(c.property for c in protocol.claims))
    for name in names:
        if name not in known:
            hint = near(name, known) or f"; there are {', '.join(known) or 'none'}"
            refuse(f"--property {name}: {protocol.name} has no such property{hint}")
    return list(dict.fromkeys(names))


def the_bytes(text: str) -> int | None:
    """`2G`, `500M` or `1.5GB` as bytes; None for nothing."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,3})?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if not found or not float(found[1]):
        refuse(f"--max-memory {text}: write a size such as 500M or 2G")
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2] or " "))


def protocol_of_trace(trace: Trace, name: str) -> Protocol:
    """The protocol that a trace was made on, from its meta: one of those that are bundled."""
    from cutproof.checks.protocols.registry import of_trace

    meta = trace.meta
    settings = {"scope": meta.scope, "policy": meta.policy, "safeguards_removed": meta.safeguards_removed}
    return of_trace(meta.protocol, settings, name)


def settings_of(trace: Trace, name: str) -> tuple[Scope, Policy, tuple[str, ...]]:
    """Scope, policy and removed safeguards of a trace of the cutover, from its meta."""
    from cutproof.checks.protocols.cutover import recorded

    meta = trace.meta
    carried = {"scope": meta.scope, "policy": meta.policy, "safeguards_removed": meta.safeguards_removed}
    try:
        texts = recorded(carried)
        return the_scope(texts["scope"]), the_policy(texts["policy"]), the_removed(texts["without"])
    except (ValueError, Wrong) as error:
        refuse(f"{name}: $.#meta: {error}")


def the_share(text: str) -> tuple[int, int]:
    """`2/4` as (1, 4); the whole, (0, 1), for nothing."""
    if not text:
        return 0, 1
    found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= 10_000:
        refuse(f"--shard {text}: write 2/4 for the second of four")
    return int(found[1]) - 1, int(found[2])


@contextmanager
def the_only_run(option: str, lock: Path, where: str) -> Iterator[None]:
    """Within it no other run has this lock; refused where one has: `where` says what of."""
    with ExitStack() as held:
        try:
            other = held.enter_context(alone(lock))
        except OSError as error:
            refuse(f"{option}: {error.strerror or error}")
        if other:
            who = f" (process {other})" if other > 0 else ""
            refuse(f"{option}: another run{who} is {where}: wait for it, or give another")
        yield
