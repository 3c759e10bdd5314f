"""Snapshots of the small implementation that `twin.py` moves: kept by the thousand while its states are visited.

What never changes is kept by reference, members of enumerations by name, and of the network's own draws nothing: a twin
is told what happens, so nobody draws. That takes half the space, and less time.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from enum import Enum
from functools import cache
from random import Random
from typing import Any

from cutproof.impl.clients import Status
from cutproof.impl.node import Kind
from cutproof.impl.record import Phase, Stage
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import Mechanisms

_SHARED: list[Mechanisms] = []


def saved(shard: Shard) -> bytes:
    """The shard and all that belongs to it as it is now, for `loaded` in this process."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _KEPT
    pickler.dump(shard)
    return out.getvalue()


def loaded(snapshot: bytes) -> Shard:
    """The shard that was saved, a new one each time."""
    shard: Shard = pickle.loads(snapshot)
    return shard


def _by_name(member: Enum) -> tuple[Any, ...]:
    return getattr, (type(member), member.name)


@cache
def _by_number(mechanisms: Mechanisms) -> tuple[Any, ...]:
    _SHARED.append(mechanisms)
    return _shared, (len(_SHARED) - 1,)


def _shared(number: int) -> Mechanisms:
    return _SHARED[number]


_KEPT: dict[type, Callable[[Any], Any]] = {
    Mechanisms: _by_number,
    Random: lambda _: (Random, (0,)),
    **dict.fromkeys((Phase, Stage, Kind, Status), _by_name),
}
