"""A protocol as plain data: numbers, texts and tuples, for another process that is to run it.

    from_data(to_data(protocol))      # runs alike: the same steps under the same numbers, the same claims

What is needed to name and to decode values stays behind: enumerations, functions, sentences. So the other process
imports nothing that the protocol was written in.
"""

from __future__ import annotations

from typing import Any

from cutproof.model.language import expressions as ex
from cutproof.model.language.actions import Action
from cutproof.model.language.domains import Domain
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Case, Claim, Field, Protocol, Transition, label

Data = dict[str, Any]


def to_data(protocol: Protocol) -> Data:
    """The fields, transitions and claims of a resolved protocol; terms by number, each after its operands."""
    roots = [g for t in protocol.transitions for _, g in t.guards]
    roots += [v for t in protocol.transitions for _, v in t.updates]
    roots += [term for c in protocol.claims for term in c.terms()]
    order = ex.ordered(roots)
    number = {term: i for i, term in enumerate(order)}
    return {
        "name": protocol.name,
        "cells": [
            (c.name, c.variable, c.domain.low, c.domain.high, c.domain.kind is bool) for c in protocol.cells
        ],
        "fields": [f.name for f in protocol.fields],
        "start": dict(protocol.start),
        "initials": protocol.initials,
        "terms": [(t.op, tuple(number[a] for a in t.args), t.leaf, t.boolean, t.low, t.high) for t in order],
        "actions": [(a.name, a.fault, a.choice, a.fair) for a in protocol.actions],
        "transitions": [
            (
                t.action,
                t.fault,
                t.choice,
                tuple((k, label(v)) for k, v in t.arguments),
                tuple((name, number[g]) for name, g in t.guards),
                tuple((f.name, number[v]) for f, v in t.updates),
                t.marked_unfair,
            )
            for t in protocol.transitions
        ],
        "claims": [
            (
                c.property,
                c.form,
                c.harm,
                number[c.holds],
                tuple((k.arguments, number[k.asked], number[k.given]) for k in c.cases),
                c.cycles,
            )
            for c in protocol.claims
        ],
    }


def from_data(data: Data) -> Protocol:
    """A protocol that runs as the one that the data is of. It can be run and judged, and not shown: it has no
    enumerations, no functions and no properties."""
    terms = list[Term]()
    for op, operands, leaf, truth, low, high in data["terms"]:
        terms.append(ex.rebuilt(op, tuple(terms[i] for i in operands), leaf, truth, low, high))
    made = object.__new__(Protocol)
    cells = {
        name: Field(name, variable, (), Domain(bool if truth else int, low, high))
        for name, variable, low, high, truth in data["cells"]
    }
    made.__dict__.update(
        name=data["name"],
        cells=tuple(cells.values()),
        fields=tuple(cells[name] for name in data["fields"]),
        start=data["start"],
        initials=data["initials"],
        initial_choices=(),  # they are all among `initials`
        mechanisms=(),  # whatever they were, they have their values
        actions=tuple(Action(name, _no_function, *kind) for name, *kind in data["actions"]),
        properties=(),
        indices={},
        transitions=tuple(
            Transition(
                action,
                fault,
                choice,
                arguments,
                tuple((name, terms[g]) for name, g in guards),
                tuple((cells[name], terms[v]) for name, v in updates),
                unfair,
            )
            for action, fault, choice, arguments, guards, updates, unfair in data["transitions"]
        ),
        claims=tuple(
            Claim(
                name,
                form,
                harm,
                terms[holds],
                tuple(Case(k, terms[p], terms[q]) for k, p, q in cases),
                cycles,
            )
            for name, form, harm, holds, cases, cycles in data["claims"]
        ),
    )
    return made


def _no_function(s: Any) -> None:
    """The function of an action stayed behind."""
