"""The published schema is that of the declared types, and the page of the wire names every message."""

from __future__ import annotations

import json
import re
from pathlib import Path

from places import DOCS

from cutproof.checks.drivers.wire import schema
from cutproof.checks.drivers.wire.server import TYPES

SCHEMA, PAGE = DOCS / "reference" / "wire.schema.json", DOCS / "reference" / "wire.md"


def test_the_file_is_what_the_command_writes(tmp_path: Path) -> None:
    assert schema.main([str(tmp_path / "schema.json")]) == 0
    assert SCHEMA.read_text("utf-8") == (tmp_path / "schema.json").read_text("utf-8")


def test_every_message_has_a_definition() -> None:
    definitions = json.loads(SCHEMA.read_text("utf-8"))["$defs"]
    assert set(definitions) == {"request", "reply", *TYPES, *(f"{t}_ok" for t in TYPES), "error", "pending"}
    named = [
        r["$ref"] for side in ("request", "reply") for r in definitions[side]["properties"]["body"]["oneOf"]
    ]
    assert sorted(named) == sorted(f"#/$defs/{name}" for name in set(definitions) - {"request", "reply"})
    for name in set(definitions) - {"request", "reply"}:
        assert definitions[name]["properties"]["type"] == {"enum": [name]}
        assert ("msg_id" if name in TYPES else "in_reply_to") in definitions[name]["required"]


def test_every_reference_leads_somewhere() -> None:
    whole = json.loads(SCHEMA.read_text("utf-8"))
    links = re.findall(r'"\$ref": "#/\$defs/(\w+)"', json.dumps(whole))
    assert links and set(links) <= set(whole["$defs"])
