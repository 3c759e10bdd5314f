"""The language a protocol is written in, and what one is as data: for any protocol.

Users import everything from here. To read on: `actions.py` opens with an example and the two rules; `operands.py` is
what a function of a protocol is called on, and `expressions.py` the terms that this leaves behind; `protocol.py` puts
them together (`parts.py`: from what), and `making/initial_states.py` says how a run may begin; `words.py` is how
stories speak of one, `picture.py` how it is drawn; `codegen.py` makes Python of it, `packing.py` one integer of a
state. What cannot be meant is told by `complaints.py`, with its place. `derived/` has the words that unfold into those
terms when a protocol is made: products, sums, sets, queues, records.
"""

from cutproof.model.language.actions import *  # noqa: F403  what that module declares
from cutproof.model.language.actions import __all__ as _words
from cutproof.model.language.derived.records import record, with_
from cutproof.model.language.derived.sequences import (
    append,
    at,
    first,
    is_full,
    keep_first,
    last,
    length,
    log,
    queue,
    rest,
)
from cutproof.model.language.derived.sets import bag, subset
from cutproof.model.language.derived.words import add, contains, copies, has_room, is_empty, remove, size
from cutproof.model.language.making.initial_states import anything, one_of
from cutproof.model.language.picture import Arrow, Loss, Message, Now, Picture
from cutproof.model.language.words import Changed, Run, Taken, Words

_MODULES = [
    "actions", "circuit", "codegen", "data", "derived", "domains", "expressions", "making", "operands", "packing",
    "picture", "properties", "protocol", "words",
]  # fmt: skip
__all__ = [  # noqa: PLE0604  the words of `actions.py` are texts too
    *_words, *_MODULES, "Arrow", "Changed", "Loss", "Message", "Now", "Picture", "Run", "Taken", "Words", "add",
    "anything", "append", "at", "bag", "contains", "copies", "first", "has_room", "is_empty", "is_full", "keep_first",
    "last", "length", "log", "one_of", "queue", "record", "remove", "rest", "size", "subset", "with_",
]  # fmt: skip
