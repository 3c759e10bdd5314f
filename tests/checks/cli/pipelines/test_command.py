"""`--junitxml` and `--github`: every command that judges has them, and a report is never greener than the exit code."""

import json
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from places import DOCS, TRACES

from cutproof.checks.cli.pipelines import cases, command

EXAMPLES = DOCS / "examples"
MODEL = EXAMPLES / "atomic_commit.py"
DRIVER = EXAMPLES / "commit_driver.py"
BROKEN = ("--without-guard", "commit:all prepared")


def outcomes(file: Path) -> dict[str, str]:
    """By the name of each case: how it came out."""
    found = ElementTree.parse(file).getroot().findall("*/testcase")
    return {c.get("name", ""): c[0].get("type", "") if len(c) else "passed" for c in found}


LOST = TRACES / "lost-write-without-fence_epoch.itf.json"
RUNS = [
    (("explore", MODEL), 0, {"always consistent": "passed", "sometimes all_commit": "passed"}),
    (("explore", MODEL, *BROKEN), 12, {"always consistent": "failed", "sometimes all_commit": "passed"}),
    (("explore", MODEL, "--max-states", 2), 3, {"always consistent": "unknown", "sometimes all_commit": "unknown"}),
    (("simulate", MODEL, *BROKEN), 12, {"always consistent": "failed", "sometimes all_commit": "passed"}),
    (("prove", MODEL), 3, {"always consistent": "unknown"}),
    (("drive", MODEL, "--driver", DRIVER), 0, {"in equal states": "passed"}),
    (("drive", MODEL, "--driver", DRIVER, *BROKEN), 12, {"in equal states": "failed"}),
    (("history", EXAMPLES / "history.jsonl"), 12, {"failed", "passed"}),
    (("gate", EXAMPLES / "policy.toml"), 0, {"sound, strict": "passed"}),
    (("gate", "refused.toml"), 12, {"sound, strict": "failed"}),
    (("loss", "--writes", "1", "--workers", 1), 0, {"acknowledged writes": "passed"}),
    (("scenarios", "boundary_burst", "--form", "pure"), 0, {"passed"}),
    (("replay", LOST), 0, {str(LOST): "passed"}),
    (("replay", LOST, "--expect", "fixed"), 1, {str(LOST): "failed"}),
    (("replay", LOST, "none.itf.json"), 2, {str(LOST): "passed", "none.itf.json": "erred"}),
    (("verify", "--rung", "as written", "--workers", 1), 0, {"base no_lost_write": "passed"}),
]  # fmt: skip


@pytest.mark.parametrize(
    "arguments, code, found", RUNS, ids=lambda value: str(value[0]) if isinstance(value, tuple) else ""
)
def test_what_is_judged_is_counted(run, arguments, code, found, tmp_path: Path) -> None:
    Path("refused.toml").write_text("skip_delta_pass = true\n")
    assert run(*arguments, "--junitxml", tmp_path / "made" / "x.xml")[0] == code
    counted = outcomes(tmp_path / "made" / "x.xml")
    assert (set(counted.values()) if isinstance(found, set) else counted) == found


def test_the_same_command_with_a_report_says_the_same(run, tmp_path: Path) -> None:
    plain = run("replay", LOST)
    assert run("replay", LOST, "--junitxml", "x.xml") == run("replay", LOST, "--no-github") == plain


def test_a_failure_names_the_command_and_the_place(run, tmp_path: Path) -> None:
    run("explore", MODEL, *BROKEN, "--trace", "found here", "--junitxml", "x.xml")
    text = ElementTree.parse(tmp_path / "x.xml").findtext("*/*/failure") or ""
    line = MODEL.read_text("utf-8").split("\n").index("def consistent(s, node, other):") + 1
    assert f"{MODEL}:{line}" in text
    [again] = re.findall("again: cutproof replay '(.*)' --model (.*)", text)
    assert run("replay", again[0], "--model", again[1])[0] == 0


def test_without_a_trace_the_command_itself_is_what_shows_it_again(run, tmp_path: Path) -> None:
    run("explore", MODEL, *BROKEN, "--github", "--junitxml", "x.xml")
    text = ElementTree.parse(tmp_path / "x.xml").findtext("*/*/failure") or ""
    assert text.endswith(f"again: cutproof explore {MODEL} --without-guard 'commit:all prepared'")


