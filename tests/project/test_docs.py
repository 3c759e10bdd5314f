"""The documents: their links lead somewhere, their commands run, their figures and drawings are those of the code.

Each rule is a function from text to a list of faults, and is seen finding one.

The generated parts of docs/protocol.md are written anew by

    cutproof verify --json | python tests/project/test_docs.py
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from places import GUIDES, ROOT, TESTS

from cutproof.checks.cli import main as cli
from cutproof.checks.cli.by_hand import is_protocol
from cutproof.checks.cli.reports import replays
from cutproof.checks.cli.reports.tables import WIDEST
from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.cutover.scenarios.scenarios import SCENARIOS
from cutproof.checks.drivers.driving.program import REPLIES
from cutproof.checks.drivers.wire.envelope import type_of
from cutproof.checks.engines import verdict
from cutproof.checks.ladder.verify import FAULTS, scope_rows
from cutproof.model import language
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.properties import PROPERTIES
from cutproof.model.cutover.safeguards import HARDENED
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, Scope, parse_scope
from cutproof.model.cutover.slot import variables

README, OVERVIEW, PROTOCOL = ROOT / "README.md", ROOT / "docs" / "overview.md", ROOT / "docs" / "protocol.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINES = re.compile(r"<!-- lines of: (.*?) -->\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FROM = re.compile(r"<!-- from: (.*?) -->\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUICK = ("two_migrations", "zombie", "base")
BY_NIGHT = ("cutproof prove", "cutproof replay traces")  # read by day: they take a while


# ------------------------------------------------------------------ the rules


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative links that lead to no file, or to no heading of it."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text)):
        if link.startswith(("https:", "http:")):
            continue
        name, _, anchor = link.partition("#")
        file = folder / name
        exists = not name or file.exists()
        if not exists or (anchor and anchor not in anchors(file.read_text("utf-8") if name else text)):
            found.append(link)
    return found


def commands(text: str) -> Iterator[str]:
    """The command lines of a document: in blocks, indented, or as code in a sentence; not those with a placeholder."""
    shell = [body for kind, body in BLOCK.findall(text) if kind == "sh"]
    rest = BLOCK.sub("", text)
    lines = [line for body in shell for line in body.splitlines()]
    lines += [line.strip() for line in rest.splitlines() if line.startswith("    ")]
    lines += re.findall(r"`([^`\n]+)`", rest)
    for line in lines:
        plain = line.partition("#")[0].partition("|")[0].partition(">")[0].strip()
        placeholder = "..." in plain or re.search(r"\b[A-Z]{2,}\b", plain)
        if re.match(r"(\.venv/bin/)?(cutproof|make|python) ", plain) and not placeholder:
            yield plain


@cache
def wrong_command(line: str, run: bool = False) -> str:
    """Why a command line cannot be used, or nothing. What is quick is run, from the root, and what is of the night if
    `run`; what is about a file of the reader's is only read here (`test_guides` follows a guide whole)."""
    program, *arguments = shlex.split(line.removeprefix(".venv/bin/"))
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        missing = [a for a in arguments if "=" not in a and a not in targets]
        return f"no target {missing[0]}" if missing else ""
    if program == "python":
        if arguments[0] == "-m":
            return "" if importlib.util.find_spec(arguments[1]) else f"no module {arguments[1]}"
        return "" if (ROOT / arguments[0]).exists() else f"no file {arguments[0]}"
    if arguments[0].startswith("--install"):  # it would change the shell of whoever runs the tests
        known = [name for option in typer.main.get_command(cli.app).params for name in option.opts]
        return (
            ""
            if arguments == [name for name in arguments if name in known]
            else f"No such option: {arguments[0]}"
        )
    said = io.StringIO()
    long = arguments[0] == "verify" or arguments[:2] == ["prove", "gate"] or (line in BY_NIGHT and not run)
    readers = any(a.endswith(".py") and not (ROOT / a).exists() for a in arguments)  # a file of their own
    program = arguments[0] == "serve-reference" or "--" in arguments  # it reads stdin, or starts another
    program |= arguments[0] == "view" and any(
        map(is_protocol, arguments[1:])
    )  # it serves until it is interrupted
    if long or readers or program or "--graph" in arguments or "--trace" in arguments:
        try:
            group: Any = typer.main.get_command(cli.app)
            context = group.commands[arguments[0]].make_context(arguments[0], arguments[1:])
            for scope in [*(context.params.get("scope") or ())] if arguments[0] == "verify" else []:
                parse_scope(scope)
        except Exception as error:
            return str(error) or repr(error)
        return ""
    leaves_files = False
    if arguments[0] == "scenarios":
        arguments = [*arguments, "--form", "pure"] if len(arguments) > 1 else [*arguments, "4"]
    if arguments[0] == "loss":  # the shortest run that there is, where it may leave files
        arguments, leaves_files = [*arguments, "--writes", "1", "--workers", "1"], True
    leaves_files |= "--resume" in arguments
    if arguments[0] == "view":  # a page to stdout leaves nothing behind
        arguments = [*arguments, "-o", "-"]
    out = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(out),
        contextlib.chdir(folder if leaves_files else ROOT),
    ):
        code = cli.main(arguments)
    if code in (cli.USAGE, cli.OURS):
        return said.getvalue()
    for_programs = arguments[0] in ("export", "diagram", "view") or "--json" in arguments
    return "" if for_programs else too_wide(out.getvalue())


