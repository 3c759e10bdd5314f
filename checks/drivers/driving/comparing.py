"""The states of a model and of a program, compared: some of the variables, and parts of families.

A family is a dictionary by index, or a list in the order of the index; an index that is left out is not compared. A set
is a set or a list, a record a dictionary. Members of enumerations may be members or names. In what comes as JSON, an
index that is no text is the text of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutproof.checks.common.refusals import near
from cutproof.checks.drivers.driving.driver import DriverFailed
from cutproof.checks.traces.itf import Plain, members
from cutproof.checks.traces.trace import plain
from cutproof.model.language.protocol import Protocol
from cutproof.model.language.words import written


@dataclass(frozen=True)
class Difference:
    """A place at which model and program have different plain values."""

    field: str
    model: Plain
    program: Plain

    def __str__(self) -> str:
        return f"{self.field}: the model has {written(self.model)}, the program {written(self.program)}"


class Comparing:
    """Compares states of a protocol with what programs say of theirs."""

    def __init__(self, protocol: Protocol) -> None:
        self.variables = list(protocol.variables)
        self.families = {c.variable: len(c.where) for c in protocol.cells if c.where}
        self.bags = {path for path, shape in protocol.shapes.items() if shape.word == "bag"}
        self.composite = set(protocol.shapes)
        self.compared: set[str] = set()  # variables that some program showed

    def differences(self, model: Mapping[str, Plain], program: Mapping[str, Any]) -> tuple[Difference, ...]:
        """What differs, of what the program says. Raises DriverFailed for names and forms that mean nothing."""
        found: list[Difference] = []
        self.compared.update(program)
        for name, value in program.items():
            if name not in model:
                there = near(str(name), self.variables) or f"; there are {', '.join(self.variables)}"
                raise DriverFailed(f"state() has {name!r}, which is no variable{there}")
            expected = model[name]
            if type(value) is type(expected) and value == expected and not isinstance(value, list):
                continue
            self._compare((name,), expected, value, found)
        return tuple(found)

    def _compare(self, path: tuple[Any, ...], model: Plain, program: Any, found: list[Difference]) -> None:
        if path in self.composite:
            self._composite(path, model, program, found)
        elif isinstance(model, dict):
            for key, value in self._by_index(path, model, program).items():
                self._compare((*path, key), model[key], value, found)
        else:
            self._leaf(path, model, _leaf_of(program), found)

    def _by_index(self, path: tuple[Any, ...], model: Mapping[Any, Plain], program: Any) -> dict[Any, Any]:
        if isinstance(program, list | tuple):
            if len(program) != len(model):
                raise DriverFailed(
                    f"state(): {named(path)} has {len(program)} values; it needs {len(model)}, one for each of "
                    f"{', '.join(map(str, model))}"
                )
            return dict(zip(model, program, strict=True))
        if not isinstance(program, Mapping):
            raise DriverFailed(
                f"state(): {named(path)} is a {type(program).__name__}; it needs a dictionary by index, or a list"
            )
        known = {(type(key), key): key for key in model} | {(str, str(key)): key for key in model}
        result = {}
        for given, value in program.items():
            plainly = _leaf_of(given)
            if (type(plainly), plainly) not in known:
                there = ", ".join(map(str, model))
                raise DriverFailed(f"state(): {named((*path, given))} is unknown; there are {there}")
            result[known[type(plainly), plainly]] = value
        return result

    def _composite(self, path: tuple[Any, ...], model: Plain, program: Any, found: list[Difference]) -> None:
        """A set, bag, queue or record, compared as one value; of a record the fields that are there."""
        value = _leaf_of(program)
        if isinstance(model, dict):
            if not isinstance(value, dict):
                raise DriverFailed(
                    f"state(): {named(path)} is a {type(program).__name__}; it needs a dictionary"
                )
            if strange := [k for k in value if k not in model]:
                raise DriverFailed(
                    f"state(): {named((*path, strange[0]))} is unknown{near(str(strange[0]), model)}"
                )
            for key, inner in value.items():
                self._composite((*path, key), model[key], inner, found)
            return
        if isinstance(model, tuple) and isinstance(value, list):
            value = members(value)
        if path in self.bags and isinstance(value, list | tuple):
            model, value = list(members(model)), list(members(value))
        self._leaf(path, model, value, found)

    def _leaf(self, path: tuple[Any, ...], model: Plain, program: Plain, found: list[Difference]) -> None:
        if not _same(model, program):
            found.append(Difference(named(path), model, program))


def _leaf_of(value: Any) -> Plain:
    """A value of a program as a plain one; what has no plain form is shown as its type."""
    if isinstance(value, tuple):
        value = list(value)
    if value is None or isinstance(value, float):
        return value
    try:
        return plain(value)
    except TypeError:
        raise DriverFailed(
            f"state() has the {type(value).__name__} {str(value)[:80]!r}, which no variable holds"
        ) from None


def _same(model: Plain, program: Plain) -> bool:
    """Equal, and True is not 1."""
    if isinstance(model, list | tuple) and isinstance(program, list | tuple):
        same_kind = isinstance(model, tuple) == isinstance(program, tuple)
        return same_kind and len(model) == len(program) and all(map(_same, model, program))
    if isinstance(model, dict) and isinstance(program, dict):
        return model.keys() == program.keys() and all(_same(model[k], program[k]) for k in model)
    return type(model) is type(program) and bool(model == program)


def named(path: tuple[Any, ...]) -> str:
    """A place in a state: `net[O,0]`."""
    name, *where = path
    return f"{name}[{','.join(str(plain(w)) for w in where)}]" if where else str(name)
