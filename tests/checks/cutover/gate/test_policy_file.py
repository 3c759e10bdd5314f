"""Policy files: what they may say, what it means, and the one line that says what is wrong with one."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import DOCS

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.cutover.gate.policy_file import LARGEST, NO_MATTER, Given, combined, read_policy
from cutproof.checks.cutover.gate.policy_file import given as meant
from cutproof.impl.miroir import AntiEntropyConfig, MigrationConfig, policy_from
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.policy import (
    DrainOnTimeout,
    Policy,
    Rollback,
    Strength,
    parse_policy,
    policies,
    policy_of,
    seed_gate,
    sound_gate,
)

EXAMPLES = sorted((DOCS / "examples").glob("*.toml"))


def words(kind: type[Enum]) -> st.SearchStrategy[str]:
    return st.sampled_from([m.value for m in kind])


def table(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


# What a file may say, as TOML's own values.
top = table(
    skip_delta_pass=st.booleans(), drain_timeout=st.sampled_from([1, 30.5, "30s", "500ms", "2m"]),
    drain_on_timeout=words(DrainOnTimeout), cutover_writes=words(WritesWhileSealed), cleanup=words(Cleanup),
    rollback=words(Rollback), acknowledge=words(Acknowledge),
)  # fmt: skip
anti_entropy = table(
    enabled=st.booleans(), auto_repair=st.booleans(), schedule_cron=st.just("0 */6 * * *"),
    shards_per_pass=st.integers(0, 64), max_read_concurrency=st.integers(1, 9),
    fingerprint_batch_size=st.integers(1, 9999), updated_at_field=st.just("_miroir_updated_at"),
)  # fmt: skip
topology = table(
    replication_factor=st.integers(1, 3), replica_groups=st.integers(1, 3), replica_ack=words(ReplicaAck)
)


def text_of(values: dict[str, Any]) -> str:
    """Such values as TOML."""

    def lines(of: dict[str, Any]) -> list[str]:
        shown = {True: "true", False: "false"}
        return [
            f"{k} = {shown[v] if isinstance(v, bool) else repr(v) if not isinstance(v, str) else chr(34) + v + chr(34)}"
            for k, v in of.items()
        ]

    plain = {k: v for k, v in values.items() if not isinstance(v, dict)}
    tables = {k: v for k, v in values.items() if isinstance(v, dict)}
    return "\n".join([*lines(plain), *(line for k, v in tables.items() for line in (f"[{k}]", *lines(v)))])


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "policy.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


# ------------------------------------------------------------------ what it means


@given(top=top, ae=anti_entropy, topology=topology)
def test_a_file_means_what_the_configurations_mean(
    tmp_path_factory: pytest.TempPathFactory,
    top: dict[str, Any],
    ae: dict[str, Any],
    topology: dict[str, Any],
) -> None:
    file = written(tmp_path_factory.mktemp("p"), text_of({**top, "anti_entropy": ae, "topology": topology}))
    copies = topology.get("replication_factor", 2) * topology.get("replica_groups", 1)
    if copies == 1 and topology.get("replica_ack", "none") != "none":
        with pytest.raises(Wrong, match=r"policy\.toml: topology\.replica_ack: .*with one replica"):
            read_policy(file)
        return
    found = read_policy(file)
    acts = AntiEntropy.REPAIR if ae.get("auto_repair", True) else AntiEntropy.ALERT
    knobs = {k: v for k, v in top.items() if k != "drain_timeout"}
    assert found.policy == policy_of(
        {
            **knobs,
            "anti_entropy": (acts if ae.get("enabled", True) else AntiEntropy.OFF).value,
            "replicas": copies > 1,
            "replica_ack": topology.get("replica_ack", "none"),
        }
    )
    said = {*top, *(f"anti_entropy.{k}" for k in ae)}
    assert set(found.ignored) == said & set(NO_MATTER)
    assert {k: found.set[k] for k in knobs} == {k: getattr(found.policy, k) for k in knobs}


def test_an_empty_file_is_the_default_policy(tmp_path: Path) -> None:
    assert read_policy(written(tmp_path, "")) == Given(Policy(), {}, ())
    assert policy_from(AntiEntropyConfig(), MigrationConfig()) == Policy()


def test_every_policy_can_be_written(tmp_path: Path) -> None:
    enabled = {
        AntiEntropy.REPAIR: {"enabled": True},
        AntiEntropy.ALERT: {"auto_repair": False},
        AntiEntropy.OFF: {"enabled": False},
    }
    for policy in policies():
        plain = ("drain_on_timeout", "cutover_writes", "cleanup", "rollback", "acknowledge")
        values: dict[str, Any] = {
            "skip_delta_pass": policy.skip_delta_pass,
            **{k: getattr(policy, k).value for k in plain},
            "anti_entropy": enabled[policy.anti_entropy],
            "topology": {
                "replication_factor": 1 + policy.replicas,
                "replica_ack": policy.replica_ack.value,
            },
        }
        assert meant(values).policy == policy


def test_a_pass_that_never_begins_repairs_nothing() -> None:
    """An empty schedule is as good as an alert, and off stays off."""
    for ae, acts in (
        ({"schedule_cron": ""}, AntiEntropy.ALERT),
        ({"schedule_cron": " ", "auto_repair": True}, AntiEntropy.ALERT),
        ({"schedule_cron": "", "enabled": False}, AntiEntropy.OFF),
        ({"schedule_cron": "0 3 * * *"}, AntiEntropy.REPAIR),
        ({"shards_per_pass": 1}, AntiEntropy.REPAIR),  # later, and yet
    ):
        assert meant({"anti_entropy": ae}).policy.anti_entropy is acts


def test_examples_are_policies() -> None:
    found = {file.stem: read_policy(file).policy for file in EXAMPLES}
    assert found["policy"] == Policy()
    assert {sound_gate(policy) is None for policy in found.values()} == {True, False}
    assert any(seed_gate(p) is None and sound_gate(p, Strength.EVENTUAL) is not None for p in found.values())


def test_the_example_of_every_key_has_the_defaults_and_misses_none() -> None:
    found = tomllib.loads((EXAMPLES[0].parent / "policy.toml").read_text(encoding="utf-8"))
    assert found.pop("protocol", "cutover") == "cutover"
    assert AntiEntropyConfig(**found["anti_entropy"]) == AntiEntropyConfig()
    assert set(found["anti_entropy"]) == {f.name for f in fields(AntiEntropyConfig)}
    assert set(found["topology"]) == {"replication_factor", "replica_groups", "replica_ack"}
    plain = {k: v for k, v in found.items() if not isinstance(v, dict)}
    assert set(plain) == {f.name for f in fields(MigrationConfig)} - {"replica_ack", "replicas"}
    assert meant({k: v for k, v in found.items() if k != "protocol"}).set.keys() == {
        f.name for f in fields(Policy)
    }  # each of them is said


# ------------------------------------------------------------------ what is refused, in one line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("skip_delta_pas = true", "skip_delta_pas: is no key of a policy; did you mean skip_delta_pass?"),
        ("[anti_entropy]\nauto_repairs = true", "anti_entropy.auto_repairs: is no key of a policy; did you mean"),
        ("zzz = 1", "zzz: is no key of a policy; the keys are protocol, skip_delta_pass,"),
        ("[migration]\nskip_delta_pass = true", "migration.skip_delta_pass: is no key of a policy; did you mean"),
        ('skip_delta_pass = "true"', 'skip_delta_pass: found "true", expected true or false'),
        ("skip_delta_pass = 1", "skip_delta_pass: found 1, expected true or false"),
        ('cleanup = "now"', 'cleanup: found "now", expected one of "after_proof", "immediate", "after_clean_pass"'),
        ("cleanup = true", 'cleanup: found true, expected one of "after_proof"'),
        ('drain_timeout = "soon"', 'drain_timeout: found "soon", expected seconds'),
        ("drain_timeout = -1", "drain_timeout: found -1, expected seconds"),
        ("drain_timeout = true", "drain_timeout: found true, expected seconds"),
        ("drain_timeout = inf", "drain_timeout: found inf, expected seconds"),
        ('anti_entropy = "off"', 'anti_entropy: found "off", expected a table [anti_entropy]'),
        ("[anti_entropy]\nshards_per_pass = -1", "anti_entropy.shards_per_pass: found -1, expected a whole number"),
        ("[anti_entropy]\nshards_per_pass = 1.0", "anti_entropy.shards_per_pass: found 1.0, expected a whole number"),
        ("[anti_entropy]\nfingerprint_batch_size = 0", "anti_entropy.fingerprint_batch_size: found 0"),
        ("[anti_entropy]\nupdated_at_field = 7", "anti_entropy.updated_at_field: found 7, expected a text"),
        ("[topology]\nreplication_factor = 0", "topology.replication_factor: found 0, expected a whole number, 1 to"),
        ("[topology]\nreplica_ack = 'all'", 'topology.replica_ack: found "all", expected one of "none", "counts"'),
        ("[topology]\nreplication_factor = 1\nreplica_ack = 'counts'", 'topology.replica_ack: "counts" with one'),
        ("skip_delta_pass = yes", "is not TOML"),
        ("skip_delta_pass = true\nskip_delta_pass = false", "is not TOML"),
        ("= 1", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8 (byte 0)"),
        ("#" * (LARGEST + 1), "holds 1,048,577 bytes; it may have 1,048,576 at most"),
        ("a = " + "[" * 100_000, "is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(Wrong) as error:
        read_policy(file)
    assert str(error.value).startswith(f"{file}: {said}")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500 + len(str(file))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for file, said in ((tmp_path / "none.toml", "cannot be read"), (tmp_path, "is a folder")):
        with pytest.raises(Wrong, match=said):
            read_policy(file)


@given(st.binary(max_size=60))
def test_anything_else_is_refused_or_read_and_never_a_fault(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    try:
        assert isinstance(read_policy(written(tmp_path_factory.mktemp("p"), content)), Given)
    except Wrong as error:
        assert "\n" not in str(error)


# ------------------------------------------------------------------ two sources


def test_sources_that_agree_are_one_and_those_that_do_not_are_refused() -> None:
    found = meant({"cleanup": "immediate", "anti_entropy": {"auto_repair": False}})
    flags = {"cleanup": Cleanup.IMMEDIATE, "skip_delta_pass": True}
    assert combined("f", found, flags) == Policy(
        cleanup=Cleanup.IMMEDIATE, anti_entropy=AntiEntropy.ALERT, skip_delta_pass=True
    )
    for name, value, here, there in (
        ("cleanup", Cleanup.AFTER_PROOF, "immediate", "after_proof"),
        ("anti_entropy", AntiEntropy.REPAIR, "alert", "repair"),
    ):
        with pytest.raises(Wrong) as error:
            combined("f", found, {name: value})
        expected = f"f: {name}: the file says {here}, --policy says {there}: expected one and the same"
        assert str(error.value) == expected


def test_a_default_is_nothing_that_the_file_says() -> None:
    assert combined("f", meant({}), {"skip_delta_pass": True}) == Policy(skip_delta_pass=True)
    with pytest.raises(Wrong, match="the file says false, --policy says true"):
        combined("f", meant({"skip_delta_pass": False}), {"skip_delta_pass": True})


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({"topology": {"replication_factor": 1}}, {"replica_ack": ReplicaAck.COUNTS}),
        ({"topology": {"replica_ack": "counts"}}, {"replicas": False}),
    ],
)
def test_what_is_invalid_only_together_is_refused(values: dict[str, Any], flags: dict[str, Any]) -> None:
    with pytest.raises(Wrong, match=r"f: topology\.replica_ack: replica_ack=counts with RF \* RG = 1"):
        combined("f", meant(values), flags)


@pytest.mark.parametrize("knob", ["replicas", "replica_ack"])
def test_the_topology_of_the_file_is_not_overruled(knob: str) -> None:
    found = meant({"topology": {"replication_factor": 2, "replica_ack": "required"}})
    with pytest.raises(Wrong, match=f"{knob}: the file says"):
        combined("f", found, {knob: {"replicas": False, "replica_ack": ReplicaAck.NONE}[knob]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a\\nb" = 1', "a b: is no key of a policy"),
        ("drain_timeout = 1" + "0" * 5000, "is not TOML"),
        ('[topolgy]\nreplica_ack = "none"', "did you mean topology.replica_ack"),
        ("[skip_delta_pass]\nvalue = true", "expected true or false"),
        ("[extra]", "extra: is no key of a policy"),
    ],
)
def test_whatever_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Wrong) as raised:
        read_policy(written(tmp_path, text))
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_value_that_is_given_twice_on_the_command_line_is_refused() -> None:
    assert parse_policy("cleanup=immediate,cleanup=immediate").cleanup is Cleanup.IMMEDIATE
    with pytest.raises(ValueError, match="cleanup is given twice: immediate and after_proof"):
        parse_policy("cleanup=immediate,cleanup=after_proof")
