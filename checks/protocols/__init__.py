"""Which protocol is meant: a file of somebody's own, or one that comes with the package; and with which parameters.

    loaded = load("lease.py:lease", "nodes=3")     # or load("two-phase-commit")
    loaded.protocol, loaded.settings

`load.py` is what commands call; `file.py` runs a file and finds the protocol in it, `parameters.py` reads `--with`,
`registry.py` lists what is bundled, `cutover.py` says what is particular to ours, and `studies.py` which have
safeguards and a gate; `classes.py` finds the adapter of a store, or a driver, in a file. Whatever a user gave and
cannot be used is a refusal (`common/refusals.py`): one line, with the place in the file where there is one.
"""

__all__ = ["classes", "cutover", "load", "parameters", "registry", "studies"]
