"""Answers that nobody came back to read go by mail: each once, all of one visitor together."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from channels_app import ports
from channels_app.models import ChatLine, Visitor
from channels_app.webchat import queries

BATCH = 100


def due() -> datetime | None:
    """Clock finder: mails what is due and says when to look again. Any number of loops may run."""
    while mail_due() == BATCH:
        pass
    waiting = Visitor.objects.filter(mail_due_at__isnull=False).order_by("mail_due_at")
    return waiting.values_list("mail_due_at", flat=True).first()


def mail_due() -> int:
    """Look at the visitors whose time has come, up to a batch, each in a transaction of its own. How many."""
    for count in range(BATCH):
        with transaction.atomic():
            locked = Visitor.objects.select_for_update(skip_locked=True, of=("self",)).select_related("thread")
            visitor = locked.filter(mail_due_at__lte=now()).order_by("mail_due_at").first()
            if visitor is None:
                return count
            _look(visitor)
    return BATCH


def _look(visitor: Visitor) -> None:
    """Mail the unread answers of somebody who is away; look again later while they are here."""
    after = max(visitor.seen_seq, visitor.mailed_seq)
    unread = ChatLine.objects.filter(thread_id=visitor.pk, direction="out", seq__gt=after).order_by("seq")
    lines = list(unread)
    if lines and queries.is_connected(visitor.thread):
        visitor.mail_due_at = now() + timedelta(seconds=settings.WIDGET_MAIL_AFTER_SECONDS)
        visitor.save(update_fields=["mail_due_at"])
        return
    to = queries.mail_address(visitor.thread) if lines else ""
    words = [(line.author, _words(line)) for line in lines]
    if to and ports.desk().mail_unseen(to=to, thread_id=visitor.pk, lines=words, language=visitor.language):
        visitor.mailed_seq = lines[-1].seq
    visitor.mail_due_at = None
    visitor.save(update_fields=["mail_due_at", "mailed_seq"])


def _words(line: ChatLine) -> str:
    """A line's text, with the names of its files."""
    return "\n".join(part for part in [line.text, *(f"[{file['filename']}]" for file in line.files)] if part)
