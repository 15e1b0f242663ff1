"""Our own chat: a visitor's line comes from the widget, an answer becomes a line the widget reads."""

import json
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import chatlines
from channels_app.contracts import (
    Address,
    Arrival,
    ChannelRef,
    File,
    InboundItem,
    NewMessage,
    OutboundEnvelope,
    OutboundFile,
    SendResult,
)
from channels_app.media import path_of
from channels_app.models import Media, Thread, Visitor
from helpdesk.core import realtime
from helpdesk.core.errors import GiveUp


class WebChatAdapter:
    """Receipts are the widget's own posts, made by channels_app.webchat; sending writes a ChatLine."""

    kind: ClassVar[str] = "webchat"
    idempotent: ClassVar[bool] = True  # a line is unique by the delivery's id

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        line = json.loads(raw)
        return f"{line['thread_key']}:{line['client_id']}"

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        line: dict[str, Any] = json.loads(arrival.raw)
        also_known = tuple(Address(**address) for address in line.get("also_known", ()))
        sender = Address(
            kind="webchat",
            value=line["thread_key"],
            name=line.get("name", ""),
            scope=str(arrival.channel_id),
            verified=line.get("signed", False),
            evidence="host-signature" if line.get("signed") else "",
        )
        return (
            NewMessage(
                external_id=line["client_id"],
                thread_key=line["thread_key"],
                sender=sender,
                occurred_at=datetime.fromisoformat(line["at"]),
                text=line["text"],
                text_full=line["text"],
                files=tuple(_file(media_id) for media_id in line.get("files", ())),
                also_known=also_known,
            ),
        )

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        with transaction.atomic():
            thread = Thread.objects.filter(channel_id=channel.id, key=envelope.thread_key).first()
            if thread is None:
                raise GiveUp(gettext_noop("this visitor is not known here"))
            line, fresh = chatlines.append(
                thread_id=thread.pk,
                client_id=f"d{envelope.idempotency_key}",
                direction="out",
                author=envelope.from_name,
                text=envelope.text,
                files=lambda: [_for_visitor(file, thread.pk) for file in envelope.files],
            )
            if fresh:
                _mail_if_unseen(thread.pk)
        realtime.send(f"chat.{thread.pk}", {"type": "line", "seq": line.seq})
        return SendResult(provider_id=f"chat:{thread.pk}:{line.seq}")


def _file(media_id: str) -> File:
    media = Media.objects.get(pk=media_id)
    content = path_of(media.path).read_bytes()
    return File(filename=media.filename, content_type=media.content_type, content=content)


def _for_visitor(file: OutboundFile, thread_id: int) -> dict[str, Any]:
    """A row of its own for the visitor's copy: the gate of the widget asks for nothing but the owner."""
    digest = file.path.rpartition("/")[2]
    copy = Media.objects.create(
        sha256=digest,
        filename=file.filename,
        content_type=file.content_type,
        size=path_of(file.path).stat().st_size,
        owner=f"thread:{thread_id}",
    )
    return chatlines.file_entry(copy)


def _mail_if_unseen(thread_id: int) -> None:
    """Have somebody look later whether the visitor has read it."""
    due_at = now() + timedelta(seconds=settings.WIDGET_MAIL_AFTER_SECONDS)
    Visitor.objects.filter(thread_id=thread_id, mail_due_at__isnull=True).update(mail_due_at=due_at)
