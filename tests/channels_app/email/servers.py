"""Real servers for the mail tests: our listener, somebody's SMTP server with moods, an IMAP server process."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from django.db import connections
from imapclient import IMAPClient

from channels_app.adapters.email.listener import THREADS, Listener


@contextmanager
def running(start: Callable[[], Any]) -> Iterator[Any]:
    """An event loop in a thread; `start` is a coroutine function whose result is given to the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@contextmanager
def listening(listener: Listener) -> Iterator[int]:
    """The port of a running listener."""

    async def start() -> tuple[int, asyncio.AbstractEventLoop]:
        return await listener.start("127.0.0.1", 0), asyncio.get_running_loop()

    with running(start) as (port, loop):
        yield port
        _close_connections(listener)
        asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(10)
        listener.reception.pool.shutdown(wait=True)


def _close_connections(listener: Listener) -> None:
    """Each thread of the pool lets go of its database connection."""
    together = threading.Barrier(THREADS)

    def close(_: int) -> None:
        together.wait(10)
        connections.close_all()

    list(listener.reception.pool.map(close, range(THREADS)))


class Post:
    """A foreign SMTP server that keeps what it takes and refuses as `mood` says."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.connections = 0
        self.mood = ""

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mood == "vanish before":
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
        if self.mood == "421":
            return "421 4.3.2 closing for maintenance"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mood in ("550", "451"):
            return f"{self.mood} {'5.1.1 no such user' if self.mood == '550' else '4.2.0 greylisted'}"
        if self.mood == "550 copies" and envelope.rcpt_tos:
            return "550 5.1.1 no such copy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.mood == "552 after":
            return "552 5.3.4 too big"
        if self.mood == "450 after":
            return "450 4.2.2 mailbox full"
        self.taken.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b""))
        if self.mood == "vanish after":
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
        return "250 taken"


@contextmanager
def posting(*, passwords: bool = False) -> Iterator[tuple[Post, int]]:
    """A foreign server and its port; with `passwords` it wants one, and every one is wrong."""
    post = Post()
    options: dict[str, Any] = {}
    if passwords:
        refuse = lambda *_: AuthResult(success=False, handled=False)  # noqa: E731
        options = {"auth_required": True, "auth_require_tls": False, "authenticator": refuse}

    async def start() -> int:
        loop = asyncio.get_running_loop()
        make = lambda: SMTP(post, hostname="mx.test", loop=loop, enable_SMTPUTF8=True, **options)  # noqa: E731
        server = await loop.create_server(make, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    with running(start) as port:
        yield post, port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Imap:
    """An IMAP server of its own process with one empty mailbox; a restart forgets all and counts anew."""

    USER, PASSWORD = "demouser", "demopass"

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = str(Path(sys.executable).parent / "pymap")
        command = [program, "--host", "127.0.0.1", "--port", str(self.port), "--no-service", "managesieve", "dict"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, 20)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> IMAPClient:
        client = IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=10)
        client.login(self.USER, self.PASSWORD)
        return client

    def deliver(self, *mails: bytes) -> None:
        client = self.client()
        for mail in mails:
            client.append("INBOX", mail)
        client.logout()

    def _answers(self) -> bool:
        try:
            self.client().logout()
        except OSError:
            return False
        return True


def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for it, or fail."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
