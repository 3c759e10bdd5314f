"""Recorded histories are read as they were written; what is broken is refused with its line."""

from __future__ import annotations

import io
import itertools
import json
import sys
import tracemalloc
from pathlib import Path
from random import Random
from typing import Any

import pytest
from every_order import random_history
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.drivers.histories import records as recording
from cutproof.checks.drivers.histories.judge import judge
from cutproof.checks.drivers.histories.operation import Operation
from cutproof.checks.drivers.histories.pairing import History, history, read

WORDS = {"get": "read", "put": "write", "put_if": "cas"}
TYPES = {"acknowledged": "ok", "failed": "info", "refused": "fail", "unequal": "fail"}


NESTED = ["[" * deep + "]" * deep for deep in (61, 300, 900)]  # what the parser of JSON still takes
KEYED = (
    '{"process":0,"type":"invoke","f":"write","key":%s,"value":1}\n'
    '{"process":1,"type":"invoke","f":"write","key":"%s","value":1}\n'
)
PAIR = (
    '{"process":0,"type":"invoke","f":"read","value":%s}\n{"process":0,"type":"ok","f":"read","value":%s}\n'
)


def recorded(operations: list[Operation], timed: bool = False) -> list[dict[str, Any]]:
    """What a recorder would have written of them, in order of time; calls come before answers of the same moment."""
    found: list[tuple[int, int, int, dict[str, Any]]] = []
    for o in operations:
        word = WORDS.get(o.kind, o.kind)
        value = list(o.argument) if isinstance(o.argument, tuple) else o.argument
        common = {"process": o.number, "f": word, "key": o.key}
        found.append(
            (o.invoked, 0, o.number, {**common, "type": "invoke", "value": value, "time": o.invoked})
        )
        if o.returned is not None:
            answer = {**common, "type": TYPES[o.outcome], "value": o.result if o.kind == "get" else value}
            answer |= {"time": o.returned} | ({"error": "unequal"} if o.outcome == "unequal" else {})
            found.append((o.returned, 1, o.number, answer))
    rows = [row for *_, row in sorted(found, key=lambda entry: entry[:3])]
    return rows if timed else [{k: v for k, v in row.items() if k != "time"} for row in rows]


