"""How a channel is: what is wrong with it, in words, and that somebody hears of it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app.events import ChannelTroubled
from channels_app.models import Channel
from helpdesk.core.actor import Actor
from helpdesk.core.recorder import record

AUTH = "auth"  # its keys are refused: nothing can be sent until somebody signs in there again
SILENT = "silent"  # nothing has come for much longer than usual
OTHER = "other"


DAYS = 14  # of which the usual silences are remembered
ENOUGH_DAYS = 3  # with messages, before silence means anything
SILENT_TIMES = 3  # how many times the longest usual silence is worth a word
SILENT_AT_LEAST = timedelta(hours=2)


def heard(*, channel_id: UUID, at: datetime) -> None:
    """Something came: the silence that ended is remembered, and one that was complained of is over."""
    with transaction.atomic():
        channel = Channel.objects.select_for_update(no_key=True).get(pk=channel_id)
        before, channel.last_inbound_at = channel.last_inbound_at, at
        if before and at > before:
            channel.gaps = with_gap(channel.gaps, at, (at - before).total_seconds())
        channel.save(update_fields=["last_inbound_at", "gaps"])
        if channel.problem_kind == SILENT:
            well(channel_id=channel_id, kind=SILENT)


def with_gap(gaps: dict[str, float], at: datetime, seconds: float) -> dict[str, float]:
    """The longest silence of each of the last days, with one more that ended now."""
    today, oldest = at.date().isoformat(), (at - timedelta(days=DAYS)).date().isoformat()
    kept = {day: gap for day, gap in gaps.items() if day >= oldest}
    return kept | {today: round(max(kept.get(today, 0.0), seconds))}


def is_silent(gaps: dict[str, float], last_inbound_at: datetime | None, at: datetime) -> bool:
    """Whether it has been quiet for much longer than it ever is. Not for a channel that is used now and then."""
    if last_inbound_at is None or len(gaps) < ENOUGH_DAYS:
        return False
    usual = timedelta(seconds=max(gaps.values()))
    return at - last_inbound_at > max(SILENT_TIMES * usual, SILENT_AT_LEAST)


def listen(channel: Channel) -> None:
    """Say so where a channel that is busy on other days has gone silent."""
    if not channel.problem and is_silent(channel.gaps, channel.last_inbound_at, now()):
        words = gettext_noop("nothing has come in for much longer than usual: look whether the provider still calls us")
        trouble(channel_id=channel.pk, kind=SILENT, problem=words)


def trouble(*, channel_id: UUID, kind: str, problem: str) -> None:
    """Remember what is wrong with a channel, in the caller's transaction; said once, however often it fails."""
    rows = Channel.objects.filter(pk=channel_id, is_active=True).exclude(problem_kind=kind, problem=problem[:300])
    if kind != AUTH:
        rows = rows.exclude(problem_kind=AUTH)  # a dead key says more than silence
    if rows.update(problem=problem[:300], problem_kind=kind, problem_since=now()):
        record(ChannelTroubled(channel_id=str(channel_id), kind=kind), actor=Actor.system())


def well(*, channel_id: UUID, kind: str = "") -> None:
    """A trouble is over (of one kind, or any), in the caller's transaction."""
    rows = Channel.objects.filter(pk=channel_id).exclude(problem="")
    if kind:
        rows = rows.filter(problem_kind=kind)
    if rows.update(problem="", problem_kind="", problem_since=None):
        record(ChannelTroubled(channel_id=str(channel_id), kind=""), actor=Actor.system())
