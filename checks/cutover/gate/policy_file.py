"""Policy files: TOML in Miroir's words, everything optional, checked key by key.

protocol = "cutover"
skip_delta_pass = true
cleanup = "immediate"
[anti_entropy]
auto_repair = false
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

from cutproof.checks.common.refusals import Wrong, near
from cutproof.impl.miroir import AntiEntropyConfig, MigrationConfig, policy_from
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.policy import DrainOnTimeout, Policy, Rollback

OURS = "cutover"  # whose policies these are
LARGEST = 1 << 20  # bytes; a policy is some hundred


@dataclass(frozen=True)
class Given:
    """What a policy file says: the policy, what was set by hand (by knob), and the knobs of it that cannot matter."""

    policy: Policy
    set: dict[str, Any]
    ignored: tuple[str, ...]


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _member(kind: type[Enum]) -> Callable[[object], Enum]:
    def check(value: object) -> Enum:
        for member in kind:
            if type(value) is str and member.value == value:
                return member
        raise ValueError("one of " + ", ".join(f'"{m.value}"' for m in kind))

    return check


def _number(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number, {low} to {high}")
        return value

    return check


def _seconds(value: object) -> float:
    """30, 1.5, "30s", "500ms" or "2m", as seconds."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0}
    if isinstance(value, str):
        for unit, factor in units.items():
            number = value.removesuffix(unit)
            if number != value and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", number, re.ASCII) and float(number):
                return float(number) * factor
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
        return float(value)
    raise ValueError('seconds, as 30, "30s", "500ms" or "2m"')


def _schedule(value: object) -> str:
    """Five fields, or none: then no pass ever begins."""
    if not isinstance(value, str) or len(value.split()) not in (0, 5):
        raise ValueError('a schedule of five fields, as "0 */6 * * *", or "" for never')
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


_KEYS: dict[str, Callable[[object], Any]] = {
    "skip_delta_pass": _boolean,
    "drain_timeout": _seconds,
    "drain_on_timeout": _member(DrainOnTimeout),
    "cutover_writes": _member(WritesWhileSealed),
    "cleanup": _member(Cleanup),
    "rollback": _member(Rollback),
    "acknowledge": _member(Acknowledge),
    "anti_entropy.enabled": _boolean,
    "anti_entropy.auto_repair": _boolean,
    "anti_entropy.schedule_cron": _schedule,
    "anti_entropy.shards_per_pass": _number(0, 1 << 20),
    "anti_entropy.max_read_concurrency": _number(1, 1 << 20),
    "anti_entropy.fingerprint_batch_size": _number(1, 1 << 30),
    "anti_entropy.updated_at_field": _text,
    "topology.replication_factor": _number(1, 99),
    "topology.replica_groups": _number(1, 99),
    "topology.replica_ack": _member(ReplicaAck),
}
SCHEDULE = "anti_entropy.schedule_cron"
# Knobs that change how fast, or how often, and no verdict; but an empty schedule: a pass that never begins.
NO_MATTER = (
    "drain_timeout", SCHEDULE, "anti_entropy.shards_per_pass", "anti_entropy.max_read_concurrency",
    "anti_entropy.fingerprint_batch_size", "anti_entropy.updated_at_field",
)  # fmt: skip


def read_policy(file: Path, protocol: str = OURS) -> Given:
    """The policy of a file, which may say whose it is. Raises Wrong with one line: the file, the key, what was found,
    what was expected."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Wrong(f"{file}: is larger than {LARGEST >> 20} MB: that is no policy")
        data = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise Wrong(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise Wrong(f"{file}: is not UTF-8 (byte {error.start})") from None
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{file}: is not TOML: {error}") from None
    try:
        if (whose := data.pop("protocol", protocol)) != protocol:
            raise Wrong(f'protocol: found {_shown(whose)}, expected "{protocol}"')
        return given(data)
    except Wrong as error:
        raise Wrong(" ".join(f"{file}: {error}".split())) from None  # a key may hold anything: still one line


def given(data: Mapping[str, Any]) -> Given:
    """The policy of such a table. Raises Wrong with the key, what was found and what was expected."""
    found = {key: _checked(key, value) for key, value in _flat(data)}
    ae = {f.name: found[k] for f in fields(AntiEntropyConfig) if (k := f"anti_entropy.{f.name}") in found}
    migration = {f.name: found[f.name] for f in fields(MigrationConfig) if f.name in found}
    copies = found.get("topology.replication_factor", 2) * found.get("topology.replica_groups", 1)
    acks = found.get("topology.replica_ack", ReplicaAck.NONE)
    if copies == 1 and acks is not ReplicaAck.NONE:
        raise Wrong(
            f'topology.replica_ack: "{acks.value}" with one replica (replication_factor * replica_groups = 1): '
            'expected "none", or more replicas'
        )
    config = AntiEntropyConfig(**ae)
    policy = policy_from(config, MigrationConfig(**migration, replica_ack=acks, replicas=copies > 1))
    never = policy.anti_entropy is AntiEntropy.REPAIR and not config.schedule_cron.strip()
    if never:
        policy = replace(policy, anti_entropy=AntiEntropy.ALERT)
    by_hand = {k: getattr(policy, k) for k in found if k in migration and hasattr(policy, k)}
    if never or any(k.startswith("anti_entropy.") for k in found if k not in NO_MATTER):
        by_hand["anti_entropy"] = policy.anti_entropy
    if {"topology.replication_factor", "topology.replica_groups"} & found.keys():
        by_hand["replicas"] = policy.replicas
    if "topology.replica_ack" in found:
        by_hand["replica_ack"] = policy.replica_ack
    return Given(policy, by_hand, tuple(k for k in found if k in NO_MATTER and not (never and k == SCHEDULE)))


def _flat(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Keys with a dot for each table; a table where none is expected stays a value."""
    tables = {key.partition(".")[0] for key in _KEYS if "." in key}
    flat = []
    for key, value in data.items():
        if isinstance(value, dict) and key not in _KEYS and (value or key in tables):  # ours, or misspelt
            flat += [(f"{key}.{name}", inner) for name, inner in value.items()]
        elif key in tables:
            raise Wrong(f"{key}: found {_shown(value)}, expected a table [{key}]")
        else:
            flat.append((key, value))
    return flat


def _checked(key: str, value: Any) -> Any:
    known = ["protocol", *_KEYS]
    if key not in _KEYS:
        raise Wrong(f"{key}: is no key of a policy{near(key, known) or '; the keys are ' + ', '.join(known)}")
    try:
        return _KEYS[key](value)
    except ValueError as error:
        raise Wrong(f"{key}: found {_shown(value)}, expected {error}") from None


def _shown(value: Any) -> str:
    text = (
        f'"{value}"'
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return text if len(text) <= 60 else text[:57] + "..."


def combined(file: str, found: Given, flags: Mapping[str, Any]) -> Policy:
    """The policy of the file and of `--policy` (values by knob). Raises Wrong where they disagree."""
    for knob, value in flags.items():
        if knob in found.set and found.set[knob] != value:
            here, there = _plain(found.set[knob]), _plain(value)
            raise Wrong(
                f"{file}: {knob}: the file says {here}, --policy says {there}: expected one and the same"
            )
    values = {f.name: flags.get(f.name, getattr(found.policy, f.name)) for f in fields(Policy)}
    try:
        return Policy(**values)
    except ValueError as error:
        raise Wrong(f"{file}: topology.replica_ack: {error}") from None


def _plain(value: Any) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value).lower()
