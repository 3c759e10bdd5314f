"""A link that can be bad: a small TCP proxy on loopback, between a client and a server, that delays, holds or cuts.

with Proxy(server_port) as link:
    client = connect(link.port)
    link.delay(0.05)            # every piece takes that much longer, both ways
    link.hold()                 # what clients send stays here ...
    link.release()              # ... and arrives now, even if who sent it has gone
    link.cut()                  # connections end, what was held is lost, new ones are refused ...
    link.heal()                 # ... until now
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from threading import Condition, Thread
from types import TracebackType
from typing import Literal

PIECE = 1 << 16  # bytes
ABORTS = struct.pack("ii", 1, 0)  # SO_LINGER: closing ends a connection at once, with RST

Way = Literal["asks", "answers"]


class Proxy:
    """Listens on `port`, and passes all on to a server on loopback and back. A piece is what one `recv` gives: where a
    client sends a request and waits for its answer, a request or an answer that is not long."""

    def __init__(self, server: int) -> None:
        self.server = server
        self._changed = Condition()
        self._delay, self._cut, self._closed = 0.0, False, False
        self._hold: dict[Way, int | None] = {"asks": None, "answers": None}  # pieces that still pass
        self._like = b""  # what a piece has in it that is held, or counted
        self._connections = list[tuple[socket.socket, socket.socket]]()
        self.held = 0  # pieces that wait to be released
        self.passed = {"asks": 0, "answers": 0}  # pieces
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def delay(self, seconds: float) -> None:
        """Each piece waits so long from now on."""
        with self._changed:
            self._delay = seconds

    def hold(self, way: Way = "asks", after: int = 0, like: bytes = b"") -> None:
        """Keep what goes this way, once so many more pieces have passed that have these bytes in them (all have none);
        behind such a piece nothing passes on its connection. `held` says how many wait."""
        with self._changed:
            self._hold[way], self._like = after, like

    def release(self) -> None:
        """What is held arrives, in its order, whether or not its sender is still there; nothing is held any more."""
        with self._changed:
            self._hold = {"asks": None, "answers": None}
            self._changed.notify_all()

    def cut(self) -> None:
        """End all connections, with what is held on them, and refuse new ones until `heal`."""
        with self._changed:
            self._cut = True
        self._end()

    def drop(self) -> None:
        """End all connections, with what is held on them. New ones are welcome."""
        self._end()

    def heal(self) -> None:
        """No delay, nothing held, nothing cut."""
        with self._changed:
            self._delay, self._cut = 0.0, False
        self.release()

    def wait_held(self, seconds: float) -> bool:
        """Wait until something is held, but not longer than this; returns whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.held > 0, seconds)

    def close(self) -> None:
        """End everything."""
        with self._changed:
            self._closed = self._cut = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._end()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _end(self) -> None:
        with self._changed:
            ended, self._connections = self._connections, []
            for pair in ended:
                for one in pair:
                    _abort(one)
            self._changed.notify_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                if self._cut:
                    _abort(client)
                    continue
                try:
                    server = socket.create_connection(("127.0.0.1", self.server))
                except OSError:
                    _abort(client)
                    continue
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pair = (client, server)
                self._connections.append(pair)
            Thread(target=self._pass, args=(pair, client, server, "asks"), daemon=True).start()
            Thread(target=self._pass, args=(pair, server, client, "answers"), daemon=True).start()

    def _pass(
        self, pair: tuple[socket.socket, socket.socket], here: socket.socket, there: socket.socket, way: Way
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := here.recv(PIECE):
                if self._delay:
                    time.sleep(self._delay)
                if not self._let_through(pair, way, piece):
                    return
                there.sendall(piece)
        with self._changed:
            if pair not in self._connections:  # it was cut, and ends by that alone
                return
            with contextlib.suppress(OSError):
                there.shutdown(socket.SHUT_WR)
            if way == "answers":  # the server has ended it: so has the client's side
                self._connections.remove(pair)
                for one in pair:
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)
                    one.close()
                self._changed.notify_all()

    def _let_through(self, pair: tuple[socket.socket, socket.socket], way: Way, piece: bytes) -> bool:
        """Wait while pieces of this way are held. Returns whether the connection is still there."""
        with self._changed:
            more = self._hold[way] if self._like in piece else None
            if more == 0:
                self.held += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._hold[way] != 0 or pair not in self._connections)
                self.held -= 1
            elif more is not None:
                self._hold[way] = more - 1
            there = pair in self._connections
            self.passed[way] += there
            return there


def _abort(one: socket.socket) -> None:
    """Close a connection with RST, and wake who reads from it."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTS)
        one.shutdown(socket.SHUT_RD)  # for a thread that reads from it would keep it open
    one.close()
