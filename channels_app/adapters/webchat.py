"""Our own chat: a visitor's line comes from the widget, an answer becomes a line the widget reads."""

import json
from datetime import datetime
from typing import Any, ClassVar

from django.db import connection, transaction

from channels_app.contracts import (
    Address,
    Arrival,
    ChannelRef,
    File,
    InboundItem,
    NewMessage,
    OutboundEnvelope,
    SendResult,
)
from channels_app.media import path_of
from channels_app.models import ChatLine, Media, Thread
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
            kind="webchat", value=line["thread_key"], name=line.get("name", ""), scope=str(arrival.channel_id)
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
                raise GiveUp("this visitor is not known here")
            line = append(
                thread_id=thread.pk,
                client_id=f"d{envelope.idempotency_key}",
                direction="out",
                author=envelope.from_name,
                text=envelope.text,
                files=[
                    {"path": file.path, "filename": file.filename, "content_type": file.content_type}
                    for file in envelope.files
                ],
            )
        realtime.send(f"chat.{thread.pk}", {"type": "line", "seq": line.seq})
        return SendResult(provider_id=f"chat:{thread.pk}:{line.seq}")


def append(
    *, thread_id: int, client_id: str, direction: str, author: str, text: str, files: list[dict[str, Any]]
) -> ChatLine:
    """The next line of a thread; a client id that is there already gives its line back. Needs a transaction."""
    with connection.cursor() as cursor:
        # The row lock is what numbers the lines of one thread one after the other.
        cursor.execute("SELECT last_seq FROM channels_app_thread WHERE id = %s FOR UPDATE", [thread_id])
        seq = cursor.fetchone()[0] + 1
    existing = ChatLine.objects.filter(thread_id=thread_id, client_id=client_id).first()
    if existing is not None:
        return existing
    Thread.objects.filter(pk=thread_id).update(last_seq=seq)
    return ChatLine.objects.create(
        thread_id=thread_id,
        seq=seq,
        client_id=client_id,
        direction=direction,
        author=author[:120],
        text=text,
        files=files,
    )


def _file(media_id: str) -> File:
    media = Media.objects.get(pk=media_id)
    content = path_of(media.path).read_bytes()
    return File(filename=media.filename, content_type=media.content_type, content=content)
