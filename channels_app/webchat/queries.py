"""What a visitor may read: the lines and files of the own thread, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.timezone import now

from channels_app import ports, registry
from channels_app.contracts import Address, ChannelRef
from channels_app.media import SAFE_IMAGES, path_of
from channels_app.models import Channel, ChatLine, Media, Thread
from channels_app.webchat import tokens
from channels_app.webchat.errors import NoVisitor
from helpdesk.core.errors import Invalid, NotFound

PAGE = 200
MAX_FILES = 10
CONNECTED_FOR = timedelta(seconds=70)  # longer than two beats of an open socket


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A file to hand out. `inline`: a browser may show it in place without harm."""

    path: Path
    filename: str
    content_type: str
    inline: bool


def channel_for(channel_id: UUID) -> ChannelRef:
    """The chat channel; raises NotFound for one that is unknown, retired or no chat."""
    found = registry.channel(channel_id)
    if found.kind != "webchat" or not found.is_active:
        raise NotFound
    return found


def first_chat() -> ChannelRef | None:
    """The chat the demo shop holds: the oldest that is open."""
    found = Channel.objects.filter(kind=Channel.Kind.WEBCHAT, is_active=True).order_by("created_at").first()
    return registry.reference(found) if found else None


def thread_for(channel: ChannelRef, token: str) -> int:
    """The gate: the thread this token opens on this channel; raises NoVisitor."""
    thread_id = tokens.read(token, channel.id)
    if not Thread.objects.filter(pk=thread_id, channel_id=channel.id).exists():
        raise NoVisitor
    return thread_id


def lines_after(thread_id: int, after: int) -> list[dict[str, Any]]:
    """The lines beyond a sequence number as the widget gets them, oldest first, at most a page."""
    found = ChatLine.objects.filter(thread_id=thread_id, seq__gt=after).order_by("seq")[:PAGE]
    channel_id = Thread.objects.values_list("channel_id", flat=True).get(pk=thread_id) if found else None
    return [as_seen(line, channel_id) for line in found]


def as_seen(line: ChatLine, channel_id: UUID | None) -> dict[str, Any]:
    """A line as the widget gets it."""
    return {
        "seq": line.seq,
        "client_id": line.client_id,
        "direction": line.direction,
        "author": line.author if line.direction == "out" else "",
        "text": line.text,
        "files": [file_as_seen(entry, channel_id) for entry in line.files],
        "created_at": line.created_at.isoformat().replace("+00:00", "Z"),
    }


def file_as_seen(entry: dict[str, Any], channel_id: UUID | None) -> dict[str, Any]:
    """A file as the widget gets it; its address opens it for some hours."""
    media_id = entry["media"]
    return {
        "id": media_id,
        "filename": entry["filename"],
        "content_type": entry["content_type"],
        "size": entry["size"],
        "url": f"{settings.SITE_URL}/widget/v1/{channel_id}/files/{media_id}?key={tokens.file_key(media_id)}",
    }


def uploads(thread_id: int, media_ids: Sequence[object]) -> list[Media]:
    """The visitor's own uploads in the order given; raises Invalid for anything else."""
    if len(media_ids) > MAX_FILES:
        raise Invalid(fields={"attachments": "too_many"})
    try:
        wanted = list(dict.fromkeys(UUID(str(media_id)) for media_id in media_ids))
    except ValueError:
        raise Invalid(fields={"attachments": "unknown"}) from None
    found = Media.objects.filter(pk__in=wanted, owner=f"thread:{thread_id}").in_bulk() if wanted else {}
    if len(found) != len(wanted):
        raise Invalid(fields={"attachments": "unknown"})
    return [found[media_id] for media_id in wanted]


def content_for(thread_id: int, media_id: UUID) -> Content:
    """A file of the visitor's own thread; raises NotFound."""
    return _content(Media.objects.filter(pk=media_id, owner=f"thread:{thread_id}").first())


def content_by_key(channel: ChannelRef, media_id: UUID, key: str) -> Content:
    """A file by the key in its address; raises NotFound."""
    if not tokens.opens(key, str(media_id)):
        raise NotFound
    media = Media.objects.filter(pk=media_id, owner__startswith="thread:").first()
    if media is None:
        raise NotFound
    thread_id = media.owner.removeprefix("thread:")
    if not Thread.objects.filter(pk=thread_id, channel_id=channel.id).exists():
        raise NotFound
    return _content(media)


def address_of(thread: Thread) -> Address:
    """The address of a chat thread, as its messages carry it."""
    return Address(kind="webchat", value=thread.key, name=thread.name, scope=str(thread.channel_id))


def visitor_address(thread_id: int) -> Address:
    """The same by the thread's id."""
    return address_of(Thread.objects.get(pk=thread_id))


def mail_address(thread: Thread) -> str:
    """Where answers go when the visitor has left: what the host site signed, else what a code proved; or empty.

    Only what this visitor proved: an agent's merge must not show somebody else's address here.
    """
    for entry in thread.visitor.proved:
        if entry["kind"] == "email":
            return str(entry["value"])
    return ports.desk().mail_address(visitor=address_of(thread))


def is_connected(thread: Thread) -> bool:
    """Whether a screen of the visitor is open, or was a moment ago."""
    return thread.seen_at is not None and thread.seen_at > now() - CONNECTED_FOR


def _content(media: Media | None) -> Content:
    if media is None or not media.sha256:
        raise NotFound
    return Content(
        path=path_of(media.path),
        filename=media.filename,
        content_type=media.content_type,
        inline=media.content_type in SAFE_IMAGES,
    )
