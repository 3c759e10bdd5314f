"""The command `cutproof view`: what it takes, what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest
from places import DOCS, TRACES
from ten_runs import APALACHE, SCHEDULE

from cutproof.checks.cli.main import main

STORED = "lost-write-without-fence_epoch"
LEASES, FENCE = str(DOCS / "examples" / "leases.py"), "arrive:not fenced off"
HISTORY = str(DOCS / "examples" / "history.jsonl")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")


@pytest.fixture(scope="module")
def lease(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("found")
    assert main(["explore", LEASES, "--without-guard", FENCE, "--trace", str(folder)]) == 12
    (file,) = folder.glob("*.itf.json")
    return file


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["view", *arguments]) == code
    out, err = capsys.readouterr()
    return err if code else out


def test_a_page_has_the_name_of_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, STORED) == f"{STORED}.html\n"
    page = Path(f"{STORED}.html").read_text("utf-8")
    assert "The client was told that write 1 of document 0 is saved." in page and len(page) < 400_000
    assert said(capsys, STORED) == f"{STORED}.html\n"  # a page of ours may be written again
    Path(f"{STORED}.html").write_text("mine")
    assert "another file is there" in said(capsys, STORED, code=2)
    assert said(capsys, STORED, "-o", f"{STORED}.html") == f"{STORED}.html\n"  # ... and what was named


def test_the_same_bytes_again(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("--svg", "--mermaid", "--ascii"):
        assert said(capsys, STORED, form) == said(capsys, str(TRACES / f"{STORED}.itf.json"), form)
    assert said(capsys, STORED, "-o", "-") == said(capsys, STORED, "-o", "-")


def test_lanes_fit_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("50", "80", "140"):
        monkeypatch.setenv("COLUMNS", columns)
        lines = said(capsys, STORED, "--ascii").splitlines()
        assert max(map(len, lines)) <= int(columns)
        assert any("The client is told" in line for line in lines)


def test_a_trace_of_ones_own_needs_nothing_but_its_file(
    lease: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = said(capsys, str(lease), "--ascii")
    assert "lock service" in alone and "(client 0, resource 0)" in alone and "inevitable" in alone
    with_model = said(capsys, str(lease), "--ascii", "--model", LEASES)
    assert with_model == alone


def test_without_its_picture_what_changed_is_shown_and_what_is_missing_said(
    lease: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    whole = json.loads(lease.read_bytes())
    del whole["#meta"]["picture"]
    bare = tmp_path / "bare.itf.json"
    bare.write_text(json.dumps(whole))
    assert "give its file with --model FILE.py" in said(capsys, str(bare), "-o", "-")
    assert "lock service" in said(capsys, str(bare), "--ascii", "--model", LEASES)
    whole["#meta"]["picture"] = {"lanes": 3}
    bare.write_text(json.dumps(whole))
    assert "$.#meta.picture: Expected `array`" in said(capsys, str(bare), code=2)


def test_schedules_histories_and_traces_of_other_tools(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, content in (("a.schedule.json", SCHEDULE), ("b.itf.json", APALACHE)):
        (tmp_path / name).write_text(json.dumps(content))
    assert "put #2 was acknowledged at step 9" in said(capsys, "a.schedule.json", "--ascii")
    assert "owner[b]: False \u2192 True" in said(capsys, "b.itf.json", "--ascii")
    assert "process 1 reads put #1" in said(capsys, HISTORY, "--ascii").replace("\n    ", " ")
    assert said(capsys, "a.schedule.json", HISTORY, "b.itf.json", STORED) == "a-and-more.html\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere.itf.json"], "nowhere.itf.json: No such file or directory"),
        (["lost-write-without-fence_epoc"], "did you mean lost-write-without-fence_epoch"),
        (["two-phase-comit"], "did you mean two-phase-commit"),
        ([STORED, "--svg", "--ascii"], "--svg --ascii: one of them at a time"),
        ([STORED, HISTORY, "--svg"], "--svg: takes one run at a time"),
        ([STORED] * 9, "9 runs: a page has 8 at most"),
        ([STORED, "--with", "a=1"], "has a part only with --model FILE.py"),
        ([STORED, "--model", LEASES], "is of the protocol 'cutover', not 'leases'"),
        ([STORED, "-o", "."], "is a folder"),
        (["odd.json"], "odd.json: $.states: there are none"),
        (["odd.txt"], "is not JSON"),
        (["actions.json"], "holds actions alone; give its protocol"),
        (["-", "-"], "stdin can be read once"),
        (["a\0b"], "is a name that no file can have"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_one_line(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("odd.json").write_text("{}")
    Path("odd.txt").write_text("odd")
    Path("actions.json").write_text('{"#meta": {"protocol": "mine"}, "steps": []}')
    error = said(capsys, *arguments, code=2)
    assert reason in error and error.count("\n") == 1


def test_a_trace_whose_protocol_changed_is_drawn_by_its_actions(capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads((TRACES / f"{STORED}.itf.json").read_bytes())
    whole["#meta"]["digest"] = "0" * 64
    Path("old.itf.json").write_text(json.dumps(whole))
    assert "the specification has changed since" in said(capsys, "old.itf.json", "-o", "-")
    whole["#meta"]["safeguards removed"] = []
    Path("gone.itf.json").write_text(json.dumps(whole))
    assert "cannot be drawn on this protocol: step" in said(capsys, "gone.itf.json", code=2)
