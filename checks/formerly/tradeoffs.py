"""`python -m cutproof.checks.tradeoffs` stands in `cutproof.checks.cutover.loss.trade_offs` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.loss.trade_offs", run_name="__main__", alter_sys=True)
