"""Who checks it: the instrument, which takes any protocol and any program, and the studies that use it.

`engines/` give verdicts on a protocol; `traces/` are how runs are stored, replayed and told; `drivers/` move programs
beside a protocol. They know nothing of shards. `cutover/` holds the studies of this project's own protocol, each a
folder; `ladder/` runs them all; `protocols/` finds the protocol that is meant, in a file or among those bundled;
`cli/` is what is typed, and nothing else prints; `testing/` is the plugin for other people's pytest. `common/` is what
several need. `api.py` is the same from Python.
"""

__all__ = [
    "api",
    "cli",
    "common",
    "conform",
    "cutover",
    "engines",
    "explore",
    "ladder",
    "protocols",
    "testing",
    "traces",
    "verdict",
]

# What `python -m cutproof.checks.NAME` ran before it had a folder goes on running: each name is a line in formerly/.
__path__.append(f"{__path__[0]}/formerly")
