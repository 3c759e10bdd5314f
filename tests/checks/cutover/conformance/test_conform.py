"""Conformance: the reference conforms, what is broken is caught by a short schedule, and what shows nothing says so."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import unittest
from functools import cache
from inspect import isfunction
from typing import Any

import pytest
from places import ROOT

from cutproof.checks.cutover.conformance import conform
from cutproof.checks.cutover.conformance.oracle import out_of_order
from cutproof.checks.drivers.judge import Judge

EXAMPLES, GUIDE = ROOT / "docs" / "examples", ROOT / "docs" / "verify-your-own.md"

# Safeguards whose removal a client can notice, what it then sees, and the longest schedule that shows it.
BROKEN = {
    "fence_epoch": ("lost acknowledged write", 9),
    "ack_after_applied": ("lost acknowledged write", 6),
    "tombstones": ("resurrected delete", 12),
    "seal_blocks_writes": ("lost acknowledged write", 9),
    "delta_compares_versions": ("lost update", 14),
    "one_owner_record": ("lost acknowledged write", 9),
}


def found(adapter: type[conform.Adapter], **arguments: Any) -> conform.NotConforming:
    with pytest.raises(conform.NotConforming) as caught:
        conform.check(adapter, **arguments)
    return caught.value


# ------------------------------------------------------------------ the reference


def test_the_reference_conforms_and_supports_everything() -> None:
    report = conform.check(conform.Reference, examples=80)
    assert report.verdict == "conforms"
    assert report.unsupported == set()
    assert set(report.faults) == set(conform.FAULTS)
    assert report.shown == {"documents", "owner"}
    assert report.counts["acknowledged while moving"] > 100
    assert {"DualWriteMigrating", "CutoverDraining", "CutoverDeltaPass"} <= set(report.phases)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("safeguard", BROKEN)
def test_a_reference_without_a_safeguard_is_caught(safeguard: str) -> None:
    broken = type(f"Without_{safeguard}", (conform.Reference,), {"without": (safeguard,)})
    error = found(broken, examples=250)
    seen, longest = BROKEN[safeguard]
    assert error.reason.startswith(seen)
    assert 0 < error.run <= 250
    assert len(error.schedule) <= longest


def test_the_same_arguments_do_the_same_and_other_seeds_something_else() -> None:
    first, again, other = (str(conform.check(conform.Reference, examples=10, seed=s)) for s in (0, 0, 1))
    assert first == again != other


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
    report = conform.check(Dictionary, examples=30)
    assert report.verdict == "conforms"
    assert report.unsupported == set(conform.FAULTS)
    assert report.counts["moved"] > 0


@pytest.mark.parametrize(
    ("adapter", "because"),
    [
        (RefusesAll, "it acknowledged 0 writes"),
        (HasNothing, "no migration began"),
    ],
)
def test_what_shows_nothing_is_not_called_conforming(adapter: type[conform.Adapter], because: str) -> None:
    report = conform.check(adapter, examples=30)
    assert report.verdict == "not exercised"
    assert because in str(report)


def test_what_nobody_knows_is_no_false_alarm() -> None:
    report = conform.check(NeverKnows, examples=30)
    assert report.counts["failed"] > 100


def test_what_is_missing_is_named() -> None:
    said = str(conform.check(HasNothing, examples=5)).splitlines()
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
        (NeverEnds, conform.NotConforming, "the migration does not end: it is in moving", 4),
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
    error = found(adapter, examples=40)
    assert type(error) is kind
    assert re.search(reason, error.reason)
    assert len(error.schedule) <= longest


@pytest.mark.parametrize(
    ("adapter", "passes"), [(Dictionary, True), (RefusesAndDoes, False), (RefusesAll, False)]
)
def test_a_machine_is_a_test_case(adapter: type[conform.Adapter], passes: bool) -> None:
    result = unittest.TestResult()
    conform.machine(adapter, examples=20).TestCase().run(result)
    assert result.testsRun == 1
    assert result.wasSuccessful() is passes


def test_two_adapters_of_one_name_share_nothing() -> None:
    def named(module: str) -> Any:
        return conform.machine(type("Mine", (Dictionary,), {"__module__": module}))

    digests = {named(m)._hypothesis_internal_add_digest for m in ("one", "two")}
    assert len(digests | {conform.machine(Dictionary, seed=1)._hypothesis_internal_add_digest}) == 3


# ------------------------------------------------------------------ the judge

# Each line: is it fine, with versions and without? Operations: (value, issued, answered, status); reads: (value, when).
HISTORIES: list[tuple[str, list[Any], list[tuple[str | None, int]], bool, bool]] = [
    ("the last acknowledged is read", [("a", 1, 2, "acknowledged")], [("a", 3)], True, True),
    ("an acknowledged write is gone", [("a", 1, 2, "acknowledged")], [(None, 3)], False, False),
    ("before the answer anything goes", [("a", 1, 9, "acknowledged")], [(None, 3), ("a", 5)], True, True),
    ("what was seen stays", [("a", 1, 9, "acknowledged")], [("a", 3), (None, 5)], False, False),
    ("a failed write may happen", [("a", 1, 2, "failed")], [(None, 3), ("a", 5)], True, True),
    ("a failed write does not unhappen", [("a", 1, 2, "failed")], [("a", 3), (None, 5)], False, False),
    ("a late unknown write over a newer one",
     [("a", 1, 2, "failed"), ("b", 3, 4, "acknowledged")], [("b", 5), ("a", 7)], False, True),
    ("... that had been seen before",
     [("a", 1, 2, "failed"), ("b", 4, 5, "acknowledged")], [("a", 3), ("a", 7)], False, False),
    ("what overlaps comes in either order",
     [("a", 1, 6, "acknowledged"), ("b", 2, 5, "acknowledged")], [("a", 7)], True, True),
    ("... but in one order only",
     [("a", 1, 6, "acknowledged"), ("b", 2, 5, "acknowledged")], [("a", 7), ("b", 8)], False, False),
    ("an order that was seen binds what is older",
     [("a", 1, 2, "acknowledged"), ("b", 3, 9, "failed"), ("c", 4, 5, "acknowledged")], [("c", 6), ("a", 7)],
     False, False),
    ("a refused write never happens", [("a", 1, 2, "refused")], [("a", 3)], False, False),
    ("a delete is undone",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "acknowledged")], [("a", 5)], False, False),
    ("a failed delete explains nothing",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "failed")], [(None, 5)], True, True),
    ("a refused delete does not",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "refused")], [(None, 5)], False, False),
    ("two deletes look alike",
     [("a", 1, 2, "acknowledged"), (None, 3, 4, "failed"), (None, 5, 6, "failed")], [(None, 7), (None, 8)],
     True, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("_", "writes", "reads", "fine", "fine_without"), HISTORIES, ids=[h[0] for h in HISTORIES]
)
@pytest.mark.parametrize("versioned", [True, False])
def test_the_judge(_: str, writes: Any, reads: Any, fine: bool, fine_without: bool, versioned: bool) -> None:
    judge, said = Judge("doc", versioned), []
    moments: list[tuple[int, str, Any]] = [(when, "read", value) for value, when in reads]
    for number, (value, issued, answered, status) in enumerate(writes, 1):
        moments += [(issued, "issue", (number, value)), (answered, "answer", (number, status))]
    for moment, what, about in sorted(moments, key=lambda m: m[0]):
        if what == "issue":
            judge.issue(*about, moment)
        elif what == "answer":
            said.append(judge.answer(judge.operations[about[0]], about[1], moment, moment))
        else:
            said.append(judge.read(about, moment, moment))
    assert (not any(said)) is (fine if versioned else fine_without)


def test_an_answer_that_contradicts_a_read_is_seen() -> None:
    judge = Judge("doc")
    judge.issue(1, "a", 1)
    assert judge.read("a", 2, 2) == ""
    assert "after a client had read it at step 2" in judge.answer(judge.operations[1], "refused", 3, 3)


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


def test_the_mended_example_conforms(monkeypatch: pytest.MonkeyPatch) -> None:
    report = conform.check(example("MendedAdapter", monkeypatch), examples=150)
    assert report.verdict == "conforms"
    assert set(report.faults) == {"fail", "pause"}


@pytest.mark.nightly
def test_the_mended_example_conforms_in_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert conform.check(example("MendedAdapter", monkeypatch), examples=5_000).verdict == "conforms"


def test_the_example_does_not_use_the_reference() -> None:
    source = (EXAMPLES / "my_store.py").read_text("utf-8")
    names = [a.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import) for a in n.names]
    assert names == ["random", "zlib"]
    assert "from " not in "".join(line for line in source.splitlines() if line.startswith(("from", "import")))
    assert len(source.splitlines()) <= 130
