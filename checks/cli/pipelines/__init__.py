"""A guest in other people's pipelines. What a command judged is a list of cases (`cases.py`), whatever the command:
`command.py` gives it `--junitxml` and `--github`, which write them as JUnit (`junit.py`) and as GitHub's annotations
and step summary (`github.py`). `pages.py` is `--html`. A command says `case(...)` for each result, and nothing else.
"""

__all__ = ["cases", "command", "pages"]
