"""Which pages may hold the chat, how often, and what they are served."""

from typing import Any

import pytest
from django.test import Client
from django.test.utils import override_settings

from channels_app.webchat import limits, origins, script
from helpdesk.core import valkey
from helpdesk.core.logs import hide_secrets
from tests.builders import a_chat
from tests.channels_app.webchat.test_session import error
from tests.channels_app.webchat.visitors import Visitor

SITE = "https://desk.test"
LISTED = ["https://shop.test", "http://localhost:3000/", "HTTPS://Hoa-Lu.VN:443", "*", None, 5, "https://*.shop.test"]


@pytest.mark.parametrize(
    "origin", ["https://shop.test", "https://SHOP.test:443", "http://localhost:3000", "https://hoa-lu.vn", SITE]
)
def test_a_listed_page_may(origin: str) -> None:
    assert origins.allowed(origin, LISTED, SITE)


@pytest.mark.parametrize(
    "origin",
    [
        "", "null", "*", "http://shop.test", "https://shop.test:8443", "https://shop.test.evil.test",
        "https://a.shop.test",
        "https://evil.test/https://shop.test", "https://shop.test@evil.test", "https://localhost:3000", "file://",
        "shop.test",
        "https://shop.test/path", "https://shop.test:x", "https://[::1", "http://desk.test", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_any_other_page_may_not(origin: str) -> None:
    assert not origins.allowed(origin, LISTED, SITE)


def test_on_ones_own_machine_every_name_of_it_is_the_desks_own() -> None:
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert origins.allowed(f"http://{name}:8000", [], "http://127.0.0.1:8000")
        assert not origins.allowed(f"http://{name}:8001", [], "http://127.0.0.1:8000")
        assert not origins.allowed(f"http://{name}", [], SITE)


@pytest.mark.parametrize("listed", [None, "https://shop.test", {}, 5])
def test_a_list_that_is_none_lets_nobody_in(listed: Any) -> None:
    assert not origins.allowed("https://shop.test", listed, SITE)


@pytest.mark.django_db(transaction=True)
def test_the_browser_is_told_which_page_may_read() -> None:
    chat = a_chat()
    url = f"/widget/v1/{chat.pk}/messages"
    asked = Client().options(url, headers={"Origin": "http://shop.test", "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "http://shop.test"
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in asked.headers
    refused = Visitor(chat, begin=False).get("messages")
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "http://shop.test"  # else the page could not read why
    for method in ("options", "get", "post"):
        stranger = getattr(Client(), method)(url, headers={"Origin": "https://evil.test"})
        assert error(stranger) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in stranger.headers
    assert Visitor(chat, origin="").lines() == []  # no page at all: an app, a test


@pytest.mark.django_db(transaction=True)
def test_who_writes_too_fast_waits_and_a_dead_valkey_refuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.PER_VISITOR, "say", (3, 60))
    monkeypatch.setattr(limits.time, "time", lambda: 1_000_000.0)  # no window ends meanwhile
    chat = a_chat()
    visitor = Visitor(chat)
    assert [visitor.say("x").status_code for _ in range(3)] == [201] * 3
    answer = visitor.say("x")
    assert error(answer) == (429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) > 0
    assert Visitor(chat).say("x").status_code == 201
    with override_settings(VALKEY_URL="redis://127.0.0.1:1/0"):
        valkey.client.cache_clear()
        try:
            assert visitor.say("x").status_code == 201
        finally:
            valkey.client.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_an_address_is_limited_but_our_own_proxy_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.PER_ADDRESS, "session", (2, 60))
    monkeypatch.setattr(limits.time, "time", lambda: 2_000_000.0)
    visitor = Visitor(a_chat(), begin=False)
    far = [visitor.post("session", {}, REMOTE_ADDR="203.0.113.9").status_code for _ in range(3)]
    assert far == [200, 200, 429]
    assert visitor.post("session", {}, REMOTE_ADDR="203.0.113.10").status_code == 200
    assert {visitor.post("session", {}, REMOTE_ADDR="127.0.0.1").status_code for _ in range(4)} == {200}


def test_the_script_is_one_function_for_any_page_and_leaves_when_unchanged() -> None:
    answer = Client().get("/widget.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    text = answer.content.decode()
    assert text.startswith("(function () {")
    assert "innerHTML" not in text
    assert "eval(" not in text
    assert all(f"class {name}" in text for name in ("Store", "Wire", "Chat", "Panel"))
    packed = Client().get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.content) < 25_000
    again = Client().get("/widget.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert set(script.PARTS) == {path.stem for path in script._FOLDER.glob("*.js")}


def test_the_words_of_the_widget_are_whole_in_both_languages() -> None:
    import re

    text = (script._FOLDER / "words.js").read_text(encoding="utf-8")
    english, vietnamese = (set(re.findall(r"(?:^|[ ,{])(\w+): \"", part)) for part in text.split("  vi: {"))
    assert english == vietnamese
    assert len(english) > 40
    code = "".join(path.read_text(encoding="utf-8") for path in script._FOLDER.glob("*.js"))
    used = set(re.findall(r"\bt\(\"(\w+)\"", code))
    assert used <= english


def test_tokens_do_not_get_into_the_log() -> None:
    said = '127.0.0.1 - "WebSocket /ws/widget/x/?token=abc.def%3A1&after=3" [accepted] GET /f?key=zz HTTP'
    line = hide_secrets(None, "info", {"event": said})
    assert line["event"] == '127.0.0.1 - "WebSocket /ws/widget/x/?token=…&after=3" [accepted] GET /f?key=… HTTP'
