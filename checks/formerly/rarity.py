"""`python -m cutproof.checks.rarity` stands in `cutproof.checks.cutover.safeguards.rarity` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.safeguards.rarity", run_name="__main__", alter_sys=True)
