"""The language a protocol is written in, and what one is as data: for any protocol.

Users import everything from here. To read on: `actions.py` opens with an example and the two rules; `operands.py` is
what a function of a protocol is called on, and `expressions.py` the terms that this leaves behind; `protocol.py` puts
them together; `words.py` is how stories speak of one; `codegen.py` makes Python of the terms, `packing.py` one integer
of a state.
"""

from cutproof.model.language.actions import *  # noqa: F403  what that module declares
from cutproof.model.language.actions import __all__ as _words
from cutproof.model.language.words import Changed, Run, Taken, Words

_modules = ["actions", "codegen", "domains", "expressions", "operands", "packing", "protocol", "words"]
__all__ = [*_words, "Changed", "Run", "Taken", "Words", *_modules]  # noqa: PLE0604
