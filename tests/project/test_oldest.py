"""The lowest versions that are tested are the lowest that are allowed."""

from __future__ import annotations

import re
import tomllib

from places import ROOT


def test_the_oldest_environment_has_the_lowest_versions_that_are_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"]]
    for extra in ("fast", "cvc5", "dask", "html"):  # what `make oldest` installs
        needed += project["optional-dependencies"][extra]
    allowed = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", line).groups() for line in needed)  # type: ignore[union-attr]
    lines = (ROOT / "constraints" / "oldest.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {name: _number(v) for name, v in pinned.items()} == {
        name: _number(v) for name, v in allowed.items()
    }


def _number(version: str) -> str:
    return re.sub(r"(\.0)+$", "", version)
