"""Events are rows of the transaction that made them happen."""

from collections.abc import Iterable

from django.db import transaction

from helpdesk.core import realtime, relay, waker
from helpdesk.core.actor import Actor
from helpdesk.core.events import Event, Poke
from helpdesk.core.models import EventLog
from helpdesk.core.rows import insert


def record(*events: Event, actor: Actor, pokes: Iterable[Poke] = ()) -> None:
    """Remember what happened, in the caller's transaction: one insert; after the commit one wake and the pokes."""
    rows = [
        EventLog(
            topic=event.topic,
            subject=event.subject,
            payload=event.payload(),
            actor_kind=actor.kind,
            actor_id=actor.id,
        )
        for event in events
    ]
    insert(*rows)
    wake = any(relay.is_wanted(event.topic) for event in events)
    pokes = tuple(pokes)
    transaction.on_commit(lambda: _tell(pokes, wake))


def _tell(pokes: tuple[Poke, ...], wake: bool) -> None:
    if wake:
        waker.wake("relay")
    realtime.publish(pokes)
