"""Keys that end: renewed once for everybody, written before they are used, and never lost in silence."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as desk
from django.db import connection, connections
from django.utils.timezone import now

from channels_app import actions, errands, kinds, outbound, registry, tokens
from channels_app.adapters.base import KeyRefused
from channels_app.contracts import ChannelRef, OutboundEnvelope, Refreshed
from channels_app.models import Channel, Delivery, Errand
from channels_app.simulators.base import Fault
from channels_app.simulators.zalo import Zalo
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Reauthorise, Retry
from tests.channels_app.zalo.conftest import LAN, a_zalo, zalo  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


def keys(channel: Channel) -> dict[str, Any]:
    channel.refresh_from_db()
    opened: Any = channel.secrets
    return opened


def exchanges(zalo: Zalo) -> int:  # noqa: F811
    return len([call for call in zalo.calls if call.path == "/v4/oa/access_token"])


def together(count: int, act: Callable[[], object]) -> list[object]:
    """What each of so many threads got or met, all begun at one moment."""
    barrier, found = threading.Barrier(count), []

    def one() -> None:
        barrier.wait()
        try:
            found.append(act())
        except Exception as error:
            found.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_twenty_at_once_make_one_call_and_all_get_the_same_key(zalo: Zalo) -> None:  # noqa: F811
    channel = a_zalo(zalo)
    found = together(20, lambda: tokens.refresh(channel.pk))
    assert exchanges(zalo) == 1
    assert {type(one) for one in found} == {ChannelRef}
    assert {one.secrets["access_token"] for one in found} == {zalo.account["access_token"]}  # type: ignore[attr-defined]
    assert keys(channel)["refresh_token"] == zalo.account["refresh_token"]


def test_twenty_sends_that_meet_a_refused_key_renew_it_once_and_all_arrive(zalo: Zalo) -> None:  # noqa: F811
    channel = a_zalo(zalo, keys_expire_at=now() + timedelta(hours=20))
    zalo.users[LAN].wrote_at = zalo.clock()
    zalo.keys.refuse(zalo.SECRETS["access_token"])
    stale = registry.reference(channel)
    adapter = registry.adapter("zalo")
    envelope = OutboundEnvelope(idempotency_key="1", to=LAN, text="xin chào")
    found = together(20, lambda: tokens.with_key(stale, lambda keyed: adapter.send(keyed, envelope)))
    assert exchanges(zalo) == 1
    assert not [one for one in found if isinstance(one, Exception)]
    assert len({one.provider_id for one in found}) == 20  # type: ignore[attr-defined]
    assert len(zalo.sent()) == 20


def test_the_clock_plans_one_errand_ahead_of_time(zalo: Zalo) -> None:  # noqa: F811
    end = now() + timedelta(hours=7)
    channel = a_zalo(zalo, keys_expire_at=end)
    assert tokens.due() == end - timedelta(hours=6)
    assert not Errand.objects.exists()
    Channel.objects.update(keys_expire_at=now() + timedelta(hours=5, minutes=59))
    together(6, tokens.due)
    assert Errand.objects.filter(channel=channel, what="token").count() == 1
    errands.drain()
    assert Errand.objects.get().state == "done"
    assert exchanges(zalo) == 1
    channel.refresh_from_db()
    assert channel.keys_expire_at is not None
    assert timedelta(hours=24, minutes=59) < channel.keys_expire_at - now() <= timedelta(hours=25)
    tokens.due()
    assert Errand.objects.count() == 1


def test_keys_of_unknown_age_are_renewed_at_once_and_keys_that_last_are_left_alone(
    zalo: Zalo,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = a_zalo(zalo)
    monkeypatch.setattr(type(registry.adapter("zalo")), "refresh", lambda self, channel: Refreshed(secrets={}))
    tokens.due()
    errands.drain()
    assert tokens.due() is None
    assert Errand.objects.count() == 1
    assert keys(channel) == zalo.SECRETS  # nothing changed, and nothing is called previous
    actions.change(channel_id=channel.pk, secrets={"access_token": "another"}, actor=Actor.system())
    tokens.due()
    assert Errand.objects.count() == 2  # other keys, other end


def test_the_pair_before_is_kept_encrypted_and_given_to_nobody(zalo: Zalo, client: Any) -> None:  # noqa: F811
    channel = a_zalo(zalo)
    tokens.refresh(channel.pk)
    old = keys(channel)["previous"]
    assert (old["access_token"], old["refresh_token"]) == (zalo.SECRETS["access_token"], zalo.SECRETS["refresh_token"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM channels_app_channel WHERE id = %s", [channel.pk])
        assert zalo.SECRETS["refresh_token"] not in cursor.fetchone()[0]
    from channels_app.api import ChannelOut

    assert ChannelOut(channel).data["secrets_set"] == sorted(zalo.SECRETS)
    assert kinds.problems("zalo", {}, {"previous": {}}) == {"secrets.previous": "unknown"}
    actions.change(channel_id=channel.pk, name="Anders", secrets={"oa_secret": "neu"}, actor=Actor.system())
    assert keys(channel)["previous"] == old
    assert channel.keys_expire_at is not None  # keys that were not touched keep their end


def test_other_processes_use_the_new_key_at_once(zalo: Zalo) -> None:  # noqa: F811
    """Another process still holds the old value for up to two seconds: its send reads the row again."""
    channel = a_zalo(zalo, keys_expire_at=now() + timedelta(hours=20))
    zalo.users[LAN].wrote_at = zalo.clock()
    held = registry.channel(channel.pk)
    Channel.objects.update(keys_expire_at=now())
    tokens.refresh(channel.pk)
    zalo.keys.refuse(zalo.SECRETS["access_token"])
    registry._known[channel.pk] = (time.monotonic() + 60, held)
    payload = OutboundEnvelope(idempotency_key="", to=LAN, thread_key=LAN, text="vẫn tới")
    outbound.enqueue(channel_id=channel.pk, message_id=1, envelope=payload)
    outbound.drain()
    assert Delivery.objects.get().outcome == "sent"
    assert exchanges(zalo) == 1


def test_a_lost_answer_is_said_at_once_and_a_broken_chain_in_the_end(zalo: Zalo) -> None:  # noqa: F811
    channel = a_zalo(zalo)
    zalo.faults.append(Fault("lost"))
    with pytest.raises(Retry) as met:
        tokens.refresh(channel.pk)
    assert met.value.after == 60
    channel.refresh_from_db()
    assert (channel.problem_kind, channel.problem) == ("auth", tokens.LOST)
    with pytest.raises(Retry):  # nobody asks again before the pause is over
        tokens.refresh(channel.pk)
    assert exchanges(zalo) == 1
    _let_the_pause_pass(channel)
    with pytest.raises(Reauthorise):
        tokens.refresh(channel.pk)
    channel.refresh_from_db()
    assert (channel.problem_kind, channel.problem) == ("auth", tokens.REFUSED)
    assert tokens.due() is None  # and the provider is left in peace
    assert exchanges(zalo) == 2


def test_an_answer_lost_before_it_counted_heals_by_itself(zalo: Zalo) -> None:  # noqa: F811
    channel = a_zalo(zalo)
    zalo.faults.append(Fault("cut"))
    with pytest.raises(Retry):
        tokens.refresh(channel.pk)
    channel.refresh_from_db()
    assert channel.problem == tokens.LOST
    _let_the_pause_pass(channel)
    tokens.refresh(channel.pk)
    channel.refresh_from_db()
    assert (channel.problem, channel.problem_kind) == ("", "")
    assert keys(channel)["access_token"] == zalo.account["access_token"]


def test_a_busy_provider_is_asked_again_later_without_an_alarm(zalo: Zalo) -> None:  # noqa: F811
    channel = a_zalo(zalo)
    zalo.faults.append(Fault("status", status=503))
    tokens.due()
    errands.drain()
    errand = Errand.objects.get()
    assert (errand.state, errand.attempts) == ("pending", 1)
    channel.refresh_from_db()
    assert channel.problem == ""
    _let_the_pause_pass(channel)
    Errand.objects.update(due_at=now())
    errands.drain()
    assert Errand.objects.get().state == "done"
    Errand.objects.update(state="failed", due_at=now())
    Channel.objects.update(keys_expire_at=now())
    tokens.due()
    assert Errand.objects.count() == 1  # a job that spent its attempts is not followed by another at once
    Errand.objects.update(due_at=now() - timedelta(minutes=11))
    tokens.due()
    assert Errand.objects.count() == 2


def test_a_key_refused_right_after_it_was_renewed_is_not_renewed_again(zalo: Zalo) -> None:  # noqa: F811
    channel = a_zalo(zalo)
    fresh = tokens.refresh(channel.pk)

    def refuse(_channel: ChannelRef) -> None:
        raise KeyRefused("no")

    for _ in range(3):
        with pytest.raises(Reauthorise):
            tokens.with_key(fresh, refuse)
    assert exchanges(zalo) == 1


def test_a_test_of_the_keys_renews_them_and_knows_a_broken_chain(zalo: Zalo) -> None:  # noqa: F811
    """A key that works for some hours yet must not take the alarm away that nothing can renew it."""
    channel = a_zalo(zalo, keys_expire_at=now() + timedelta(hours=20))
    zalo.keys.refuse(zalo.SECRETS["access_token"])
    assert actions.probe(channel_id=channel.pk, actor=Actor.system()).ok
    assert exchanges(zalo) == 1
    zalo.keys.spent.append(zalo.account["refresh_token"])
    Channel.objects.update(keys_expire_at=now())
    with pytest.raises(Reauthorise):
        tokens.refresh(channel.pk)
    found = actions.probe(channel_id=channel.pk, actor=Actor.system())
    assert (found.ok, found.problem) == (False, tokens.REFUSED)
    channel.refresh_from_db()
    assert channel.problem == tokens.REFUSED


def test_a_send_with_a_dead_chain_tells_the_channel_and_fails(zalo: Zalo) -> None:  # noqa: F811
    channel = a_zalo(zalo, keys_expire_at=now() + timedelta(hours=20))
    zalo.keys.refuse(zalo.SECRETS["access_token"])
    zalo.keys.spent.append(zalo.SECRETS["refresh_token"])
    payload = OutboundEnvelope(idempotency_key="", to=LAN, thread_key=LAN, text="x")
    outbound.enqueue(channel_id=channel.pk, message_id=1, envelope=payload)
    outbound.drain()
    assert Delivery.objects.get().outcome == "failed"
    channel.refresh_from_db()
    assert channel.problem_kind == "auth"


@pytest.mark.parametrize("moment", ["before the answer", "before the commit"])
def test_a_kill_between_answer_and_commit_ends_in_trouble_not_in_silence(
    zalo: Zalo,  # noqa: F811
    moment: str,
    tmp_path: Path,
) -> None:
    """A worker process is killed (SIGKILL) when the provider has spent the refresh key and nothing is committed."""
    channel = a_zalo(zalo)
    if moment == "before the answer":
        zalo.faults.append(Fault("late", seconds=60))
    worker = _worker(zalo, tmp_path)
    _until(lambda: bool(zalo.keys.spent))
    if moment == "before the commit":
        _until(lambda: (tmp_path / "answered").exists())
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert keys(channel) == zalo.SECRETS  # nothing of the new pair was kept
    (errand,) = Errand.objects.all()
    assert errand.state == "running"
    Errand.objects.update(due_at=now())  # its lease has ended
    _until(lambda: _drained(channel))
    assert channel.problem_kind == "auth"
    assert channel.problem == tokens.REFUSED
    assert exchanges(zalo) == 2


def _drained(channel: Channel) -> bool:
    """The database may need a moment to see that the killed worker's lock is free."""
    errands.drain()
    channel.refresh_from_db()
    return bool(channel.problem)


