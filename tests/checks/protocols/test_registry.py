"""The protocols that are bundled: each is what the list says of it, and its traces find it again."""

from pathlib import Path

import pytest

from cutproof.checks.cli.arguments import protocol_of_trace
from cutproof.checks.common.refusals import Wrong
from cutproof.checks.engines.choose import explore_any
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Violated
from cutproof.checks.protocols.load import load
from cutproof.checks.protocols.registry import BUNDLED, bundled, entry_of, of_trace, without_guards
from cutproof.checks.protocols.studies import STUDIES, study
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.trace import from_bytes, from_path, to_bytes
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.policy import parse_policy
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, parse_scope
from cutproof.model.examples.two_phase_commit import two_phase_commit


@pytest.mark.parametrize("entry", BUNDLED, ids=lambda entry: entry.name)
def test_the_states_are_as_many_as_the_list_says(entry) -> None:
    loaded = load(entry.name)
    safety = [c.property for c in loaded.protocol.claims if c.form == "always"]
    found, _ = explore_any(loaded.protocol, properties=safety)
    assert len(found.states) == entry.states
    assert loaded.protocol.name == entry.protocol and entry_of(entry.protocol) is entry


@pytest.mark.parametrize("name", ["two-phase-commit", "two_phase_commit", "Two-Phase-Commit"])
def test_a_name_may_be_written_in_several_ways(name: str) -> None:
    assert bundled(name).protocol == "two_phase_commit"


@pytest.mark.parametrize("entry", [e for e in BUNDLED if e.bounds], ids=lambda entry: entry.name)
def test_bounds_are_bounded(entry) -> None:
    for name, bound in entry.bounds.items():
        for value in (bound.start - 1, bound.stop):
            with pytest.raises(Wrong, match=f"{name}={value}: is not {bound.start}..{bound.stop - 1}"):
                load(entry.name, {name: value})


@pytest.mark.parametrize("name", [*SCOPES, *SMALL_SCOPES, "documents=1"])
def test_what_a_trace_carries_makes_the_cutover_again(name: str) -> None:
    policy = "cleanup=immediate" if parse_scope(name).replica else "cleanup=immediate,replicas=false"
    loaded = load("cutover", {"scope": name, "policy": policy, "without": "fence_epoch,tombstones"})
    wanted = build(parse_scope(name), parse_policy(policy), ("fence_epoch", "tombstones"))
    assert loaded.protocol.digest == wanted.digest
    assert of_trace("cutover", loaded.settings, "t").digest == wanted.digest


def test_parameters_and_guards_that_were_dropped_come_back_from_a_trace() -> None:
    loaded = load("two-phase-commit", "managers=2").without_guards([" commit : all prepared"])
    found = explore(loaded.protocol, properties=["consistent"])
    [verdict] = found.verdicts
    assert isinstance(verdict, Violated) and verdict.path
    trace = from_path(
        loaded.protocol, verdict.path.states, verdict.path.transitions, why="So.", property="consistent",
        **loaded.settings,
    )  # fmt: skip
    trace = from_bytes(to_bytes(trace), "t")
    assert trace.meta.scope == {"managers": 2}
    assert trace.meta.safeguards_removed == ("commit:all prepared",)
    again = protocol_of_trace(trace, "t")
    assert again.digest == loaded.protocol.digest != two_phase_commit(2).digest
    result = replay(trace, again)
    assert result.reproduced and not result.notes


@pytest.mark.parametrize(
    ("protocol", "settings", "said"),
    [
        ("mine", {}, "unknown protocol 'mine'; there are cutover, small_cutover, .* --model FILE.py"),
        ("barrier", {"scope": {"processes": 0}}, "processes=0: is not 1..9"),
        ("barrier", {"scope": {"processes": True}}, "is not a whole number"),
        ("barrier", {"scope": {"size": 2}}, "unknown parameter 'size'"),
        ("barrier", {"safeguards_removed": ("lock:no such",)}, "lock has no guard 'no such'; there are"),
        ("barrier", {"safeguards_removed": ("lok:lock is free",)}, "no action 'lok'; did you mean lock?"),
        ("cutover", {"scope": {"writes": 99}}, "writes=99 is out of range"),
        ("cutover", {"policy": {"cleanup": "now"}}, "cleanup=now: the values are"),
        ("cutover", {"safeguards_removed": ("fence_epok",)}, "did you mean fence_epoch"),
    ],
)
def test_a_trace_of_what_cannot_be_is_refused(protocol: str, settings: dict[str, object], said: str) -> None:
    carried = {"scope": {}, "policy": {}, "safeguards_removed": (), **settings}
    with pytest.raises(Wrong, match=said) as found:
        of_trace(protocol, carried, "t.itf.json")
    assert str(found.value).startswith("t.itf.json: $.#meta")


@pytest.mark.parametrize(
    "given", ["commit", ":all prepared", "commit:", "comit:all prepared", "commit:all prepard"]
)
def test_a_guard_that_is_not_there_is_refused(given: str) -> None:
    with pytest.raises(Wrong, match="--without-guard"):
        without_guards(two_phase_commit(2), [given])


def test_dropping_a_guard_twice_is_dropping_it_once() -> None:
    once = load("two-phase-commit").without_guards(["commit:all prepared", "commit: all prepared"])
    assert once.settings["safeguards_removed"] == ("commit:all prepared",)


def test_what_is_studied_is_bundled() -> None:
    assert {s.name for s in STUDIES} <= {b.name for b in BUNDLED}
    assert study("cutover").safeguards()["fence_epoch"]
    with pytest.raises(Wrong, match="--protocol barrier: is not studied here; there is cutover"):
        study("barrier")


def test_no_file_is_run_because_a_trace_names_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("open('was_run', 'w')")
    for name in ("mine.py", "mine", str(tmp_path / "mine.py")):
        with pytest.raises(Wrong, match="give its file"):
            of_trace(name, {"scope": {}, "policy": {}, "safeguards_removed": ()}, "t")
    assert not (tmp_path / "was_run").exists()


def test_there_may_be_as_many_managers_as_diagrams_can_have() -> None:
    assert len(bundled("two_phase_commit").build({"managers": 64})[0].initials) == 1
    with pytest.raises(Wrong, match=r"managers=65: is not 1\.\.64"):
        bundled("two_phase_commit").build({"managers": 65})
