"""The reference implementation of the cutover, driven through the model of it. The faults are safeguards that are taken
out of the implementation, and not of the model; each with a scope in which it matters.
"""

from __future__ import annotations

from functools import cache

from cutproof.checks.cutover.reference.twin import STUTTERS, Move, Twin
from cutproof.checks.drivers import Refused
from cutproof.checks.traces.trace import Step, plain
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.language.protocol import Protocol

FAULTS = {  # each with a scope in which it matters, and how many drawn runs; 0: the runs that take every edge
    "delta_always": ("writes=1", 0), "ack_needs_source": ("writes=1", 0), "fence_epoch": ("writes=1", 0),
    "fence_outlives_data": ("writes=1", 0), "dual_until_seal": ("writes=1", 0), "keyset_paging": ("writes=1", 0),
    "one_owner_record": ("writes=1", 0), "cleanup_needs_proof": ("writes=1", 0),
    "copy_waits_for_applied": ("writes=1", 0), "proof_of_this_attempt": ("writes=1", 0),
    "wipe_before_retry": ("aborts=1,attempts=2", 200), "abort_forgets_cursor": ("aborts=1,attempts=2", 200),
    "copy_checks_version": ("crash", 100), "apply_checks_version": ("crash", 100), "whole_documents": ("crash", 100),
    "command_epoch": ("crash", 100), "durable_record": ("crash", 100), "sequencer_durable": ("base", 100),
    "failed_page_is_retried": ("reads_and_faults", 100), "tombstones": ("deletes", 100),
    "target_holds_no_replica": ("replica", 100), "search_filters_owned": ("two_documents", 100),
}  # fmt: skip
# These let the implementation do more than the model: what the model forbids has to be tried.
ALLOWING = {
    "drain_waits_for_fences": ("reads_and_faults", 100),
    "dual_before_copy": ("reads_and_faults", 100),
}


@cache
def model(scope: str = "base") -> Protocol:
    return cutover(parse_scope(scope)).resolve(resolve(Policy(), ()))


class Driver:
    def __init__(self, fault: str = "", scope: str = "base") -> None:
        self.twin = Twin(parse_scope(scope), resolve(Policy(), [fault] if fault else []))
        self.moves: dict[str, Move] | None = None

    def anything(self, action: str, **arguments: object) -> None:
        """Steps that mean nothing to the model are taken on the way: they are refused to nobody."""
        name = str(Step(action, {k: plain(v) for k, v in arguments.items()}))
        while name not in self.possible():
            stutter = next((m for m in self.possible().values() if m.step.action in STUTTERS), None)
            if stutter is None:
                raise Refused
            self._do(stutter)
        self._do(self.possible()[name])

    def possible(self) -> dict[str, Move]:
        """What the implementation may do next."""
        if self.moves is None:
            self.moves = self.twin.enabled()
        return self.moves

    def _do(self, move: Move) -> None:
        self.moves = None
        move.do()

    def state(self) -> dict[str, object]:
        return self.twin.abstract()
