"""Model-based testing: a program of any kind is driven through the runs of a protocol, and compared after each step.

    found = drive(protocol, Driver)         # Driver: a method for each action, and state()
    found.exit_code, found.covered, found.edges, found.failure

Begin with `drive.py`. `driver.py` is what a user writes and how it is called, `comparing.py` how states are compared;
`walking.py` is the protocol as far as it is driven; `tour.py` chooses runs that take every edge; `performing.py` makes
one run, `shortening.py` a short one of one that failed; `outcome.py` is what came of it all, `recorded.py` the trace of
a failure and how it is performed again. `machine.py` is the same under Hypothesis, `program.py` over a pipe.
"""

__all__ = ["drive", "driver", "machine", "outcome", "program", "recorded", "walking"]
