"""`cutproof doctor`: what is there, what is not, and whatever a program says of its version."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from places import ROOT

from cutproof.checks.cli import main as cli
from cutproof.checks.cli.orientation import doctor
from cutproof.checks.cli.orientation.doctor import PARTS, Part, version_of


def test_each_part_is_told_once_as_text_and_for_machines(
    capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    versions = {
        part.name: "1.2" if n % 3 == 0 else "" if n % 3 == 1 else None for n, part in enumerate(PARTS)
    }
    monkeypatch.setattr(doctor, "version_of", lambda part: versions[part.name])
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    there, _, missing = out.partition("not there, and not needed:")
    for part in PARTS:
        where = missing if versions[part.name] is None else there
        assert len(re.findall(rf"^  {re.escape(part.name)}( 1\.2)?: ", where, re.MULTILINE)) == 1
        assert (part.get in " ".join(missing.split())) >= (versions[part.name] is None)
    assert cli.main(["doctor", "--json"]) == 0
    about, *rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert about["stored traces"] > 50
    assert [(row["part"], row["version"]) for row in rows] == list(versions.items())


def test_what_is_here_is_found() -> None:
    assert re.match(r"\d+\.\d+", version_of(Part("z3", "", "", "z3-solver")) or "")
    assert version_of(Part("none", "", "", "no-such-distribution")) is None
    assert version_of(Part("none", "", "", programs=("no-such-program",))) is None
    assert re.match(
        r"\d+\.\d+", version_of(Part("python", "", "", programs=("no-such-program", "python3"))) or ""
    )


@pytest.mark.parametrize("says, found", [
    ("echo tool v1.22.333b; exit 3", "1.22.333b"), ("echo 2.5 >&2", "2.5"), ("echo none", ""),
    ("printf '\\377 7.1'", "7.1"),
    ("exec sleep 60", ""),
])  # fmt: skip
def test_whatever_a_program_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, found: str
) -> None:
    (tmp_path / "tool").write_text(f"#!/bin/sh\n{says}\n")
    (tmp_path / "tool").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(doctor, "PATIENCE", 0.5)
    assert version_of(Part("tool", "", "", programs=("tool",))) == found


def test_the_extras_that_it_names_are_there() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for part in PARTS:
        if named := re.search(r"'\.\[(\w+)\]'", part.get):
            wanted = [re.split(r"[\[<>=;]", need)[0].strip() for need in extras[named[1]]]
            assert part.package in wanted
