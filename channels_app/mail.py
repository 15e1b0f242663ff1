"""Mail in: the listener, the mailboxes we fetch from, and the pipe share one way to keep a mail."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils.timezone import now

from channels_app import inbound, registry
from channels_app import reply_tokens as tokens
from channels_app.adapters.email.imap import Desk, Mailbox
from channels_app.adapters.email.listener import Box, Listener
from channels_app.contracts import ChannelRef
from channels_app.models import Channel

log = structlog.get_logger(__name__)
REREAD_SECONDS = 15.0
IMAP_KEYS = ("imap_host", "imap_port", "imap_user", "imap_security", "imap_folder", "imap_mark_seen")


def keep(channel_id: UUID, raw: bytes, meta: dict[str, Any]) -> bool:
    """A raw mail made durable for its channel. False when it is a repeat."""
    external_id = registry.adapter("email").identify(raw, meta)
    return inbound.accept(channel_id, external_id, raw, meta)


def boxes() -> Iterable[Box]:
    """The active mail channels, oldest first."""
    for row in _mail_channels():
        yield Box(row.pk, row.address.lower(), bool(row.config.get("catch_all")))


def box_for(address: str) -> Box | None:
    """The channel that an address (with or without a plus part) belongs to."""
    known = {box.address: box for box in boxes()}
    return next((known[name] for name in tokens.untagged(address) if name in known), None)


def serve(host: str, port: int, *, ready: Callable[[int], None] | None = None) -> None:
    """Receive mail until SIGTERM or SIGINT: listen, and fetch for every active channel that names a mailbox.

    `ready` is called with the port once the listener is bound. Raises OSError when the port is taken.
    """
    asyncio.run(_serve(host, port, ready))


async def _serve(host: str, port: int, ready: Callable[[int], None] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listener = Listener(boxes, keep, max_bytes=settings.MAIL_MAX_BYTES)
    bound = await listener.start(host, port)
    log.info("mail listener ready", host=host, port=bound)
    if ready:
        ready(bound)
    fetchers = Fetchers()
    try:
        while not stop.is_set():
            await loop.run_in_executor(None, fetchers.refresh)
            try:
                await asyncio.wait_for(stop.wait(), REREAD_SECONDS)
            except TimeoutError:
                continue
    finally:
        fetchers.halt()
        await listener.stop()


class Fetchers:
    """The running mailboxes, one thread each, kept in step with the channels."""

    def __init__(self) -> None:
        self._running: dict[UUID, tuple[tuple[object, ...], Mailbox]] = {}

    def refresh(self) -> None:
        """Start what is new, restart what changed or died, stop what is gone; all go on while the database is away."""
        try:
            close_old_connections()
            wanted = {row.pk: registry.reference(row) for row in _mail_channels() if row.config.get("imap_host")}
        except Exception as error:  # the mailboxes that run go on
            log.warning("mail channels not read", error=str(error)[:200])
            connection.close()
            return
        finally:
            close_old_connections()
        for channel_id in [key for key in self._running if key not in wanted]:
            self._running.pop(channel_id)[1].halt()
        for channel in wanted.values():
            self._ensure(channel)

    def halt(self) -> None:
        """Ask all to end and wait a moment."""
        for _, mailbox in self._running.values():
            mailbox.halt()
        for _, mailbox in self._running.values():
            mailbox.join(timeout=3)
        self._running.clear()

    def _ensure(self, channel: ChannelRef) -> None:
        mark = (*(channel.config.get(key) for key in IMAP_KEYS), channel.secrets.get("imap_password"))
        running = self._running.get(channel.id)
        if running and running[0] == mark and running[1].is_alive():
            return
        if running:
            running[1].halt()
        mailbox = Mailbox(
            channel, DESK, poll_seconds=settings.MAIL_IDLE_POLL_SECONDS, max_bytes=settings.MAIL_MAX_BYTES
        )
        self._running[channel.id] = (mark, mailbox)
        mailbox.start()


def _mail_channels() -> list[Channel]:
    return list(Channel.objects.filter(kind=Channel.Kind.EMAIL, is_active=True).order_by("created_at"))


def _load_cursor(channel_id: UUID) -> dict[str, Any]:
    close_old_connections()
    state = Channel.objects.values_list("state", flat=True).get(pk=channel_id)
    return dict(state.get("imap") or {})


def _save_cursor(channel_id: UUID, cursor: dict[str, Any]) -> None:
    """Only the mailbox's own thread writes `state`."""
    Channel.objects.filter(pk=channel_id).update(state={"imap": cursor})


def _report(channel_id: UUID, problem: str) -> None:
    """Keep the present trouble and since when; an empty text means healthy again."""
    close_old_connections()
    rows = Channel.objects.filter(pk=channel_id).exclude(problem=problem[:300])
    rows.update(problem=problem[:300], problem_since=now() if problem else None)


def _keep_fetched(channel_id: UUID, raw: bytes, meta: dict[str, Any]) -> bool:
    close_old_connections()
    return keep(channel_id, raw, meta)


DESK = Desk(accept=_keep_fetched, load_cursor=_load_cursor, save_cursor=_save_cursor, report=_report)
