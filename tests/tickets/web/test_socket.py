"""The agents' socket: who hears what, and when it must let go."""

import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser

from helpdesk.accounts import actions as accounts
from helpdesk.accounts.models import User
from helpdesk.accounts.queries import actor_for
from tests.builders import a_mailbox, a_team, a_ticket, a_user, an_actor
from tickets.consumers import CHANGED, SIGNED_OUT, AgentConsumer
from tickets.lifecycle import actions as lifecycle
from tickets.models import TicketViewing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]


class Screen(ApplicationCommunicator):
    """The browser's end of the socket."""

    def __init__(self, user: Any, origin: str = "http://desk.test") -> None:
        headers = [(b"host", b"desk.test"), (b"origin", origin.encode())]
        scope = {"type": "websocket", "path": "/ws/agent/", "headers": headers, "user": user, "subprotocols": []}
        super().__init__(AgentConsumer.as_asgi(), scope)

    async def connect(self) -> dict[str, Any]:
        await self.send_input({"type": "websocket.connect"})
        answer: dict[str, Any] = await self.receive_output(timeout=30)
        return answer

    async def says(self, content: Any) -> None:
        await self.send_input({"type": "websocket.receive", "text": json.dumps(content)})

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=30)


async def opened(user: Any) -> Screen:
    socket = Screen(user)
    assert (await socket.connect())["type"] == "websocket.accept"
    return socket


async def hears(socket: Screen, kind: str) -> dict[str, Any]:
    """The next message of this kind."""
    for _ in range(10):
        message: dict[str, Any] = json.loads((await socket.receive_output(timeout=30))["text"])
        if message["type"] == kind:
            return message
    raise AssertionError(f"no {kind} came")


def a_scene() -> tuple[User, User, str]:
    team = a_team()
    ticket = a_ticket(channel=a_mailbox(team=team))
    return a_user(teams=(team,), name="Minh"), a_user(teams=(team,), name="Mai"), str(ticket.pk)


async def test_an_agent_hears_of_the_own_teams_tickets_and_of_no_others() -> None:
    minh, _mai, ticket = await database_sync_to_async(a_scene)()
    stranger = await database_sync_to_async(a_user)()
    mine, theirs = await opened(minh), await opened(stranger)
    actor = await database_sync_to_async(actor_for)(minh)
    changed = await database_sync_to_async(lifecycle.set_priority)(ticket_id=ticket, priority="high", actor=actor)
    heard = await hears(mine, "poke")
    assert heard == {"type": "poke", "topic": "ticket", "id": ticket, "version": changed.version}
    assert await theirs.receive_nothing(timeout=0.3)
    await mine.disconnect()
    await theirs.disconnect()


async def test_those_on_one_ticket_know_of_each_other_and_its_time_is_kept() -> None:
    minh, mai, ticket = await database_sync_to_async(a_scene)()
    first, second = await opened(minh), await opened(mai)
    await first.says({"do": "watch", "ticket": ticket})
    await second.says({"do": "watch", "ticket": ticket})
    while await first.receive_nothing(timeout=0.1):  # until both are there
        await second.says({"do": "doing", "ticket": ticket, "what": "replying"})
    told = await hears(first, "presence")
    while told["what"] == "came":  # heard before anything was said
        await second.says({"do": "doing", "ticket": ticket, "what": "replying"})
        told = await hears(first, "presence")
    assert (told["name"], told["what"], told["ticket"]) == ("Mai", "replying", ticket)
    await second.disconnect()
    while told["what"] != "left":
        told = await hears(first, "presence")
    await first.disconnect()
    viewings = await database_sync_to_async(list)(TicketViewing.objects.order_by("pk"))
    assert {one.user_id for one in viewings} == {minh.pk, mai.pk}
    assert all(one.left_at is not None for one in viewings)


async def test_nobody_watches_a_ticket_that_is_not_theirs() -> None:
    minh, _mai, ticket = await database_sync_to_async(a_scene)()
    stranger = await database_sync_to_async(a_user)()
    theirs, mine = await opened(stranger), await opened(minh)
    await theirs.says({"do": "watch", "ticket": ticket})
    await theirs.says({"do": "doing", "ticket": ticket, "what": "replying"})
    await mine.says({"do": "watch", "ticket": ticket})
    assert await theirs.receive_nothing(timeout=0.4)
    assert await mine.receive_nothing(timeout=0.2)
    await theirs.disconnect()
    await mine.disconnect()


async def test_a_change_of_rights_closes_the_socket() -> None:
    minh, _mai, _ticket = await database_sync_to_async(a_scene)()
    admin = await database_sync_to_async(an_actor)("admin")
    team = await database_sync_to_async(a_team)()
    socket = await opened(minh)
    await database_sync_to_async(accounts.add_member)(team_id=team.pk, user_id=minh.pk, actor=admin)
    closed = await socket.receive_output(timeout=30)
    assert (closed["type"], closed["code"]) == ("websocket.close", CHANGED)


async def test_strangers_and_foreign_pages_get_nothing() -> None:
    socket = Screen(AnonymousUser())
    await socket.connect()
    closed = await socket.receive_output(timeout=30)
    assert (closed["type"], closed["code"]) == ("websocket.close", SIGNED_OUT)
    minh, _mai, _ticket = await database_sync_to_async(a_scene)()
    for origin in ("http://evil.test", ""):
        assert (await Screen(minh, origin).connect())["type"] == "websocket.close"


@pytest.mark.parametrize(
    "nonsense", [[], "x", {"do": "watch", "ticket": "1; drop"}, {"do": "watch"}, {"ticket": "9" * 99}]
)
async def test_nonsense_is_ignored(nonsense: Any) -> None:
    minh, _mai, ticket = await database_sync_to_async(a_scene)()
    socket = await opened(minh)
    await socket.says(nonsense)
    await socket.says({"do": "watch", "ticket": ticket})
    assert await socket.receive_nothing(timeout=0.3)
    await socket.disconnect()
