"""The command: what it prints, what it refuses, how it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from processes import busy, ended, eventually, workers_of

from cutproof.checks.cli import main as cli
from cutproof.checks.cli.reports import ladder as ladder_report
from cutproof.checks.cli.reports.explorations import badness
from cutproof.checks.cutover.gate.accepted import QUICK, WIDER
from cutproof.checks.cutover.reference.hunt import WIDE
from cutproof.checks.engines.plain import explore as engine
from cutproof.checks.engines.verdict import Holds, Unknown, Violated
from cutproof.checks.ladder import loss as verify_loss
from cutproof.checks.ladder import proofs as verify_proof
from cutproof.checks.ladder import reference as verify_impl
from cutproof.checks.ladder import tasks as ladder
from cutproof.checks.ladder import verify as ladders
from cutproof.checks.ladder import wide as verify_wide
from cutproof.checks.ladder.tasks import ENDED, Row, Task, _outcome, _submitted
from cutproof.checks.traces import trace
from cutproof.model.cutover import coordinator
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.scopes import SCOPES, Scope, parse_scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.two_phase_commit import two_phase_commit

CUTPROOF = (sys.executable, "-m", "cutproof.checks.cli.main")
both_signals = pytest.mark.parametrize(
    "signal_", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name
)
proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")
BIG = "reads_and_faults,writes=2"
TINY = "two_migrations"  # 2,094 states

Ran = tuple[int, str, str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command in this process: exit code, stdout, stderr."""

    def running(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return running


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# ------------------------------------------------------------------ explore


def test_what_holds_exits_with_zero(run) -> None:
    code, out, err = run("explore", "--scope", TINY)
    assert (code, err) == (0, "")
    assert "holds     always no_lost_write (LAW): 2,094 states, 7,251 transitions, depth 55" in out
    assert "never happened in this scope: proof_fails, abort" in out


def test_what_is_violated_comes_first_with_its_story(run) -> None:
    code, out, _ = run("explore", "--without", "fence_epoch")
    assert code == 12
    lines = out.splitlines()
    violated = lines[: lines.index("")]
    assert len(violated) == 4 and all(line.startswith("violated ") for line in violated)
    assert "  1. begin()" in lines and "       phase: IDLE -> DUAL" in lines
    assert "violated  always no_regress (SR) after 17 steps" in violated, "it is shorter, and less of a harm"
    assert "Without fence_epoch, this violates no_lost_write (lost acknowledged write)." in lines
    assert " 18. " in out and " 19. " not in out
    first = next(i for i, line in enumerate(lines) if line.startswith("holds "))
    assert lines.index("O holds            write 1") < first, "what holds stands below the story"
    code, out, _ = run("explore", "--without", "fence_epoch", "--property", "no_regress")
    assert code == 12 and "this violates no_regress (stale or partial read)." in out and " 17. " in out


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("LAW", "always", 9), ("SR", "always", 1)),
        (("LU", "always", 9), ("RD", "always", 1)),
        (("STK", "can_always", 9), ("", "always", 1)),
        (("", "always", 9), ("", "can_always", 1)),
        (("", "can_always", 9), ("", "cycle", 1)),
        (("LAW", "always", 1), ("LAW", "always", 2)),
    ],
)
def test_the_worst_is_told_first(recorded: trace.Trace, one: Any, other: Any) -> None:
    def made(harm: str, form: str, steps: int) -> trace.Trace:
        meta = msgspec.structs.replace(recorded.meta, harm=harm, form=form)
        return replace(recorded, meta=meta, steps=recorded.steps[:steps])

    assert badness(cutover(Scope()), made(*one)) < badness(cutover(Scope()), made(*other))


