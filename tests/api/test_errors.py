"""Whatever comes in: a refusal in the one shape, never a 500."""

import io
import json

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.wsgi import WSGIRequest
from django.test import AsyncClient, Client

from helpdesk.accounts.models import ApiToken
from helpdesk.core import errors
from helpdesk.core.http import api_exception
from tests.api.conftest import refused
from tickets.models import Message

LISTS = ("tickets/", "customers/", "blocked/", "users/", "teams/", "search/?q=x")
SUPERVISORS_LISTS = ("channels/", "inbound-failures/")


@pytest.mark.parametrize("path", [*LISTS, *SUPERVISORS_LISTS, "me/", "tickets/1/", "attachments/1/"])
@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer", "Basic eDp5", "Bearer \xff"])
def test_strangers_are_401_and_told_how(db, path, header):
    answer = Client(headers={"Authorization": header} if header else {}).get(f"/api/v1/{path}")
    refused(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_is_401(agent):
    ApiToken.objects.update(revoked_at="2020-01-01T00:00:00Z")
    refused(agent.get("tickets/"), 401, "not_authenticated")


def test_a_session_writes_only_with_its_csrf_token(agent, ticket):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(agent.user)
    assert browser.get(f"/api/v1/tickets/{ticket.pk}/").status_code == 200
    refused(browser.post(f"/api/v1/tickets/{ticket.pk}/read/", {}, content_type="application/json"), 403, "not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        *("nothing/", "tickets/abc/", "tickets/0/", "tickets/-1/", "tickets/1.5/", "tickets/%00/", "tickets/١/"),
        *(f"tickets/{10**30}/", f"tickets/{'9' * 5000}/", "tickets/999999999999999999/", "attachments/nope/"),
        *("attachments/999999999999999999/", f"users/{10**30}/", "teams/0/", "customers/999999999999999999/"),
    ],
)
def test_what_is_not_there_is_404(agent, path):
    refused(agent.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "tickets/1/"),
        ("delete", "tickets/1/"),
        ("post", "tickets/"),
        ("get", "tickets/1/replies/"),
        ("options", "me/"),
    ],
)
def test_other_methods_are_405(agent, method, path):
    answer = agent.ask(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"", b"\xff\xfe{}", b'{"text": "\xff"}', b"\x00", b'{"text": NaN}', b'{"text": Infinity}', b"nul"),
        *(b"[" * 100_000, b'{"a":' * 100_000, b'{"text": ' + b"[" * 40 + b"]" * 40 + b"}", b"9" * 5000),
        *(
            b'{"text": "\\ud800"}',
            b'{"\\udfff": 1}',
            b'{"text": {"a": ["\\ud83d"]}}',
            b"\xef\xbb\xbf{}",
            b'{"text":"x"}x',
        ),
    ],
)
def test_what_is_no_json_is_400(agent, ticket, body):
    answer = agent.client.post(f"/api/v1/tickets/{ticket.pk}/replies/", body, content_type="application/json")
    refused(answer, 400, "invalid" if body == b"" else "bad_request")
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    ["null", "5", '"x"', "[]", "[{}]", "true", json.dumps({"text": 10**400}), json.dumps({"t" * 5000: 1, "\x00": 2})],
)
def test_json_of_another_shape_is_400(agent, ticket, body):
    refused(agent.post(f"tickets/{ticket.pk}/replies/", body), 400, "invalid")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "nonsense",
    ],
)
def test_other_kinds_of_content_are_415(agent, ticket, kind):
    answer = agent.client.post(f"/api/v1/tickets/{ticket.pk}/replies/", b"x", content_type=kind)
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("charset", ["rot13", "base64", "utf-16", "utf-7", "nonsense", "undefined"])
def test_a_strangers_charset_is_not_believed(agent, ticket, charset):
    kind = f"application/json; charset={charset}"
    path = f"/api/v1/tickets/{ticket.pk}/notes/?cursor=%ff"

    # As the web process takes it: Django's WSGI request fails on such a charset before anything of ours is asked.
    async def ask():
        body = json.dumps({"text": "đây"}).encode()
        return await AsyncClient().generic("POST", path, body, kind, headers=agent.headers)

    answer = async_to_sync(ask)()
    assert answer.status_code == 201
    assert answer.json()["text"] == "đây"


def test_what_is_too_large_is_413(agent, ticket, settings):
    body = json.dumps({"text": "x", "subject": "y" * settings.API_JSON_MAX_BYTES})
    refused(agent.post(f"tickets/{ticket.pk}/replies/", body), 413, "too_large")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    key = {"Idempotency-Key": "big"}
    refused(agent.post(f"tickets/{ticket.pk}/replies/", {"text": "x" * 2000}, **key), 413, "too_large")


def test_too_many_requests_are_429_and_told_when_to_come_back(agent, monkeypatch):
    monkeypatch.setattr("rest_framework.throttling.UserRateThrottle.THROTTLE_RATES", {"user": "2/min"})
    assert [agent.get("me/").status_code for _ in range(2)] == [200, 200]
    answer = agent.get("me/")
    refused(answer, 429, "too_many_requests")
    assert 0 < int(answer["Retry-After"]) <= 61


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "garbage", "application/json;q=0"])
def test_an_unwilling_reader_gets_json_or_406(agent, accept):
    answer = agent.get("me/", accept=accept)
    assert answer.status_code in (200, 406)
    if answer.status_code == 406:
        refused(answer, 406, "not_acceptable")
    assert agent.get("me/?format=xml").status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 201, "đ", "a\tb"])
def test_a_key_that_is_none_is_refused(agent, ticket, key):
    answer = agent.client.post(
        f"/api/v1/tickets/{ticket.pk}/notes/", {"text": "x"}, "application/json", HTTP_IDEMPOTENCY_KEY=key
    )
    refused(answer, 422, "invalid")
    assert Message.objects.count() == 1


def _kinds(base=errors.DomainError):
    found = [base]
    for kind in base.__subclasses__():
        found += _kinds(kind)
    return found


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.__name__)
def test_every_refusal_of_the_domain_has_the_one_shape(kind):
    request = WSGIRequest({"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()})
    request.request_id = "r-1"
    answer = api_exception(kind(fields={"a": "b"}), {"request": request})
    assert answer.status_code == kind.status
    assert answer.data == {
        "error": {"code": kind.code, "message": str(kind.message), "fields": {"a": "b"}, "request_id": "r-1"}
    }
