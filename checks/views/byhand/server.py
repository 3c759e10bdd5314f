"""A server of one page, for this machine alone. Whoever asks has to know the token that is in the address, and has to
ask as the page does: another Host (a name that was made to point here), another Origin (a page of somebody else) are
refused. What a request says are numbers, checked by `walk.py`; nothing in it names a file or is evaluated.
"""

from __future__ import annotations

import hmac
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import msgspec

from cutproof.checks.common.refusals import Wrong, one_line, refuse
from cutproof.checks.views.byhand.page import page, policy
from cutproof.checks.views.byhand.walk import Place, Walk, Wanted

LOOPBACK = "127.0.0.1"
LONGEST = 32_768  # bytes of a request
IDLE = 60  # seconds that a connection may say nothing
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
ROUTES = {"": "GET", "at": "POST", "jump": "POST", "trace": "POST"}


class _Refused(Exception):
    """A request that is not answered: its status, and one line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class Server(ThreadingHTTPServer):
    """Serves the walk on a port of 127.0.0.1 (0: one that is free). Raises OSError where it cannot be had."""

    daemon_threads, block_on_close = True, False

    def __init__(self, walk: Walk, port: int = 0) -> None:
        self.walk, self.token = walk, secrets.token_urlsafe(32)
        self.page = page(walk.about()).encode()
        self.policy = policy()
        self.walking, self.searching = threading.Lock(), threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)
        self.host = f"{LOOPBACK}:{self.server_address[1]}"

    @property
    def address(self) -> str:
        """Where the page is: who has it can use the server."""
        return f"http://{self.host}/{self.token}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server_close()

    def server_bind(self) -> None:
        """Without asking what this machine is called, which may take long."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of a connection that breaks nothing is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    # ------------------------------------------------------------------ what is asked

    def answer(self, route: str, body: bytes) -> tuple[str, bytes]:
        """The kind and content of an answer. Raises Wrong where the request says what cannot be."""
        if route == "":
            return HTML, self.page
        if route == "jump":
            return JSON, msgspec.json.encode(self._jump(_parsed(body, Wanted)))
        place = _parsed(body, Place)
        with self.walking:
            if route == "trace":
                return JSON, self.walk.trace(place)
            return JSON, msgspec.json.encode(self.walk.at(place))

    def _jump(self, wanted: Wanted) -> Any:
        """One search at a time: each may take all of a core."""
        if not self.searching.acquire(blocking=False):
            refuse("another search is under way; wait for its end")
        try:
            return self.walk.jump(wanted)
        finally:
            self.searching.release()


def _parsed(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        refuse(f"the request: {error}")


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version, timeout = "HTTP/1.1", IDLE
    server_version, sys_version = "cutproof", ""

    taken = False  # what the request says was read

    def _answer(self) -> None:
        self.taken = False
        try:
            route = self._route()
            kind, content = self.server.answer(route, self._body())
            status = 200
        except _Refused as error:
            self._drain()
            status, kind, content = error.status, TEXT, f"{error}\n".encode()
        except Wrong as error:
            status, kind, content = 400, TEXT, f"{one_line(str(error))[:300]}\n".encode()
        except OSError:
            raise
        except Exception as error:
            said = one_line(f"{type(error).__name__}: {error}")[:300]
            status, kind, content = 500, TEXT, f"{said}; this is a fault of cutproof\n".encode()
        self._send(status, kind, content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _answer

    def _route(self) -> str:
        """Which of the routes is asked for, by whom it may be."""
        hosts, origins = (self.headers.get_all(name, []) for name in ("Host", "Origin"))
        if hosts != [self.server.host]:
            raise _Refused(403, "asked for under another name than that of this server")
        if origins not in ([], [f"http://{self.server.host}"]):
            raise _Refused(403, "asked for by another page")
        token, slash, route = self.path.removeprefix("/").partition("/")
        known = hmac.compare_digest(token.encode(errors="replace"), self.server.token.encode())
        if not (known and slash and self.path.startswith("/")):
            raise _Refused(403, "the token is missing or wrong: use the whole address that was printed")
        if route not in ROUTES:
            raise _Refused(404, "there is nothing there")
        if self.command != ROUTES[route]:
            raise _Refused(405, f"takes {ROUTES[route]}")
        return route

    def _body(self) -> bytes:
        """What a request says. Nothing of it is read where its length or kind is not what the page sends."""
        lengths = self.headers.get_all("Content-Length", [])
        if self.command == "GET":
            if lengths not in ([], ["0"]) or "Transfer-Encoding" in self.headers:
                raise _Refused(400, "a request for the page says nothing")
            return b""
        text = lengths[0] if len(lengths) == 1 else ""
        if not (text.isascii() and text.isdigit()) or "Transfer-Encoding" in self.headers:
            raise _Refused(400, "the request has no length")
        if len(text) > 9 or int(text) > LONGEST:
            raise _Refused(400, f"the request is longer than {LONGEST:,} bytes")
        if self.headers.get_content_type() != JSON:
            raise _Refused(400, f"the request is not {JSON}")
        self.taken = True
        body = self.rfile.read(int(text))
        if len(body) < int(text):
            raise _Refused(400, "the request is cut off")
        return body

    def _drain(self) -> None:
        """Read what is not looked at, if it is not much: who still writes would not hear why it is refused."""
        text = self.headers.get("Content-Length", "")
        if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= LONGEST and not self.taken:
            self.rfile.read(int(text))

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.close_connection = True  # one request each: none goes on when the server has ended
        self.send_header("Connection", "close")
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": self.server.policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request at all, in one line that repeats nothing of it."""
        self.command = getattr(self, "command", None) or ""
        self.request_version = self.protocol_version  # whatever was asked for, the answer has a head
        self._send(int(code), TEXT, b"this is no request that this server takes\n")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed: the address would be, with its token."""
