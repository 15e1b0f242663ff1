"""How a channel is: what is wrong with it, in words, and that somebody hears of it."""

from uuid import UUID

from django.utils.timezone import now

from channels_app.events import ChannelTroubled
from channels_app.models import Channel
from helpdesk.core.actor import Actor
from helpdesk.core.recorder import record

AUTH = "auth"  # its keys are refused: nothing can be sent until somebody signs in there again
SILENT = "silent"  # nothing has come for much longer than usual
OTHER = "other"


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
