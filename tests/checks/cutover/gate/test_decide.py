"""The gate is exact: every policy decided by Z3, and explicit search says the same of each."""

import csv
import json
from dataclasses import replace

import pytest
from places import DOCS

from cutproof.checks.cli import main as cli
from cutproof.checks.cutover.gate import decide as prove_gate
from cutproof.checks.cutover.gate.decide import decide
from cutproof.checks.engines.proof import smt2
from cutproof.model.cutover.policy import Policy, Strength, gate_of, policies, resolve, seed_gate

TABLE = DOCS / "policies.csv"


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def strict() -> list[prove_gate.Decision]:
    return decide(Strength.STRICT)


ALWAYS = ("abort_safe", "cleanup_proved", "no_lost_write", "no_permanent_loss", "no_regress")


def test_proof_and_explicit_search_agree_on_every_policy(strict) -> None:
    differ = []
    for decision, row in zip(strict, rows(), strict=True):
        least = min((int(row[name]) for name in ALWAYS if row[name]), default=None)
        if (decision.said, decision.steps) != ("safe" if row["strict"] == "true" else "unsafe", least):
            differ.append(decision)
    assert differ == [] and len(strict) == 2592


def test_the_sound_gate_is_exact_and_the_seeds_is_not(strict) -> None:
    sound = prove_gate.beside(strict, gate_of(Strength.STRICT), "sound", Strength.STRICT, 0.0)
    assert sound.exact and sound.accepted == 54
    seed = prove_gate.beside(strict, seed_gate, "seed", Strength.STRICT, 0.0)
    assert (len(seed.false_accepts), len(seed.false_refusals), seed.accepted) == (2106, 0, 2160)


def test_eventually_some_policies_are_decided_as_explicit_search_does() -> None:
    chosen = [(p, r) for p, r in zip(policies(), rows(), strict=True)][::311]
    found = decide(Strength.EVENTUAL, chosen=[p for p, _ in chosen])
    assert [d.said for d in found] == ["safe" if r["eventual"] == "true" else "unsafe" for _, r in chosen]


@pytest.mark.nightly
def test_eventually_proof_and_explicit_search_agree_on_every_policy() -> None:
    found = decide(Strength.EVENTUAL)
    wrong = [
        d for d, r in zip(found, rows(), strict=True) if (d.said == "safe") is not (r["eventual"] == "true")
    ]
    assert wrong == [] and not [d for d in found if d.said == "unknown"]
    assert prove_gate.beside(found, gate_of(Strength.EVENTUAL), "sound", Strength.EVENTUAL, 0.0).exact


def test_prove_gate_says_so_in_json(monkeypatch, capsys, strict) -> None:
    monkeypatch.setattr(prove_gate, "decide", lambda *_, **__: strict)
    assert cli.main(["prove", "gate", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    wanted = {
        "policies": 2592,
        "accepted": 54,
        "refused": 2538,
        "false_accepts": 0,
        "false_refusals": 0,
        "unknown": 0,
    }
    assert {k: facts[k] for k in wanted} == wanted and "seconds" in facts
    assert cli.main(["prove", "gate", "--gate", "seed", "--json"]) == 12
    assert json.loads(capsys.readouterr().out)["false_accepts"] == 2106


@pytest.mark.parametrize("by_night", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_what_was_proved_is_written_and_cvc5_confirms_it(
    by_night, monkeypatch, capsys, strict, tmp_path
) -> None:
    monkeypatch.setattr(prove_gate, "decide", lambda *_, **__: strict)
    assert cli.main(["prove", "gate", "--json", "--smt2", str(tmp_path / "there")]) == 0
    files = sorted((tmp_path / "there").iterdir())
    assert len(files) > 60 and {f.name.partition("-")[0] for f in files} == {"gate", "gate_alone"}
    pytest.importorskip("cvc5")
    asked = files if by_night else files[::15]
    assert [f.name for f in asked if smt2.ask_cvc5(f.read_text("utf-8")) != "unsat"] == []
    monkeypatch.setattr(
        prove_gate, "decide", lambda *_, **__: [*strict[:-1], replace(strict[-1], said="safe")]
    )
    assert cli.main(["prove", "gate", "--smt2", str(tmp_path / "wrong")]) == 12
    assert smt2.ask_cvc5((tmp_path / "wrong" / "gate-strict.smt2").read_text("utf-8")) == "sat"


def test_a_folder_that_is_a_file_is_refused(capsys, tmp_path) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["prove", "gate", "--smt2", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.endswith("is not a folder\n")


@pytest.mark.parametrize(
    "arguments",
    [["prove", "gates"], ["prove", "gate", "--scope", "base"], ["prove", "gate", "--gate", "good"],
     ["prove", "gate", "--strength", "some"], ["prove", "--scope", "bass"], ["prove", "--without", "fences"]],
)  # fmt: skip
def test_wrong_arguments_are_one_line_and_2(arguments, capsys) -> None:
    assert cli.main(arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_prove_one_scope(capsys) -> None:
    assert cli.main(["prove", "--scope", "base"]) == 0
    said = capsys.readouterr().out
    assert "44 obligations: 44 proved" in said and "proved   base: 18 policies, " in said
    assert cli.main(["prove", "--scope", "base", "--without", "fence_epoch"]) == 12
    assert "earlier_is_queued" in capsys.readouterr().out
    assert cli.main(["prove", "--scope", prove_gate_scope(), "--time-out", "0.001"]) == 3


def test_a_proof_for_many_policies_fails_if_one_of_them_is_unsafe() -> None:
    safe, unsafe = resolve(Policy()), resolve(Policy(skip_delta_pass=True))
    assert all(a.proved for a in prove_gate.proved_at_once(False, [safe]))
    assert not all(a.proved for a in prove_gate.proved_at_once(False, [safe, unsafe]))


def prove_gate_scope() -> str:
    from cutproof.checks.cutover.proofs.proved import EVERYTHING

    return EVERYTHING


def test_the_default_policy_is_what_the_gate_accepts() -> None:
    assert decide(Strength.STRICT, chosen=[Policy()])[0].said == "safe"
