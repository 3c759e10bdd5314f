"""A protocol as it is named on a command line: `FILE.py[:NAME]`, or the name of a bundled one; with its parameters.

    loaded = load("lease.py", "nodes=3,lease=2")
    loaded.protocol       # ready to explore
    loaded.settings       # what a trace of it carries: scope (the parameters), policy, safeguards_removed
    loaded.source         # plain data: another process loads the same protocol by it, or refuses

A file is run only because it stands on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cutproof.checks.common.refusals import refuse
from cutproof.checks.protocols.file import chosen, module_of, running
from cutproof.checks.protocols.parameters import arguments_for, call, parameters_of, parsed, plain
from cutproof.checks.protocols.registry import Bundled, bundled, without_guards
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol

_FILE = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[^:/]*))?", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """From what a protocol was made, as plain data that can be handed to another process."""

    text: str
    given: tuple[tuple[str, object], ...]
    guards: tuple[str, ...]
    digest: str

    def load(self) -> Loaded:
        """The same protocol, made anew; refused where it is another one now."""
        found = load(self.text, dict(self.given)).without_guards(self.guards)
        if found.protocol.digest != self.digest:
            refuse(
                f"{self.text}: is another protocol each time that it is made (the digests differ): "
                "let nothing in it hang on a clock, on chance, or on the order of a set"
            )
        return found


@dataclass(frozen=True)
class Loaded:
    """A protocol, how it was named, and what its traces carry: `settings` has scope, policy and safeguards_removed as
    `traces.trace.from_path` takes them. `file` is None for a bundled one, which has an
    `entry`."""

    protocol: Protocol
    text: str
    given: tuple[tuple[str, object], ...]
    settings: Mapping[str, Any]
    file: Path | None = None
    guards: tuple[str, ...] = ()
    entry: Bundled | None = None

    @property
    def source(self) -> Source:
        """What another process needs."""
        return Source(self.text, self.given, self.guards, self.protocol.digest)

    def without_guards(self, guards: Iterable[str]) -> Loaded:
        """Without some guards (`ACTION:GUARD`), which its traces list among what was removed. Refuses unknown ones."""
        more = tuple(dict.fromkeys(":".join(p.strip() for p in g.split(":", 1)) for g in guards))
        removed = tuple(sorted({*self.settings["safeguards_removed"], *more}))
        return replace(
            self, protocol=without_guards(self.protocol, more), guards=(*self.guards, *more),
            settings={**self.settings, "safeguards_removed": removed},
        )  # fmt: skip


def load(
    text: str,
    parameters: str | Mapping[str, object] = "",
    recorded: Mapping[str, object] = MappingProxyType({}),
) -> Loaded:
    """The protocol of that name. `parameters` are as `--with` has them (`nodes=3,lease=2`), or plain values by name, as
    a trace has them; defaults hold for the rest. `recorded` are those of a trace: taken where the function of a file
    has such a parameter and none was given. Raises Wrong, one line, where it cannot be had."""
    given = parsed(parameters) if isinstance(parameters, str) else dict(parameters)
    match = _FILE.fullmatch(text)
    if match:
        return _from_file(text, Path(match["path"]), match["name"], given, recorded)
    if "/" in text or (len(text) < 256 and Path(text).is_file()):
        refuse(f"{text}: a protocol is in a file that ends in .py, or is named: FILE.py[:NAME]")
    entry = bundled(text)
    protocol, settings = entry.build(given)
    about = {"policy": {}, "safeguards_removed": (), **settings}
    return Loaded(protocol, text, tuple(given.items()), about, entry=entry)


def _from_file(
    text: str, path: Path, name: str | None, given: Mapping[str, object], recorded: Mapping[str, object]
) -> Loaded:
    if name is not None and not name.isidentifier():
        refuse(f"{text}: write FILE.py, or FILE.py:NAME")
    name, found = chosen(module_of(path), path, name)
    values: dict[str, Any] = {}
    if isinstance(found, Protocol):
        if given:
            refuse(
                f"--with {next(iter(given))}=...: {name} in {path} is a Protocol: a function has parameters"
            )
    else:
        known = parameters_of(found)
        given = {**{n: value for n, value in recorded.items() if n in known}, **given}
        values = arguments_for(found, given, f"{name} in {path}")
        made = found
        with running(path):
            found = call(made, values)
        if not isinstance(found, Protocol):
            refuse(f"{path}: {name}() returned a {type(found).__name__}, not a Protocol")
    _is_resolved(found, path, name)
    scope = {n: plain(v) for n, v in values.items()}
    settings = {"scope": scope, "policy": {}, "safeguards_removed": ()}
    return Loaded(found, text, tuple(given.items()), settings, path)


def _is_resolved(protocol: Protocol, path: Path, name: str) -> None:
    roots = [g for t in protocol.transitions for _, g in t.guards]
    roots += [v for t in protocol.transitions for _, v in t.updates] + [
        v for c in protocol.claims for v in c.terms()
    ]
    if any(term.op == "param" for term in ex.ordered(roots)):
        refuse(f"{path}: {name} has mechanisms without a value; return protocol.resolve(...)")
