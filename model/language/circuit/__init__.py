"""A protocol as a boolean circuit: its terms as gates, its transitions as cases, for engines that work on bits.

    layout = Layout(protocol, fast=["net[0]"])       # where each field's bits are
    made = Translation(layout)
    made.cases()                                     # what each transition does, and under which condition

Read `gates.py` (four kinds of gate), `terms.py` (twelve kinds of term as gates), `layout.py` (states as bits), then
`cases.py`. Nothing here knows an engine, and nothing is sampled: it is as exact as the terms are.
"""

from cutproof.model.language.circuit.cases import Case, Effect, Leaving, Told, Translation, told_of
from cutproof.model.language.circuit.gates import AND, ANDN, NO, NOR, XOR, YES, Circuit, Edge
from cutproof.model.language.circuit.layout import Layout, Place, TooWide
from cutproof.model.language.circuit.possible import possible
from cutproof.model.language.circuit.terms import Terms

__all__ = [
    "AND", "ANDN", "NO", "NOR", "XOR", "YES", "Case", "Circuit", "Edge", "Effect", "Layout", "Leaving", "Place",
    "Terms", "Told", "TooWide", "Translation", "possible", "told_of",
]  # fmt: skip