def as_json(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_edn(value: Any, keyword: bool = False) -> str:
    """A value as EDN; texts as keywords where Jepsen has such."""
    if isinstance(value, dict):
        words = ("type", "f")
        return "{" + ", ".join(f":{k} {as_edn(v, k in words)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + " ".join(map(as_edn, value)) + "]"
    if value is None:
        return "nil"
    return f":{value}" if keyword else json.dumps(value)


def from_json(text: str | bytes, name: str = "h.jsonl") -> History:
    return history(io.BytesIO(text if isinstance(text, bytes) else text.encode()), name)


def told(o: Operation) -> tuple[Any, ...]:
    """All that the judge looks at, but for the moments."""
    result = o.result if o.outcome == "acknowledged" else None
    outcome = "refused" if o.kind == "get" and o.outcome not in ("acknowledged", "pending") else o.outcome
    return o.kind, o.key, o.argument, outcome, result


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("form", ["json", "edn", "edn vector", "tuples"])
def test_what_was_written_is_read(form: str, timed: bool) -> None:
    if form != "json":
        pytest.importorskip("edn_format")
    for seed in range(20):
        draw = Random(seed)
        operations = random_history(draw, draw.choice(["register", "counter", "list"]), 8)
        rows = recorded(operations, timed)
        if form == "tuples":
            rows = [
                {k: [row["key"], v] if k == "value" else v for k, v in row.items() if k != "key"}
                for row in rows
            ]
        if form == "json":
            found = from_json(as_json(rows))
        else:
            lines = [as_edn(row) for row in rows]
            text = "[" + "\n".join(lines) + "]" if form == "edn vector" else "\n".join(lines)
            found = history(io.BytesIO(text.encode()), "h.edn", edn=True)
        if form == "tuples" and not any(o.kind == "get" for o in operations):
            continue  # nothing says that they are tuples
        assert list(found.keys) == ["k"]
        back = sorted(found.keys["k"], key=lambda o: int(o.client))
        assert [told(o) for o in back] == [told(o) for o in operations], seed
        if timed:
            assert [(o.invoked, o.returned) for o in back] == [(o.invoked, o.returned) for o in operations]
            assert type(judge(back, versioned=False)) is type(judge(operations, versioned=False))


def test_records_with_times_may_come_in_any_order() -> None:
    rows = recorded(random_history(Random(5), "register", 8), timed=True)
    shuffled = sorted(rows, key=lambda row: (-row["process"], row["type"] != "invoke"))
    assert shuffled != rows
    first, second = from_json(as_json(rows)), from_json(as_json(shuffled))
    timed = [
        sorted([(o.client, o.invoked, o.returned, told(o)) for o in found.keys["k"]], key=lambda row: row[0])
        for found in (first, second)
    ]
    assert timed[0] == timed[1]
    calls = [o.invoked for o in second.keys["k"]]
    assert calls == sorted(calls)


def test_times_in_seconds_keep_their_order() -> None:
    rows = [
        {"process": 0, "type": t, "f": "write", "value": 1, "time": at}
        for t, at in (("invoke", 0.5), ("ok", 0.75))
    ]
    (operation,) = from_json(as_json(rows)).keys["the key"]
    assert (operation.invoked, operation.returned) == (500_000_000, 750_000_000)


def test_the_nemesis_is_no_client() -> None:
    rows: list[dict[str, Any]] = [
        {"process": "nemesis", "type": "info", "f": "kill", "value": "n1"},
        {"process": 0, "type": "invoke", "f": "write", "value": None},
    ]
    found = from_json(as_json(rows))
    assert (found.records, found.passed_over, len(found)) == (2, 1, 1)
    assert found.keys["the key"][0].kind == "delete"  # writing nothing


def test_values_of_any_form_are_compared() -> None:
    values = [True, 1, {"a": [1, {"b": None}]}, [1, 2], "1", 1.5]
    rows = [{"process": n, "type": "invoke", "f": "write", "value": value} for n, value in enumerate(values)]
    written = [o.argument for o in from_json(as_json(rows)).keys["the key"]]
    assert len({repr(v) for v in written}) == len(values)
    assert written[0] != written[1]


INVOKE = '{"process":0,"type":"invoke","f":"%s","value":%s}\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "h.jsonl:1: Input data was truncated"),
        ("\n\n[]", "h.jsonl:3: Expected `object`, got `array`"),
        ('{"process":0,"f":"read"}', "h.jsonl:1: Object missing required field `type`"),
        ('{"process":0,"type":"done","f":"read"}', "h.jsonl:1: Invalid enum value 'done' - at `$.type`"),
        ('{"process":null,"type":"ok","f":"read"}', "h.jsonl:1: Expected `int | str`, got `null` - at `$.process`"),
        ('{"process":0,"type":"ok","f":"read"}', "h.jsonl:1: process 0 is answered, and has asked for nothing"),
        (INVOKE % ("read", 1) * 2,
         "h.jsonl:2: process 0 begins an operation, and that of line 1 is not answered"),
        (INVOKE % ("pop", 1),
         "h.jsonl:1: there is no f 'pop'; there are read, get, write, put, delete, cas, put_if, add, append"),
        (INVOKE % ("txn", 1), "h.jsonl:1: is a transaction: histories of single operations are judged"),
        (INVOKE % ("cas", 1), "h.jsonl:1: is a compare-and-set, whose value is [old, new]"),
        (INVOKE % ("add", '"a"'), "h.jsonl:1: adds what is no whole number"),
        (INVOKE % ("append", "null"), "h.jsonl:1: appends nothing"),
        (INVOKE % ("write", 1) + '{"process":0,"type":"ok","f":"read"}',
         "h.jsonl:2: answers something else than process 0 asked for on line 1"),
        (INVOKE % ("write", 1) + '{"process":0,"type":"ok","f":"write","time":3}',
         "h.jsonl:2: has a time, unlike the record of line 1: all have one, or none has"),
        ('{"process":0,"type":"invoke","f":"read","value":' + "[" * 5000 + "]" * 5000 + "}",
         "h.jsonl:1: is nested too deeply"),
        *((INVOKE % ("write", deep), "h.jsonl:1: is nested too deeply") for deep in NESTED),
        *((INVOKE % ("read", "null") + '{"process":0,"type":"ok","f":"read","value":' + deep + "}",
           "h.jsonl:2: is nested too deeply") for deep in NESTED),
        (KEYED % ("1", "1"), "h.jsonl:2: names the key 1 unlike line 1 (text and a number): one key, or two?"),
        (KEYED % ("null", "the key"),
         "h.jsonl:2: names the key the key unlike line 1 (text and none): one key, or two?"),
        (PAIR % ("[1, null]", "[2, 0]"), "h.jsonl:2: reads another key than was asked for on line 1"),
        ('{"process":0,"type":"invoke","f":"write","value":1,"value":2}', "h.jsonl:1: has 'value' twice"),
        ('{"process":0,"type":"invoke","f":"write","value":1,"\\u0076alue":2}', "h.jsonl:1: has 'value' twice"),
        ('{"process":0,"type":"invoke","f":"write","value":{"a":1,"a":1,"key":2},"key":1}', "h.jsonl:1: has 'a' twice"),
        (b"\xff\xfe", "h.jsonl:1: JSON is malformed: invalid character (byte 0)"),
    ],
)  # fmt: skip
def test_what_is_no_history_is_refused_with_its_line(text: str | bytes, reason: str) -> None:
    with pytest.raises(Wrong) as refused:
        from_json(text)
    assert str(refused.value) == reason


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**400), 10**400), min_size=2)
)
def test_any_finite_time_keeps_its_order(times: list[float]) -> None:
    """Moments grow as times do, whole or not and however large; no two are taken apart that are not."""
    rows = [
        {"process": n, "type": "invoke", "f": "write", "value": n, "time": t} for n, t in enumerate(times)
    ]
    found = from_json(as_json(rows)).keys["the key"]
    moments = {o.argument: o.invoked for o in found}
    for n, m in itertools.combinations(range(len(times)), 2):
        if moments[n] != moments[m]:
            assert (moments[n] < moments[m]) == (times[n] < times[m])
        else:
            assert abs(times[n] - times[m]) <= 1e-9


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{:a", "h.edn: is no EDN"),
        ("{:process 0, :type :invoke, :f :write}\n{:a", "h.edn:2: is no EDN"),
        ("{:process 0, :type :invoke, :f :write}\n{:type :ok}", "h.edn:2: Object missing required field `process`"),
        ("{:process 0, :type :invoke, :f :write}\n1 2", "h.edn:2: has 2 forms, where lines before it have one each"),
        ("[1 2]", "h.edn: record 1: is no map"),
        ("3", "h.edn: is no vector of maps"),
        ("#unknown {:a 1}", "h.edn: is no EDN: has a tag that is not known"),
        ("[" * 5000, "h.edn: is no EDN: is nested too deeply"),
        ("{:process 0, :type :invoke, :f :write, :time #inst \"2020-01-01\"}",
         "h.edn:1: Expected `int | float | null`"),
    ],
)  # fmt: skip
def test_edn_that_is_no_history_is_refused_too(text: str, reason: str) -> None:
    pytest.importorskip("edn_format")
    with pytest.raises(Wrong) as refused:
        history(io.BytesIO(text.encode()), "h.edn", edn=True)
    assert str(refused.value).startswith(reason)


