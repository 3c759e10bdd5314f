"""The instrument from Python: what a verdict tells and saves, and what its documentation shows."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from whole_runs import backfill, claims

from cutproof.checks import api
from cutproof.checks.engines.verdict import to_json
from cutproof.checks.traces.trace import read
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import Property, can_always


def broken() -> api.Loaded:
    return api.load("two-phase-commit", managers=2).without_guards(["commit:all prepared"])


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_a_violated_verdict_tells_and_saves_its_run(tmp_path: Path, engine: str) -> None:
    found = api.explore(broken(), properties=["consistent"], engine=engine)
    [verdict] = found.verdicts
    assert isinstance(verdict, api.Violated) and api.exit_code(found.verdicts) == 12
    story = verdict.story()
    assert story[0] == "Without commit:all prepared, this violates consistent." and "  1. commit()" in story
    assert "    The transaction manager commits once every resource manager prepared." in story
    file = tmp_path / "broken.itf.json"
    verdict.save(file)
    assert read(file).meta.scope == {"managers": 2} and api.replay(file).reproduced
    assert api.replay(read(file), broken()).reproduced and not api.replay(file).notes
    file.write_text("mine")
    with pytest.raises(api.TraceError, match="another file is there"):
        verdict.save(file)
    verdict.save(str(file), overwrite=True)
    assert api.replay(file).reproduced


def test_every_form_that_has_a_run_tells_it(tmp_path: Path) -> None:
    protocol = claims(backfill(False), can_always, lambda s: s.done)
    protocol = protocol.judged_by([*protocol.properties, Property("begins", "sometimes", lambda s: ~s.done)])
    found = api.explore(protocol)
    runs = 0
    for verdict in found.verdicts:
        if getattr(verdict, "path", None) or getattr(verdict, "witness", None):
            runs += 1
            assert verdict.property in verdict.story()[0]
            verdict.save(tmp_path / f"{runs}.itf.json")
            assert api.replay(tmp_path / f"{runs}.itf.json", protocol).reproduced
        else:
            with pytest.raises(ValueError, match="shows no run of which to tell"):
                verdict.story()
    assert runs >= 2  # what is sometimes reached, and the cycle


def test_random_runs_find_tell_and_save_a_violation(tmp_path: Path) -> None:
    found = api.simulate(broken(), seed=3, properties=["consistent"])
    assert found.found and found.exit_code == 12
    assert found.found.story()[2].endswith("scope managers=2; seed 3")
    found.found.save(tmp_path / "broken.itf.json")
    assert api.replay(tmp_path / "broken.itf.json").reproduced
    assert api.simulate(two_phase_commit(2), runs=50).exit_code == 0


def test_a_protocol_at_hand_needs_no_file(tmp_path: Path) -> None:
    protocol = two_phase_commit(2).without_guard("commit", "all prepared")
    [verdict] = api.explore(protocol, properties=["consistent"]).verdicts
    verdict.save(tmp_path / "t.itf.json")
    assert api.replay(tmp_path / "t.itf.json", protocol).reproduced
    assert verdict.story()[0] == "This violates consistent."


def test_what_a_verdict_was_made_from_is_no_part_of_what_it_says() -> None:
    [one] = api.explore(broken(), properties=["consistent"]).verdicts
    [other] = api.explore(broken().protocol, properties=["consistent"]).verdicts
    assert replace(one, seconds=0) == replace(other, seconds=0) and one.settings != other.settings
    assert "protocol=" not in repr(one) and "settings=" not in repr(one)
    assert not {"protocol", "settings"} & set(to_json(one))


def test_a_proof_and_an_export_are_those_of_the_commands() -> None:
    found = api.prove(broken(), steps=5)
    verdict = next(v for v in found.verdicts if v.property == "consistent")
    assert isinstance(verdict, api.Violated) and "consistent" in verdict.story()[0]
    assert verdict.settings["safeguards_removed"] == ("commit:all prepared",)
    assert list(api.export(broken(), "tla")) == ["TwoPhaseCommit.tla", "TwoPhaseCommit.cfg"]
    assert list(api.export(two_phase_commit(2), "promela")) == ["two_phase_commit.pml"]


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(api.Wrong, match="there are tla and promela"):
        api.export(two_phase_commit(2), "spin")
    with pytest.raises(api.Wrong, match="did you mean barrier"):
        api.load("barier")
    with pytest.raises(ValueError, match="no property no_such"):
        api.explore(broken(), properties=["no_such"])
    limited = api.explore(broken(), states=3, properties=["consistent"])
    assert limited.ended == "the limit of 3 states was reached"
    assert isinstance(limited.verdicts[0], api.Violated | api.Unknown)


def example_of(name: str) -> str:
    """The indented lines at the end of what the documentation says."""
    text = str(getattr(api, name).__doc__).partition("\n\n")[2]
    return "\n".join(line.removeprefix("    ") for line in text.splitlines())


EXAMPLES = ("load", "explore", "simulate", "drive", "prove", "replay", "export")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_each_function_runs(name: str, tmp_path: Path) -> None:
    """As a reader would: in an empty folder, with a protocol and a trace of it at hand."""
    before = (
        "from pathlib import Path\nfrom cutproof.checks import api\n"
        "from cutproof.model.examples.two_phase_commit import two_phase_commit\n"
        "protocol = two_phase_commit(2).without_guard('commit', 'all prepared')\n"
        "api.explore(protocol, properties=['consistent']).verdicts[0].save('broken.itf.json')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", before + example_of(name)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    assert ran.returncode in (0, 12) and (ran.stdout or list(tmp_path.glob("*.tla")))
