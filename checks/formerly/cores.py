"""`python -m cutproof.checks.cores` stands in `cutproof.checks.cutover.proofs.cores` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.proofs.cores", run_name="__main__", alter_sys=True)