def test_without_the_parser_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "edn_format", None)
    with pytest.raises(
        Wrong, match=r"h.edn: reading EDN takes the package edn-format: pip install edn-format"
    ):
        history(io.BytesIO(b"{}"), "h.edn", edn=True)


def test_a_line_without_end_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        """A file whose only line never ends."""

        def readline(self, size: int | None = -1) -> bytes:
            assert size is not None and 0 < size < 2**20
            return b"[" * size

    monkeypatch.setattr(recording, "LONGEST", 2**16)
    with pytest.raises(Wrong, match=r"h\.jsonl:1: is longer than 65,536 bytes"):
        history(Endless(), "h.jsonl")  # type: ignore[arg-type]


# ------------------------------------------------------------------ broken bytes


def mangled(data: bytes, cuts: list[tuple[float, bytes]]) -> bytes:
    """Bytes with others put over some of them."""
    for place, new in cuts:
        at = int(place * len(data))
        data = data[:at] + new + data[at + max(1, len(new) - 1) :]
    return data


PIECES = st.sampled_from(
    [b"{", b"}", b"[", b'"', b":", b"\x00", b"\xff", b"\n", b"null", b"-", b"1e999", b"#", b"\\u", b""]
)
CUTS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), PIECES | st.binary(max_size=6)), min_size=1, max_size=4
)


@examples(150)
@given(CUTS, st.integers(0, 9), st.booleans())
def test_broken_bytes_are_refused_or_read(cuts: list[tuple[float, bytes]], seed: int, edn: bool) -> None:
    if edn:
        pytest.importorskip("edn_format")
    rows = recorded(random_history(Random(seed), "register", 4), timed=True)
    good = "\n".join(map(as_edn, rows)).encode() if edn else as_json(rows)
    try:
        found = history(io.BytesIO(mangled(good, cuts)), "h", edn)
        for operations in found.keys.values():
            judge(operations, most=10_000)
    except Wrong as error:
        assert str(error).startswith("h:") and len(str(error)) < 2100
    except ValueError as error:  # of the judge: results that no such object has
        assert "\n" not in str(error)


def test_memory_is_bounded_by_what_is_kept() -> None:
    """Padding in a record is not kept."""
    row = {"process": 0, "type": "invoke", "f": "read", "padding": "x" * 1000}
    text = as_json([row, {**row, "type": "ok"}] * 500)
    tracemalloc.start()
    from_json(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(text)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match="No such file"):
        read(str(tmp_path / "none.jsonl"))
    with pytest.raises(Wrong, match="is a folder"):
        read(str(tmp_path))