_WORKER = """
import sys, time
from pathlib import Path
from dataclasses import replace
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
settings.ENV = replace(settings.ENV, helpdesk_allow_hosts=(sys.argv[2],))
from channels_app import errands, registry, tokens
adapter = type(registry.adapter("zalo"))
ask = adapter.refresh
def slow(self, channel):
    given = ask(self, channel)
    Path(sys.argv[3]).touch()
    time.sleep(60)
    return given
adapter.refresh = slow
tokens.due()
errands.drain()
"""


def _worker(zalo: Zalo, folder: Path) -> subprocess.Popen[bytes]:  # noqa: F811
    """A process of its own that plans and does the errand, and dawdles when it has the answer."""
    host = zalo.base_url.split("/")[2]
    name = str(desk.DATABASES["default"]["NAME"])
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    given = [sys.executable, "-c", _WORKER, name, host, str(folder / "answered")]
    return subprocess.Popen(given, cwd=ROOT, env=environment)


def _until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def _let_the_pause_pass(channel: Channel) -> None:
    channel.refresh_from_db()
    state = channel.state[tokens.STATE]
    assert datetime.fromisoformat(state["retry_at"]) > now()
    Channel.objects.update(state={tokens.STATE: state | {"retry_at": (now() - timedelta(seconds=1)).isoformat()}})
