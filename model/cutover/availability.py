"""Availability: clients can always be served again, and a migration can always be begun again.

Safety alone is kept by a protocol that serves nobody. Here a client asks through a router that knows the record, and
is answered if the nodes that must take part would: by the guards of the steps themselves (`clients.py`, `delivery.py`,
`progress.py`), not by a second opinion. What is bounded by the scope alone (how many writes, how many attempts) is
left out. "Can always" means by steps that are owed: no fault need happen, and no client need do anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cutproof.model.cutover.clients import (
    admits,
    answers,
    asks,
    current,
    not_held,
    suffices,
    targets,
    to_source_alone,
)
from cutproof.model.cutover.delivery import takes
from cutproof.model.cutover.progress import may_begin
from cutproof.model.cutover.safeguards import Harm
from cutproof.model.cutover.slot import S, epochs, ranks
from cutproof.model.language import Operand, all_of, any_of, can_always, constant

STK = Harm.STK.name


def _all(guards: Iterable[Any]) -> Operand:
    return all_of(*(g.condition for g in guards))


def writable(s: S, view: int) -> Operand:
    """A write of this view would be sent, accepted, and acknowledged by those who accept it."""
    chosen, first = targets(s, view), ranks(s.scope)[0]
    taken = {n: goes & _all(takes(s, n, first, constant(view + 1))) for n, goes in chosen.items()}
    return not_held(s, view) & suffices(s, view, taken, to_source_alone(view, chosen))


def searchable(s: S, view: int) -> Operand:
    """Every node that a search of this view asks would admit it."""
    return all_of(
        *(~asked | _all(admits(s, n, view, constant(view + 1))) for n, asked in asks(s, view).items())
    )


@can_always
def writable_again(s: S, doc: int) -> dict[str, Operand]:
    """Clients that write have had their answer, and the next write, a delete too, would be acknowledged."""
    served = any_of(*(current(s, v) & writable(s, v) for v in epochs(s.scope)))
    return {STK: (s.waits[doc] == 0) & served}


@can_always
def readable_again(s: S) -> dict[str, Operand]:
    """Clients that read have had their answer, and the next read would be answered."""
    served = any_of(*(current(s, v) & _all(answers(s, v)) for v in epochs(s.scope)))
    return {STK: (s.reading == 0) & served}


@can_always
def searchable_again(s: S) -> dict[str, Operand]:
    """A search that is under way has ended, and the next one would be admitted wherever it goes."""
    served = any_of(*(current(s, v) & searchable(s, v) for v in epochs(s.scope)))
    return {STK: all_of(*(at == 0 for at in s.search), served)}


@can_always
def begun_again(s: S) -> dict[str, Operand]:
    """No migration lives, and another could be begun."""
    return {STK: _all(may_begin(s, after_complete=constant(True)))}


AVAILABILITY = (writable_again, readable_again, searchable_again, begun_again)
