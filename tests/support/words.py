"""What a word of the language means, by every reading: held against a plain Python function on decoded states."""

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
from places import TESTS

from cutproof.model.language import Operand
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.derived.shapes import Composite
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

_spec = importlib.util.spec_from_file_location("readings", TESTS / "support" / "readings.py")
assert _spec is not None and _spec.loader is not None
readings = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(readings)


class Left(Exception):
    """What a Python function raises where the word leaves its domain."""


def terms_of(value: Any) -> list[Term]:
    """The terms of an operand or of every part of a composite value or family."""
    if isinstance(value, Operand):
        return [value.term]
    return [term for part in value._items.values() for term in terms_of(part)]


def python_of(value: Any, codes: Iterable[int]) -> Any:
    """The Python value that stands for `value`, of the values of its terms. Raises Left where a part is outside its
    domain."""
    left = iter(codes)

    def parts(value: Any, of: Any) -> Any:
        if isinstance(value, Operand):
            code = next(left)
            if of is not None and not of.low <= code <= of.high:
                raise Left
            return bool(code) if value.kind is bool else code if value.kind is int else list(value.kind)[code]
        shape = of if of is not None else value._shape if isinstance(value, Composite) else None
        domains = shape.parts() if shape is not None else {}
        return {key: parts(part, domains.get(key)) for key, part in value._items.items()}

    found = parts(value, None)
    return value._shape.decode(found) if isinstance(value, Composite) else found


def normal_states(protocol: Protocol) -> list[State]:
    """Every state that stands for values: without those that differ from another only in what is not used."""
    ranges = [range(f.domain.low, f.domain.high + 1) for f in protocol.fields]
    return [s for s in product(*ranges) if protocol.encode(protocol.decode(s)) == s]


def holds_everywhere(
    protocol: Protocol,
    states: Sequence[State],
    word: Callable[[Any], Any],
    meaning: Callable[[Any], Any],
    z3_states: int = 12,
) -> int:
    """That a word has one value by all four readings, and that it is the one of the Python function, in all of some
    states. Gives how many different values there were."""

    class Now:
        """A state as a protocol's function sees it, in Python values."""

        def __init__(self, values: dict[str, Any]) -> None:
            self.__dict__.update(values)

    value = word(protocol.view)
    terms = terms_of(value)
    compiled = compile_terms(protocol, terms)
    table = np.array(states, dtype=np.int64).reshape(len(states), len(protocol.fields))
    columns = {f.name: table[:, i] for i, f in enumerate(protocol.fields)}
    numpy = [c.astype(np.int64).tolist() for c in readings.numpy_values(terms, columns, len(states))]
    seen = set()
    for number, state in enumerate(states):
        codes = compiled(state)
        assert codes == tuple(ex.evaluate(t, protocol.named(state), {}) for t in terms)
        assert codes == tuple(column[number] for column in numpy)
        assert all(t.low <= code <= t.high for t, code in zip(terms, codes, strict=True)), "bounds hold"
        try:
            found: Any = python_of(value, codes)
        except Left:
            found = Left
        try:
            expected: Any = meaning(Now(protocol.decode(state)))
        except Left:
            expected = Left
        assert found == expected, (state, found, expected)
        assert (type(found) is bool) == (type(expected) is bool), "no 1 for True"
        if isinstance(value, Composite) and found is not Left:
            whole = value._shape.unfold(found)
            assert flat(whole) == flat(nested(value, codes)), "what is not used holds the first value"
        seen.add(repr(found))
    some = states[:: max(1, len(states) // z3_states)]
    for state, codes in zip(some, readings.z3_values(terms, map(protocol.named, some)), strict=True):
        assert tuple(codes) == compiled(state)
    return len(seen)


def nested(value: Any, codes: Iterable[int]) -> Any:
    """The decoded parts of a value, nested, with no domain checked."""
    left = iter(codes)

    def parts(value: Any) -> Any:
        if isinstance(value, Operand):
            code = next(left)
            return bool(code) if value.kind is bool else code if value.kind is int else list(value.kind)[code]
        return {key: parts(part) for key, part in value._items.items()}

    return parts(value)


def flat(values: Any) -> list[Any]:
    """The leaves of nested dictionaries."""
    return [leaf for v in values.values() for leaf in flat(v)] if isinstance(values, dict) else [values]


def given(variables: dict[str, Any], indices: dict[str, Any] | None = None) -> Protocol:
    """A protocol without a step, for its variables."""
    return Protocol("words", variables, [], [], indices=indices)
