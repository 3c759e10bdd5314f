"""`cutproof explore`: which engine answers, what is refused, and what is counted."""

import json
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.engines import choose, statistics
from cutproof.checks.engines.choose import FAST, PLAIN, ZDD, explore_any
from cutproof.checks.engines.exploration import Edges, Exploration, Limits
from cutproof.checks.engines.fast import conversion as handover
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.statistics import Degrees, Run, degrees_of, symmetry_of
from cutproof.checks.engines.verdict import Holds, exit_code, line
from cutproof.model.cutover import coordinator
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Operand,
    Step,
    action,
    always,
    can_always,
    count,
    each,
    family,
    guard,
    leads_to,
    put,
    when,
)
from cutproof.model.language.protocol import Protocol

TINY = "two_migrations"  # 2,094 states
Ran = tuple[int, str, str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `cutproof explore` in this process: exit code, stdout, stderr."""

    def running(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.main(["explore", *map(str, arguments)])
        return code, *capsys.readouterr()

    return running


def counts(out: str) -> dict[str, Any]:
    return json.loads(out.splitlines()[-1])


# ------------------------------------------------------------------ which engine


def test_the_engine_is_chosen_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "compiled", lambda: True)
    found, engine = explore_any(two_phase_commit(5))
    assert engine == PLAIN and len(found.states) == 8_832
    monkeypatch.setattr(choose, "SMALL", 1_000)
    found, engine = explore_any(two_phase_commit(5), properties=iter(["consistent"]))
    assert engine == FAST and len(found.states) == 8_832
    assert [v.property for v in found.verdicts] == ["consistent"]
    found, engine = explore_any(two_phase_commit(5), engine=PLAIN)
    assert engine == PLAIN and len(found.states) == 8_832
    assert explore_any(two_phase_commit(2), engine=FAST)[1] == FAST
    assert explore_any(two_phase_commit(2), symmetry=True)[1] == FAST


def test_diagrams_go_on_where_states_are_many_and_the_fast_engine_where_these_grow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choose, "compiled", lambda: True)
    monkeypatch.setattr(choose, "SMALL", 1_000)
    monkeypatch.setattr(choose, "LARGE", 2_000)
    found, engine = explore_any(two_phase_commit(5))
    assert engine == ZDD and found.distinct == 8_832 and exit_code(found.verdicts) == 0
    assert explore_any(two_phase_commit(5), graph=True)[1] == FAST  # which has a graph of states
    monkeypatch.setattr(choose, "NODES", 300)
    found, engine = explore_any(two_phase_commit(5))
    assert engine == FAST and found.distinct == 8_832 and not found.ended
    found, engine = explore_any(two_phase_commit(5), limits=Limits(states=5_000))
    assert engine == FAST and found.ended == "the limit of 5,000 states was reached"


def test_an_interrupt_before_an_engine_begins_leaves_nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(choose._Asked, "fast", interrupted)
    found, engine = explore_any(two_phase_commit(2), engine=FAST, properties=["consistent"])
    assert engine == FAST and found.interrupted and exit_code(found.verdicts) == 3
    assert [v.property for v in found.verdicts] == ["consistent"] and found.distinct == 0


def test_without_numba_the_plain_engine_is_given_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "SMALL", 1_000)
    monkeypatch.setattr(choose, "compiled", lambda: False)
    assert explore_any(two_phase_commit(5))[1] == PLAIN
    monkeypatch.setattr(choose, "SMALL_UNCOMPILED", 5_000)
    assert explore_any(two_phase_commit(5))[1] == FAST


def test_a_limit_is_a_limit_whichever_engine_comes_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "SMALL", 1_000)
    found, engine = explore_any(two_phase_commit(5), limits=Limits(states=900))
    assert engine == PLAIN and found.ended == "the limit of 900 states was reached"
    found, engine = explore_any(two_phase_commit(5), limits=Limits(states=3_000))
    assert engine == FAST and found.ended == "the limit of 3,000 states was reached"


def test_seconds_are_counted_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the plain engine too, before it is given up."""
    monkeypatch.setattr(choose, "SMALL", 1_000)
    given = list[Limits]()
    real = fast.explore
    monkeypatch.setattr(fast, "explore", lambda *a, **k: (given.append(k["limits"]), real(*a, **k))[1])
    before = time.perf_counter()
    explore_any(two_phase_commit(5), limits=Limits(seconds=600))
    [limits] = given
    assert isinstance(limits, choose.Since) and before <= limits.began < time.perf_counter() - 0.001
    assert (
        choose.Since(seconds=50, began=before - 60).reached(1, before)
        == "the limit of 50 seconds was reached"
    )
    assert choose.Since(seconds=600, began=before).reached(1, before - 10_000) == ""


def wide(bits: int) -> Protocol:
    """Counters of 32 bits that go up together, and back to zero: a wide state, and few of them."""

    @action
    def up(s: Any) -> Step:
        higher = s.n
        for i in range(bits // 32):
            higher = put(higher, i, s.n[i] + 1)
        return when(guard("below", s.n[0] < 5)).then(n=higher)

    @action
    def back(s: Any) -> Step:
        return when(guard("above", s.n[0] > 0)).then(n=each(s.n, 0))

    @always
    def never_five(s: Any) -> Operand:
        return s.n[bits // 32 - 1] < 5

    @can_always
    def home(s: Any) -> Operand:
        return s.n[0] == 0

    @leads_to
    def goes_on(s: Any) -> tuple[Operand, Operand]:
        return s.n[0] == 1, s.n[0] == 5

    variables = {"n": family("i", of=count(0, 2**32 - 1))}
    return Protocol("wide", variables, [up, back], [never_five, home, goes_on], {"i": range(bits // 32)})


@pytest.mark.parametrize("bits", [32, 128, 320])
def test_states_of_any_width_are_explored_by_both_engines(bits: int, tmp_path: Path) -> None:
    """One word, two, and five; on disk too."""
    protocol = wide(bits)
    (one, _), (two, engine) = (
        explore_any(protocol, engine=PLAIN),
        explore_any(protocol, engine=FAST, folder=tmp_path),
    )
    assert engine == FAST and len(two.states) == 6 and set(two.states) == set(one.states)
    said = [
        [(type(v).__name__, v.property, v.form, getattr(v, "path", None)) for v in f.verdicts]
        for f in (one, two)
    ]
    assert said[0] == said[1] and [v[0] for v in said[0][:3]] == ["Violated", "Holds", "Violated"]


WIDER = """
from cutproof.model.language import *
from cutproof.model.language.protocol import Protocol

@action
def up(s):
    return when(guard("below", s.n < 2**65)).then(n=choose(s.n < 40, s.n + 1, 2**66))

@always
def low(s):
    return s.n < 2**66

protocol = Protocol("wider", {"n": count(0, 2**70)}, [up], [low])
"""


def test_a_field_that_is_wider_than_a_word_is_left_to_the_plain_engine(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the fast engine would be the better one; where it was asked for, it refuses."""
    file = tmp_path / "wider.py"
    file.write_text(WIDER)
    monkeypatch.setattr(choose, "SMALL", 10)
    code, out, err = run(file)
    assert (code, err) == (12, "") and "plain engine: " in out and "41 steps" in out
    for options in (["--engine", "fast"], ["--symmetry"], ["--resume", tmp_path / "kept"]):
        code, out, err = run(file, *options)
        assert (code, out) == (2, "") and err.count("\n") == 1
        assert f"{options[0]}" in err and "n: its values take 71 bits, and 64 are in a word" in err


def test_all_engines_report_the_same(run) -> None:
    """But for what diagrams do not count: how many transitions leave a state."""
    said = {}
    for engine, more in (("plain", ()), ("fast", ()), ("zdd", ("--depth",))):
        code, out, err = run("--scope", TINY, "--without", "fence_epoch", "--engine", engine, *more, "--json")
        assert (code, err) == (12, "")
        objects = [json.loads(line) for line in out.splitlines()]
        for facts in objects:
            for name in ("seconds", "states_per_second", "engine", "workers"):
                facts.pop(name, None)
        said[engine] = objects
    assert said["plain"] == said["fast"]
    said["plain"][-1]["degrees"] = None
    assert said["plain"] == said["zdd"]


def test_the_old_name_of_an_engine_works_with_a_line(run) -> None:
    code, out, err = run("--scope", TINY, "--engine", "vector")
    assert code == 0 and "fast engine on" in out
    assert err == "--engine vector is now --engine fast; the old name goes\n"


def test_diagrams_say_what_they_did_not_count(run) -> None:
    code, out, err = run("--scope", TINY, "--engine", "zdd")
    assert (code, err) == (0, "") and "depth not counted" in out and "zdd engine: " in out
    assert ", depth" not in out.replace("depth not counted", "").split("every action")[0]
    code, out, err = run("--scope", TINY, "--engine", "zdd", "--max-states", 100)
    assert code == 3 and "ended early: the limit of 100 states was reached\n" in out
    assert "every state within" not in out


def test_the_number_of_workers_changes_nothing(run) -> None:
    said = set()
    for workers in (1, 2, 5):
        code, out, _ = run("--scope", TINY, "--engine", "fast", "--workers", workers)
        assert code == 0 and f"fast engine on {workers} thread{'s' * (workers > 1)}: " in out
        said.add("\n".join(line for line in out.splitlines() if not line.startswith("fast engine")))
    assert len(said) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--engine", "warp"), "--engine warp: there are plain, fast and zdd"),
        (("--engine", "plain", "--workers", "2"), "--workers is of the fast engine"),
        (("--engine", "plain", "--symmetry"), "--symmetry is of the fast engine"),
        (("--engine", "plain", "--resume", "kept"), "--resume is of the engines fast and zdd"),
        (
            ("--engine", "zdd", "--workers", "2"),
            "--workers is of the fast engine: it has no part in --engine zdd",
        ),
        (("--engine", "zdd", "--graph", "g.dot"), "--graph has no part in --engine zdd"),
        (("--engine", "fast", "--depth"), "--depth is of the engine zdd: --engine fast always counts it"),
        (("--workers", "0"), "--workers"),
        (("--workers", "many"), "--workers"),
        (("--resume", "/etc/passwd"), "--resume /etc/passwd: is not a folder"),
        (("--resume", "/proc/nowhere"), "--resume /proc/nowhere: "),
    ],
)
def test_wrong_usage_is_one_clear_line(run, tmp_path: Path, monkeypatch, arguments, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.startswith("cutproof: ") and said in err
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ the graph


@pytest.mark.parametrize("ending", ["graphml", "dot", "json"])
def test_the_graph_is_the_same_file_whichever_engine_writes_it(run, ending: str, tmp_path: Path) -> None:
    files = [tmp_path / f"{engine}.{ending}" for engine in ("plain", "fast")]
    for file in files:
        assert run("--scope", "page_fails", "--engine", file.stem, "--graph", file)[0] == 0
    assert files[0].read_bytes() == files[1].read_bytes() != b""


def test_a_graph_that_is_too_large_is_refused_after_the_verdicts(run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(handover, "LIMIT", 2_093)
    code, out, err = run("--scope", TINY, "--engine", "fast", "--graph", tmp_path / "g.dot")
    assert code == 2 and "holds     always no_lost_write (LAW): 2,094 states" in out
    assert (
        err
        == f"cutproof: --graph {tmp_path / 'g.dot'}: a graph has 2,093 states at most, and there are 2,094\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_search_that_ended_early_has_no_graph(run, tmp_path: Path) -> None:
    limited = ("--scope", TINY, "--max-states", 500, "--graph", tmp_path / "g.dot")
    code, out, err = run(*limited, "--engine", "fast")
    assert code == 2 and "unknown   always" in out and "the search ended early; only --engine plain" in err
    assert list(tmp_path.iterdir()) == []
    assert run(*limited, "--engine", "plain")[0] == 3 and (tmp_path / "g.dot").exists()


# ------------------------------------------------------------------ symmetry


def test_in_the_cutover_nothing_is_interchangeable_and_the_reason_is_said(run) -> None:
    code, out, _ = run("--scope", TINY, "--symmetry")
    assert code == 0 and "2,094 states" in out
    assert "not reduced by symmetry, since no index is interchangeable:" in out
    assert "    node: with node O and N exchanged, " in out
    code, out, _ = run("--scope", TINY, "--symmetry", "--json")
    facts = counts(out)
    assert facts["engine"] == "fast" and facts["symmetry"]["reduced"] == []
    assert facts["symmetry"]["why_not"]["doc"] == "doc has 1 value"


def test_what_was_reduced_is_said(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "build", lambda *_: two_phase_commit(3))
    monkeypatch.setattr("cutproof.checks.cli.reports.explorations.traces_of", lambda *_: {})
    code, out, _ = run("--symmetry")
    assert code == 0 and "80 distinct" in out
    assert (
        "reduced by symmetry (rm 0, 1, 2): states that differ by an exchange of these are counted once" in out
    )
    facts = counts(run("--symmetry", "--json")[1])
    assert facts["symmetry"]["reduced"] == [["rm", ["0", "1", "2"]]] and facts["distinct"] == 80
    code, out, err = run("--symmetry", "--graph", tmp_path / "g.dot")
    assert (code, out) == (2, "") and "--graph has no part in --symmetry" in err
    assert counts(run("--json")[1])["symmetry"] is None


def test_symmetry_of_protocols() -> None:
    assert symmetry_of(dijkstra_mutex(3)).reduced == ()
    assert "p" in dict(symmetry_of(dijkstra_mutex(3)).others)
    assert symmetry_of(barrier(2)).reduced[0][1] == ("0", "1")


# ------------------------------------------------------------------ statistics


def test_what_is_counted() -> None:
    """As TLC counts it: an initial state is generated too."""
    found = plain(two_phase_commit(3))
    facts, lines = statistics.facts(found, Run(PLAIN)), statistics.text(found, Run(PLAIN))
    assert (facts["generated"], facts["distinct"], facts["queue"], facts["ended"]) == (1_146, 288, 0, "")
    assert facts["degrees"] == {"minimum": 1, "average": 3.976, "maximum": 9, "percentile_95": 7}
    assert "1,146 states generated, 288 distinct, 0 left on queue, depth 10" in lines
    assert "out-degree: minimum 1, average 3.98, maximum 9, 95th percentile 7" in lines
    assert any(line.startswith("fired: ") for line in lines)
    assert any(line.startswith("plain engine: ") and line.endswith(" states/s") for line in lines)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], None),
        ([0, 0], None),
        ([5], Degrees(0, 0.0, 0, 0)),
        ([0, 0, 3, 1], Degrees(2, 2.25, 3, 3)),
        ([1, 18, 0, 1], Degrees(0, 1.05, 3, 1)),
        ([1, 17, 1, 1], Degrees(0, 1.1, 3, 2)),
        ([19, 0, 0, 1], Degrees(0, 0.15, 3, 0)),
    ],
)
def test_out_degrees(counts: list[int], expected: Degrees | None) -> None:
    assert degrees_of(counts) == expected


@pytest.mark.parametrize("states", [1 << 63, 10**24, 1 << 1024, 1 << 5000])
def test_counts_beyond_floats_are_told(states: int) -> None:
    protocol = two_phase_commit(2)
    found = Exploration(protocol, fired=[states] * len(protocol.transitions), depth=None, seconds=2.0)
    found.counted = found.expanded = states
    facts = json.loads(json.dumps(statistics.facts(found, Run(ZDD))))
    assert facts["distinct"] == states and facts["states_per_second"] == states // 2
    found.verdicts = [
        Holds(**found.about("decided", "always")),
        found.unknown("decided", "always", reason="r"),
    ]
    said = [*statistics.text(found, Run(ZDD)), *map(line, found.verdicts)]
    size = f"{states:,} " if states < 10**24 else f"e+{len(str(states)) - 1} "
    assert all(size in text for text in (said[1], said[3], said[4])) and max(map(len, said)) < 400


def test_what_was_not_counted_is_not_said_to_be_never(run: Callable[..., Ran]) -> None:
    few = ["two_phase_commit", "--engine", "zdd", "--max-states", "10"]
    code, out, _ = run(*few)
    assert code == 3 and "which actions happened was not counted" in out
    assert "never" not in out and "generated" not in out
    facts = counts(run(*few, "--json")[1])
    assert facts["coverage"] is facts["never_fired"] is facts["generated"] is None


def test_an_interrupt_while_the_depth_is_counted_is_not_success(
    run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    options = ("two_phase_commit", "--engine", "zdd", "--property", "consistent", "--depth")
    assert run(*options)[0] == 0
    monkeypatch.setattr("cutproof.checks.engines.zdd.reach.Breadth.grow", interrupted)
    code, out, err = run(*options)
    assert code == 3 and "holds     always consistent" in out
    assert err == "interrupted: the verdicts say what was covered\n"


def test_where_nodes_suffice_for_all_states_alone_diagrams_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from cutproof.checks.engines.zdd import explore as zdd

    def few(*given: Any, nodes: int | None = None, **more: Any) -> Exploration:
        found = explore(*given, **more)
        if nodes is not None:
            found.ended = "the limit of 3 nodes was reached"
        return found

    explore = zdd.explore
    monkeypatch.setattr(zdd, "explore", few)
    monkeypatch.setattr(choose, "compiled", lambda: True)
    monkeypatch.setattr(choose, "SMALL", 100)
    monkeypatch.setattr(choose, "LARGE", 1_000)
    found, engine = explore_any(two_phase_commit(5))
    assert engine == ZDD and not found.ended and exit_code(found.verdicts) == 0


def test_degrees_are_those_of_the_edges() -> None:
    edges = Edges(array("q", [0, 2, 2, 5]), array("i", [1] * 5), array("i", [0] * 5))
    assert edges.degrees() == [1, 0, 1, 1]
    assert Edges().degrees() == []
    assert plain(two_phase_commit(3), properties=["consistent"]).degrees == []  # nobody counted


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_what_ended_a_run_is_said_with_the_deepest_complete_level(run, engine: str) -> None:
    code, out, _ = run("--scope", TINY, "--max-states", 700, "--engine", engine)
    facts = counts(run("--scope", TINY, "--max-states", 700, "--engine", engine, "--json")[1])
    reason = "the limit of 700 states was reached"
    assert code == 3 and facts["ended"] == reason and facts["queue"] > 0
    assert f"ended early: {reason}; every state within {facts['depth']} steps was found" in out
    assert f"{facts['distinct']:,} distinct, {facts['queue']:,} left on queue, depth {facts['depth']}" in out


def test_a_whole_run_says_nothing_of_an_end(run) -> None:
    out = run("--scope", TINY)[1]
    assert "ended early" not in out and "symmetry" not in out
    assert "out-degree: minimum 0, average 3.46, maximum 8, 95th percentile 5" in out


def test_what_was_interrupted_has_no_graph(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupting(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(fast.Passes, "reach", interrupting)
    code, out, err = run("--scope", TINY, "--engine", "fast", "--graph", tmp_path / "g.dot")
    assert code == 2 and "the search ended early" in err and list(tmp_path.iterdir()) == []
    assert "interrupted: the verdicts say what was covered" in err
    code, out, err = run("--scope", TINY, "--engine", "fast")
    assert code == 3 and "holds     always" in out and "unknown   can_always" in out
