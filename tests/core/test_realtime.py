"""Pokes: what our one PUBLISH sends is what the channel layer's own receivers read."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connections, transaction

from helpdesk.core import realtime
from helpdesk.core.actor import Actor
from helpdesk.core.events import Poke
from helpdesk.core.recorder import record
from tickets.events import TicketChanged


async def test_a_poke_arrives_as_the_layers_own_message_does() -> None:
    layer = get_channel_layer()
    assert layer is not None
    name = await layer.new_channel()
    await layer.group_add("ticket.42", name)
    message = {"type": "poke", "topic": "ticket", "id": "42", "version": 7}
    await layer.group_send("ticket.42", message)
    theirs = await asyncio.wait_for(layer.receive(name), 5)
    poke = Poke(topic="ticket", id="42", version=7, groups=("ticket.42", "inbox.none"))
    await sync_to_async(realtime.publish)([poke])
    ours = await asyncio.wait_for(layer.receive(name), 5)
    assert ours == theirs == message
    await layer.group_discard("ticket.42", name)
    await sync_to_async(realtime.publish)([poke])
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(layer.receive(name), 0.3)


@pytest.mark.django_db(transaction=True)
async def test_the_recorder_pokes_after_the_commit_the_newest_version_only() -> None:
    layer = get_channel_layer()
    assert layer is not None
    name = await layer.new_channel()
    await layer.group_add("ticket.43", name)
    pokes = [Poke(topic="ticket", id="43", version=version, groups=("ticket.43",)) for version in (1, 2)]

    def act(*, fail: bool) -> None:
        with transaction.atomic():
            record(TicketChanged(ticket_id=43), actor=Actor.system(), pokes=pokes)
            if fail:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        await sync_to_async(act)(fail=True)
    await sync_to_async(act)(fail=False)
    await sync_to_async(connections.close_all)()
    got = await asyncio.wait_for(layer.receive(name), 5)
    assert got["version"] == 2
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(layer.receive(name), 0.3)


def test_a_dead_valkey_is_nobodys_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise ConnectionError

    monkeypatch.setattr("helpdesk.core.valkey.client", gone)
    realtime.publish([Poke(topic="ticket", id="1", version=1, groups=("ticket.1",))])
