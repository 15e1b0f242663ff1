"""A channel in trouble says so by itself, once, and says when it is over."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from channels_app import health
from channels_app.models import Channel
from helpdesk.core.models import EventLog
from tests.builders import a_chat, a_mailbox, a_team, a_user, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "the provider no longer accepts this channel's key"


def mailed() -> set[str]:
    return {address for sent in mail.outbox for address in sent.to}


def test_a_dead_key_is_told_once_to_those_who_can_help() -> None:
    a_mailbox("desk@shop.test")
    team, other = a_team(), a_team()
    own, admin = a_user("supervisor", teams=(team,)), a_user("admin")
    a_user("supervisor", teams=(other,)), a_user("agent", teams=(team,))
    channel = a_chat(team=team)
    for _ in range(3):
        with transaction.atomic():
            health.trouble(channel_id=channel.pk, kind=health.AUTH, problem=WORDS)
    run_jobs()
    channel.refresh_from_db()
    assert (channel.problem_kind, channel.problem) == ("auth", WORDS)
    assert EventLog.objects.filter(topic="channel.troubled").count() == 1
    assert mailed() == {own.email, admin.email}
    with transaction.atomic():
        health.well(channel_id=channel.pk, kind=health.AUTH)
        health.well(channel_id=channel.pk, kind=health.AUTH)
    channel.refresh_from_db()
    assert (channel.problem, channel.problem_since) == ("", None)
    assert EventLog.objects.filter(topic="channel.troubled").count() == 2


def test_silence_does_not_hide_a_dead_key() -> None:
    channel = a_chat()
    with transaction.atomic():
        health.trouble(channel_id=channel.pk, kind=health.AUTH, problem=WORDS)
        health.trouble(channel_id=channel.pk, kind=health.SILENT, problem="silent")
    channel.refresh_from_db()
    assert channel.problem_kind == "auth"


def test_a_busy_channel_that_falls_silent_says_so_until_something_comes() -> None:
    channel = a_chat()
    at = now() - timedelta(days=5)
    while at < now() - timedelta(hours=9):  # something every hour, day and night
        health.heard(channel_id=channel.pk, at=at)
        at += timedelta(hours=1)
    health.listen(Channel.objects.get())
    assert Channel.objects.get().problem_kind == "silent"
    health.heard(channel_id=channel.pk, at=now())
    assert Channel.objects.get().problem_kind == ""


def test_a_channel_used_now_and_then_is_not_called_silent() -> None:
    channel = a_chat()
    for days in (13, 9, 6, 4):
        health.heard(channel_id=channel.pk, at=now() - timedelta(days=days))
    health.listen(Channel.objects.get())
    assert Channel.objects.get().problem == ""


@given(st.lists(st.integers(min_value=1, max_value=40 * 3600), max_size=80))
def test_only_the_longest_silence_of_each_of_the_last_days_is_kept(steps: list[int]) -> None:
    at, gaps = now(), {}
    for step in steps:
        at += timedelta(seconds=step)
        gaps = health.with_gap(gaps, at, step)
    assert len(gaps) <= health.DAYS + 1
    assert not health.is_silent(gaps, at, at)
    if gaps:
        assert health.is_silent(gaps, at, at + timedelta(days=365)) == (len(gaps) >= health.ENOUGH_DAYS)
