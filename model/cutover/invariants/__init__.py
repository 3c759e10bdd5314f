"""Strengthening invariants: why the cutover is safe, in clauses that every step keeps.

A property alone is seldom inductive: a state that satisfies it and cannot occur may lead to one that violates it. These
clauses say what else is true of every state that does occur. Together with the properties they hold at the start, are
kept by every action, and imply every *always* property (`checks/engines/proof/induction.py` has Z3 show that). Read in
order they are the argument of the protocol:

1. what the record says of itself, and of fences; 2. what may be under way, and for whom; 3. what each copy holds;
4. what clients were promised.
"""

from __future__ import annotations

from cutproof.model.cutover.invariants.held import (
    a_copy_survives,
    both_hold_what_both_acknowledge,
    copies_come_from_the_source,
    floors_are_promises,
    forgotten_behind_fences,
    landed_pages_are_stored,
    nothing_returns,
    outcomes_are_stored,
    promised_is_at_the_owner,
    proved_is_held,
    scanned_is_what_the_source_holds,
    the_replica_keeps_its_word,
    versions_are_born_in_order,
    wiped_is_empty,
)
from cutproof.model.cutover.invariants.moving import (
    accepted_only_when_open,
    applied_at_once,
    cursor_counts_in_copy_and_delta,
    earlier_is_queued,
    fences_confirmed_before,
    fences_follow_the_record,
    nobody_writes_while_sealed,
    nothing_of_the_removed,
    one_search_at_a_time,
    one_view_a_write,
    only_what_was_issued,
    opened_after_the_source_was_fenced,
    outcomes_are_waited_for,
    pages_while_copying,
    phase_fits_epoch,
    proof_until_activated,
    searches_end_before_cleanup,
    source_stays_drained,
    strays_were_sent,
    there_and_back,
    views_were_recorded,
    wiped_before_retry,
    writes_go_to_their_targets,
)

# In the order of the argument; a proof takes them all together.
INVARIANTS = (
    phase_fits_epoch,
    there_and_back,
    fences_follow_the_record,
    fences_confirmed_before,
    wiped_before_retry,
    opened_after_the_source_was_fenced,
    cursor_counts_in_copy_and_delta,
    proof_until_activated,
    nothing_of_the_removed,
    views_were_recorded,
    nobody_writes_while_sealed,
    writes_go_to_their_targets,
    only_what_was_issued,
    one_view_a_write,
    outcomes_are_waited_for,
    accepted_only_when_open,
    pages_while_copying,
    strays_were_sent,
    applied_at_once,
    source_stays_drained,
    earlier_is_queued,
    outcomes_are_stored,
    copies_come_from_the_source,
    landed_pages_are_stored,
    scanned_is_what_the_source_holds,
    proved_is_held,
    promised_is_at_the_owner,
    both_hold_what_both_acknowledge,
    a_copy_survives,
    the_replica_keeps_its_word,
    floors_are_promises,
    wiped_is_empty,
    versions_are_born_in_order,
    forgotten_behind_fences,
    nothing_returns,
    one_search_at_a_time,
    searches_end_before_cleanup,
)

__all__ = ["INVARIANTS", "distance"]
