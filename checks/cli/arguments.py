"""What users give on the command line, checked: one clear line says what is wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cutproof.checks.common.refusals import Wrong, checked, near, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.traces.trace import Trace
    from cutproof.model.cutover.policy import Policy
    from cutproof.model.cutover.scopes import Scope
    from cutproof.model.language.protocol import Protocol


def the_scope(text: str) -> Scope:
    from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, parse_scope

    try:
        return parse_scope(text)
    except ValueError as error:
        first, strange = text.partition(",")[0].strip(), str(error).startswith("unknown scope")
        refuse(f"{error}{near(first, [*SCOPES, *SMALL_SCOPES]) if strange else ''}")


def the_bounded_scope(text: str) -> Scope:
    """A scope that has an end: versions have none where `others` is on."""
    scope = the_scope(text)
    if scope.others:
        refuse(f"--scope {text}: versions have no bound with others=1, so only `cutproof prove` takes it")
    return scope


def the_removed(without: str, as_written: bool = False) -> tuple[str, ...]:
    """The removed safeguards, sorted; `without` names some, separated by commas."""
    from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED, SAFEGUARDS

    names = [name.strip() for name in without.split(",")] if without else []
    for name in names:
        if name not in SAFEGUARDS:
            refuse(
                f"unknown safeguard {name!r}{near(name, SAFEGUARDS) or ': `cutproof safeguards` lists them'}"
            )
    return tuple(sorted({*names, *(HARDENED - AS_WRITTEN if as_written else ())}))


def the_policy(text: str) -> Policy:
    from cutproof.model.cutover.policy import parse_policy

    return checked(parse_policy, text)


def the_bytes(text: str) -> int | None:
    """`2G`, `500M` or `1.5GB` as bytes; None for nothing."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,3})?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if not found or not float(found[1]):
        refuse(f"--max-memory {text}: write a size such as 500M or 2G")
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2] or " "))


def protocol_of_trace(trace: Trace, name: str) -> Protocol:
    """The protocol that a trace was made on, from its meta."""
    from cutproof.model.cutover.coordinator import build
    from cutproof.model.examples.barrier import barrier
    from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
    from cutproof.model.examples.two_phase_commit import two_phase_commit

    meta = trace.meta
    examples = {
        "two_phase_commit": (two_phase_commit, "managers"),
        "barrier": (barrier, "processes"),
        "dijkstra_mutex": (dijkstra_mutex, "processes"),
    }
    if meta.protocol in examples:
        make, bound = examples[meta.protocol]
        sizes = [meta.scope[bound]] if bound in meta.scope else []
        if any(type(size) is not int or not 1 <= size <= 9 for size in sizes):
            refuse(f"{name}: $.#meta.scope.{bound}: is not 1..9")
        return make(*sizes)  # type: ignore[arg-type]
    if meta.protocol != "cutover":
        refuse(
            f"{name}: $.#meta.protocol: unknown protocol {meta.protocol!r}; there are cutover, {', '.join(examples)}"
        )
    scope, policy, removed = settings_of(trace, name)
    return build(scope, policy, removed)


def settings_of(trace: Trace, name: str) -> tuple[Scope, Policy, tuple[str, ...]]:
    """Scope, policy and removed safeguards of a trace of the cutover, from its meta."""
    from cutproof.model.cutover.policy import policy_of
    from cutproof.model.cutover.scopes import scope_of

    meta = trace.meta
    settings = {k: v if isinstance(v, bool) else str(v).lower() for k, v in meta.policy.items()}
    bounds = {k: int(v) if isinstance(v, bool) else v for k, v in meta.scope.items()}
    try:
        removed = the_removed(",".join(meta.safeguards_removed))
        return scope_of(bounds), policy_of(settings), removed  # type: ignore[arg-type]
    except (ValueError, Wrong) as error:
        refuse(f"{name}: $.#meta: {error}")
