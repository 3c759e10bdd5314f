"""Freeze protocols for benchmarks: what the sources of one commit make of the scopes in `frozen/index.json`.

    python tests/benchmarks/freeze.py                    # make frozen/*.json.gz anew, from the commit in the index
    python tests/benchmarks/freeze.py --check            # are they what that commit makes? Exit code 1 if not
    python tests/benchmarks/freeze.py --show hardened    # one of them as text, line by line
    python tests/benchmarks/freeze.py --count 60         # search what has no counts, 60 seconds each at most

To freeze others: write their names and scopes into an `index.json` of your own, then `--into FOLDER`. The commit may
have any layout that this project had; its own sources make the protocols, and only data comes back.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

# ------------------------------------------------------------------ in the Python of that commit


def protocol_of(scope: str) -> Any:
    """The hardened protocol within a scope, or `small_cutover(2,3)`, by the sources that are imported here."""
    if scope.startswith("small_cutover("):
        from cutproof.model.examples.small_cutover import small_cutover

        return small_cutover(*map(int, scope.partition("(")[2].rstrip(")").split(",")))
    try:
        from cutproof.model.cutover.coordinator import cutover
        from cutproof.model.cutover.mechanisms import Mechanisms
        from cutproof.model.cutover.scopes import parse_scope
    except ImportError:  # before there were folders
        from cutproof.model.cutover import cutover  # type: ignore[no-redef,attr-defined]
        from cutproof.model.mechanisms import Mechanisms  # type: ignore[no-redef,import-not-found]
        from cutproof.model.scopes import parse_scope  # type: ignore[no-redef,import-not-found]
    return cutover(parse_scope(scope)).resolve(Mechanisms())


def data_of(protocol: Any) -> Any:
    """The protocol as data, also at a commit that had no `model/language/data.py`, no fairness and no *leads to*."""
    try:
        from cutproof.model.language.data import to_data
    except ImportError:
        return _older_data_of(protocol)
    return to_data(protocol)


def _older_data_of(protocol: Any) -> Any:
    from cutproof.model import expressions as ex  # type: ignore[attr-defined]
    from cutproof.model.protocol import label  # type: ignore[attr-defined]

    roots = [g for t in protocol.transitions for _, g in t.guards]
    roots += [v for t in protocol.transitions for _, v in t.updates]
    number = {term: i for i, term in enumerate(_ordered([*roots, *(c.holds for c in protocol.claims)]))}
    assert {t.op for t in number} <= {"const", "var", *ex.OPERATIONS}
    return {
        "name": protocol.name,
        "cells": [
            (c.name, c.variable, c.domain.low, c.domain.high, c.domain.kind is bool) for c in protocol.cells
        ],
        "fields": [f.name for f in protocol.fields],
        "start": dict(protocol.start),
        "initials": [protocol.initial],
        "terms": [(t.op, [number[a] for a in t.args], t.leaf, t.boolean, t.low, t.high) for t in number],
        "actions": [(a.name, a.fault, a.choice, True) for a in protocol.actions],
        "transitions": [
            (
                t.action, t.fault, t.choice,
                [(k, label(v)) for k, v in t.arguments],
                [(name, number[g]) for name, g in t.guards],
                [(f.name, number[v]) for f, v in t.updates],
                False,
            )
            for t in protocol.transitions
        ],
        "claims": [(c.property, c.form, c.harm, number[c.holds], [], True) for c in protocol.claims],
    }  # fmt: skip


def _ordered(roots: list[Any]) -> list[Any]:
    """Every term below the roots, each once, operands before what uses them; terms were not as deep then."""
    seen = dict[Any, None]()

    def visit(term: Any) -> None:
        if term not in seen:
            for operand in term.args:
                visit(operand)
            seen[term] = None

    for root in roots:
        visit(root)
    return list(seen)


# ------------------------------------------------------------------ here


def made(commit: str, scopes: dict[str, str]) -> dict[str, bytes]:
    """The files of these scopes, by name, as the sources of that commit make them: same bytes each time."""
    from commits import package_at

    with package_at(commit) as path:
        told = subprocess.run(
            [sys.executable, __file__, "--dump", json.dumps(scopes)],
            env={**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if told.returncode:
        raise ValueError(f"at {commit}: {(told.stderr.strip().splitlines() or ['failed'])[-1]}")
    texts = dict(zip(scopes, told.stdout.splitlines(), strict=True))
    return {name: gzip.compress(text.encode(), 9, mtime=0) for name, text in texts.items()}


def freeze(folder: Path, check: bool) -> bool:
    """Write what the index names, and the digest of each into the index; or say whether all is so already."""
    from frozen_protocols import tuples

    from cutproof.model.language.data import from_data

    index = json.loads((folder / "index.json").read_text("utf-8"))
    files = made(index["commit"], {name: about["scope"] for name, about in index["models"].items()})
    if check:
        wrong = [name for name, file in files.items() if _unlike(folder / f"{name}.json.gz", file)]
        for name in wrong:
            print(f"{name} is not what {index['commit']} makes", file=sys.stderr)
        return not wrong
    for name, file in files.items():
        (folder / f"{name}.json.gz").write_bytes(file)
        index["models"][name]["digest"] = from_data(tuples(json.loads(gzip.decompress(file)))).digest
    _write(folder, index)
    return True


def _unlike(path: Path, file: bytes) -> bool:
    """Whether a file holds something else; how it was compressed may differ from one zlib to another."""
    return not path.exists() or gzip.decompress(path.read_bytes()) != gzip.decompress(file)


def count(folder: Path, seconds: float) -> None:
    """Put counts into the index where it has none, by the fast engine, whatever is done within the seconds."""
    from frozen_protocols import frozen, frozen_models

    from cutproof.checks.engines.exploration import Limits
    from cutproof.checks.engines.fast.explore import explore

    index = json.loads((folder / "index.json").read_text("utf-8"))
    for name, about in frozen_models(folder).items():
        if about.states is None:
            found = explore(frozen(name, folder), properties=(), limits=Limits(seconds=seconds))
            if not found.reason:
                counts = {
                    "states": len(found.states),
                    "transitions": found.transitions,
                    "depth": found.depth,
                }
                index["models"][name] = {**asdict(about), **counts, "counted": "search"}
                _write(folder, index)


def _write(folder: Path, index: Any) -> None:
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Freeze protocols for benchmarks.")
    parser.add_argument("--into", type=Path, help="the folder with the index (default: frozen, beside this)")
    parser.add_argument(
        "--check", action="store_true", help="compare with what the commit makes, write nothing"
    )
    parser.add_argument("--show", metavar="NAME", help="print one as text")
    parser.add_argument("--count", type=float, metavar="SECONDS", help="count what has no counts yet")
    parser.add_argument("--dump", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dump:
        for scope in json.loads(options.dump).values():
            print(json.dumps(data_of(protocol_of(scope)), separators=(",", ":")))
        return 0
    from frozen_protocols import FOLDER, frozen

    folder = options.into or FOLDER
    try:
        if options.show:
            print(frozen(options.show, folder).text(), end="")
        elif options.count:
            count(folder, options.count)
        else:
            return 0 if freeze(folder, options.check) else 1
    except (ValueError, OSError) as error:
        print(f"freeze: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
