"""Protocols that never change, for benchmarks: what `model/cutover` was at one commit, as plain data.

    frozen("hardened")                    # a Protocol that every engine takes, and that exports
    frozen_models()["hardened"].states    # what every engine must count

`tests/benchmarks/frozen/index.json` says which there are and of which commit, with the SHA-256 of each specification
and its counts; `tests/benchmarks/freeze.py` made the files beside it, and prints one as text. The data is that of
`model/language/data.py`: fields, terms, transitions, claims; no enumerations and no sentences.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutproof.model.language.data import from_data
from cutproof.model.language.protocol import Protocol

FOLDER = Path(__file__).resolve().with_name("frozen")


@dataclass(frozen=True)
class Frozen:
    """What is known of a frozen protocol. `counted` is by what: `search`, or `diagrams` where no search came so far:
    then only another way of counting speaks for the numbers, and `depth` is None. The numbers may be None: not yet."""

    scope: str
    digest: str
    states: int | None = None
    transitions: int | None = None
    depth: int | None = None
    counted: str = ""


def frozen_models(folder: Path = FOLDER) -> dict[str, Frozen]:
    """The frozen protocols by name, from the smallest to the largest."""
    index = json.loads((folder / "index.json").read_text("utf-8"))
    return {name: Frozen(**about) for name, about in index["models"].items()}


def frozen_data(name: str, folder: Path = FOLDER) -> Any:
    """The protocol of that name as `data.from_data` takes it. Raises ValueError where there is none such."""
    known = frozen_models(folder)
    if name not in known:
        raise ValueError(f"there is no frozen model {name!r}: there are {', '.join(known)}")
    return tuples(json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes())))


def frozen(name: str, folder: Path = FOLDER) -> Protocol:
    """The protocol of that name. Raises ValueError where there is none such, or another than the index says."""
    protocol = from_data(frozen_data(name, folder))
    if protocol.digest != frozen_models(folder)[name].digest:
        raise ValueError(f"{name} is not the specification that the index speaks of")
    return protocol


def tuples(value: Any) -> Any:
    """Lists as tuples, all the way down: JSON has no tuples."""
    if isinstance(value, list):
        return tuple(map(tuples, value))
    if isinstance(value, dict):
        return {key: tuples(inner) for key, inner in value.items()}
    return value
