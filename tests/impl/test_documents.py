"""Documents: what is taken, what is refused, and partial updates."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.impl.documents import (
    RESERVED,
    InvalidDocument,
    ReservedField,
    canonical,
    check_id,
    digest,
    merge,
    taken,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text().filter(lambda k: k not in RESERVED), JSON, max_size=4)


@given(OBJECTS)
def test_json_objects_are_taken_as_they_are(document: dict[str, Any]) -> None:
    assert taken(document) == document


def test_what_is_taken_is_a_copy_all_the_way_down() -> None:
    document = {"tags": [{"name": "a"}], "size": {"x": 1}, "pair": (1, 2)}
    copy = taken(document)
    document["tags"][0]["name"] = "b"  # type: ignore[index]
    document["size"]["x"] = 2  # type: ignore[index, call-overload]
    assert copy == {"tags": [{"name": "a"}], "size": {"x": 1}, "pair": [1, 2]}


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_fields_are_refused_by_miroirs_name(name: str) -> None:
    with pytest.raises(ReservedField, match=f"^miroir_reserved_field: {name} can't be written"):
        taken({name: 1, "title": "a"})


def holding_itself() -> dict[str, Any]:
    document: dict[str, Any] = {}
    document["me"] = [document]
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("text", "a document is a JSON object, not str"),
        (["a"], "a document is a JSON object, not list"),
        ({1: "a"}, "the document has the key 1; the keys of a JSON object are texts"),
        ({"a": {"b": {2: 1}}}, "a.b has the key 2"),
        ({"a": math.nan}, "a is nan, which JSON can't hold"),
        ({"a": [1, -math.inf]}, r"a\[1\] is -inf"),
        ({"a": {1, 2}}, "a is a set, which JSON can't hold"),
        ({"a": b"bytes"}, "a is a bytes"),
        (holding_itself(), "holds itself, or is nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_refused_in_one_line(document: object, words: str) -> None:
    with pytest.raises(InvalidDocument, match=words) as caught:
        taken(document)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["a", "A-_9", "x" * 511])
def test_ids_that_meilisearch_takes(key: str) -> None:
    assert check_id(key) == key


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 512, "a\n", 7, None])
def test_other_ids_are_refused(key: object) -> None:
    with pytest.raises(InvalidDocument, match="is no document id"):
        check_id(key)


def test_what_json_can_not_hold_has_no_text() -> None:
    with pytest.raises(ValueError):
        canonical({"a": math.nan})


@given(OBJECTS, OBJECTS)
def test_a_merge_replaces_fields_and_changes_neither_side(
    base: dict[str, Any], patch: dict[str, Any]
) -> None:
    before = dict(base), dict(patch)
    merged = merge(base, patch)
    assert (base, patch) == before
    assert all(merged[k] == v for k, v in patch.items())
    assert all(merged[k] == v for k, v in base.items() if k not in patch)
    assert set(merged) == set(base) | set(patch)


def test_equal_documents_have_one_text_and_one_digest() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == '{"a":"ü","b":1}'.encode()
    one = digest("k", (1, 2, 0), {"a": 1})
    others = {
        digest("l", (1, 2, 0), {"a": 1}), digest("k", (1, 3, 0), {"a": 1}), digest("k", (2, 2, 0), {"a": 1}),
        digest("k", (1, 2, 1), {"a": 1}), digest("k", (1, 2, 0), {"a": 2}), digest("k", (1, 2, 0), {}),
        digest("k", (1, 2, 0), None),
    }  # fmt: skip
    assert len({one, *others}) == 8
