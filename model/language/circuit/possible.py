"""Which values a field can have at all, whatever the guards: the least set that holds the initial ones and all that
is put there. A domain is often wider (a message has nine stages, and this protocol uses five of them)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

FEW = 256  # values of a domain that are told apart; of a wider one all are possible


def possible(protocol: Protocol, starts: Iterable[State] = ()) -> dict[str, Sequence[int]]:
    """By the name of each field, the values that it can take in runs from `starts` (or the initial states), in order.

    A superset of those that are reached, and a subset of the domain."""
    begin = list(starts) or list(protocol.initials)
    domains = {f.name: range(f.domain.low, f.domain.high + 1) for f in protocol.fields}
    found = {
        f.name: {state[place] for state in begin}
        for place, f in enumerate(protocol.fields)
        if f.domain.high - f.domain.low < FEW
    }
    puts = {(f.name, term) for t in protocol.transitions for f, term in t.updates if f.name in found}
    size = -1
    while size != (size := sum(map(len, found.values()))):
        for name, term in puts:
            found[name] |= _values(term, found, domains[name])
    return {name: sorted(found[name]) if name in found else domain for name, domain in domains.items()}


def _values(term: Term, found: Mapping[str, set[int]], domain: range) -> set[int]:
    """The values of a term that are in the domain, or more."""
    values, seen, todo = set[int](), set[Term](), [term]
    while todo:
        part = todo.pop()
        if part in seen:
            continue
        seen.add(part)
        name = str(part.leaf)
        if part.op == "ite":
            todo += part.args[1:]
        elif part.op == "var" and name in found:
            values |= found[name]
        else:
            values |= set(range(max(part.low, domain.start), min(part.high, domain.stop - 1) + 1))
    return {value for value in values if value in domain}
