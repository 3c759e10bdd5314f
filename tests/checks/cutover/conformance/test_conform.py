"""Conformance: the reference conforms, what is broken is caught by a short schedule, and what shows nothing says so."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import unittest
from functools import cache
from inspect import isfunction
from itertools import islice
from typing import Any

import pytest
from places import ROOT

from cutproof.checks.cutover.conformance import conform
from cutproof.checks.cutover.conformance.oracle import out_of_order
from cutproof.checks.cutover.conformance.planning.plan import plan
from cutproof.checks.cutover.conformance.planning.probe import probe

LACKS = {"put_if", "add", "append", "move", "split", "merge"}  # of the reference
EXAMPLES, GUIDE = ROOT / "docs" / "examples", ROOT / "docs" / "verify-your-own.md"

# Safeguards whose removal a client can notice within the first runs, what it then sees, and the longest schedule.
BROKEN = {
    "fence_epoch": ("lost acknowledged write", 9),
    "ack_after_applied": ("lost update", 6),
    "tombstones": ("resurrected delete", 12),
    "seal_blocks_writes": ("lost update", 9),
    "delta_compares_versions": ("lost update", 14),
    "one_owner_record": ("lost acknowledged write", 9),
    "durable_record": ("clients are not served again", 12),
}


def found(adapter: type[conform.Adapter], **arguments: Any) -> conform.NotConforming:
    with pytest.raises(conform.NotConforming) as caught:
        conform.check(adapter, **arguments)
    return caught.value


# ------------------------------------------------------------------ the reference


def test_the_reference_conforms_and_supports_everything() -> None:
    report = conform.check(conform.Reference, runs=300)
    assert report.missing() == []
    assert report.verdict == "conforms"
    assert report.unsupported == LACKS
    assert set(report.faults) == set(conform.FAULTS)
    assert report.shown == {"documents", "owner"}
    assert set(report.probe.phases) == {
        "DualWriteMigrating", "CutoverBegin", "CutoverDraining", "CutoverDeltaPass", "CutoverActivate", "CutoverCleanup"
    }  # fmt: skip


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3))
def test_the_reference_conforms_in_all_runs(seed: int) -> None:
    report = conform.check(conform.Reference, seed=seed)
    assert report.verdict == "conforms"
    assert report.counts["not decided"] == report.counts["the oracle failed"] == 0


@pytest.mark.sampled(3)
@pytest.mark.parametrize("safeguard", BROKEN)
def test_a_reference_without_a_safeguard_is_caught(safeguard: str) -> None:
    broken = type(f"Without_{safeguard}", (conform.Reference,), {"without": (safeguard,)})
    error = found(broken, runs=2_500)
    seen, longest = BROKEN[safeguard]
    assert error.reason.startswith(seen)
    assert error.whole
    assert len(error.schedule) <= longest


def test_run_n_of_a_seed_is_the_same_whatever_the_budget() -> None:
    def plans(runs: int, seed: int = 0) -> list[Any]:
        return list(islice(plan(probe(Dictionary), seed), runs))

    assert plans(300) == plans(700)[:300]
    assert plans(300)[-50:] != plans(300, seed=1)[-50:]
    counts = [conform.check(Dictionary, runs=runs).counts["put"] for runs in (100, 101, 200)]
    assert counts == sorted(counts)


def test_parts_of_the_runs_are_together_all_of_them() -> None:
    whole = conform.check(Dictionary, runs=90)
    parts = [conform.check(Dictionary, runs=90, part=(i, 3)) for i in range(3)]
    tours = whole.parts["tours"]
    assert sum(part.runs - tours for part in parts) == whole.runs - tours
    assert [part.parts["tours"] for part in parts] == [tours] * 3


def test_the_same_arguments_do_the_same_and_other_seeds_something_else() -> None:
    first, again, other = (str(conform.check(Dictionary, runs=400, seed=s)) for s in (0, 0, 1))
    assert first == again != other


def test_it_ends_after_the_seconds_that_it_was_given_and_says_so() -> None:
    report = conform.check(Dictionary, seconds=0.0)
    assert report.runs == 0
    assert report.stopped == "cut off after 0 s"
    assert report.verdict == "not exercised"


def test_an_interrupt_leaves_what_was_covered() -> None:
    def progress(made: int, _: int) -> None:
        if made == 7:
            raise KeyboardInterrupt

    report = conform.check(Dictionary, progress=progress)
    assert (report.runs, report.stopped) == (7, "interrupted")


# ------------------------------------------------------------------ adapters of one dictionary


class Dictionary(conform.Adapter):
    """One dictionary: a migration is over at the third step."""

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        self.documents: dict[str, str | None] = {}
        self.owner, self.left, self.target = nodes[0], 0, nodes[0]

    def put(self, key: str, value: str | None) -> conform.Answer:
        self.documents[key] = value
        return "acknowledged"

    def delete(self, key: str) -> conform.Answer:
        return self.put(key, None)

    def get(self, key: str) -> str | None:
        return self.documents.get(key)

    def begin_migration(self, node: str) -> None:
        self.left, self.target = 3, node

    def advance(self) -> bool:
        self.left -= self.left > 0
        if not self.left:
            self.owner = self.target
        return self.left > 0

    def phase(self) -> str:
        return "moving" if self.left else "idle"

    def observe(self) -> dict[str, Any]:
        return {"documents": self.documents, "owner": dict.fromkeys(self.documents, self.owner)}


class RefusesAll(Dictionary):
    def put(self, key: str, value: str | None) -> conform.Answer:
        return "refused"


class RefusesAndDoes(Dictionary):
    def put(self, key: str, value: str | None) -> conform.Answer:
        super().put(key, value)
        return "refused"


class NeverKnows(Dictionary):
    """Half of what it calls failed happens."""

    def put(self, key: str, value: str | None) -> conform.Answer:
        if value is None or int(value.partition("-")[2]) % 2:
            super().put(key, value)
        return "acknowledged" if value is None else "failed"


class HasNothing(conform.Adapter):
    def start(self, *arguments: Any) -> Any:
        raise conform.NotSupported

    put = get = heal = observe = stop = phase = start  # type: ignore[assignment]


class Raises(Dictionary):
    def get(self, key: str) -> str | None:
        if self.left:
            raise KeyError(key)
        return super().get(key)


class CannotStart(Dictionary):
    def start(self, nodes: Any, shards: int, seed: int) -> None:
        raise OSError("no such server")


class Mumbles(Dictionary):
    def put(self, key: str, value: str | None) -> conform.Answer:
        return "ok"


class NeverEnds(Dictionary):
    def advance(self) -> bool:
        return bool(self.left)


class StaysWhereItIs(Dictionary):
    def begin_migration(self, node: str) -> None:
        self.left = 3


class GoesBack(Dictionary):
    def phase(self) -> str:
        return {0: "idle", 3: "CutoverDeltaPass", 2: "DualWriteMigrating", 1: "CutoverCleanup"}[self.left]


class Invents(Dictionary):
    def get(self, key: str) -> str | None:
        return "hello"


class Hides(Dictionary):
    """Its owner holds something else than clients read."""

    def observe(self) -> dict[str, Any]:
        return {"documents": dict.fromkeys(self.documents)}


class Forgets(Dictionary):
    """Ten runs after it was first started it forgets a write: nothing that a seed could repeat."""

    runs = 0

    def start(self, nodes: Any, shards: int, seed: int) -> None:
        super().start(nodes, shards, seed)
        Forgets.runs += 1

    def get(self, key: str) -> str | None:
        return None if Forgets.runs == 10 else super().get(key)


def test_a_system_without_mistakes_conforms() -> None:
    report = conform.check(Dictionary, runs=30)
    assert report.verdict == "conforms"
    assert report.unsupported == {*conform.FAULTS, *LACKS, "scan"}
    assert report.counts["moved"] > 0
    assert report.probe.phases == {"moving": 3}


class OneStep(Dictionary):
    """A migration that is one step: nothing can happen in it."""

    def begin_migration(self, node: str) -> None:
        self.left, self.target = 1, node


class NoSteps(Dictionary):
    """The migration is over when it has begun."""

    def begin_migration(self, node: str) -> None:
        self.owner = node

    def advance(self) -> bool:
        raise conform.NotSupported


class RefusesMeanwhile(Dictionary):
    def put(self, key: str, value: str | None) -> conform.Answer:
        return "refused" if self.left else super().put(key, value)


@pytest.mark.parametrize(
    ("adapter", "because"),
    [
        (RefusesAll, "it acknowledged 0 writes"),
        (HasNothing, "no migration began"),
        (OneStep, "a migration is one step: nothing can happen in it"),
        (NoSteps, "a migration has no steps"),
        (RefusesMeanwhile, "no write was acknowledged that was issued during a migration"),
    ],
)
def test_what_shows_nothing_is_not_called_conforming(adapter: type[conform.Adapter], because: str) -> None:
    report = conform.check(adapter, runs=30)
    assert report.verdict == "not exercised"
    assert because in str(report)


def test_a_phase_in_which_something_never_happened_is_not_exercised() -> None:
    report = conform.check(Dictionary, runs=30)
    report.events["moving", "delete"] = 0
    assert report.missing() == ["in the phase moving there was no delete"]
    assert report.verdict == "not exercised"


def test_what_nobody_knows_is_no_false_alarm() -> None:
    report = conform.check(NeverKnows, runs=200)
    assert report.counts["failed"] > 100


def test_what_is_missing_is_named() -> None:
    said = str(conform.check(HasNothing, runs=5)).splitlines()
    [missing] = [line for line in said if "not supported" in line]
    names = {"advance", "begin_migration", "delete", "get", "phase", "put", "start", *conform.FAULTS}
    assert names <= set(re.findall(r"\w+", missing))


@pytest.mark.parametrize(
    ("adapter", "kind", "reason", "longest"),
    [
        (RefusesAndDoes, conform.NotConforming, r"refused, yet it happened: doc-\d: put #1 was refused at step 1", 5),
        (Raises, conform.AdapterFailed, "the adapter failed: get raised KeyError: 'doc-", 3),
        (CannotStart, conform.AdapterFailed, "the adapter failed: start raised OSError: no such server", 0),
        (Mumbles, conform.AdapterFailed, "the adapter failed: it answered 'ok' to put #1", 1),
        (NeverEnds, conform.NotServed, "the migration does not end: it is in moving", 5),
        (StaysWhereItIs, conform.DiffersFromOracle, "nothing went wrong, and its owner is node-0; the oracle's", 6),
        (GoesBack, conform.DiffersFromOracle, "from CutoverDeltaPass it goes to DualWriteMigrating", 3),
        (Invents, conform.NotConforming, "a client reads 'hello', which nobody wrote", 3),
        (Hides, conform.NotConforming, "lost acknowledged write: .* its owner holds nothing", 4),
        (Forgets, conform.AdapterFailed, "performed again, came out differently", 200),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_as_what_it_is(
    adapter: type[conform.Adapter], kind: type[conform.NotConforming], reason: str, longest: int
) -> None:
    error = found(adapter, runs=40)
    assert type(error) is kind
    assert re.search(reason, error.reason)
    assert len(error.schedule) <= longest


@pytest.mark.parametrize(
    ("adapter", "passes"), [(Dictionary, True), (RefusesAndDoes, False), (RefusesAll, False)]
)
def test_a_machine_is_a_test_case(adapter: type[conform.Adapter], passes: bool) -> None:
    result = unittest.TestResult()
    conform.machine(adapter, runs=20).TestCase().run(result)
    assert result.testsRun == 1
    assert result.wasSuccessful() is passes


def test_a_machine_can_be_several_tests_of_a_part_each() -> None:
    made = conform.machine(Dictionary, runs=30, parts=3)
    assert [n for n in vars(made.TestCase) if n.startswith("test_")] == [
        f"test_part_{i}_of_3" for i in (1, 2, 3)
    ]
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(made.TestCase).run(result)
    assert (result.testsRun, result.wasSuccessful()) == (3, True)


def test_the_old_name_of_the_budget_works_and_says_so() -> None:
    with pytest.warns(DeprecationWarning, match="now called runs"):
        assert conform.check(Dictionary, examples=5).runs == 5


# ------------------------------------------------------------------ phases


@pytest.mark.parametrize(
    ("before", "phase", "crashed", "wrong"),
    [
        ("CutoverDraining", "CutoverBegin", False, True),
        ("CutoverDraining", "CutoverBegin", True, False),
        ("CutoverBegin", "CutoverDeltaPass", False, False),
        ("CutoverDeltaPass", "Failed", False, False),
        ("CutoverActivate", "CutoverDraining", True, True),
        ("CutoverCleanup", "Failed", True, True),
    ],
)
def test_phases_go_forward(before: str, phase: str, crashed: bool, wrong: bool) -> None:
    assert out_of_order(before, phase, crashed) is wrong


# ------------------------------------------------------------------ the worked example


@cache
def run(*arguments: str) -> tuple[int, str]:
    """The example as a user runs it, from the root: its exit code, and what it says."""
    ran = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def example(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "judge_my_store", raising=False)
    return getattr(__import__("judge_my_store"), name)


def test_the_mistake_of_the_example_is_found() -> None:
    code, said = run("docs/examples/judge_my_store.py")
    assert code == 1
    assert said.startswith("lost update: ")
    _, _, shown = GUIDE.read_text("utf-8").partition(
        "<!-- said by: docs/examples/judge_my_store.py -->\n```text\n"
    )
    assert shown.partition("```")[0] == said


def test_the_adapter_in_the_guide_is_that_of_the_example() -> None:
    _, _, shown = GUIDE.read_text("utf-8").partition("<!-- the adapter -->\n```python\n")
    adapter = shown.partition("```")[0]
    assert adapter.startswith("class MyAdapter")
    assert adapter in (EXAMPLES / "judge_my_store.py").read_text("utf-8")


def test_the_guide_names_every_method_and_no_other() -> None:
    listed = set(re.findall(r"^\| `(\w+)\(", GUIDE.read_text("utf-8"), re.MULTILINE))
    assert listed == {name for name, value in vars(conform.Adapter).items() if isfunction(value)}


def test_the_mended_example_conforms_as_the_guide_says() -> None:
    code, said = run("docs/examples/judge_my_store.py", "mended")
    assert code == 0
    _, _, shown = GUIDE.read_text("utf-8").partition(
        "<!-- said by: docs/examples/judge_my_store.py mended -->\n```text\n"
    )
    assert shown.partition("```")[0] == said


@pytest.mark.nightly
def test_the_mended_example_conforms_in_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert conform.check(example("MendedAdapter", monkeypatch), runs=5_000).verdict == "conforms"


def test_the_example_does_not_use_the_reference() -> None:
    source = (EXAMPLES / "my_store.py").read_text("utf-8")
    names = [a.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import) for a in n.names]
    assert names == ["random", "zlib"]
    assert "from " not in "".join(line for line in source.splitlines() if line.startswith(("from", "import")))
    assert len(source.splitlines()) <= 130
