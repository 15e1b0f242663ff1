"""A visitor's socket: lines pushed in order from a given one on, typing both ways, presence."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from channels_app.webchat import actions, origins, queries
from channels_app.webchat.errors import OriginRefused
from helpdesk.core.errors import DomainError, Invalid, TooLarge
from helpdesk.core.http import error_body

BEAT_SECONDS = 25
TYPING_EVERY = 2.0  # seconds; more often is not passed on
MAX_FRAME = 4096


class VisitorConsumer(AsyncWebsocketConsumer):
    """Knows its thread and the last line it sent; every line is read from the database, in order, once."""

    thread_id = 0
    sent = 0
    typed_at = 0.0
    beat: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        try:
            await self._admit()
        except DomainError as error:
            await self._refuse(error)
            return
        await self.channel_layer.group_add(actions.group(self.thread_id), self.channel_name)
        await self.accept()
        await self._catch_up()  # joined first, then read: no line can fall between
        self.beat = asyncio.create_task(self._stay())

    async def disconnect(self, code: int) -> None:
        if self.beat:
            self.beat.cancel()
        if self.thread_id:
            await self.channel_layer.group_discard(actions.group(self.thread_id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """`{"type": "typing"}` and `{"type": "seen", "seq": n}`; anything else is answered with an error."""
        try:
            if text_data is None or len(text_data) > MAX_FRAME:
                raise TooLarge
            await self._heed(_frame(text_data))
        except DomainError as error:
            await self.send(
                json.dumps({"type": "error"} | error_body(None, error.code, str(error.message), error.fields))
            )

    async def line(self, event: dict[str, Any]) -> None:
        """From the group: there is a line with this number."""
        if event["seq"] > self.sent:
            await self._catch_up()

    async def typing(self, event: dict[str, Any]) -> None:
        """From the group: an agent is writing."""
        await self.send(json.dumps({"type": "typing", "name": event.get("name", "")}))

    async def _admit(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", ["0"])[0]
        if not (after.isascii() and after.isdigit() and len(after) < 19):
            raise Invalid(fields={"after": "not_a_number"})
        channel = await database_sync_to_async(queries.channel_for)(
            UUID(str(self.scope["url_route"]["kwargs"]["channel_id"]))
        )
        origin = dict(self.scope["headers"]).get(b"origin", b"").decode("latin-1")
        # Every browser names the page's origin in the handshake. A program that names none could as well lie.
        if origin and not origins.allowed(origin, channel.config.get("origins"), settings.SITE_URL):
            raise OriginRefused
        token = query.get("token", [""])[0]
        self.thread_id = await database_sync_to_async(queries.thread_for)(channel, token)
        self.sent = int(after)

    async def _refuse(self, error: DomainError) -> None:
        """An HTTP answer to the handshake where the server can give one, else a plain refusal."""
        self.thread_id = 0
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            await self.close()
            return
        body = json.dumps(_body(error)).encode()
        headers = [(b"content-type", b"application/json")]
        await self.base_send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
        await self.base_send({"type": "websocket.http.response.body", "body": body})

    async def _heed(self, frame: dict[str, Any]) -> None:
        kind, seq = frame.get("type"), frame.get("seq")
        if kind == "typing":
            if time.monotonic() - self.typed_at >= TYPING_EVERY:
                self.typed_at = time.monotonic()
                await database_sync_to_async(actions.types)(thread_id=self.thread_id)
        elif kind == "seen" and type(seq) is int and 0 <= seq < 1 << 62:
            await database_sync_to_async(actions.read_up_to)(thread_id=self.thread_id, seq=seq)
        else:
            raise Invalid(fields={"type": "unknown"})

    async def _catch_up(self) -> None:
        """Send every line beyond the last one sent."""
        while True:
            found = await database_sync_to_async(queries.lines_after)(self.thread_id, self.sent)
            for line in found:
                await self.send(json.dumps({"type": "line", "line": line}, ensure_ascii=False))
                self.sent = line["seq"]
            if len(found) < queries.PAGE:
                return

    async def _stay(self) -> None:
        """Say again and again that the visitor is here, while the socket is open."""
        while True:
            await database_sync_to_async(actions.connected)(thread_id=self.thread_id)
            await asyncio.sleep(BEAT_SECONDS)


def _body(error: DomainError) -> dict[str, Any]:
    return error_body(None, error.code, str(error.message), error.fields)


def _frame(text: str) -> dict[str, Any]:
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(fields={"type": "unreadable"}) from None
    if not isinstance(frame, dict):
        raise Invalid(fields={"type": "unreadable"})
    return frame