def too_wide(text: str) -> str:
    """The first line that is wider than what is shown where there is no terminal, or nothing."""
    wide = [line for line in text.splitlines() if len(line) > WIDEST]
    return f"{len(wide[0])} columns: {wide[0]}" if wide else ""


def not_said(excerpt: str, output: str) -> list[str]:
    """The lines of an excerpt that the output does not have in that order; `...` stands for what was left out."""
    missing, lines = [], iter(output.splitlines())
    for line in excerpt.splitlines():
        if line != "..." and line not in lines:
            missing.append(line)
    return missing


def wrong_counts(excerpt: str, states: Mapping[str, int]) -> list[str]:
    """The scopes of an excerpt of `cutproof verify` whose number of states is another."""
    rows = re.findall(r"^ok  scope +(\w+) +([\d,]+)", excerpt, re.MULTILINE)
    assert rows
    return [name for name, count in rows if int(count.replace(",", "")) != states.get(name)]


def unknown_names(text: str, known: Iterable[str]) -> list[str]:
    """Names in code with an underscore that mean nothing here."""
    found = re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text)
    return sorted(set(found) - set(known))


def missing_files(text: str) -> list[str]:
    """Files and folders of the project, named in code, that are not there."""
    named = re.findall(r"`((?:model|checks|tests|docs|traces)/[\w./-]*)`", text)
    return sorted({n for n in named if not (ROOT / n).exists()})


def part(text: str, name: str) -> str:
    return text.partition(f"<!-- begin {name} -->\n")[2].partition(f"\n<!-- end {name} -->")[0]


# ------------------------------------------------------------------ generated parts


def scopes_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """The scopes as `cutproof verify --json` found them."""
    lines = ["| scope | bounds | kinds of fault that happened | states | transitions | depth |"]
    lines.append("|---|---|---|---:|---:|---:|")
    for row in rows:
        bounds = row["scope"].replace(",", ", ")
        counts = f"{row['states']:,} | {row['transitions']:,} | {row['depth']}"
        lines.append(f"| `{row['name']}` | {bounds} | {', '.join(row['faults']) or 'none'} | {counts} |")
    return "\n".join(lines)


@cache
def diagram() -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert cli.main(["diagram"]) == 0
    return f"```mermaid\n{out.getvalue()}```"


def main() -> None:
    rows = [json.loads(line) for line in sys.stdin]
    rows = [row for row in rows if row["check"] == "scope"]
    if [row["name"] for row in rows if row["verdict"] == "holds"] != list(SCOPES):
        sys.exit(
            "every scope must be there, and hold: cutproof verify --json | python tests/project/test_docs.py"
        )
    text = replaced(PROTOCOL.read_text("utf-8"), "scopes", scopes_table(rows))
    PROTOCOL.write_text(replaced(text, "diagram", diagram()), "utf-8")


# ------------------------------------------------------------------ the documents


