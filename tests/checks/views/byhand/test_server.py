"""The server answers its own page alone: on loopback, with the token, under its own name; wrong input is one line."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import served, wide

from cutproof.checks.views.byhand.server import LONGEST, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(wide(tmp_path_factory.mktemp("wide"))) as found:
        yield found


def asked(
    server: Server,
    route: str,
    body: object = None,
    method: str = "",
    token: str | None = None,
    **headers: str,
) -> tuple[int, str, http.client.HTTPMessage]:
    """Status, content and headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    given = {"Host": server.host, "Content-Type": "application/json", **headers}
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    path = f"/{server.token if token is None else token}/{route}"
    connection.request(method or ("GET" if body is None else "POST"), path, data, given)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, content, answer.headers


def test_the_page_and_its_answers(server: Server) -> None:
    status, page, headers = asked(server, "")
    assert status == 200 and "wide by hand" in page
    assert server.token not in page
    assert "Access-Control-Allow-Origin" not in headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer" and headers["X-Content-Type-Options"] == "nosniff"
    own = {"Origin": f"http://{server.host}"}
    status, here, _ = asked(server, "at", {"begin": 1, "path": [3]}, **own)
    assert status == 200 and len(json.loads(here)["choices"]) == 801
    status, found, _ = asked(server, "jump", {"claim": 0}, **own)
    assert status == 200 and json.loads(found)["path"] == [700]
    status, trace, _ = asked(server, "trace", {"path": [700]})
    assert status == 200 and json.loads(trace)["#meta"]["property"] == "low"


@pytest.mark.parametrize("route", ["", "at", "jump", "trace", "nothing"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"Host": "localhost"}, {"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Host": "127.0.0.1:1"},
        {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Origin": "http://127.0.0.1"},
        {"token": ""}, {"token": "a" * 43}, {"token": "%C3%A9"}, {"token": "../"},
    ],
)  # fmt: skip
def test_others_are_refused(server: Server, wrong: dict[str, str], route: str) -> None:
    body = None if route == "" else {"path": [3], "claim": 0} if route == "jump" else {"path": [3]}
    status, content, headers = asked(server, route, body, **wrong)  # type: ignore[arg-type]
    assert status == 403 and content.count("\n") == 1 and server.token not in content
    assert "Access-Control-Allow-Origin" not in headers


def test_a_token_that_is_nearly_right_is_wrong(server: Server) -> None:
    for token in (server.token[:-1], server.token + "a", server.token.swapcase(), f"{server.token}%00"):
        assert asked(server, "", token=token)[0] == 403
    assert len(server.token) >= 43
    with served_again(server) as other:
        assert other.token != server.token


def served_again(server: Server) -> Server:
    return Server(server.walk)


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_are_no_way_in(server: Server, method: str) -> None:
    assert asked(server, "at", {"path": []}, method, Origin="https://evil.example")[0] == 403
    assert asked(server, "at", {"path": []}, method, token="guess")[0] == 403
    assert asked(server, "at", {"path": []}, method)[0] == 405


def test_only_the_routes_that_the_page_needs(server: Server) -> None:
    for route in ("index.html", "../", "at/", "at?path=1", "about", "%2e%2e/etc/passwd"):
        assert asked(server, route)[0] == 404
    assert asked(server, "at")[0] == asked(server, "", {})[0] == 405


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Input data was truncated"), (b"{", "truncated"), (b"[]", "Expected `object`"),
        (b"\xff\xfe{}", "malformed"), (b"[" * 20_000, "got `array`"),
        ({"path": ["1"]}, "Expected `int`"), ({"path": [-1]}, ">= 0"), ({"path": [1.5]}, "Expected `int`"),
        ({"path": [True]}, "Expected `int`"), ({"path": [2**60]}, "Expected `int`"),
        ({"path": [1] * 1001}, "length <= 1000"), ({"begin": 9}, "begins in one of 2 states"),
        ({"path": [0]}, "pick(number=0) cannot be taken there"), ({"path": [801]}, "and no 801"),
        ({"file": "/etc/passwd"}, "unknown field `file`"), ({"path": "os"}, "Expected `array`"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("route", ["at", "trace"])
def test_wrong_input_is_one_line(server: Server, route: str, body: object, reason: str) -> None:
    status, content, headers = asked(server, route, body)
    assert (status, content.count("\n")) == (400, 1), content
    assert reason in content and headers["Content-Type"].startswith("text/plain")


def raw(server: Server, request: str) -> str:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")


def test_what_is_no_request_of_the_page(server: Server) -> None:
    at, host = f"/{server.token}/at HTTP/1.1\r\n", f"Host: {server.host}\r\n"
    kind = "Content-Type: application/json\r\n"
    for request, status in [
        (f"POST {at}{kind}Content-Length: 2\r\n\r\n{{}}", 403),  # no Host at all
        (f"POST {at}{host}{host}{kind}Content-Length: 2\r\n\r\n{{}}", 403),  # two of them
        (f"POST http://{server.host}{at}{host}{kind}Content-Length: 2\r\n\r\n{{}}", 403),
        (f"POST {at}{host}{kind}\r\n", 400),
        (f"POST {at}{host}{kind}Content-Length: -1\r\n\r\n", 400),
        (f"POST {at}{host}{kind}Content-Length: {LONGEST + 1}\r\n\r\n", 400),
        (f"POST {at}{host}{kind}Content-Length: 2\r\nContent-Length: 9\r\n\r\n{{}}", 400),
        (f"POST {at}{host}{kind}Content-Length: 9\r\n\r\n{{}}", 400),  # cut off
        (f"POST {at}{host}{kind}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n", 400),
        (
            f"POST {at}{host}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}",
            400,
        ),  # a form can send it
        ("GET <script> HTTP/1.1 x\r\n\r\n", 400),
        ("BREW / HTTP/1.1\r\n\r\n", 501),
    ]:
        answer = raw(server, request)
        assert answer.split(" ", 2)[1] == str(status), (request, answer)
        assert "<script>" not in answer and server.token not in answer


def test_it_is_bound_to_this_machine_alone(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert server.address.startswith("http://127.0.0.1:")


def test_one_search_at_a_time(server: Server) -> None:
    with server.searching:
        status, content, _ = asked(server, "jump", {"claim": 0})
    assert status == 400 and content == "another search is under way; wait for its end\n"
    assert asked(server, "jump", {"claim": 0})[0] == 200


def test_it_says_nothing_of_requests(
    server: Server, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(server, "")
    asked(server, "at", b"{")
    raw(server, "\r\n")
    assert capfd.readouterr() == ("", "")


def test_many_at_once_get_their_own_answers(server: Server) -> None:
    found: dict[int, int] = {}

    def ask(number: int) -> None:
        answer = json.loads(asked(server, "at", {"path": [number]})[1])
        found[number] = answer["choices"][number]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(1, 9), 0)  # what was picked cannot be picked again


def test_it_is_stopped(tmp_path: Path) -> None:
    with served(wide(tmp_path)) as one:
        address = ("127.0.0.1", one.server_address[1])
    with pytest.raises(OSError):
        socket.create_connection(address, timeout=1)
