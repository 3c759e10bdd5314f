"""The language a protocol is written in, and what one is as data: for any protocol.

Users import everything from here. To read on: `actions.py` opens with an example and the two rules; `operands.py` is
what a function of a protocol is called on, and `expressions.py` the terms that this leaves behind; `protocol.py` puts
them together (`parts.py`: from what), and `making/initial_states.py` says how a run may begin; `words.py` is how
stories speak of one; `codegen.py` makes Python of it, `packing.py` one integer of a state. What cannot be meant is told
by `complaints.py`, with its place.
"""

from cutproof.model.language.actions import *  # noqa: F403  what that module declares
from cutproof.model.language.actions import __all__ as _words
from cutproof.model.language.making.initial_states import anything, one_of
from cutproof.model.language.words import Changed, Run, Taken, Words

__all__ = [  # noqa: F405, PLE0604
    *_words, "Changed", "Run", "Taken", "Words", "anything", "one_of",
    "actions", "codegen", "data", "domains", "expressions", "making", "operands", "packing", "properties", "protocol",
    "words",
]  # fmt: skip