def test_liveness_alone_exits_with_13(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is read again after it has landed, for ever: nothing is lost, and nothing ends."""
    whole = ladders.build(parse_scope("writes=1"))
    endless = whole.without_guard("read_page", "not landed yet")
    monkeypatch.setattr(coordinator, "build", lambda *_: endless)
    code, out, _ = run("explore", "--scope", "writes=1", "--json")
    forms = {v["form"] for v in lines_of(out) if v.get("verdict") == "violated"}
    assert "can_always" in forms and not forms & {"always", "sometimes"}
    assert code == 13


@pytest.mark.parametrize("limit", [("--max-states", 50), ("--max-seconds", 0.001), ("--max-memory", "1M")])
def test_a_limit_is_unknown(run, limit: tuple[str, object]) -> None:
    code, out, _ = run("explore", *limit)
    assert code == 3
    assert "unknown   always no_lost_write (LAW): the limit of" in out


def test_one_json_object_a_verdict_and_nothing_else(run) -> None:
    code, out, err = run("explore", "--scope", TINY, "--without", "fence_epoch", "--json")
    *verdicts, coverage = lines_of(out)
    assert code == 12 and err == ""
    wanted = {"checked", "verdict", "property", "harm", "states", "transitions", "depth", "seconds", "trace"}
    assert all(wanted | {"scope", "removed", "policy"} <= set(v) for v in verdicts)
    assert {v["verdict"] for v in verdicts} == {"holds", "violated"}
    assert verdicts[0]["scope"] == SCOPES[TINY].bounds() and verdicts[0]["removed"] == ["fence_epoch"]
    assert "abort" in coverage["never_fired"] and coverage["coverage"]["begin"] > 0


def test_policy_and_as_written_are_explored(run) -> None:
    policy = "skip_delta_pass=true,cleanup=immediate"
    code, out, _ = run("explore", "--scope", "gate_alone", "--policy", policy, "--json")
    assert code == 12 and lines_of(out)[0]["policy"] == {"skip_delta_pass": True, "cleanup": "immediate"}
    code, out, _ = run("explore", "--scope", "writes=1", "--as-written", "--json", "--without", "tombstones")
    assert code == 12 and {"ack_after_applied", "tombstones"} <= set(lines_of(out)[0]["removed"])


def test_the_same_bytes_under_any_hash_seed() -> None:
    outputs = []
    for seed in ("1", "2"):
        command = [*CUTPROOF, "explore", "--scope", "zombie", "--without", "command_epoch", "--json"]
        ran = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False
        )
        timed = ("seconds", "states_per_second")
        outputs.append([{k: v for k, v in o.items() if k not in timed} for o in lines_of(ran.stdout)])
        assert ran.returncode == 12 and ran.stderr == ""
    assert outputs[0] == outputs[1]


def test_counterexamples_are_written_once_and_replay(run, tmp_path: Path) -> None:
    wanted = ("explore", "--scope", TINY, "--without", "fence_epoch", "--trace", tmp_path)
    code, out, _ = run(*wanted)
    files = sorted(tmp_path.iterdir())
    assert code == 12 and files and all(str(f) in "".join(out.split()) for f in files)  # paths may be wrapped
    assert "no_lost_write-LAW-without-fence_epoch.itf.json" in {f.name for f in files}
    before = {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in files}
    assert run(*wanted)[0] == 12  # the same files: nothing to do
    assert {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in sorted(tmp_path.iterdir())} == before
    for file in files:
        assert run("replay", file)[0] == 0


def test_another_file_is_never_overwritten(run, tmp_path: Path) -> None:
    taken = tmp_path / "no_permanent_loss-LAW-without-fence_epoch.itf.json"
    taken.write_text("mine")
    code, out, err = run("explore", "--without", "fence_epoch", "--trace", tmp_path)
    assert code == 2 and "holds something else" in err and err.count("\n") == 1
    assert "violated" in out
    assert [f.name for f in tmp_path.iterdir()] == [taken.name] and taken.read_text() == "mine"


def test_a_graph_is_written(run, tmp_path: Path) -> None:
    code, _, _ = run("explore", "--scope", "writes=1,stale=0,queues=0", "--graph", tmp_path / "g.dot")
    assert code == 0 and (tmp_path / "g.dot").read_text().startswith('digraph "cutover" {')


# ------------------------------------------------------------------ wrong usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explore", "--without", "fence_epok"), "unknown safeguard 'fence_epok'; did you mean fence_epoch?"),
        (("explore", "--without", "x" * 9), "`cutproof safeguards` lists them"),
        (("explore", "--without", "fence_epoch,"), "unknown safeguard ''"),
        (("safeguards", "fence_epok"), "did you mean fence_epoch?"),
        (("explore", "--scope", "bas"), "unknown scope 'bas'"),
        (("explore", "--scope", "bas"), "did you mean base?"),
        (("verify", "--scope", "bas"), "unknown scope 'bas'"),
        (("diagram", "--scope", ""), "unknown scope ''"),
        (("explore", "--scope", "base,wirtes=1"), "unknown bound 'wirtes'"),
        (("explore", "--scope", "docs=9"), "documents=9 is out of range: documents is 1..3"),
        (("explore", "--scope", "late=yes"), "a bound is a whole number"),
        (("explore", "--scope", "aborts=2"), "aborts=2 needs attempts=2"),
        (("explore", "--policy", "cleanup=never"), "cleanup=never: the values are after_proof"),
        (("explore", "--policy", "clean=never"), "unknown policy 'clean'"),
        (("explore", "--policy", "cleanup"), "write name=value"),
        (("explore", "--policy", "replicas=false,replica_ack=counts"), "there is no other replica"),
        (("explore", "--max-memory", "lots"), "--max-memory lots"),
        (("explore", "--max-memory", "0"), "--max-memory 0"),
        (("explore", "--max-states", "0"), "--max-states"),
        (("explore", "--max-seconds", "soon"), "--max-seconds"),
        (("explore", "--graph", "g.png"), "a graph is written as"),
        (("explore", "--graph", "/nowhere/g.dot"), "there is no such folder"),
        (("explore", "--trace", "/etc/passwd"), "is not a folder"),
        (("explore", "--nosuch"), "--nosuch"),
        (("nosuch",), "nosuch"),
        (("replay",), "TRACE"),
        (("replay", "nowhere.itf.json"), "nowhere.itf.json: No such file"),
        (("verify", "--workers", "0"), "--workers"),
    ],
)
def test_wrong_usage_is_one_clear_line(run, tmp_path: Path, monkeypatch, arguments, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.startswith("cutproof: ") and said.lower() in err.lower()
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_there_is_help(run) -> None:
    code, out, _ = run()
    assert code == 2 and "cutproof --help" in out
    code, out, _ = run("--help")
    assert code == 0 and "safeguards" in out
    assert run("--version")[1].startswith("cutproof 0")


def test_our_own_failure_is_one_line_and_a_hint(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(coordinator, "build", broken)
    code, out, err = run("explore")
    assert (code, out) == (70, "")
    assert err == f"cutproof: RuntimeError: two lines; {cli.HINT}\n"
    monkeypatch.setenv("CUTPROOF_DEBUG", "1")
    with pytest.raises(RuntimeError):
        run("explore")


# ------------------------------------------------------------------ replay


@pytest.fixture(scope="module")
def recorded() -> trace.Trace:
    """The shortest lost write without fences, in a small scope."""
    protocol = ladders.build(parse_scope(TINY), Policy(), ["fence_epoch"])
    found = engine.explore(protocol, only=("no_lost_write", "LAW"), stop_at_first=True)
    [verdict] = [v for v in found.verdicts if isinstance(v, Violated)]
    assert verdict.path is not None
    return trace.from_path(
        protocol, verdict.path.states, verdict.path.transitions, why="Lost.", property="no_lost_write", harm="LAW",
        safeguards_removed=("fence_epoch",), scope=parse_scope(TINY).bounds(), policy=Policy().changed(),
    )  # fmt: skip


@pytest.fixture
def file(recorded: trace.Trace, tmp_path: Path) -> Path:
    trace.write(recorded, tmp_path / "lost.itf.json")
    return tmp_path / "lost.itf.json"


def test_a_trace_is_reproduced(run, file: Path, recorded: trace.Trace) -> None:
    code, out, err = run("replay", file)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Lost." and "       phase: IDLE -> DUAL" in out
    assert out.splitlines()[-1].startswith(
        "reproduced: the path can be walked, and after it no_lost_write is false"
    )
    code, out, _ = run("replay", "--json", file)
    [facts] = lines_of(out)
    assert code == 0 and facts["verdict"] == "reproduced" and facts["depth"] == len(recorded.steps)
    assert facts["removed"] == ["fence_epoch"] and facts["scope"] == SCOPES[TINY].bounds()


def test_a_trace_that_cannot_happen_says_where_and_why(run, file: Path) -> None:
    text = file.read_text().replace(
        '"safeguards removed": [\n      "fence_epoch"\n    ]', '"safeguards removed": []'
    )
    text = text.replace('"safeguards removed": ["fence_epoch"]', '"safeguards removed": []')
    file.write_text(text)
    code, out, _ = run("replay", file)
    assert code == 1
    assert "note: the specification has changed since" in out
    assert "not reproduced: step" in out and "is not enabled: " in out and "enabled instead: " in out
    code, out, _ = run("replay", file, "--json")
    [facts] = lines_of(out)
    assert code == 1 and facts["verdict"] == "not reproduced" and facts["step"] and facts["false_guards"]
    assert facts["enabled"] and "the specification has changed" in facts["notes"][0]


def bad(change: Callable[[str], str]) -> Callable[[Path], None]:
    return lambda file: (file.write_text(change(file.read_text())), None)[1]


def with_one(old: str, new: str) -> Callable[[Path], None]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return bad(change)


def huge(file: Path) -> None:
    with file.open("r+b") as out:
        out.truncate(10**9)  # a sparse file: it takes no space


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (bad(lambda text: text[: len(text) // 2]), "is not JSON"),
        (bad(lambda text: ""), "is not JSON"),
        (bad(lambda text: "hello"), "is not JSON"),
        (with_one('"phase": "IDLE"', '"phase": ' + "[" * 10**5 + "]" * 10**5), "nested too deeply"),
        (bad(lambda text: '{"results": []}'), "missing required field `#meta`"),
        (with_one('"version": 1', '"version": 99'), "is 99; this program reads version 1"),
        (huge, "holds 1,000,000,000 bytes; it may have"),
        (with_one('"phase": "IDLE"', '"phase": "NOWHERE"'), "phase is 'NOWHERE', which is not in"),
        (with_one('"action": "begin"', '"action": "beginn"'), "no action 'beginn'; did you mean begin or"),
        (with_one('"protocol": "cutover"', '"protocol": "cutlery"'), "unknown protocol 'cutlery'"),
        (with_one("fence_epoch", "fence_epok"), "unknown safeguard 'fence_epok'; did you mean fence_epoch?"),
        (with_one('"attempts": 2', '"attempts": 99'), "attempts=99 is out of range"),
        (with_one('"attempts": 2', '"attempts": 1.5'), "a bound is a whole number"),
        (with_one('"attempts": 2', '"no_such": 2'), "unknown bound 'no_such'"),
        (with_one('"policy": {}', '"policy": {"cleanup": "now"}'), "cleanup=now: the values are"),
        (lambda file: (file.unlink(), file.mkdir()), "is a folder"),
    ],
)  # fmt: skip
def test_a_bad_trace_is_refused_in_one_line(
    run, file: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(file)
    code, out, err = run("replay", file)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and said in err and "lost.itf.json" in err


@pytest.mark.parametrize(
    ("make", "bound", "size"), [(two_phase_commit, "managers", 3), (barrier, "processes", 2)]
)
def test_the_examples_replay_too(run, tmp_path: Path, make: Any, bound: str, size: int) -> None:
    protocol = make(size)
    found = engine.explore(protocol)
    [path] = [v.witness for v in found.verdicts if isinstance(v, Holds) and v.witness][:1]
    recorded = trace.from_path(protocol, path.states, path.transitions, why="A path.", scope={bound: size})
    trace.write(recorded, tmp_path / "a.itf.json")
    assert run("replay", tmp_path / "a.itf.json")[0] == 0
    text = (tmp_path / "a.itf.json").read_text().replace(f'"{bound}": {size}', f'"{bound}": 999')
    (tmp_path / "a.itf.json").write_text(text)
    assert run("replay", tmp_path / "a.itf.json")[0] == 2


# ------------------------------------------------------------------ safeguards, diagram


def test_safeguards_are_listed_and_told(run) -> None:
    code, out, _ = run("safeguards")
    assert code == 0 and any(line.startswith("fence_epoch ") for line in out.splitlines())
    code, out, _ = run("safeguards", "fence_epoch")
    assert code == 0 and "no_lost_write (LAW) is violated without it" in out
    code, out, _ = run("safeguards", "--json")
    assert code == 0 and len(lines_of(out)) == len(ladders.HARDENED)


def test_the_diagram_is_drawn(run) -> None:
    code, out, _ = run("diagram", "--scope", TINY)
    assert code == 0 and out.startswith("stateDiagram-v2\n    [*] --> IDLE\n    IDLE --> DUAL : begin\n")


# ------------------------------------------------------------------ verify


def test_verify_of_some_scopes(run) -> None:
    code, out, err = run("verify", "--scope", "replica", "--scope", TINY, "--json", "--workers", 1)
    rows = lines_of(out)
    assert code == 0 and [r["name"] for r in rows] == ["replica", TINY]
    assert [r["states"] for r in rows] == [14663, 2094] and all(r["verdict"] == "holds" for r in rows)
    assert "verified: 2 of 2 results are as expected" in err
    code, out, err = run("verify", "--scope", TINY, "--workers", 1)
    assert code == 0 and err == "" and "only these scopes" in out


def test_rows_come_in_the_declared_order_whatever_ends_first() -> None:
    names = ["base", TINY, "zombie", "replica"]
    tasks = [replace(t, heavy=t.name == "replica") for t in ladders.scope_tasks(names)]
    told: list[str] = []
    rows = ladder.Ladder(tasks, 3).run(lambda rows: told.extend(r.name for r in rows))
    assert [r.name for r in rows] == names == told
    assert [r.states for r in rows] == [12239, 2094, 4994, 14663]


def test_every_kind_of_fault_and_action_is_accounted_for() -> None:
    actions = cutover(Scope()).actions
    assert set(ladders.FAULTS) == {a.fault for a in actions if a.fault}
    assert set(ladders.OTHER_SETTINGS) <= {a.name for a in actions}
    assert all(r.code == 0 for r in ladders.other_settings_rows(None))


def test_two_faults_are_found_together_where_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("late", "crash", "clock skew", "routing revert", "other migration")
    monkeypatch.setattr(ladders, "FAULTS", {k: ladders.FAULTS[k] for k in kinds})
    rows = {r.name: r for r in ladders.fault_pairs_rows(None)}
    assert all(r.code == 0 and len(r.facts["with"]) == 4 for r in rows.values())
    assert rows["late"].facts["with"]["crash"]["scope"] == "crash"
    assert rows["clock skew"].facts["with"]["routing revert"]["removed"] == ["roll_forward_only"]
    monkeypatch.setitem(ladders.FAULTS, "routing revert", ({}, ()))
    rows = {r.name: r for r in ladders.fault_pairs_rows(None)}
    assert rows["routing revert"].code == 13 and "never with late" in rows["routing revert"].detail


def test_two_faults_that_may_be_beyond_the_limits_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladders, "FAULTS", {k: ladders.FAULTS[k] for k in ("late", "crash", "clock skew")})
    rows = ladders.fault_pairs_rows(None, engine.Limits(states=1))
    assert all((r.code, r.verdict) == (3, "unknown") for r in rows)
    assert "not found within the limits, or never, with crash" in rows[0].detail


def test_what_is_never_reached_is_a_failure() -> None:
    rows = ladders.scope_rows(None, TINY)
    reached = {r.name: r for r in ladders.coverage_rows(rows)}
    assert reached["sometimes completes"].code == 0 and reached["sometimes completes"].scope == TINY
    assert reached["sometimes read_is_refused"].code == 13
    assert reached["every action"].code == 13 and "abort" in reached["every action"].detail
    assert reached["every fault"].code == 13 and "restart" in reached["every fault"].detail
    assert ladder_report.exit_code_of(list(reached.values())) == 13


def test_what_is_not_seen_is_unknown_while_something_is_not_judged() -> None:
    rows = [*ladders.scope_rows(None, TINY), Row(ENDED, "crash", "", "unknown", 3)]
    reached = {r.name: r for r in ladders.coverage_rows(rows)}
    assert reached["sometimes completes"].code == 0
    never = reached["sometimes read_is_refused"]
    assert (never.verdict, never.code) == ("unknown", 3)
    assert never.detail == "not seen: read_is_refused; it may be in ended crash, which is unknown"
    assert {r.code for r in reached.values()} == {0, 3}
    assert ladder_report.exit_code_of([*rows, *reached.values()]) == 3


def test_the_design_of_the_seed_must_be_violated(monkeypatch: pytest.MonkeyPatch) -> None:
    [row] = ladders.as_written_rows(None)
    assert (row.verdict, row.code, row.property) == ("violated", 0, "no_lost_write")
    monkeypatch.setattr(ladders, "AS_WRITTEN", ladders.HARDENED)
    [row] = ladders.as_written_rows(None, TINY)
    assert (row.verdict, row.code) == ("holds", 12)


def test_a_violated_scope_is_a_failure_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    build = ladders.build
    monkeypatch.setattr(ladders, "build", lambda scope, *_: build(scope, None, ["fence_epoch"]))
    [row] = ladders.scope_rows(None, TINY)
    assert (row.verdict, row.code, row.property, row.harm) == ("violated", 12, "no_lost_write", "LAW")


# ------------------------------------------------------------------ experiments, on a stub


ABOUT = {"checked": "cutover", "property": "no_lost_write", "form": "always", "harm": "LAW", "states": 5}


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch, recorded: trace.Trace, tmp_path: Path) -> SimpleNamespace:
    """A gallery with one experiment, and its stored trace."""
    experiment = SimpleNamespace(
        file="lost", why="Lost.", safeguard="fence_epoch", harm="LAW", property="no_lost_write", scope_name=TINY,
        scope=parse_scope(TINY), policy=Policy(), companions=(), removed=("fence_epoch",),
    )  # fmt: skip
    path = engine.Path(((),), ())
    stub = SimpleNamespace(
        EXPERIMENTS=(experiment,), folder=str(tmp_path),
        protocol_of=lambda e: ladders.build(e.scope, e.policy, e.removed), trace_of=lambda e, v: recorded,
        violated=lambda e: Violated(path=path, **ABOUT), holds_with=lambda e: Holds(**ABOUT),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "cutproof.checks.cutover.safeguards.necessity", stub)
    monkeypatch.setattr("cutproof.checks.cutover.safeguards.necessity", stub, raising=False)
    trace.write(recorded, tmp_path / "lost.itf.json")
    return stub


def judged(gallery: SimpleNamespace, full: bool = False) -> tuple[str, int, str]:
    [row] = ladders.counterexample_rows(None, 0, full, gallery.folder)
    return row.verdict, row.code, row.detail


def test_an_experiment_that_is_violated_by_the_stored_steps_is_as_expected(gallery) -> None:
    assert judged(gallery) == ("violated", 0, "")
    assert judged(gallery, full=True) == ("violated", 0, "")


def test_a_safeguard_that_can_be_removed_without_harm_is_a_failure(gallery) -> None:
    gallery.violated = lambda e: Holds(**ABOUT)
    assert judged(gallery) == ("holds", 12, "it can be removed without harm: a check that cannot fail")
    gallery.violated = lambda e: Holds(**{**ABOUT, "form": "can_always"})
    assert judged(gallery)[1] == 13
    gallery.violated = lambda e: Unknown(reason="a limit", **ABOUT)
    assert judged(gallery) == ("unknown", 3, "a limit")


def test_with_full_the_safeguard_must_be_what_prevents_it(gallery) -> None:
    gallery.holds_with = gallery.violated
    assert judged(gallery) == ("violated", 0, "")
    assert judged(gallery, full=True) == (
        "violated",
        12,
        "with the safeguard it should hold, and is violated",
    )
    gallery.holds_with = lambda e: Unknown(reason="a limit", **ABOUT)
    assert judged(gallery, full=True)[1] == 3


def test_the_stored_trace_is_held_against_what_is_found(gallery, recorded: trace.Trace) -> None:
    stored = Path(gallery.folder) / "lost.itf.json"
    gallery.trace_of = lambda e, v: replace(recorded, steps=recorded.steps[:-1])
    assert judged(gallery)[1:] == (12, "the stored trace is not the shortest")
    other = msgspec.structs.replace(recorded.meta, harm="LU")
    gallery.trace_of = lambda e, v: replace(recorded, meta=other)
    assert judged(gallery)[1:] == (12, "the stored trace is of another property")
    gallery.protocol_of = lambda e: ladders.build(e.scope)
    _, code, reason = judged(gallery)
    assert code == 12 and reason.startswith("the stored trace is not reproduced: ")
    stored.write_text("{")
    assert judged(gallery)[1] == 12 and "the stored trace is refused: " in judged(gallery)[2]
    stored.unlink()
    assert "No such file" in judged(gallery)[2]


def test_the_ladder_has_every_check(gallery) -> None:
    ours = [*(f"refinement {text}" for text in verify_impl.REFINED), *(f"lock step {name}" for name in WIDE)]
    names = [t.name for t in ladders.tasks()]
    counted = [t.name for t in verify_loss.tasks(False)]
    proved = [t.name for t in verify_proof.tasks(False)]
    large = [t.name for t in verify_wide.tasks(False)]
    rest = ["other settings", "fault pairs", "lost", "as written"]
    assert names == [*SCOPES, *large, *rest, *ours, *counted, *proved]
    full = [t.name for t in ladders.tasks(full=True)]
    assert full.index("lost") == full.index("as written") - 1
    more = len(verify_wide.FULL) - len(verify_wide.SCOPES) + len(WIDER) - len(QUICK)
    assert len(full) == len(names) + len(verify_impl.REFINED_FULL) + len(verify_loss.LARGE) + 1 + more


# ------------------------------------------------------------------ interrupts, and pipes that close


def begun(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    return subprocess.Popen(
        [*CUTPROOF, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@proc
@pytest.mark.sampled(2)
@both_signals
def test_an_interrupted_exploration_says_what_it_covered(signal_: signal.Signals) -> None:
    process = begun("explore", "--scope", BIG)
    assert eventually(lambda: busy(process.pid))
    process.send_signal(signal_)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "interrupted" in err and "Traceback" not in err
    assert "the search was interrupted; " in out
    assert "states judged, all within" in out or "states found" in out  # by whichever engine it was


@proc
@pytest.mark.sampled(4)
@pytest.mark.parametrize("whole_group", [False, True])
@both_signals
def test_an_interrupted_ladder_tells_its_rows_and_ends_its_workers(
    signal_: signal.Signals, whole_group: bool
) -> None:
    """A terminal, and `timeout`, send it to the workers too."""
    process = begun("verify", "--scope", TINY, "--scope", BIG, "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["name"] == TINY
    workers = workers_of(process)
    assert eventually(lambda: any(map(busy, workers)))
    for pid in workers if whole_group else ():
        os.kill(pid, signal_)
    process.send_signal(signal_)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3 and out == ""
    assert (
        "interrupted: 1 of 2 tasks had ended" in err
        and f"under way: {BIG}: " in err
        and "Traceback" not in err
    )
    assert eventually(lambda: all(map(ended, workers)))


@proc
@pytest.mark.sampled(16)
@both_signals
@pytest.mark.parametrize("seconds", [1, 1.2, 1.5, 1.7, 2, 2.5, 3, 4])
@pytest.mark.parametrize("what", [(), ("gate",)])
def test_an_interrupted_proof_says_so_and_tells_no_time_out(
    what: tuple[str, ...], seconds: float, signal_: signal.Signals
) -> None:
    process = begun("prove", *what)
    assert eventually(lambda: busy(process.pid, seconds))
    process.send_signal(signal_)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3 and "interrupted" in err, out + err
    assert "time-out" not in out and "Traceback" not in err and "Exception ignored" not in err


@proc
def test_workers_do_not_outlive_a_ladder_that_is_killed() -> None:
    process = begun("verify", "--scope", BIG)
    assert eventually(lambda: any(map(busy, workers_of(process))))
    workers = workers_of(process)
    process.kill()
    process.communicate()
    assert eventually(lambda: all(map(ended, workers)))


@proc
def test_a_worker_that_is_ended_from_outside_is_unknown() -> None:
    process = begun("verify", "--scope", BIG, "--workers", "2", "--json")
    assert eventually(lambda: any(map(busy, workers_of(process))))
    for pid in workers_of(process):
        os.kill(pid, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    [row] = lines_of(out)
    assert process.returncode == 3 and row["verdict"] == "unknown" and "ended from outside" in row["reason"]
    assert "Traceback" not in err


@proc
def test_the_whole_ladder_without_a_worker_is_unknown_and_nothing_of_it_is_violated() -> None:
    process = begun("verify", "--workers", "2", "--json")
    assert eventually(lambda: any(map(busy, workers_of(process))))
    os.kill(workers_of(process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3 and "exit code 3" in err and "Traceback" not in err
    bad = [row for row in lines_of(out) if not row["as_expected"]]
    assert {row["verdict"] for row in bad} == {"unknown"}
    assert any("it may be in ended " in row["reason"] for row in bad if row["check"] == "coverage")


@proc
def test_a_worker_that_ends_while_others_are_given_work_is_unknown() -> None:
    pool = ProcessPoolExecutor(1)
    with pytest.raises(BrokenProcessPool):
        pool.submit(os._exit, 1).result()
    [row] = _outcome(Task("late", list), _submitted(pool, Task("late", list)))
    assert (row.check, row.name, row.code) == (ENDED, "late", 3)
    pool.shutdown()


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "command", [f"explore --scope {TINY}", "safeguards", f"verify --scope {TINY} --json"]
)
def test_a_closed_pipe_is_no_failure(command: str) -> None:
    process = begun(*command.split())
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == cli.CLOSED
    assert "Traceback" not in err and "BrokenPipe" not in err


def test_without_a_terminal_there_are_no_colours_and_no_progress_on_stdout() -> None:
    ran = subprocess.run([*CUTPROOF, "verify", "--scope", TINY], capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and "\x1b" not in ran.stdout and ran.stderr == ""