def test_a_protocol_of_several_in_a_file_is_named_again(run, tmp_path: Path) -> None:
    text = MODEL.read_text("utf-8")
    again = (
        text[text.index("protocol = Protocol(") :]
        .replace("protocol =", "other =")
        .replace("atomic", "another")
    )
    (tmp_path / "two.py").write_text(f"{text}\n{again}")
    run("explore", "two.py:protocol", *BROKEN, "--trace", "found", "--junitxml", "x.xml")
    said = ElementTree.parse(tmp_path / "x.xml").findtext("*/*/failure") or ""
    assert run(*shlex.split(said.split("again: ")[1])[1:])[0] == 0
    assert run("check-log", "two.py:protocol", "l.jsonl", "-o", "a b.itf.json")[0] == 2
    (tmp_path / "l.jsonl").write_text('{"action":"?"}')
    code, out, _ = run("check-log", "two.py:protocol", "l.jsonl", "-o", "a b.itf.json")
    assert code == 0 and run(*shlex.split(out.split("see it by ")[1])[1:])[0] == 0


def test_a_replay_names_the_command_with_all_that_it_takes(run, tmp_path: Path) -> None:
    run("explore", MODEL, *BROKEN, "--trace", "found here")
    [trace] = tmp_path.glob("found here/*.itf.json")
    assert run("replay", "found here", "--model", MODEL, "--expect", "fixed", "--junitxml", "x.xml")[0] == 1
    text = ElementTree.parse(tmp_path / "x.xml").findtext("*/*/failure") or ""
    _, place, again = text.split("\n")
    assert place == f"{trace.relative_to(tmp_path)}:1"
    assert run(*shlex.split(again)[2:])[0] == 1


def test_what_is_refused_is_an_error_of_the_report(run, tmp_path: Path) -> None:
    code, _, err = run("explore", "none.py", "--junitxml", "x.xml", "--github")
    assert code == 2 and list(outcomes(tmp_path / "x.xml").values()) == ["erred"]
    assert [line for line in err.splitlines() if line.startswith("::error ")]


def test_a_report_that_cannot_be_written_is_refused_before_the_work(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for where, why in {tmp_path: "is a folder", tmp_path / "file" / "x.xml": "is not a folder"}.items():
        code, out, err = run("explore", "--scope", "base", "--junitxml", where)
        assert (code, out) == (2, "") and why in err and err.count("\n") == 1


def test_on_github_it_is_on_by_itself_and_stdout_is_left_alone(run, tmp_path: Path, monkeypatch) -> None:
    keys = [json.loads(line).keys() for line in run("explore", MODEL, *BROKEN, "--json")[1].splitlines()]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    for _ in range(2):
        code, out, err = run("explore", MODEL, *BROKEN, "--json")
        assert code == 12 and err.startswith("::error file=")
        assert [json.loads(line).keys() for line in out.splitlines()] == keys
    text = (tmp_path / "summary.md").read_text("utf-8")
    assert text.count("### `cutproof explore`: 1 failed, 1 passed") == 2
    assert run("explore", MODEL, *BROKEN, "--no-github")[2] == ""


@pytest.mark.parametrize(
    "code, outcome",
    [(3, "unknown"), (12, "failed"), (13, "failed"), (1, "failed"), (4, "erred"), (2, "erred")],
)
def test_a_report_is_never_greener_than_the_exit_code(tmp_path: Path, code: int, outcome: str) -> None:
    def judging() -> int:
        cases.case("a", "b", cases.PASSED)
        return code

    assert command.reported(judging)(junitxml=tmp_path / "x.xml", github=False) == code
    assert sorted(outcomes(tmp_path / "x.xml").values()) == sorted(["passed", outcome])


@pytest.mark.parametrize("error, outcome", [(KeyboardInterrupt, "unknown"), (ZeroDivisionError, "erred")])
def test_what_was_judged_is_reported_however_it_ended(tmp_path: Path, error: type, outcome: str) -> None:
    def judging() -> int:
        cases.case("a", "b", cases.FAILED)
        raise error

    with pytest.raises(error):
        command.reported(judging)(junitxml=tmp_path / "x.xml", github=False)
    assert sorted(outcomes(tmp_path / "x.xml").values()) == sorted(["failed", outcome])


def test_outside_a_report_nothing_is_collected() -> None:
    assert not cases.wanted()
    cases.case("a", "b", cases.FAILED)
    with cases.collected() as found:
        assert cases.wanted()
    assert found == []


def test_a_log_is_counted(run, tmp_path: Path) -> None:
    lines = ['{"action": "give_up", "node": 0}\n', '{"action": "commit", "node": 1}\n']
    for text, code, outcome in ((lines[0], 0, "passed"), ("".join(lines), 12, "failed"), ("", 3, "unknown")):
        (tmp_path / "log.jsonl").write_text(text)
        assert run("check-log", MODEL, "log.jsonl", "--junitxml", "x.xml")[0] == code
        assert outcomes(tmp_path / "x.xml") == {"log.jsonl": outcome}
