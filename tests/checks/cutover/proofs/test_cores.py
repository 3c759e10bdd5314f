"""What the proofs used: a safeguard is named where it is needed."""

from cutproof.checks.cutover.proofs.cores import used_in
from cutproof.model.cutover.scopes import SCOPES


def test_each_action_names_what_its_proof_used() -> None:
    used = {u.action: u for u in used_in(SCOPES["base"])}
    assert used["prove"].safeguards == ("delta_always",)
    assert used["start_drain"].safeguards == ("drain_waits_for_fences",)
    assert "fences confirmed" in used["start_drain"].guards
    assert "seal_blocks_writes" in used["write"].safeguards
    assert used["page_landed"].safeguards == ()
