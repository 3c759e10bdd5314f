"""`cutproof gate`: the answer, the clause, a trace of harm that replays, and what wrong input gets."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from places import DOCS

from cutproof.checks.cli.main import main
from cutproof.checks.cutover.safeguards.necessity import refusal
from cutproof.model.cutover import properties
from cutproof.model.cutover.mechanisms import AntiEntropy, ReplicaAck
from cutproof.model.cutover.policy import CLAUSES, Clause, Policy, Strength, knobs, policies, refusing_clause

LIVELY = [p.name for p in properties.LIVELY]
SEED = Policy(skip_delta_pass=True, anti_entropy=AntiEntropy.OFF)


def of_policy(policy: Policy) -> str:
    """The policy as a file; every knob is said."""
    lines = [f"{k} = {_toml(getattr(policy, k))}" for k in list(knobs())[:6]]
    lines += ["[anti_entropy]", f"enabled = {_toml(policy.anti_entropy is not AntiEntropy.OFF)}"]
    lines += [f"auto_repair = {_toml(policy.anti_entropy is AntiEntropy.REPAIR)}"]
    lines += ["[topology]", f"replication_factor = {1 + policy.replicas}"]
    lines += [f"replica_ack = {_toml(policy.replica_ack)}"]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value.value}"'


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command on a policy, or on a text: its exit code, its output and its errors."""

    def run(policy: Policy | str, *more: str) -> tuple[int, str, str]:
        file = tmp_path / "policy.toml"
        file.write_text(of_policy(policy) if isinstance(policy, Policy) else policy)
        code = main(["gate", str(file), *more])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def asked(ask: Any, policy: Policy | str, *more: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = ask(policy, "--json", *more)
    assert out.count("\n") == 1
    return code, json.loads(out)


# ------------------------------------------------------------------ accepted


def test_the_default_is_accepted(ask: Any) -> None:
    assert ask("")[:2] == (0, "accepted (sound, strict)\n")
    assert ask("", "--strength", "eventual")[:2] == (0, "accepted (sound, eventual)\n")
    assert ask("", "--gate", "seed")[:2] == (0, "accepted (seed)\n")


def test_who_has_the_delta_pass_alone_is_warned(ask: Any) -> None:
    code, out, _ = ask("[anti_entropy]\nenabled = false")
    assert code == 0
    warning = " ".join(out.partition("warning:")[2].split())  # lines are wrapped
    assert "the delta pass is the sole mechanism" in warning
    code, facts = asked(ask, "[anti_entropy]\nenabled = false")
    assert (code, facts["accepted"]) == (0, True)
    assert facts["warning"] in warning
    assert asked(ask, "[anti_entropy]\nauto_repair = false")[1]["warning"] is None
    assert asked(ask, SEED)[1]["warning"] is None  # it is refused


def test_what_the_eventual_gate_is_known_not_to_see_is_said(ask: Any) -> None:
    """The policy of the stored trace: accepted, eventually, and on a way back it loses what both nodes acknowledged."""
    forced = (
        "",
        "--policy",
        "drain_on_timeout=force,acknowledge=all,replicas=false",
        "--strength",
        "eventual",
    )
    code, facts = asked(ask, *forced)
    assert code == 0 and "does not look at ways back" in facts["warning"]
    safe = ("", "--policy", "acknowledge=all,replicas=false", "--strength", "eventual")
    assert asked(ask, *safe)[1]["warning"] is None
    assert asked(ask, "", *forced[1:3])[1]["warning"] is None  # strictly, it is refused


def test_what_does_not_matter_is_said_not_to(ask: Any) -> None:
    text = 'drain_timeout = "5s"\n[anti_entropy]\nmax_read_concurrency = 9'
    assert (
        "  does not matter to the verdict: drain_timeout, anti_entropy.max_read_concurrency\n" in ask(text)[1]
    )
    assert asked(ask, text)[1]["ignored"] == ["drain_timeout", "anti_entropy.max_read_concurrency"]


# ------------------------------------------------------------------ refused, with a trace


def first_refused_by(clause: Clause, strength: Strength) -> Policy:
    """The policy nearest to the default that this clause is the first to refuse."""
    found = [p for p in policies() if refusing_clause(p, strength) is clause]
    return min(found, key=lambda p: len(p.changed()))


def fewest_steps(policy: Policy, strength: Strength) -> int:
    """To a violation of what counts, as one search of the whole lattice found it; to a state from which nothing
    finishes, where no state is bad."""
    with (DOCS / "policies.csv").open(encoding="utf-8", newline="") as lines:
        row = list(csv.DictReader(lines))[list(policies()).index(policy)]
    names = list(row)[list(row).index("sound_gate") + 1 :]
    always = [n for n in names if n not in LIVELY]
    bad = always if strength is Strength.STRICT else ["no_permanent_loss"]
    shown = [n for n in bad if row[n]] or [n for n in LIVELY if row[n]]
    return min(int(row[n]) for n in shown)


CASES = [
    pytest.param(
        strength,
        clause,
        id=f"{strength.value}-{clause.name.replace(', ', '-').replace(' ', '-')}",
    )
    for strength in Strength
    for clause in CLAUSES[strength]
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("strength", "clause"), CASES)
def test_each_clause_refuses_with_a_trace_that_replays(
    ask: Any, tmp_path: Path, strength: Strength, clause: Clause, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = first_refused_by(clause, strength)
    folder = tmp_path / "traces"
    code, facts = asked(ask, policy, "--strength", strength.value, "--trace", str(folder))
    assert (code, facts["accepted"], facts["strength"]) == (12, False, strength.value)
    literals = {n: [getattr(v, "value", v) for v in vs] for n, vs in clause.refuses.items()}
    assert facts["clause"].pop("trace") == f"traces/{refusal(strength, clause).file}.itf.json"
    assert facts["clause"] == {"name": clause.name, "refuses": literals, "why": clause.why}
    trace = facts["trace"]
    if strength is Strength.EVENTUAL:
        assert trace["property"] in ("no_permanent_loss", *LIVELY)
    assert trace["steps"] == fewest_steps(policy, strength)
    assert [str(f) for f in folder.iterdir()] == [trace["file"]]
    for on in ("model", "impl"):
        assert main(["replay", trace["file"], "--on", on, "--json"]) == 0
    written = json.loads(Path(trace["file"]).read_text())
    assert len(written["states"]) == trace["steps"] + 1
    assert written["#meta"]["property"] == trace["property"]
    assert written["#meta"]["policy"] == {k: v for k, v in facts["policy"].items() if k in policy.changed()}


def test_it_is_told_in_words(ask: Any) -> None:
    code, out, err = ask("skip_delta_pass = true")
    assert (code, err) == (12, "")
    assert out.splitlines() == [
        "refused (sound, strict) by clause 'delta': skip_delta_pass=true",
        "  what the new node missed is not there when it becomes the owner",
        "  shortest harm: no_regress (SR) is violated, 15 steps",
        "  as a file: cutproof explore --scope gate --policy skip_delta_pass=true --trace DIR",
        "  of the simplest policy that the clause refuses: cutproof replay lost-write-gate-strict-delta",
    ]


def test_where_nothing_is_lost_and_nothing_finishes_it_says_so(ask: Any) -> None:
    code, out, _ = ask("skip_delta_pass = true", "--strength", "eventual")
    assert code == 12
    assert "  shortest harm: finish (STK) is violated, from the start\n" in out


def test_the_same_question_has_the_same_answer_and_the_same_file(ask: Any, tmp_path: Path) -> None:
    answers = [ask("skip_delta_pass = true", "--trace", str(tmp_path / n))[1] for n in "aab"]
    assert answers[0] == answers[1]
    (one,), (other,) = ((tmp_path / n).iterdir() for n in "ab")
    assert one.read_bytes() == other.read_bytes()
    assert one.name == other.name


# ------------------------------------------------------------------ the seed's gate


def test_the_seeds_gate_answers_and_the_sound_one_is_heard_beside_it(ask: Any) -> None:
    code, out, _ = ask("skip_delta_pass = true", "--gate", "seed")
    assert code == 0  # its own answer
    assert out.startswith(
        "accepted (seed)\n  the sound gate (strict) refuses it by clause 'delta': skip_delta_pass=true: "
    )
    code, out, _ = ask(SEED, "--gate", "seed")
    assert code == 12
    assert "UnsafeCutoverNoAntiEntropy: anti-entropy is disabled and delta pass is skipped" in out
    code, facts = asked(ask, Policy(skip_delta_pass=True), "--gate", "seed", "--strength", "eventual")
    assert (code, facts["accepted"], facts["clause"]["name"], facts["trace"]) == (0, True, "no proof", None)


# ------------------------------------------------------------------ wrong input


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ('cleanup = "now"', (), 'policy.toml: cleanup: found "now", expected one of'),
        ("nothing = 1", (), "policy.toml: nothing: is no key of a policy"),
        ("x", (), "policy.toml: is not TOML"),
        ("[topology]\nreplication_factor = 1\nreplica_ack = 'required'", (), "policy.toml: topology.replica_ack:"),
        ("skip_delta_pass = false", ("--policy", "skip_delta_pass=true"), "the file says false, --policy says true"),
        ("", ("--policy", "skip_delta_pass=maybe"), "skip_delta_pass=maybe: the values are true, false"),
        ("", ("--policy", "sharding=1"), "unknown policy 'sharding'"),
        ("", ("--gate", "none"), "--gate none: there are sound and seed"),
        ("", ("--strength", "weak"), "--strength weak: there are strict and eventual"),
    ],
)  # fmt: skip
def test_wrong_input_gets_one_line(ask: Any, text: str, options: tuple[str, ...], said: str) -> None:
    code, out, err = ask(text, *options)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_file_where_a_folder_should_be_is_refused(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    code, _, err = ask("skip_delta_pass = true", "--trace", str(tmp_path / "taken"))
    assert (code, "is not a folder" in err) == (2, True)


def test_what_both_say_alike_is_accepted_and_the_options_fill_what_the_file_leaves_open(ask: Any) -> None:
    code, facts = asked(ask, 'acknowledge = "all"', "--policy", "acknowledge=all,replica_ack=required")
    assert code == 0
    assert facts["policy"] == {
        **{n: getattr(v := getattr(Policy(), n), "value", v) for n in knobs()},
        "acknowledge": "all",
        "replica_ack": ReplicaAck.REQUIRED.value,
    }
