"""A link passes all on, in order, but what it was told to hold, delay or cut."""

from __future__ import annotations

import socket
import socketserver
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutproof.checks.drivers.recording.proxy import Proxy
from cutproof.checks.drivers.recording.servers import free_ports


class Echo(socketserver.BaseRequestHandler):
    """Says what it hears, and keeps it in `heard`."""

    heard = b""

    def handle(self) -> None:
        while piece := self.request.recv(1 << 16):
            type(self).heard += piece
            self.request.sendall(piece)


@contextmanager
def echo() -> Iterator[tuple[Proxy, type[Echo]]]:
    """A link to a server that says what it hears, and what that has heard."""

    class Mine(Echo):
        heard = b""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A connection that was cut is no news."""

    with Server(("127.0.0.1", 0), Mine) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            with Proxy(server.server_address[1]) as link:
                yield link, Mine
        finally:
            server.shutdown()
            thread.join()


def connected(link: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), 5)


def hear(here: socket.socket, length: int) -> bytes:
    """So many bytes, or as many as come before the end."""
    heard = b""
    while len(heard) < length and (piece := here.recv(length - len(heard))):
        heard += piece
    return heard


@settings(max_examples=10)
@given(st.lists(st.binary(min_size=1, max_size=300_000), min_size=1, max_size=4))
def test_all_is_passed_on_in_order(pieces: list[bytes]) -> None:
    with echo() as (link, _), connected(link) as here:
        sender = Thread(target=lambda: [here.sendall(piece) for piece in pieces])
        sender.start()
        assert hear(here, sum(map(len, pieces))) == b"".join(pieces)
        sender.join()


def test_what_is_held_arrives_later_even_without_its_sender() -> None:
    with echo() as (link, server):
        here = connected(link)
        link.hold(after=1, like=b"x")
        for word in (b"one", b"x1", b"two"):
            here.sendall(word)
            assert hear(here, len(word)) == word
        here.sendall(b"x2")
        assert link.wait_held(5) and link.held == 1
        here.sendall(b"behind")
        with connected(link) as other:  # other connections go on
            other.sendall(b"y")
            assert hear(other, 1) == b"y"
        here.close()
        assert server.heard == b"onex1twoy"
        link.release()
        end = time.monotonic() + 5
        while server.heard != b"onex1twoyx2behind" and time.monotonic() < end:
            time.sleep(0.01)
        assert server.heard == b"onex1twoyx2behind"


def test_an_answer_can_be_held() -> None:
    with echo() as (link, server), connected(link) as here:
        link.hold("answers")
        here.sendall(b"a")
        assert link.wait_held(5) and server.heard == b"a"
        here.settimeout(0.05)
        with pytest.raises(TimeoutError):
            here.recv(1)
        link.release()
        here.settimeout(5)
        assert hear(here, 1) == b"a"
        assert link.passed == {"asks": 1, "answers": 1}


@pytest.mark.parametrize("cut", [True, False])
def test_a_cut_loses_what_is_held(cut: bool) -> None:
    with echo() as (link, server), connected(link) as here:
        link.hold()
        here.sendall(b"lost")
        assert link.wait_held(5)
        (link.cut if cut else link.drop)()
        with pytest.raises(ConnectionResetError):
            here.recv(1)
        if cut:
            with pytest.raises(OSError), connected(link) as refused:
                refused.sendall(b"no")
                hear(refused, 1)
                raise ConnectionResetError
        link.heal()
        with connected(link) as again:
            again.sendall(b"new")
            assert hear(again, 3) == b"new"
        assert server.heard == b"new"


def test_a_server_that_is_not_there_is_not_there() -> None:
    (port,) = free_ports(1)
    with Proxy(port) as link, pytest.raises(ConnectionResetError), connected(link) as here:
        here.sendall(b"a")
        here.recv(1)


def test_nothing_is_left_when_it_is_closed() -> None:
    with echo() as (link, _):
        here = connected(link)
        here.sendall(b"a")
        assert hear(here, 1) == b"a"
        link.close()
        with pytest.raises(ConnectionResetError):
            here.recv(1)
        with pytest.raises(ConnectionRefusedError):
            connected(link)
        here.close()
