"""The cutover's own words on a command line and in a trace: scope, policy and the safeguards that are removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cutproof.checks.common.refusals import checked, near, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.model.cutover.policy import Policy
    from cutproof.model.cutover.scopes import Scope
    from cutproof.model.language.protocol import Protocol


def the_scope(text: str) -> Scope:
    """The scope that such a text says; refused where there is none."""
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
    """The policy that such a text says; refused where there is none."""
    from cutproof.model.cutover.policy import parse_policy

    if text and not text.strip(" ,"):
        refuse(f"--policy {text}: names no value: write name=value,...")
    return checked(parse_policy, text)


# ------------------------------------------------------------------ as one of the bundled protocols


def make(scope: str = "base", policy: str = "", without: str = "") -> Protocol:
    """The cutover in a scope, under a policy, without some safeguards (separated by commas)."""
    from cutproof.model.cutover.coordinator import build

    return build(the_bounded_scope(scope), the_policy(policy), the_removed(without))


def settings(scope: str, policy: str, without: str) -> dict[str, Any]:
    """What a trace of it carries."""
    return {
        "scope": the_scope(scope).bounds(),
        "policy": the_policy(policy).changed(),
        "safeguards_removed": the_removed(without),
    }


def recorded(carried: Mapping[str, Any]) -> dict[str, str]:
    """The texts that would be given for what a trace carries. Raises ValueError where that cannot be."""
    from cutproof.model.cutover.policy import policy_of
    from cutproof.model.cutover.scopes import scope_of

    written = {k: v if isinstance(v, bool) else str(v).lower() for k, v in carried["policy"].items()}
    bounds = {k: int(v) if isinstance(v, bool) else v for k, v in carried["scope"].items()}
    changed = policy_of(written).changed()
    return {
        "scope": scope_of(bounds).describe() or "documents=1",  # the defaults have no text of their own
        "policy": ",".join(f"{k}={str(v).lower()}" for k, v in changed.items()),
        "without": ",".join(carried["safeguards_removed"]),
    }
