"""Orders of a protocol's fields that are worth a try: as declared, by their indices, by what is used together.

Fields that are used together belong side by side. Most protocols say by their indices which these are: all that one
node has, or one message. Where they do not (a ring of variables with names of their own), the transitions do: each
pulls the fields that it reads and writes towards one another.

What has no index stands at the top, where all that is below is told apart by it. At the bottom it never won, and
conditions had up to thirty times as many nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Field, Protocol

KINDS = 3  # of index, of which every order is tried; of more, each is tried as the first
PULLS = 40  # rounds in which transitions pull
MANY = 12  # fields, beyond which one that half of the others are used with has no place of its own among them


def candidates(protocol: Protocol, names: Sequence[str]) -> dict[str, list[str]]:
    """Orders of these fields, each once, by what was done. The first is `names` as they are."""
    found = {"as declared": list(names)}
    fields = {f.name: f for f in protocol.fields}
    some = [fields[name] for name in names]
    places = _places(protocol)
    for kinds in _kinds(places, some):
        found[f"by {', then '.join(kinds)}"] = [f.name for f in sorted(some, key=_by(places, kinds))]
    together = used_together(protocol, names)
    hubs = _hubs(together, names)
    found["pulled together"] = hubs + pulled(_without(together, hubs), [n for n in names if n not in hubs])
    found["neighbours"] = hubs + walked(_without(together, hubs), [n for n in names if n not in hubs])
    once = {tuple(order): said for said, order in reversed(found.items())}
    return {said: order for said, order in found.items() if once[tuple(order)] == said}


# ------------------------------------------------------------------ by index

Places = Mapping[
    str, tuple[tuple[str, Mapping[Any, int]], ...]
]  # by variable: each index, and where its values stand


def _places(protocol: Protocol) -> Places:
    """Indices that have the same values are one, called by the name of the first: managers, and *other* managers."""
    if not protocol.indices:
        return _by_names(protocol.fields)
    first = dict[tuple[Any, ...], str]()
    for name, values in protocol.indices.items():
        first.setdefault(tuple(values), name)
    found = dict[str, tuple[tuple[str, Mapping[Any, int]], ...]]()
    for variable, domain in protocol.variables.items():
        indices = [tuple(protocol.indices[index]) for index in getattr(domain, "indices", ())]
        found[variable] = tuple((first[v], {value: i for i, value in enumerate(v)}) for v in indices)
    return found


def _where(name: str) -> list[str]:
    """What stands in brackets in the name of a field."""
    return name[name.index("[") + 1 : -1].split(",") if name.endswith("]") else []


def _by_names(fields: Sequence[Field]) -> Places:
    """The same of a protocol that came as data, without its indices: by what stands in the names of fields."""
    values = dict[tuple[str, int], dict[Any, int]]()
    for field in fields:
        for place, value in enumerate(_where(field.name)):
            some = values.setdefault((field.variable, place), {})
            some.setdefault(value, len(some))
    kinds = dict[frozenset[str], str]()
    found = dict[str, tuple[tuple[str, Mapping[Any, int]], ...]]()
    for (variable, place), some in values.items():
        kind = kinds.setdefault(frozenset(some), f"index {place} of {variable}")
        found[variable] = (*found.get(variable, ()), (kind, some))
    return found


def _kinds(places: Places, fields: Iterable[Field]) -> list[tuple[str, ...]]:
    """The orders of indices that are tried."""
    there = list(dict.fromkeys(kind for f in fields for kind, _ in places.get(f.variable, ())))
    if len(there) <= KINDS:
        return list(permutations(there)) if there else []
    return [(kind, *(k for k in there if k != kind)) for kind in there]


def _by(places: Places, kinds: Sequence[str]) -> Callable[[Field], tuple[int, ...]]:
    """By where a field's values stand in each index in turn; of two in the same one, by the later."""

    def key(field: Field) -> tuple[int, ...]:
        at = dict[str, int]()
        mine = places.get(field.variable, ())
        where = field.where if len(field.where) == len(mine) else _where(field.name)
        for (kind, values), value in zip(mine, where, strict=False):
            at[kind] = max(at.get(kind, 0), values[value])
        return tuple(at.get(kind, -1) for kind in kinds)

    return key


# ------------------------------------------------------------------ by transition


def used_together(protocol: Protocol, names: Iterable[str]) -> list[list[str]]:
    """For each transition the fields that it reads or writes, in the order of `names`; each set of them once."""
    place = {name: i for i, name in enumerate(names)}
    found = dict[tuple[str, ...], None]()
    for t in protocol.transitions:
        used = {f.name for f, _ in t.updates}.union(*(ex.names(g) for _, g in t.guards))
        used = used.union(*(ex.names(value) for _, value in t.updates))
        found[tuple(sorted(used & place.keys(), key=place.__getitem__))] = None
    return [list(some) for some in found if len(some) > 1]


def _hubs(together: Iterable[Sequence[str]], names: Sequence[str]) -> list[str]:
    """Fields that are used with more than half of all others: they stand first."""
    near = _near(together, names)
    return [n for n in names if len(names) > MANY and 2 * len(near[n]) > len(names)]


def _without(together: Iterable[Sequence[str]], hubs: Sequence[str]) -> list[list[str]]:
    some = [[name for name in used if name not in hubs] for used in together]
    return [used for used in some if len(used) > 1]


def _near(together: Iterable[Sequence[str]], names: Iterable[str]) -> dict[str, set[str]]:
    near = {name: set[str]() for name in names}
    for used in together:
        for name in used:
            near[name].update(used)
    return {name: found - {name} for name, found in near.items()}


def pulled(together: Sequence[Sequence[str]], names: Sequence[str]) -> list[str]:
    """Each field goes to the mean of the centres of the transitions that use it, again and again; of all rounds, the
    order with the shortest spans (Aloul, Markov and Sakallah's FORCE)."""
    order, best = list(names), (float("inf"), list(names))
    for _ in range(PULLS):
        place = {name: i for i, name in enumerate(order)}
        span = sum(max(map(place.__getitem__, u)) - min(map(place.__getitem__, u)) for u in together)
        if span < best[0]:
            best = span, order
        pulls = dict.fromkeys(order, (0.0, 0))
        for used in together:
            centre = sum(place[name] for name in used) / len(used)
            for name in used:
                sum_, times = pulls[name]
                pulls[name] = sum_ + centre, times + 1
        order = sorted(
            order, key=lambda n: (pulls[n][0] / pulls[n][1] if pulls[n][1] else place[n], place[n])
        )
        if list(place) == order:
            break
    return best[1]


def walked(together: Sequence[Sequence[str]], names: Sequence[str]) -> list[str]:
    """Breadth first over fields that are used together, from an outermost one, those with few neighbours first
    (Cuthill and McKee): a ring comes out folded, a chain from end to end."""
    near, place = _near(together, names), {name: i for i, name in enumerate(names)}

    def breadth_first(start: str) -> list[str]:
        row, seen = [start], {start}
        for name in row:
            for other in sorted(near[name] - seen, key=lambda n: (len(near[n]), place[n])):
                seen.add(other)
                row.append(other)
        return row

    found = list[str]()
    for name in names:
        if name not in found:
            start = min(breadth_first(name), key=lambda n: (len(near[n]), place[n]))
            found += breadth_first(breadth_first(start)[-1])
    return found
