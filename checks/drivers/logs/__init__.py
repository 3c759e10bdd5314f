"""Logs of real systems: whether some behaviour of a protocol explains what a system wrote about itself.

    logs = read("system.jsonl", Meaning(protocol))
    found = check(protocol, logs, Rules(missing=1))
    found.verdict, found.explained, found.refusal

Begin with `check.py`. `meaning.py` is what a line means to the protocol, `reading.py` reads files of them; `search.py`
keeps the states that are possible after each line, `behaviour.py` finds one behaviour behind them; `refusals.py` says
why a line is none that could come next.
"""

__all__ = ["behaviour", "check", "meaning", "reading", "refusals", "search"]