def load(name: str) -> Any:
    """Another module of the tests."""
    spec = importlib.util.spec_from_file_location(f"_docs_{name}", TESTS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@every_document
def test_links_lead_somewhere(path: Path) -> None:
    assert broken_links(path.read_text("utf-8"), path.parent) == []


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if p.name not in GUIDES], ids=Path.as_posix)
def test_commands_can_be_used(path: Path) -> None:
    lines = dict.fromkeys(commands(path.read_text("utf-8")))
    assert {line: why for line in lines if (why := wrong_command(line))} == {}


@pytest.mark.nightly
@pytest.mark.parametrize("line", BY_NIGHT)
def test_commands_of_the_night_can_be_used(line: str) -> None:
    assert any(line in commands(path.read_text("utf-8")) for path in DOCUMENTS)
    assert wrong_command(line, run=True) == ""


@every_document
def test_files_that_are_named_are_there(path: Path) -> None:
    assert missing_files(path.read_text("utf-8")) == []


def names_of_the_wire() -> set[str]:
    """The types of messages, and their fields."""
    schema = json.loads((ROOT / "docs" / "reference" / "wire.schema.json").read_text("utf-8"))["$defs"]
    return {*schema} | {field for body in schema.values() for field in body["properties"]}


def known_names() -> set[str]:
    protocol, names = cutover(Scope()), {*HARDENED, *SCOPES, *SMALL_SCOPES, *language.__all__}
    names |= {type_of(message) for pair in REPLIES.items() for message in pair}
    names |= {s.name for s in SCENARIOS} | names_of_the_wire()
    names |= {p.name for p in PROPERTIES} | {a.name for a in protocol.actions} | set(variables(Scope()))
    for record in (Policy, Scope):
        names |= {f.name for f in fields(record)}
    for f in fields(Policy):
        if isinstance(f.default, Enum):
            names |= {str(member.value) for member in type(f.default)}
    return names


@pytest.mark.parametrize(
    "path",
    [p for p in DOCUMENTS if p.name != "mutation.md" and "decisions" not in p.parts],
    ids=lambda p: p.name,
)
def test_names_mean_something(path: Path) -> None:  # but for the page that quotes lines of code
    assert unknown_names(path.read_text("utf-8"), known_names()) == []


def test_the_page_of_the_protocol_names_everything() -> None:
    text = PROTOCOL.read_text("utf-8")
    shown = [p.name for p in PROPERTIES if not p.name.startswith("reaches_")]
    shown += [f.name for f in fields(Policy)]
    for f in fields(Policy):
        shown += [str(m.value) for m in type(f.default)] if isinstance(f.default, Enum) else []
    assert [name for name in shown if f"`{name}`" not in text] == []
    faults = re.findall(
        r"^\| ([a-z ]+?) \| ", text.partition("## Faults")[2].partition("##")[0], re.MULTILINE
    )
    assert sorted(faults) == sorted(["kind", *FAULTS])


def test_the_exit_codes_are_those_of_the_command() -> None:
    codes = re.findall(r"^\| (\d+) \| ", OVERVIEW.read_text("utf-8"), re.MULTILINE)
    known = {verdict.HOLDS, verdict.UNKNOWN, verdict.SAFETY, verdict.LIVENESS}
    replayed = {replays.NOT_REPRODUCED, replays.NOT_PERFORMED}
    assert set(map(int, codes)) == known | {cli.USAGE, cli.OURS} | replayed


def test_excerpts_are_real() -> None:
    found = FROM.findall((OVERVIEW).read_text("utf-8"))
    assert len(found) == 3
    for command, excerpt in found:
        _, *arguments = shlex.split(command)
        if arguments == ["verify"]:
            assert wrong_counts(excerpt, load("model/cutover/test_cutover").STATES) == []
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.chdir(ROOT):
            assert cli.main(arguments) == 0
        assert not_said(excerpt, out.getvalue()) == []


def test_the_example_of_a_trace_is_real() -> None:
    [(file, excerpt)] = LINES.findall((ROOT / "docs" / "traces.md").read_text("utf-8"))
    assert not_said(excerpt, (ROOT / file).read_text("utf-8")) == []


def test_the_protocol_of_the_overview_runs() -> None:
    blocks = BLOCK.findall(OVERVIEW.read_text("utf-8"))
    place = [kind for kind, _ in blocks].index("python")
    ran = subprocess.run([sys.executable, "-c", blocks[place][1]], capture_output=True, text=True, check=True)
    assert ran.stdout == blocks[place + 1][1]


