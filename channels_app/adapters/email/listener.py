"""SMTP and LMTP in: 250 only when the raw bytes are committed, 4xx when the fault is ours."""

import asyncio
import functools
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from uuid import UUID

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.utils.timezone import now

from channels_app import reply_tokens as tokens
from channels_app.adapters.email import charsets

log = structlog.get_logger(__name__)
logging.getLogger("mail.log").setLevel(logging.WARNING)  # at INFO it writes down every command with its addresses
THREADS = 4
COMMIT_SECONDS = 45.0
KEEP_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.5
OUR_FAULT = "451 4.3.0 Not now: we could not store it. Please try again."
TOO_LARGE = "552 5.3.4 Message too large"

Accept = Callable[[UUID, bytes, dict[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Box:
    """A mail channel as the listener needs it. `catch_all` takes every address of its domain."""

    channel_id: UUID
    address: str
    catch_all: bool = False


@dataclass(slots=True)
class Directory:
    """Which channel an address belongs to; kept for a few seconds, so that mail comes in while the database is away."""

    load: Callable[[], Iterable[Box]]
    _loaded_at: float = float("-inf")
    _boxes: Mapping[str, UUID] = field(default_factory=dict)
    _domains: Mapping[str, UUID] = field(default_factory=dict)

    def find(self, recipient: str) -> UUID | None:
        """The channel of a recipient, or None. Raises DatabaseError while nothing has ever been loaded."""
        age = time.monotonic() - self._loaded_at
        if age > KEEP_SECONDS:
            self._refresh()
        found = self._known(recipient)
        if found is None and LOOK_AGAIN_SECONDS < age <= KEEP_SECONDS:
            self._refresh()
            found = self._known(recipient)
        return found

    def _known(self, recipient: str) -> UUID | None:
        for name in tokens.untagged(recipient):
            if name in self._boxes:
                return self._boxes[name]
        return self._domains.get(recipient.lower().rpartition("@")[2])

    def _refresh(self) -> None:
        try:
            boxes = list(self.load())
        except DatabaseError:
            if self._loaded_at == float("-inf"):
                raise
            return
        self._boxes = {box.address.lower(): box.channel_id for box in boxes}
        self._domains = {box.address.lower().rpartition("@")[2]: box.channel_id for box in boxes if box.catch_all}
        self._loaded_at = time.monotonic()


class Reception:
    """The hooks of one listener: who is known, and what becomes of a mail."""

    def __init__(self, directory: Directory, accept: Accept, max_bytes: int) -> None:
        self.directory, self.accept, self.max_bytes = directory, accept, max_bytes
        self.pool = ThreadPoolExecutor(THREADS, "mail")
        self.busy = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """550 for an address that is no channel of ours, 451 when we cannot know."""
        try:
            channel_id = await self._in_thread(self.directory.find, address)
        except (DatabaseError, TimeoutError) as error:
            log.warning("recipient not looked up", error=str(error)[:200])
            return OUR_FAULT
        if channel_id is None:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        vars(envelope).setdefault("channels", []).append(channel_id)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """One receipt for each channel; the answer follows the commit."""
        raw = envelope.original_content or b""
        channels: list[UUID] = vars(envelope)["channels"]
        by_channel: dict[UUID, list[str]] = {}
        for channel_id, recipient in zip(channels, envelope.rcpt_tos, strict=True):
            by_channel.setdefault(channel_id, []).append(recipient)
        self.busy += 1
        try:
            stored = {key: await self._store(key, raw, session, envelope, names) for key, names in by_channel.items()}
        finally:
            self.busy -= 1
        done = f"250 2.0.0 Kept {hashlib.sha256(raw).hexdigest()[:12]}"
        if getattr(server, "is_lmtp", False):
            return "\r\n".join(done if stored[key] else OUR_FAULT for key in channels)
        return done if all(stored.values()) else OUR_FAULT

    async def _store(
        self, channel_id: UUID, raw: bytes, session: Session, envelope: Envelope, names: list[str]
    ) -> bool:
        peer = session.peer
        meta: dict[str, Any] = {
            "mail_from": charsets.clean(envelope.mail_from or "").strip("<>"),
            "rcpt_to": [charsets.clean(name) for name in names],
            "peer": str(peer[0]) if isinstance(peer, tuple) and peer else "local",
            "received": now().astimezone(UTC).isoformat(),
        }
        try:
            await self._in_thread(self.accept, channel_id, raw, meta)
        except Exception as error:  # whatever it is: not stored, so not ours yet
            log.error("mail not stored", channel=str(channel_id), error=f"{type(error).__name__}: {error}"[:300])
            return False
        return True

    async def _in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self.pool, functools.partial(_with_database, call, *args))
        return await asyncio.wait_for(work, COMMIT_SECONDS)


def _with_database(call: Callable[..., Any], *args: Any) -> Any:
    """The call on this thread's connection; once more on a new one, if the old one has died since the last mail."""
    close_old_connections()
    try:
        return call(*args)
    except DatabaseError:
        connection.close()
        return call(*args)
    finally:
        close_old_connections()


class Line(SMTP):
    """One connection, SMTP or LMTP as the other side greets us."""

    # The stock limit of 1001 would refuse mail for good that every other server takes.
    line_length_limit = 26 * 1024 * 1024

    def __init__(self, reception: Reception, loop: asyncio.AbstractEventLoop) -> None:
        self.is_lmtp = False
        self._answers = 1
        super().__init__(
            reception, data_size_limit=reception.max_bytes, enable_SMTPUTF8=True, hostname="helpdesk", ident="ready",
            timeout=300, loop=loop,
        )  # fmt: skip

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802
        """The greeting of LMTP: from here on every recipient gets an answer of its own."""
        self.is_lmtp = True
        await super().smtp_EHLO(hostname)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self._answers = len(self.envelope.rcpt_tos) if self.is_lmtp and self.envelope else 1
        try:
            await super().smtp_DATA(arg)
        finally:
            self._answers = 1

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: N802
        """Nobody learns here who has a mailbox."""
        await self.push("502 5.5.1 VRFY is off")

    async def push(self, status: Any) -> None:
        if isinstance(status, str) and status.startswith("552 "):
            status = TOO_LARGE
        if self._answers > 1 and isinstance(status, str) and status.startswith(("5", "4")) and "\r\n" not in status:
            status = "\r\n".join([status] * self._answers)  # LMTP: refused once for each recipient
        await super().push(status)


class Listener:
    """The listening socket. `start` binds, `stop` waits for mails that are being stored."""

    def __init__(self, load: Callable[[], Iterable[Box]], accept: Accept, *, max_bytes: int) -> None:
        self.reception = Reception(Directory(load), accept, max_bytes)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which matters when 0 was asked for. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(self.reception, loop), host or "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, seconds: float = 5.0) -> None:
        """Take no new connection, give mails in hand the given time."""
        if self._server is not None:
            self._server.close()
        end = time.monotonic() + seconds
        while self.reception.busy and time.monotonic() < end:
            await asyncio.sleep(0.02)
        self.reception.pool.shutdown(wait=False, cancel_futures=True)
