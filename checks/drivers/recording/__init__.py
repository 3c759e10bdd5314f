"""Recording: what clients of a running system ask and are told, written as a history that `histories/` judges.

`recorder.py` writes it, a client at a time; `load.py` has clients that do something, all of it drawn from a seed.
`servers.py` starts programs that end with the test; `proxy.py` is a link that can be bad, and `nemesis.py` does harm to
both. `shorten.py` finds which operations are enough for a run that went wrong.
"""

__all__ = ["load", "nemesis", "proxy", "recorder", "servers", "shorten"]