def test_the_diagram_is_what_the_command_draws() -> None:
    assert part(PROTOCOL.read_text("utf-8"), "diagram") == diagram()


def test_the_scopes_are_those_that_the_tests_pin() -> None:
    shown = part(PROTOCOL.read_text("utf-8"), "scopes").splitlines()[2:]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in shown]
    states = {name.strip("`"): int(count.replace(",", "")) for name, _, _, count, *_ in cells}
    assert states == load("model/cutover/test_cutover").STATES
    assert list(states) == list(SCOPES)
    assert [bounds.replace(", ", ",") for _, bounds, *_ in cells] == [s.describe() for s in SCOPES.values()]


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.nightly) for n in SCOPES]
)
def test_a_line_of_the_scopes_is_what_the_command_finds(name: str) -> None:
    [row] = scope_rows(None, name)
    facts = {"name": name, "scope": row.scope, "states": row.states, "transitions": row.transitions}
    made = scopes_table([{**facts, "depth": row.depth, **row.facts}]).splitlines()[2]
    assert made in part(PROTOCOL.read_text("utf-8"), "scopes").splitlines()


# ------------------------------------------------------------------ each rule finds a fault


BAD: list[tuple[Callable[..., Any], tuple[Any, ...], Any]] = [
    (broken_links, ("[a](nowhere.md) [b](README.md) [c](https://example.org)", ROOT), ["nowhere.md"]),
    (broken_links, ("# Here it is\n[a](#here-it-is) [b](#there) [c](README.md#no)", ROOT), ["#there", "README.md#no"]),
    (wrong_command, ("cutproof prune",), "cutproof: No such command 'prune'. Did you mean 'prove'?\n"),
    (wrong_command, ("cutproof replay traces/nothing.itf.json",),
     "cutproof: traces/nothing.itf.json: No such file or directory\n"),
    (wrong_command, ("cutproof verify --deep",), "No such option: --deep"),
    (wrong_command, ("cutproof --install-nothing",), "No such option: --install-nothing"),
    (wrong_command, ("cutproof verify --scope writes=10",), "writes=10 is out of range: writes is 1..9"),
    (wrong_command, ("cutproof loss --writes 3e6 --failures 2",), "cutproof: failures=2.0: a rate is from 0 to 1"),
    (wrong_command, ("cutproof scenarios high_volum",), "did you mean high_volume, "),
    (wrong_command, ("make proofs",), "no target proofs"),
    (wrong_command, ("python -m cutproof.checks.nothing",), "no module cutproof.checks.nothing"),
    (wrong_command, ("python tests/nothing.py",), "no file tests/nothing.py"),
    (too_wide, (f"{'a' * 120}\n{'b' * 121}",), f"121 columns: {'b' * 121}"),
    (not_said, ("a\n...\nc", "a\nb\nc\n"), []),
    (not_said, ("a\n...\nd", "a\nb\nc\n"), ["d"]),
    (not_said, ("c\na", "a\nb\nc\n"), ["a"]),
    (wrong_counts, ("ok  scope  base  1,001 \nok  scope  new  7", {"base": 1_000, "new": 7}), ["base"]),
    (unknown_names, ("`fence_epoch` `no_such_thing` `plain`", ["fence_epoch"]), ["no_such_thing"]),
    (missing_files, ("`model/cutover/coordinator.py` `model/vector.py`",), ["model/vector.py"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "given", "found"), BAD)
def test_each_rule_finds_a_fault(rule: Callable[..., Any], given: tuple[Any, ...], found: Any) -> None:
    said = rule(*given)
    assert found in said if isinstance(said, str) else said == found


def test_commands_are_found_wherever_they_stand() -> None:
    text = "Run `cutproof diagram` or\n\n    make test  # all\n\n```sh\ncutproof explore > out\n```\n`cutproof NAME`\n"
    assert set(commands(text)) == {"cutproof diagram", "make test", "cutproof explore"}
    assert list(commands("```text\ncutproof prove\n```\n`cutproof explore --policy name=value,...`")) == []


def test_a_drawing_that_is_out_of_date_is_seen() -> None:
    text = PROTOCOL.read_text("utf-8")
    assert part(text.replace("IDLE --> DUAL : begin", "IDLE --> COPY : begin"), "diagram") != diagram()


if __name__ == "__main__":
    main()
