"""The lines of a chat, numbered one after the other within their thread."""

from collections.abc import Callable
from typing import Any

from django.db import connection

from channels_app.models import ChatLine, Media, Thread


def append(
    *,
    thread_id: int,
    client_id: str,
    direction: str,
    author: str,
    text: str,
    files: Callable[[], list[dict[str, Any]]] = list,
) -> tuple[ChatLine, bool]:
    """The next line of a thread and True; for a client id that is there already, its line and False.

    The caller holds the transaction. `files` is called for a new line only.
    """
    with connection.cursor() as cursor:
        # The row lock numbers the lines of one thread without gaps, in the order in which they become visible.
        cursor.execute("SELECT last_seq FROM channels_app_thread WHERE id = %s FOR UPDATE", [thread_id])
        seq = cursor.fetchone()[0] + 1
    existing = ChatLine.objects.filter(thread_id=thread_id, client_id=client_id).first()
    if existing is not None:
        return existing, False
    Thread.objects.filter(pk=thread_id).update(last_seq=seq)
    line = ChatLine.objects.create(
        thread_id=thread_id,
        seq=seq,
        client_id=client_id,
        direction=direction,
        author=author[:120],
        text=text,
        files=files(),
    )
    return line, True


def file_entry(media: Media) -> dict[str, Any]:
    """A file as a line carries it."""
    return {
        "media": str(media.pk),
        "filename": media.filename,
        "content_type": media.content_type,
        "size": media.size,
    }
