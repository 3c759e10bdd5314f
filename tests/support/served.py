"""The page by hand, served for tests, and always stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cutproof.checks.protocols.load import Loaded, load
from cutproof.checks.views.byhand.server import Server
from cutproof.checks.views.byhand.walk import Walk

# One action that can be done in so many ways, and one that leaves its domain; runs begin in two states.
WIDE = '''
from cutproof.model.language import action, always, count, guard, one_of, when
from cutproof.model.language.protocol import Protocol


@action
def pick(s, number):
    """A number is picked."""
    return when(guard("another one", s.last != number)).then(last=number)


@action
def raise_it(s):
    """One more."""
    return when(guard("nothing was picked", s.last == 0)).then(height=s.height + 1)


@always
def low(s):
    """A number stays low."""
    return s.last < 700


def wide(many: int = 800) -> Protocol:
    return Protocol(
        name="wide",
        indices={"number": range(many)},
        variables={"last": count(0, many - 1), "height": count(0, 2)},
        initial={"height": one_of(1, 2)},
        actions=[pick, raise_it],
        properties=[low],
    )
'''


def wide(folder: Path) -> Loaded:
    """That protocol, of a file in a folder."""
    file = folder / "wide.py"
    file.write_text(WIDE, encoding="utf-8")
    return load(str(file))


@contextmanager
def served(loaded: Loaded) -> Iterator[Server]:
    """A server of a protocol, in a thread that ends with it."""
    with Server(Walk(loaded.protocol, loaded.settings)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
