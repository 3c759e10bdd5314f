"""The language a protocol is written in, and what one is as data: for any protocol.

Users import everything from here. To read on: `actions.py` opens with an example and the two rules; `operands.py` is
what a function of a protocol is called on, and `expressions.py` the terms that this leaves behind; `protocol.py` puts
them together; `codegen.py` makes Python of them, `packing.py` one integer of a state.

Sugar, which unfolds into those terms when a protocol is made: `arithmetic.py` and `counting.py` (`*`, `//`, `%`,
larger, total), and `composite/` (sets, queues, records).
"""

from cutproof.model.language.actions import *  # noqa: F403  what that module declares
from cutproof.model.language.actions import __all__ as _words
from cutproof.model.language.composite.records import record, with_
from cutproof.model.language.composite.sequences import (
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
from cutproof.model.language.composite.sets import bag, subset
from cutproof.model.language.composite.words import add, contains, copies, has_room, is_empty, remove, size

_MODULES = ["actions", "codegen", "composite", "domains", "expressions", "operands", "packing", "protocol"]
__all__ = [  # noqa: PLE0604  the words of `actions.py` are texts too
    *_words, *_MODULES, "add", "append", "at", "bag", "contains", "copies", "first", "has_room", "is_empty", "is_full",
    "keep_first", "last", "length", "log", "queue", "record", "remove", "rest", "size", "subset", "with_",
]  # fmt: skip
