"""`python -m cutproof.checks.lattice` stands in `cutproof.checks.cutover.gate.lattice` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.gate.lattice", run_name="__main__", alter_sys=True)
