"""The guarded client against a real server on loopback: what it refuses, cuts off, follows, and how it fails."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings as desk

from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Retry, Uncertain


class Outside(BaseHTTPRequestHandler):
    """Plays the outside world: what it does stands in the path."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        word, _, rest = self.path[1:].partition("/")
        if word == "die":
            self.close_connection = True
            return
        if word == "to":
            self._say(302, b"", {"Location": rest.replace("~", "/")})
            return
        if word == "big":
            self._say(200, b"x" * int(rest))
            return
        if word == "status":
            self._say(int(rest), b"{}", {"Retry-After": "7"})
            return
        headers = {"Content-Type": "text/plain", "Content-Disposition": "attachment; filename*=UTF-8''h%C3%B3a.txt"}
        self._say(200, b'{"a": [1]}', headers)

    do_POST = do_GET  # noqa: N815

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def outside(settings: object) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Outside.seen.clear()
    pair = f"127.0.0.1:{server.server_address[1]}"
    settings.ENV = replace(desk.ENV, helpdesk_allow_hosts=(pair,))  # type: ignore[attr-defined]
    yield f"http://{pair}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://localhost:{port}/",
        "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
        "http://0.0.0.0:{port}/", "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://x.test/", "nonsense", "http://",
    ],
)  # fmt: skip
def test_no_private_address_is_reached(url: str, outside: str, settings: object) -> None:
    port = outside.rpartition(":")[2]
    settings.ENV = replace(desk.ENV, helpdesk_allow_hosts=("127.0.0.1:1",))  # type: ignore[attr-defined]
    for get in (lambda address: net.call("GET", address), net.fetch):
        with pytest.raises((GiveUp, Retry)) as error:
            get(url.format(port=port))
        assert not isinstance(error.value, Uncertain)
    assert Outside.seen == []


def test_only_the_very_pair_that_was_allowed_is_reached(outside: str) -> None:
    assert net.call("GET", f"{outside}/x").json == {"a": [1]}
    with pytest.raises((GiveUp, Retry)):
        net.call("GET", outside.replace("127.0.0.1", "127.0.0.2") + "/x")


def test_a_redirect_is_checked_like_the_first_address(outside: str) -> None:
    with pytest.raises(GiveUp):
        net.fetch(f"{outside}/to/http:~~169.254.169.254~")
    with pytest.raises(GiveUp):
        net.fetch(f"{outside}/to/file:~~~etc~passwd")
    assert net.fetch(f"{outside}/to/~x").content == b'{"a": [1]}'
    with pytest.raises(GiveUp):
        net.fetch(f"{outside}/to/" + "~to~" * 3 + "~to~~x")
    assert net.call("GET", f"{outside}/to/~x").status == 302  # a provider's answer is never followed


def test_a_key_stays_with_the_host_it_is_for(outside: str, settings: object) -> None:
    other = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    pairs = (outside.removeprefix("http://"), f"127.0.0.1:{other.server_address[1]}")
    settings.ENV = replace(desk.ENV, helpdesk_allow_hosts=pairs)  # type: ignore[attr-defined]
    net.fetch(f"{outside}/to/http:~~{pairs[1]}~x", headers={"Authorization": "Bearer key"}, auth=("a", "b"))
    other.shutdown()
    other.server_close()
    assert "authorization" in Outside.seen[0][1]
    assert "authorization" not in Outside.seen[1][1]


def test_a_flood_is_cut_off(outside: str) -> None:
    assert len(net.fetch(f"{outside}/big/{desk.ATTACHMENT_MAX_BYTES}").content) == desk.ATTACHMENT_MAX_BYTES
    with pytest.raises(net.TooLong):
        net.fetch(f"{outside}/big/{desk.ATTACHMENT_MAX_BYTES + 1}")
    with pytest.raises(net.TooLong):
        net.call("GET", f"{outside}/big/{net.MAX_REPLY + 1}")


def test_how_a_call_failed_says_what_may_have_happened(outside: str) -> None:
    with pytest.raises(Uncertain):
        net.call("POST", f"{outside}/die")
    with pytest.raises(Retry):
        net.call("POST", f"{outside}/die", repeatable=True)
    with pytest.raises(Retry):
        net.fetch(f"{outside}/die")
    reply = net.call("GET", f"{outside}/status/429")
    assert (reply.status, reply.ok, reply.retry_after, reply.json) == (429, False, 7.0, {})
    for status, error in ((404, GiveUp), (410, GiveUp), (403, GiveUp), (500, Retry), (503, Retry), (429, Retry)):
        with pytest.raises(error):
            net.fetch(f"{outside}/status/{status}")


def test_a_file_comes_with_its_name_and_type(outside: str) -> None:
    file = net.fetch(f"{outside}/x")
    assert (file.content_type, file.filename) == ("text/plain", "hóa.txt")


def test_a_fork_speaks_for_itself(outside: str) -> None:
    """Workers are forked: one that used the parent's loop would wait for ever."""
    net.call("GET", f"{outside}/x")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, b"ok" if net.call("GET", f"{outside}/x").ok else b"no")
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        assert answer.read() == b"ok"
    os.waitpid(child, 0)
