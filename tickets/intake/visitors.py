"""What the chat asks of the desk on behalf of its visitors: the functions of channels_app.ports.VisitorDesk."""

import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from uuid import UUID

from django.db.models import Max
from django.utils.timezone import now

from channels_app.contracts import Address
from tickets.customers import claims
from tickets.messages import chat_by_mail, typing
from tickets.models import Ticket

KEEP_SECONDS = 60
LATELY = timedelta(days=7)
LOOK_BACK = 2000  # tickets; the newest of them that came by this chat are reckoned with
ENOUGH = 5
_known: dict[UUID, tuple[float, int | None]] = {}


def usual_answer(*, channel_id: UUID) -> int | None:
    """Seconds until a person answered, the median of lately; who still waits counts with the wait so far.

    None when too little is known to promise anything. At most a minute old.
    """
    kept = _known.get(channel_id)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    at = now()
    newest = Ticket.objects.aggregate(last=Max("pk"))["last"] or 0
    lately = Ticket.objects.filter(pk__gt=newest - LOOK_BACK, channel_id=channel_id, created_at__gt=at - LATELY)
    rows = lately.exclude(status="spam").order_by("-pk").values_list("created_at", "first_replied_at", "waiting_since")
    # A ticket that nobody answered and nobody waits on (solved at once, merged) says nothing about waiting.
    waits = [((replied or at) - opened).total_seconds() for opened, replied, since in rows[:100] if replied or since]
    found = int(median(waits)) if len(waits) >= ENOUGH else None
    _known[channel_id] = (time.monotonic() + KEEP_SECONDS, found)
    return found


def send_code(*, visitor: Address, email: str, language: str) -> None:
    claims.send_code(visitor=visitor, email=email, language=language)


def confirm_code(*, visitor: Address, email: str, code: str) -> None:
    claims.confirm_code(visitor=visitor, email=email, code=code)


def mail_address(*, visitor: Address) -> str:
    return claims.mail_address(visitor=visitor)


def mail_unseen(*, to: str, thread_id: int, lines: Sequence[tuple[str, str]], language: str) -> bool:
    return chat_by_mail.send_unseen(to=to, thread_id=thread_id, lines=lines, language=language)


def visitor_types(*, thread_id: int) -> None:
    typing.visitor_types(thread_id=thread_id)
