"""Sentences of actions and properties, with docstrings and without."""

from __future__ import annotations

import subprocess
import sys

from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language.sentences import sentence_of

TOLD = """
from cutproof.model.examples.two_phase_commit import two_phase_commit
protocol = two_phase_commit()
print(*(x.sentence for x in (*protocol.actions, *protocol.properties)), sep="\\n")
"""


def test_sentences_are_there_where_python_leaves_docstrings_out() -> None:
    protocol = two_phase_commit()
    expected = [x.sentence for x in (*protocol.actions, *protocol.properties)]
    assert all(expected)
    ran = subprocess.run([sys.executable, "-OO", "-c", TOLD], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == expected


def test_a_function_that_says_nothing_has_no_sentence() -> None:
    def silent() -> None: ...

    assert sentence_of(silent) == ""
