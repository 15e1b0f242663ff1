"""Events are rows of the transaction that made them happen."""

from collections.abc import Iterable

from django.db import transaction

from helpdesk.core import realtime, waker
from helpdesk.core.actor import Actor
from helpdesk.core.events import Event, Poke
from helpdesk.core.models import EventLog


def record(*events: Event, actor: Actor, pokes: Iterable[Poke] = ()) -> None:
    """Remember what happened, in the caller's transaction: one insert; after the commit one wake and the pokes."""
    EventLog.objects.bulk_create(
        EventLog(
            topic=event.topic,
            subject=event.subject,
            payload=event.payload(),
            actor_kind=actor.kind,
            actor_id=actor.id,
        )
        for event in events
    )
    pokes = tuple(pokes)
    transaction.on_commit(lambda: _tell(pokes))


def _tell(pokes: tuple[Poke, ...]) -> None:
    waker.wake("relay")
    realtime.publish(pokes)
