"""Documents: JSON objects by an id, as Meilisearch takes them, without the fields that Miroir keeps for itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from xxhash import xxh3_64_intdigest

RESERVED = frozenset({"_miroir_shard", "_miroir_updated_at", "_miroir_expires_at"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,511}")
_LEAVES = frozenset({type(None), bool, int, str})


class InvalidDocument(ValueError):
    """It is not a JSON object, or its id is not one."""


class ReservedField(ValueError):
    """`miroir_reserved_field`: the document carries a field that Miroir keeps for itself."""


def taken(document: object) -> dict[str, Any]:
    """A copy of the document that the caller can't change any more.

    Raises ReservedField, or InvalidDocument for what is no JSON object."""
    if type(document) is dict and RESERVED.isdisjoint(document):
        for key, value in document.items():
            if type(key) is not str or type(value) not in _LEAVES:
                break
        else:
            return document.copy()  # as below, sooner: most documents are flat
    if not isinstance(document, Mapping):
        raise InvalidDocument(f"a document is a JSON object, not {type(document).__name__}")
    if not RESERVED.isdisjoint(document):
        fields = ", ".join(sorted(RESERVED.intersection(document)))
        raise ReservedField(f"miroir_reserved_field: {fields} can't be written by clients; leave it out")
    try:
        return {key: _taken(value, key) for key, value in document.items() if _is_text(key, "the document")}
    except RecursionError:
        raise InvalidDocument("the document holds itself, or is nested too deeply") from None


def _is_text(key: object, where: str) -> bool:
    if not isinstance(key, str):
        raise InvalidDocument(f"{where} has the key {key!r}; the keys of a JSON object are texts")
    return True


def _taken(value: object, where: str) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if value - value != 0:
                raise InvalidDocument(f"{where} is {value}, which JSON can't hold; leave it out")
            return value
        case Mapping():
            return {k: _taken(inner, f"{where}.{k}") for k, inner in value.items() if _is_text(k, where)}
        case list() | tuple():
            return [_taken(inner, f"{where}[{i}]") for i, inner in enumerate(value)]
    raise InvalidDocument(f"{where} is a {type(value).__name__}, which JSON can't hold")


def check_id(key: object) -> str:
    """The id, if Meilisearch would take it: 1 to 511 of a-z, A-Z, 0-9, - and _. Raises InvalidDocument."""
    if not isinstance(key, str) or _ID.fullmatch(key) is None:
        raise InvalidDocument(f"{key!r} is no document id: use 1 to 511 of a-z, A-Z, 0-9, - and _")
    return key


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(content: Mapping[str, Any]) -> bytes:
    """One text for equal documents."""
    return _CANONICAL.encode(content).encode()


def digest(key: str, version: tuple[int, int, int], content: Mapping[str, Any] | None) -> int:
    """64 bits over id, version and content (xxh3); a tombstone is unlike any document."""
    body = b"\x00" if content is None else b"\x01" + canonical(content)
    head = f"{key}\x00{version[0]}.{version[1]}.{version[2]}\x00".encode()
    return xxh3_64_intdigest(head + body)


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A partial update: the fields of the patch replace those of the document, as in Meilisearch's PUT."""
    return {**base, **patch}
