"""The protocols that come with the package, by the name that commands take: `cutproof explore two-phase-commit`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.common.refusals import Wrong, checked, near, refuse
from cutproof.checks.protocols import cutover
from cutproof.checks.protocols.parameters import arguments_for, call, plain
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language.protocol import Protocol

Settings = Mapping[str, Any]  # what the meta of a trace holds of them: scope, policy, safeguards_removed
_COUNT = range(1, 10)  # what a bound of an example may be
_MANY = range(1, 65)  # ... where decision diagrams may have all states of so many


def _as_scope(**values: Any) -> Settings:
    return {"scope": {name: plain(value) for name, value in values.items()}}


def _from_scope(carried: Settings) -> Mapping[str, object]:
    scope: Mapping[str, object] = carried["scope"]
    return scope


@dataclass(frozen=True)
class Bundled:
    """`make` gives the protocol for parameters; `settings` what a trace carries of them, and `recorded` the parameters
    of what a trace carries. `states` is the number at the defaults, which tests pin; `bounds` limits parameters;
    `intact` says in a trace that nothing was removed."""

    name: str
    sentence: str
    states: int
    make: Callable[..., Protocol]
    bounds: Mapping[str, range] = field(default_factory=dict)
    settings: Callable[..., Settings] = _as_scope
    recorded: Callable[[Settings], Mapping[str, object]] = _from_scope
    intact: str = ""

    @property
    def protocol(self) -> str:
        """The name of the protocol itself, as its traces have it."""
        return self.name.replace("-", "_")

    def build(self, given: Mapping[str, object]) -> tuple[Protocol, Settings]:
        """The protocol with these parameters (the defaults for the rest), and its settings. Refuses what is none."""
        values = arguments_for(self.make, given, self.name)
        for name, bound in self.bounds.items():
            if values[name] not in bound:
                refuse(f"{name}={values[name]}: is not {bound.start}..{bound.stop - 1}")
        return checked(call, self.make, values), self.settings(**values)


# ------------------------------------------------------------------ all of them

BUNDLED = (
    Bundled(
        "cutover",
        "How a shard moves from its old node to a new one while clients write: the protocol of this project.",
        12_239, cutover.make, settings=cutover.settings, recorded=cutover.recorded,
        intact="with every safeguard in place",
    ),
    Bundled(
        "small-cutover", "The same in small: pages, double writes and a delta, without safeguards to choose from.",
        130_906, small_cutover, {"documents": _COUNT, "versions": _COUNT},
    ),
    Bundled(
        "two-phase-commit", "Atomic commit by a transaction manager, after Gray and Lamport.",
        288, two_phase_commit, {"managers": _MANY},
    ),
    Bundled(
        "barrier", "A barrier that can be used again and again, of two turnstiles and a lock.",
        29_279, barrier, {"processes": _COUNT},
    ),
    Bundled(
        "dijkstra-mutex", "Mutual exclusion by reading and writing alone, after Dijkstra (1965).",
        90_883, dijkstra_mutex, {"processes": _COUNT},
    ),
)  # fmt: skip


def bundled(name: str) -> Bundled:
    """The protocol of that name; refused where there is none, with what there is."""
    known = {b.name: b for b in BUNDLED}
    found = known.get(name.strip().lower().replace("_", "-"))
    if found is None:
        what = near(name, known) or f"; there are {', '.join(known)}, or FILE.py[:NAME]"
        refuse(f"unknown protocol {name!r}{what}")
    return found


def entry_of(protocol: str) -> Bundled | None:
    """The bundled protocol whose traces have this name."""
    return next((b for b in BUNDLED if b.protocol == protocol), None)


def of_trace(protocol: str, settings: Settings, file: str) -> Protocol:
    """The bundled protocol that a trace was made on, by the settings that it carries. Refused where the trace says what
    cannot be; a protocol that is not bundled has to be given by its file."""
    entry = entry_of(protocol)
    if entry is None:
        known = ", ".join(b.protocol for b in BUNDLED)
        refuse(
            f"{file}: $.#meta.protocol: unknown protocol {protocol!r}; there are {known}; "
            "for any other give its file: --model FILE.py"
        )
    removed, guards = split_removed(settings["safeguards_removed"])
    try:
        given = entry.recorded({**settings, "safeguards_removed": removed})
        return without_guards(entry.build(given)[0], guards)
    except (ValueError, Wrong) as error:
        refuse(f"{file}: $.#meta: {error}")


# ------------------------------------------------------------------ guards that are left out


def split_removed(removed: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a trace lists as removed: safeguards, and guards (`ACTION:GUARD`)."""
    every = tuple(removed)
    return tuple(r for r in every if ":" not in r), tuple(r for r in every if ":" in r)


def without_guards(protocol: Protocol, guards: Iterable[str]) -> Protocol:
    """The protocol without some guards, each given as `ACTION:GUARD`; refuses what it has not, with what it has."""
    for given in guards:
        action, colon, guard = (p.strip() for p in given.partition(":"))
        if not colon:
            refuse(f"--without-guard {given}: write ACTION:GUARD")
        actions = dict.fromkeys(a.name for a in protocol.actions)
        if action not in actions:
            there = f"; there are {', '.join(actions)}"
            refuse(f"--without-guard {given}: no action {action!r}{near(action, actions) or there}")
        known = dict.fromkeys(n for t in protocol.transitions if t.action == action for n, _ in t.guards)
        if guard not in known:
            there = f"; there {'are ' + ', '.join(map(repr, known)) if known else 'is none'}"
            refuse(f"--without-guard {given}: {action} has no guard {guard!r}{near(guard, known) or there}")
        protocol = protocol.without_guard(action, guard)
    return protocol
