"""The page of the wire: its ten lines run, its conversation is had, its tables are those of the declared types.

What is generated in it is written anew by `python tests/checks/drivers/wire/test_page.py`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from cutproof.checks.cutover.conformance.conform import Reference
from cutproof.checks.drivers.adapter import FAULTS, NotSupported
from cutproof.checks.drivers.wire.client import adapter_of
from cutproof.checks.drivers.wire.envelope import CODES, DEFINITE
from cutproof.checks.drivers.wire.messages import REPLIES
from cutproof.checks.drivers.wire.program import ProgramFailed
from cutproof.checks.drivers.wire.server import TYPES, Conversation

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "wire.md"
NODES = ["node-0", "node-1"]
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("init", {"version": 1, "nodes": NODES, "shards": 2, "seed": 1}),
    ("put", {"client": "client-1", "key": "doc-1", "value": "value-1"}),
    *[("advance", {})] * 3,
    ("begin_migration", {"node": "node-1"}),
    ("get", {"client": "client-2", "key": "doc-1"}),
    ("add", {"client": "client-1", "key": "counter-1", "amount": 2}),
    ("reset", {"nodes": NODES, "shards": 2, "seed": 2}),
]
FAILS = [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit('no disk')"]


def block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n```\w+\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)


def conversation() -> str:
    """What is asked, and what the reference replies."""
    conversation, lines = Conversation(Reference), []
    for number, (kind, about) in enumerate(ASKED, 1):
        body = {"type": kind, "msg_id": number, **about}
        line = json.dumps({"src": "c1", "dest": "s", "body": body}, separators=(",", ":"))
        lines += [
            f"> {line}",
            *(f"< {said}" for said in conversation.answer(line.encode()).decode().splitlines()),
        ]
    return "\n".join(lines) + "\n"


def failure() -> str:
    """What is said of a program that ends."""
    adapter = adapter_of(FAILS, seconds=60, grace=60)
    with pytest.raises(ProgramFailed) as caught:
        adapter().start(NODES, 2, 1)
    return f"{caught.value}\n"


WRITTEN = {"the conversation": conversation, "said of a program that ends": failure}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_shown_is_said(name: str) -> None:
    found = block(name).search(PAGE.read_text("utf-8"))
    assert found and found[2] == WRITTEN[name]()


def test_the_ten_lines_are_a_store() -> None:
    found = block("the ten lines").search(PAGE.read_text("utf-8"))
    assert found
    made = adapter_of([sys.executable, "-c", found[2]], seconds=60)
    for _ in range(2):
        adapter: Any = made()
        adapter.start(NODES, 2, 1)
        assert adapter.get("doc-1") is None
        assert adapter.put("doc-1", "value-1") == "acknowledged"
        assert adapter.get("doc-1") == "value-1"
        for call, *about in (
            (adapter.delete, "doc-1"),
            (adapter.begin_migration, "node-1"),
            (adapter.advance,),
        ):
            with pytest.raises(NotSupported):
                call(*about)
        adapter.stop()
    made.close()


def rows(first: str) -> list[list[str]]:
    """The rows of the table whose heading begins so."""
    table = PAGE.read_text("utf-8").partition(f"| {first} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


def test_every_message_stands_in_the_table_with_its_fields() -> None:
    found = {row[0].strip("`"): row for row in rows("request")}
    assert list(found) == list(TYPES)
    for name, kind in TYPES.items():
        row = next(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| `{name}` |"))
        _, _, asked, replied, *_ = row.split("|")
        assert re.findall(r"`(\w+)`", asked) == list(kind.__struct_fields__[1:]), name
        assert sorted(re.findall(r"`(\w+)`", replied)) == sorted(REPLIES[kind].__struct_fields__[1:]), name
    assert re.findall(r"`(\w+)`", found["fault"][-1])[1:] == [*FAULTS]


def test_every_code_stands_in_the_table() -> None:
    found = [(int(row[0]), row[1], row[2] == "yes") for row in rows("code") if row[0] != "other"]
    assert found == [(code, said, code in DEFINITE) for code, said in CODES.items()]


def main() -> None:
    text = PAGE.read_text("utf-8")
    for name, write in WRITTEN.items():
        said = write()
        text = block(name).sub(lambda found, said=said: found[1] + said + found[3], text)
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
