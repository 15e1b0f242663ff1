"""Health: alive, ready, and figures for those who may see them."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import ResolverMatch

from helpdesk.core.models import Leftover
from helpdesk.runtime import fallback, health

requests = RequestFactory()


def test_alive_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_database_answers", pytest.fail)
    answer = health.healthz(requests.get("/healthz"))
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_when_both_servers_answer() -> None:
    answer = health.readyz(requests.get("/readyz"))
    assert answer.status_code == 200
    assert json.loads(answer.content) == {"ready": True, "database": "up", "valkey": "up"}


@pytest.mark.django_db
def test_still_ready_without_valkey_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with_dead_valkey(monkeypatch)
    answer = health.readyz(requests.get("/readyz"))
    assert answer.status_code == 200
    assert json.loads(answer.content)["valkey"] == "down"


def with_dead_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    from helpdesk.core import valkey

    dead = redis.Redis(unix_socket_path="/nonexistent/valkey.sock")
    monkeypatch.setattr(valkey, "client", lambda: dead)


def test_not_ready_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    # Outside django_db every use of the database is refused, as a dead one would.
    answer = health.readyz(requests.get("/readyz"))
    assert answer.status_code == 503
    assert json.loads(answer.content)["database"] == "down"


@pytest.mark.django_db
def test_the_figures_name_every_queue_with_its_depth_and_age() -> None:
    Leftover.objects.all().delete()
    text = metrics(REMOTE_ADDR="127.0.0.1").content.decode()
    assert 'helpdesk_queue_due{queue="leftovers"} 0.0' in text
    assert 'helpdesk_queue_oldest_seconds{queue="leftovers"} 0.0' in text


@pytest.mark.django_db
def test_packages_above_add_their_own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "import_string", lambda dotted: lambda: {"helpdesk_clocks_late": 3})
    with override_settings(METRIC_SOURCES=["any.thing"]):
        assert "helpdesk_clocks_late 3.0" in metrics(REMOTE_ADDR="127.0.0.1").content.decode()


def metrics(token: str = "", **meta: str) -> HttpResponse:
    with override_settings(ENV=replace(settings.ENV, metrics_token=token)):
        return health.metrics(requests.get("/metrics", **meta))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 403),
        ({"REMOTE_ADDR": "203.0.113.9"}, 403),
        ({"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer wrong"}, 403),
        ({"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer s3cret"}, 200),
        ({"REMOTE_ADDR": ""}, 403),
    ],
)
def test_figures_are_for_this_machine_and_for_holders_of_the_token(meta: dict[str, Any], status: int) -> None:
    assert metrics(token="s3cret", **meta).status_code == status


def test_no_token_set_means_that_none_opens() -> None:
    assert metrics(REMOTE_ADDR="203.0.113.9", HTTP_AUTHORIZATION="Bearer ").status_code == 403


def counted(route: str | None, answer: Callable[[HttpRequest], HttpResponse]) -> float:
    request = requests.get("/whatever/42/")
    if route is not None:
        request.resolver_match = ResolverMatch(answer, (), {}, route=route)
    health.CountRequests(answer)(request)
    label = "none" if route is None else f"/{route}"
    return health.REQUESTS.labels("GET", label, 200)._value.get()


def test_requests_are_counted_by_pattern_so_that_ids_make_no_new_series() -> None:
    before = counted("whatever/<int:pk>/", lambda request: HttpResponse())
    assert counted("whatever/<int:pk>/", lambda request: HttpResponse()) == before + 1
    assert counted(None, lambda request: HttpResponse()) >= 1


async def test_requests_are_counted_in_an_asynchronous_chain_too() -> None:
    async def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=204)

    response = await health.CountRequests(answer)(requests.get("/"))
    assert response.status_code == 204
    assert health.REQUESTS.labels("GET", "none", 204)._value.get() == 1


def test_without_valkey_every_queue_is_worked_even_behind_one_in_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = []

    def drain(path: str) -> Callable[[], None]:
        def run() -> None:
            worked.append(path)
            if path == "first":
                raise RuntimeError("in trouble")

        return run

    monkeypatch.setattr(fallback, "import_string", drain)
    monkeypatch.setattr(fallback.connection, "close", lambda: None)
    with override_settings(DRAINS={"a": "first", "b": "second"}):
        fallback.drain_all()
    assert worked == ["first", "second"]


def test_a_dead_valkey_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fallback.valkey_answers()
    with_dead_valkey(monkeypatch)
    assert not fallback.valkey_answers()
