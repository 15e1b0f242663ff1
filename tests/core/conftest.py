"""What the proofs of the job core stand on: a fake channel, handlers that write rows, an empty Valkey."""

from collections.abc import Iterator

import pytest
from django.db import connection

from channels_app import ports, registry
from channels_app.contracts import NewMessage, Origin
from channels_app.models import Channel
from helpdesk.core import relay, valkey
from tests.core import doubles


@pytest.fixture
def quiet_valkey() -> Iterator[None]:
    """No flag and no task of an earlier test."""
    valkey.client().flushdb()
    yield
    valkey.client().flushdb()


@pytest.fixture
def fake(transactional_db: None, quiet_valkey: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[doubles.FakeAdapter]:
    monkeypatch.setitem(registry._ADAPTERS, "fake", "tests.core.doubles.fake_adapter")
    registry.adapter.cache_clear()
    registry.forget()
    doubles.FAKE.__init__()  # type: ignore[misc]
    yield doubles.FAKE
    registry.adapter.cache_clear()
    registry.forget()


@pytest.fixture
def channel(fake: doubles.FakeAdapter) -> Channel:
    return Channel.objects.create(kind="fake", name="Fake")


def write_effect(item: NewMessage, origin: Origin) -> None:
    """The effect of a receipt: one row, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO proof_effects (who, event) VALUES (%s, %s)", [item.external_id, origin.event_id])


@pytest.fixture
def effects(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A table for effects, and a handler that writes into it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS proof_effects (who text, event bigint)")
        cursor.execute("TRUNCATE proof_effects")
    monkeypatch.setitem(ports._handlers, NewMessage, write_effect)
    doubles.broken.clear()
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE proof_effects")


@pytest.fixture
def subscribed(effects: None, settings: object) -> Iterator[None]:
    settings.SUBSCRIPTIONS = "tests.core.doubles.SUBSCRIPTIONS"  # type: ignore[attr-defined]
    relay.subscribers.cache_clear()
    yield
    relay.subscribers.cache_clear()


def effects_of(who: str = "") -> list[tuple[str, int]]:
    """Which effects are in the database, in the order they were written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT who, event FROM proof_effects WHERE %s IN ('', who) ORDER BY ctid", [who])
        return cursor.fetchall()
