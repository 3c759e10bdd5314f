"""A harmless little store: a program that holds its values in memory, as lines of JSON over TCP, and a client of it."""

import json
import socket
import socketserver
import sys
from typing import IO, Any

HELD: dict[str, Any] = {}


class Lines(socketserver.StreamRequestHandler):
    """One connection: a request a line, [f, key, value], and what is held then as the answer."""

    def handle(self) -> None:
        for line in self.rfile:
            f, key, value = json.loads(line)
            if f != "read":
                HELD[key] = value
            self.wfile.write(json.dumps(HELD.get(key)).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    """The listener."""

    allow_reuse_address = daemon_threads = True


class Client:
    """A client that gives up after `timeout` seconds, and connects anew after that."""

    def __init__(self, port: int, timeout: float = 0.2) -> None:
        self.port, self.timeout, self.lines = port, timeout, None
        self.lines: IO[str] | None

    def ask(self, f: str, key: str, value: object = None) -> Any:
        try:
            if self.lines is None:
                self.lines = socket.create_connection(("127.0.0.1", self.port), self.timeout).makefile("rw")
            self.lines.write(json.dumps([f, key, value]) + "\n")
            self.lines.flush()
            answer = self.lines.readline()
            if not answer:
                raise ConnectionResetError("no answer")
            return json.loads(answer)
        except OSError:
            self.lines = None
            raise

    def write(self, key: str, value: object) -> None:
        self.ask("write", key, value)

    def delete(self, key: str) -> None:
        self.ask("delete", key)

    def read(self, key: str) -> Any:
        return self.ask("read", key)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Lines).serve_forever()
