"""Every command on a protocol of somebody's own, or one that is bundled: what it says, writes and refuses."""

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mistakes import MISTAKES, RIGHT
from places import DOCS, ROOT

from cutproof.checks.cli import main as cli
from cutproof.checks.protocols.registry import BUNDLED
from cutproof.checks.traces.trace import read
from cutproof.model.cutover.scopes import SCOPES

Ran = tuple[int, str, str]
COUNTER = """\
from enum import Enum
from typing import Literal
from cutproof.model.language import *
from cutproof.model.protocol import Protocol

Lamp = Enum("Lamp", "OFF ON")

@action
def rise(s):
    "It rises."
    return when(guard("room", s.x < 6)).then(x=s.x + 2)

@action
def light(s):
    return when(guard("at the top", s.x == 6)).then(lamp=Lamp.ON)

@always
def never_five(s):
    return s.x != 5

@always
def lit_at_the_top(s):
    return (s.lamp == Lamp.OFF) | (s.x == 6)

@can_always
def top(s):
    return s.x == 6

@always
def is_even(s):
    return (s.x == 0) | (s.x == 2) | (s.x == 4) | (s.x == 6)

def counter(limit: int = 8, proved: bool = True, kind: Literal["a", "b"] = "a", lamp: Lamp = Lamp.OFF) -> Protocol:
    more = {"invariants": [is_even], "measure": lambda s: constant(8) - s.x} if proved else {}
    return Protocol("counter", {"x": count(0, limit), "lamp": enumeration(Lamp)}, [rise, light],
                    [never_five, lit_at_the_top, top], initial={"lamp": lamp}, **more)
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch) -> Callable[..., Ran]:
    """Run a command in this process, in an empty folder with `counter.py`: exit code, stdout, stderr."""
    (tmp_path / "counter.py").write_text(COUNTER)
    monkeypatch.chdir(tmp_path)

    def running(line: str) -> Ran:
        capsys.readouterr()
        code = cli.main(shlex.split(line))
        return code, *capsys.readouterr()

    return running


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# ------------------------------------------------------------------ explore


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("named", ["counter.py", "counter.py:counter", "./counter.py"])
def test_a_file_is_explored(run, named: str, engine: str) -> None:
    code, out, err = run(f"explore {named} --engine {engine}")
    progress = [
        line for line in err.splitlines() if line.startswith("explore: ")
    ]  # where the machine is slow
    assert code == 0 and err.splitlines() == progress
    assert "holds     always never_five: 5 states, 5 transitions, depth 4" in out


def test_its_parameters_are_given_and_told(run) -> None:
    code, out, _ = run("explore counter.py --with limit=6,lamp=ON --with kind=b --json --trace t")
    *verdicts, coverage = lines_of(out)
    assert code == 12 and coverage["scope"] == {"limit": 6, "proved": True, "kind": "b", "lamp": "ON"}
    [file] = [v["trace"] for v in verdicts if v["verdict"] == "violated"]
    assert file == "t/lit_at_the_top-counter-limit-6-lamp-ON-kind-b.itf.json"
    assert read(file).meta.scope == coverage["scope"] and read(file).steps == ()


def test_a_guard_is_dropped_and_its_trace_says_so(run) -> None:
    code, out, _ = run(
        'explore counter.py --without-guard "light: at the top" --property lit_at_the_top --trace t'
    )
    assert code == 12 and "Without light:at the top, this violates lit_at_the_top." in out
    assert [line for line in out.splitlines() if "never_five" in line] == []
    [file] = Path("t").iterdir()
    assert file.name == "lit_at_the_top-counter-without-light-at-the-top.itf.json"
    assert read(file).meta.safeguards_removed == ("light:at the top",)


def test_only_what_is_asked_for_is_judged(run) -> None:
    _, out, _ = run("explore counter.py --property never_five --property never_five --json")
    assert [v["property"] for v in lines_of(out) if "property" in v] == ["never_five"]
    code, out, _ = run("explore --scope two_migrations --property no_lost_write --json")
    assert code == 0 and {v["property"] for v in lines_of(out) if "property" in v} == {"no_lost_write"}


def test_our_cutover_is_one_of_those_that_are_bundled(run) -> None:
    for form in ("explore cutover --scope two_migrations", "explore --with scope=two_migrations"):
        code, out, _ = run(f"{form} --without fence_epoch --json --property no_lost_write")
        assert code == 12
        assert lines_of(out)[0]["scope"] == SCOPES["two_migrations"].bounds()
        assert lines_of(out)[0]["removed"] == ["fence_epoch"]
    code, out, _ = run('explore --scope writes=1 --without-guard "read_page:not landed yet" --json')
    assert code == 13 and lines_of(out)[0]["removed"] == ["read_page:not landed yet"]


@pytest.mark.parametrize("entry", BUNDLED[1:], ids=lambda entry: entry.name)
def test_a_bundled_protocol_is_named_without_a_path(run, entry) -> None:
    small = ",".join(f"{name}={2 if entry.name != 'small-cutover' else 1}" for name in entry.bounds)
    code, out, _ = run(f"explore {entry.name} --with {small} --json")
    assert code in (0, 13) and lines_of(out)[0]["checked"] == entry.protocol
    assert lines_of(out)[0]["verdict"] == "holds"


def test_what_is_bundled_is_listed(run) -> None:
    code, out, _ = run("protocols")
    assert code == 0 and all(f"{entry.states:,} states" in out and entry.sentence in out for entry in BUNDLED)
    assert [f["name"] for f in lines_of(run("protocols --json")[1])] == [entry.name for entry in BUNDLED]


# ------------------------------------------------------------------ prove


def test_a_file_is_proved(run) -> None:
    code, out, err = run("prove counter.py")
    assert (code, err) == (0, "")
    assert out.startswith("proved   counter: 1 invariant, 2 actions, 2 always, 1 can always, ")
    assert "proved    always never_five: in runs of any length, by induction with 1 invariant" in out


def test_without_invariants_it_is_said_what_was_seen_and_what_was_not(run) -> None:
    code, out, _ = run("prove counter.py --with proved=false --steps 6")
    assert code == 3
    assert "  rise() breaks: never_five" in out and re.search(r"^ +x +3 +5$", out, re.MULTILINE)
    assert (
        "unknown   always never_five: induction does not show it; no counterexample within 6 steps "
        "(bounded search, not a proof)" in out
    )
    assert "unknown   can_always top: not proved: no measure" in out
    assert "conditional" in out and "proved    always never_five" not in out


def test_what_is_violated_is_told_written_and_replayed(run) -> None:
    code, out, _ = run('prove counter.py --without-guard "light:at the top" --trace t')
    assert (
        code == 12 and "violated  always lit_at_the_top after 1 step; t/lit_at_the_top-counter-without" in out
    )
    assert "  1. light()" in out.splitlines()
    *_, facts = (
        f
        for f in lines_of(run('prove counter.py --without-guard "light:at the top" --json')[1])
        if "form" in f
    )
    assert (
        facts["property"] == "top"
        and facts["verdict"] == "holds"
        and facts["removed"] == ["light:at the top"]
    )
    code, out, _ = run(
        'prove two-phase-commit --without-guard "commit:all prepared" --property consistent --trace t'
    )
    assert code == 12
    [file] = Path("t").glob("consistent-*")
    assert run(f"replay {file}")[0] == 0


def test_a_wrong_invariant_is_shown_side_by_side_and_called_wrong(run, tmp_path: Path) -> None:
    low = "@always\ndef low(s):\n    return s.x < 4\n\ndef counter("
    text = COUNTER.replace("[is_even]", "[is_even, low]").replace("def counter(", low)
    (tmp_path / "counter.py").write_text(text)
    code, out, _ = run("prove counter.py")
    assert (
        code == 12
        and "  rise() breaks: low" in out
        and "wrong     invariant low: it is false after 2 steps" in out
    )


def test_the_cutover_is_proved_with_a_property_and_without_a_guard(run) -> None:
    code, out, _ = run("prove --scope base --property no_lost_write")
    assert code == 0 and "29 actions, 1 always, 0 can always" in out
    code, out, _ = run('prove cutover --scope base --without-guard "drain:all fences confirmed"')
    assert code == 2


def test_obligations_are_written_for_other_solvers(run) -> None:
    assert run("prove counter.py --smt2 out")[0] == 0
    assert "counter-step-rise.smt2" in {f.name for f in Path("out").iterdir()}


# ------------------------------------------------------------------ export and diagram


@pytest.mark.parametrize(
    ("target", "files"), [("tla", ["Counter.cfg", "Counter.tla"]), ("promela", ["counter.pml"])]
)
def test_a_file_is_exported(run, target: str, files: list[str]) -> None:
    code, out, _ = run(f'export {target} counter.py --with limit=7 --without-guard "light:at the top"')
    assert code == 0 and "limit=7,proved=true,kind=a,lamp=OFF; without light:at the top" in out
    assert run(f"export {target} counter.py --into out")[0] == 0
    assert sorted(f.name for f in Path("out").iterdir()) == files


def test_a_variable_is_drawn(run) -> None:
    code, out, _ = run("diagram counter.py")
    assert (code, out) == (0, "stateDiagram-v2\n    [*] --> OFF\n    OFF --> ON : light\n    ON --> [*]\n")
    assert run("diagram counter.py --variable lamp")[1] == out
    assert "INIT --> COMMITTED : commit" in run("diagram two-phase-commit")[1]


# ------------------------------------------------------------------ wrong usage


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("explore nowhere.py", "nowhere.py: No such file"),
        ("prove nowhere.py", "nowhere.py: No such file"),
        ("export tla nowhere.py", "nowhere.py: No such file"),
        ("diagram nowhere.py", "nowhere.py: No such file"),
        ("explore counter.py:count", "count in counter.py needs low: give it by --with low=..."),
        ("explore barier", "unknown protocol 'barier'; did you mean barrier?"),
        ("explore barrier --with size=3", "unknown parameter 'size'; barrier takes processes: int = 6"),
        ("explore counter.py --with lamp=RED", "lamp=RED: there are OFF, ON"),
        ("explore counter.py --with limit", "--with limit: write name=value"),
        ("explore counter.py --scope base", "--scope is of the cutover: counter.py takes --with NAME=VALUE"),
        ("explore counter.py --policy cleanup=immediate", "--policy is of the cutover"),
        ("explore counter.py --without fence_epoch", "--without is of the cutover"),
        ("explore counter.py --as-written", "--as-written is of the cutover"),
        ("export tla barrier --scope base", "--scope is of the cutover"),
        ("prove counter.py --scope base", "--scope is of the cutover"),
        ("prove barrier --without fence_epoch", "--without is of the cutover"),
        ("diagram barrier --scope base", "--scope is of the cutover"),
        ("explore --scope base --with scope=crash", "--scope base: --with gives scope too"),
        ("explore --with scope=bas", "did you mean base?"),
        ("explore --with without=fence_epok", "did you mean fence_epoch?"),
        (
            "explore counter.py --property never_fife",
            "counter has no such property; did you mean never_five?",
        ),
        ("explore counter.py --property x", "there are never_five, lit_at_the_top, top"),
        ("explore --property no_lost_writ", "did you mean no_lost_write"),
        ("prove counter.py --property is_even", "counter has no such property"),
        ("prove --scope base --property x", "cutover has no such property"),
        ("explore counter.py --without-guard rise", "--without-guard rise: write ACTION:GUARD"),
        ("explore counter.py --without-guard ris:room", "no action 'ris'; did you mean rise?"),
        ("explore counter.py --without-guard rise:rom", "rise has no guard 'rom'; did you mean room?"),
        ("prove counter.py --without-guard light:x", "light has no guard 'x'; there are 'at the top'"),
        ("prove gate --with x=1", "--with has no part in `prove gate`"),
        ("prove gate --trace t", "--trace has no part in `prove gate`"),
        ("prove --with x=1", "--with has no part in a proof of the cutover"),
        ("prove counter.py --protocol cutover", "--protocol cutover: counter.py is named already"),
        ("prove counter.py --trace counter.py", "--trace counter.py: is not a folder"),
        ("safeguards --protocol barrier", "--protocol barrier: is not studied here; there is cutover"),
        ("verify --protocol cutver", "did you mean cutover?"),
        ("prove --protocol barrier", "--protocol barrier: is not studied here"),
        ("gate counter.py --protocol barrier", "--protocol barrier: is not studied here"),
        ("diagram barrier", "barrier has no single variable over an enumeration"),
        ("diagram --variable phas", "did you mean phase?"),
        ("diagram small-cutover --variable x", "there are phase"),
    ],
)
def test_wrong_usage_is_one_clear_line(run, line: str, said: str) -> None:
    code, out, err = run(line)
    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1 and err.startswith("cutproof: ") and said.lower() in err.lower()
    assert [f.name for f in Path().iterdir()] == ["counter.py"]


@pytest.mark.parametrize("command", ["explore", "prove", "export tla", "diagram"])
def test_a_mistake_in_the_file_is_told_with_its_line_by_every_command(
    run, tmp_path: Path, command: str
) -> None:
    (tmp_path / "counter.py").write_text(COUNTER.replace("s.x != 5", "s.x and 5"))
    code, out, err = run(f"{command} counter.py")
    line = 1 + COUNTER.splitlines().index("    return s.x != 5")
    assert (
        (code, out) == (2, "") and err.startswith(f"cutproof: counter.py:{line}: ") and err.count("\n") == 1
    )


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_that_the_language_refuses_is_refused_here(run, tmp_path: Path, name: str) -> None:
    text, line, said = MISTAKES[name]
    (tmp_path / "lock.py").write_text(text, "utf-8")
    code, out, err = run("explore lock.py")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert err.startswith(f"cutproof: lock.py:{line}: ") and " ".join(said.split()) in err


def test_what_cannot_be_exported_is_refused(run, tmp_path: Path) -> None:
    text = RIGHT.replace('"n": count(0, 1)', '"n": count(0, 10_000)').replace(
        'initial={"role"', 'initial={"n": anything(), "role"'
    )
    (tmp_path / "lock.py").write_text(text, "utf-8")
    code, out, err = run("export promela lock.py")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "10,001 initial states are too many for SPIN" in err
    assert run("export tla lock.py")[0] == 0


def test_a_file_without_them_is_proved_by_its_invariants(run, tmp_path: Path) -> None:
    (tmp_path / "lock.py").write_text(RIGHT, "utf-8")
    code, out, _ = run("prove lock.py")
    assert code in (0, 3, 12) and "invariant" in out.splitlines()[0]


def test_what_a_file_prints_does_not_reach_stdout(run, tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(COUNTER + "\nprint('loud')\n")
    code, out, err = run("explore counter.py --json")
    assert code == 0 and len(lines_of(out)) > 3 and err == "loud\n"


def test_a_policy_may_say_whose_it_is(run) -> None:
    Path("ours.toml").write_text('protocol = "cutover"\n')
    assert run("gate ours.toml")[0] == run("gate ours.toml --protocol cutover")[0] == 0
    for value, shown in (('"barrier"', '"barrier"'), ("7", "7"), ("[1]", "[1]")):
        Path("other.toml").write_text(f"protocol = {value}\n")
        code, _, err = run("gate other.toml")
        assert code == 2 and err == f'cutproof: other.toml: protocol: found {shown}, expected "cutover"\n'
    Path("misspelt.toml").write_text('protocl = "cutover"\n')
    assert "did you mean protocol?" in run("gate misspelt.toml")[2]


# ------------------------------------------------------------------ the overview


def test_the_protocol_of_the_overview_is_the_file_that_it_names() -> None:
    part = (ROOT / "docs" / "overview.md").read_text("utf-8").partition("## Write your own protocol")[2]
    shown = ast.parse(re.findall(r"```python\n(.*?)```", part, re.DOTALL)[0])
    file = ast.parse((DOCS / "examples" / "atomic_commit.py").read_text("utf-8"))
    assert ast.dump(shown) == ast.dump(ast.Module(file.body[1:], []))  # but for the first sentence


def test_what_the_overview_does_from_python_is_what_it_prints(tmp_path: Path) -> None:
    part = (ROOT / "docs" / "overview.md").read_text("utf-8").partition("## Write your own protocol")[2]
    code = re.findall(r"```python\n(.*?)```", part, re.DOTALL)[1]
    printed = re.findall(r"```text\n(.*?)```", part, re.DOTALL)[0]
    (tmp_path / "docs" / "examples").mkdir(parents=True)
    text = (DOCS / "examples" / "atomic_commit.py").read_text("utf-8")
    (tmp_path / "docs" / "examples" / "atomic_commit.py").write_text(text)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == printed and (tmp_path / "counterexamples" / "inconsistent.itf.json").exists()
