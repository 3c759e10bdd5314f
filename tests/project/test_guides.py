"""The guides that are done step by step are done here: from an empty folder, each file as it is shown, each command as
it is typed, and what is printed is what stands there."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from places import DOCS, GUIDES, ROOT

from cutproof.checks.cli import main as cli

STEP = re.compile(r"(?:^<!-- (.*?) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^((?:cutproof|python) .*?)\s*(?:# exit code (\d+))?$")


USED = {
    "five-minutes.md": {"replay", "explore", "view"},
    "your-own-protocol.md": {"explore", "prove", "simulate", "export", "replay"},
    "drive.md": {"drive", "replay"},
    "histories.md": {"history"},
    "record.md": {"history"},
    "pipelines.md": {"new", "explore", "drive", "verify", "replay"},
    "logs.md": {"check-log", "replay"},
}


def part_of(body: str, file: Path) -> bool:
    """These lines stand in a file, one after the other, at whatever depth."""
    lines = file.read_text("utf-8").splitlines()
    wanted = body.splitlines()
    for first in range(len(lines) - len(wanted) + 1):
        depth = len(lines[first]) - len(lines[first].lstrip())
        if [line[depth:] for line in lines[first : first + len(wanted)]] == wanted:
            return True
    return False


class Reader:
    """Somebody who does what a guide says, in a folder; `faults` are where it was not as it said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said, self.commands, self.faults = folder, "", list[str](), list[str]()

    def follow(self, text: str) -> None:
        """Every block of a guide, in order."""
        for note, kind, body in STEP.findall(text):
            if kind == "sh":
                for line in body.splitlines():
                    self.type(line)
            elif kind in ("python", "json"):
                self.write(note, body)
            elif kind == "yaml" and note.startswith("part of "):
                self.faults += (
                    [] if part_of(body, ROOT / note.removeprefix("part of ")) else [f"{note}: it is not"]
                )
            elif note == "said":
                self.compare(body)
            else:
                self.faults.append(f"a block of {kind} that nobody does: {body.splitlines()[0]}")

    def write(self, note: str, body: str) -> None:
        """A file, or a change of one."""
        if made := re.fullmatch(r"file (\S+)", note):
            (self.folder / made[1]).write_text(body, "utf-8")
        elif changed := re.fullmatch(r'in (\S+): (before|for) "(.*)"', note):
            file, how, place = self.folder / changed[1], changed[2], changed[3]
            text = file.read_text("utf-8")
            if text.count(place) != 1:
                self.faults.append(f"{place!r} is there {text.count(place)} times")
            file.write_text(
                text.replace(place, body + place if how == "before" else body.rstrip("\n")), "utf-8"
            )
        else:
            self.faults.append(f"a block of python that belongs nowhere: {body.splitlines()[0]}")

    def type(self, line: str) -> None:
        """One command line; a command of ours in this process."""
        found = COMMAND.match(line)
        if not found:
            self.faults.append(f"no command: {line}")
            return
        program, *arguments = shlex.split(found[1])
        self.commands.append(found[1])
        if program == "python":
            command, environment = [sys.executable, *arguments], {**os.environ, "COLUMNS": "120"}
            ran = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
            )
            code, self.said = ran.returncode, ran.stdout
        else:
            out = io.StringIO()
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(out):
                code = cli.main(arguments)
            self.said = out.getvalue()
        if code != int(found[2] or 0):
            self.faults.append(f"{found[1]}: exit code {code}")

    def compare(self, excerpt: str) -> None:
        """What was printed last has these lines, in this order; `...` stands for any."""
        lines = iter(self.said.splitlines())
        for line in excerpt.splitlines():
            if line != "..." and line not in lines:
                self.faults.append(f"not printed: {line}")


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_can_be_followed(name: str, tmp_path: Path) -> None:
    text, reader = (DOCS / "guides" / name).read_text("utf-8"), Reader(tmp_path)
    reader.follow(text)
    assert reader.faults == []
    typed = {word for line in reader.commands for word in line.split()[1:4]}
    assert typed >= USED[name]


@pytest.mark.parametrize("name", GUIDES)
def test_links_of_a_guide_lead_somewhere(name: str) -> None:
    folder = DOCS / "guides"
    links = re.findall(
        r"\]\(([^)\s#]+)(?:#\S+)?\)", (folder / name).read_text("utf-8")
    )  # anchors: `test_docs`
    assert links and [link for link in links if not (folder / link).exists()] == []
    assert all((folder / link).resolve().is_relative_to(ROOT) for link in links)


BAD = {
    "no command: ls": "```sh\nls\n```",
    "cutproof explore nothing.py: exit code 2": "```sh\ncutproof explore nothing.py\n```",
    "a block of python that belongs nowhere: x = 1": "```python\nx = 1\n```",
    "'y' is there 0 times": '<!-- file a.py -->\n```python\nx = 1\n```\n<!-- in a.py: for "y" -->\n```python\nz\n```',
    "not printed: b": "<!-- file a.py -->\n```python\nprint('a')\n```\n```sh\npython a.py\n```\n"
    "<!-- said -->\n```text\na\nb\n```",
    "a block of text that nobody does: a": "```text\na\n```",
    "part of action.yml: it is not": "<!-- part of action.yml -->\n```yaml\nname: Another\n```",
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_not_as_a_guide_says_is_found(fault: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.follow(BAD[fault])
    assert reader.faults == [fault]
