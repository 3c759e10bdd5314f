"""The JSON Schema of the messages: docs/reference/wire.schema.json, which is written by

python -m cutproof.checks.drivers.wire.schema docs/reference/wire.schema.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from cutproof.checks.drivers.wire.envelope import Error, Pending, type_of
from cutproof.checks.drivers.wire.messages import REPLIES, VERSION


def schema() -> dict[str, Any]:
    """A schema for a line of either direction: `$defs` has one for each message, and for requests and replies."""
    bodies: list[type[msgspec.Struct]] = [*REPLIES, *REPLIES.values(), Error, Pending]
    _, components = msgspec.json.schema_components(bodies, ref_template="#/$defs/{name}")
    named = {kind.__name__: type_of(kind) for kind in bodies}
    types = {
        named[name]: {**body, "title": named[name]} for name, body in components.items() if name in named
    }
    requests = [type_of(kind) for kind in REPLIES]
    replies = [name for name in types if name not in requests]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Cutproof's wire, version {VERSION}: one line of stdin or stdout",
        "anyOf": [{"$ref": "#/$defs/request"}, {"$ref": "#/$defs/reply"}],
        "$defs": {
            "request": _envelope("What a program is asked, on its stdin.", requests),
            "reply": _envelope("What it replies, on its stdout.", replies),
            **types,
        },
    }


def _envelope(said: str, names: list[str]) -> dict[str, Any]:
    return {
        "description": said,
        "type": "object",
        "properties": {
            "src": {"type": "string"},
            "dest": {"type": "string"},
            "body": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in names]},
        },
        "required": ["src", "dest", "body"],
    }


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file that is named."""
    [path] = arguments
    Path(path).write_text(text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
