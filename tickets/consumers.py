"""The agents' socket: joins groups through the gate, relays pokes, passes presence on. Stores nothing."""

from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from helpdesk.accounts.queries import actor_for, teams
from helpdesk.core.actor import Actor
from helpdesk.core.errors import DomainError
from tickets.lifecycle import actions as lifecycle
from tickets.messages.typing import agent_types
from tickets.pokes import inbox_group, ticket_group

SIGNED_OUT, CHANGED = 4003, 4001
DOINGS = frozenset({"viewing", "replying", "noting"})
MAX_WATCHED = 4


def user_group(user_id: int | None) -> str:
    """The group of one person's sockets."""
    return f"user.{user_id}"


class AgentConsumer(AsyncJsonWebsocketConsumer):
    """One open screen of an agent.

    It says `{do: watch|unwatch, ticket}` and `{do: doing, ticket, what}`; it hears
    `{type: poke, topic, id, version}` and `{type: presence, ticket, user, name, what}`.
    """

    actor: Actor
    watched: set[str]
    groups: list[str]

    async def connect(self) -> None:
        """Only people of the desk; they hear of their teams' tickets and of those without a team."""
        self.watched = set()
        user = self.scope.get("user")
        if not _same_origin(self.scope):
            await self.close()
            return
        if user is None or not user.is_authenticated or not user.is_active or user.mfa_missing:
            await self.accept()  # a code can only be told to whom has been let in
            await self.close(code=SIGNED_OUT)
            return
        self.actor = await database_sync_to_async(actor_for)(user)
        teams = await database_sync_to_async(_teams_heard)(self.actor)
        for group in (user_group(self.actor.id), *(inbox_group(team_id) for team_id in teams)):
            await self._join(group)
        # Joined before it is open: what happens from now on is heard, the screen asks for what came before.
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Tells those who look at the same ticket; the groups are left by the framework."""
        for ticket in list(self.watched):
            await self._unwatch(ticket)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """What the screen says; nonsense is ignored."""
        if not isinstance(content, dict) or not hasattr(self, "actor"):
            return
        ticket = str(content.get("ticket", ""))
        if not ticket.isdecimal() or len(ticket) > 15:
            return
        match content.get("do"):
            case "watch":
                await self._watch(ticket)
            case "unwatch" if ticket in self.watched:
                await self._unwatch(ticket)
            case "doing" if ticket in self.watched and content.get("what") in DOINGS:
                await self._tell(ticket, content["what"])
                if content["what"] == "replying":
                    await database_sync_to_async(agent_types)(ticket_id=ticket, name=self.actor.name)

    async def poke(self, message: dict[str, Any]) -> None:
        """Something has a newer version. When it is one's own rights, connect again and join what may be seen now."""
        if message["topic"] == "rights":
            await self.close(code=CHANGED)
            return
        await self.send_json({key: message[key] for key in ("type", "topic", "id", "version")})

    async def presence(self, message: dict[str, Any]) -> None:
        """A colleague came, writes or left. One does not hear of oneself."""
        if message["user"] != self.actor.id:
            await self.send_json(message)

    async def _watch(self, ticket: str) -> None:
        if ticket in self.watched or len(self.watched) >= MAX_WATCHED:
            return
        try:
            await database_sync_to_async(lifecycle.viewed)(ticket_id=ticket, actor=self.actor, is_open=True)  # the gate
        except DomainError:
            return
        self.watched.add(ticket)
        await self._join(ticket_group(ticket))
        await self._tell(ticket, "came")

    async def _unwatch(self, ticket: str) -> None:
        self.watched.discard(ticket)
        await self._tell(ticket, "left")
        group = ticket_group(ticket)
        self.groups = [one for one in self.groups if one != group]
        await self.channel_layer.group_discard(group, self.channel_name)
        try:
            await database_sync_to_async(lifecycle.viewed)(ticket_id=ticket, actor=self.actor, is_open=False)
        except DomainError:
            return

    async def _tell(self, ticket: str, what: str) -> None:
        message = {"type": "presence", "ticket": ticket, "user": self.actor.id, "name": self.actor.name, "what": what}
        await self.channel_layer.group_send(ticket_group(ticket), message)

    async def _join(self, group: str) -> None:
        await self.channel_layer.group_add(group, self.channel_name)
        self.groups = [*self.groups, group]


def _same_origin(scope: Any) -> bool:
    """Only our own pages may open this socket: cookies travel with foreign ones too."""
    headers = dict(scope["headers"])
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc
    allowed = {headers.get(b"host", b"").decode("latin-1"), urlsplit(settings.SITE_URL).netloc}
    return bool(origin) and origin in allowed


def _teams_heard(actor: Actor) -> list[int | None]:
    """The inboxes an actor hears of: an admin every team's, others their own, all those without a team."""
    own = teams().values_list("pk", flat=True) if actor.is_admin else actor.team_ids
    return [None, *own]
