"""What the compiled inner loops take and give: so that what was compiled can be called without its source.

A kind is "i", "b", a number or whether something is so; "k", the words of a key; a letter for what an array has in it
(of 64 bits, W without a sign and I with one; of 32 bits H, of 8 bits B) and its dimensions; with "-", one that need not
be contiguous; or a tuple of kinds.
"""

from __future__ import annotations

from typing import Any

Kind = str | tuple[Any, ...]

GATES = ("I2", "H1", "H1")
STEPS = ("I2", "W3", "I2", "W1", "I1", "W2", "I2", "W1")
BLOCK_OF_ROWS = ("W2", "W2", "i", "i", "k", GATES)  # planes, rows, low, high
LED = (*BLOCK_OF_ROWS, STEPS, "I2", "B1", "W2", "I1", "W2")  # ... allowed, table, parts, marks

TAKEN: dict[str, tuple[Kind, ...]] = {
    "canonical": ("I2", "W1"),
    "degrees": (*BLOCK_OF_ROWS, STEPS, "I1"),
    "distinct": ("W1", "W1"),
    "edges": (*BLOCK_OF_ROWS, STEPS, "I2", "B1", "I1", "I1", "W2"),
    "expand": (*BLOCK_OF_ROWS, STEPS, "I2", "I1", "W1", "W1", "b", "W2", "i"),
    "insert": ("W2", "I1", "i", "i", "W2", "i", "i", "k", "I1", "i", "i"),
    "judge": (*BLOCK_OF_ROWS, "I2", "W1", "B1", "W2-", "B1"),
    "leads": (*LED, "W2"),
    "moved": ("W2", "i", "i", "k", "W2", "W2", "I1", ("W2", "I2"), "W2"),
    "places": ("W2", "I1", "W2", "i", "i", "k", "I1"),
    "refill": ("W2", "I1", "i", "W2", "k", "I1"),
    "scatter": ("W2", "i", "k", "i", "W3", "I1"),
    "spread": ("W2", "W2", "i", "i", "I1", *LED[4:], "W1", "b", "B1"),
    "take": ("W2", "I1", "i", "W2", "i", "k"),
}
GIVEN = {
    "distinct": "i", "edges": "ii", "expand": "iibb", "insert": "iii", "moved": "i", "refill": "i", "spread": "b",
    "take": "i",
}  # fmt: skip
