"""The one way to speak HTTP to the outside: guarded against private addresses, timed, capped, its failures sorted.

Every process keeps one event loop in a thread of its own, and on it two clients with their open connections: one that
connects to public addresses only (the address really connected to is what is checked), and one for the exact
host:port pairs an admin allowed in HELPDESK_ALLOW_HOSTS.
"""

import atexit
import json
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from django.conf import settings
from django.utils.translation import gettext_noop
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection

from helpdesk.core.errors import GiveUp, Retry, Uncertain

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
FILE_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
FILE_SECONDS = 75.0  # for a whole file; below the time a worker may take
MAX_REPLY = 2 * 1024 * 1024  # bytes of an answer that is not a file
MAX_REDIRECTS = 3
# Their INFO lines hold whole addresses, and some providers put the key into the address.
for _chatty in ("httpx", "httpcore"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)

_lock = Lock()


@dataclass(slots=True)
class Loop:
    """The event loop of one process. `held` keeps its thread going for as long as the process lives."""

    pid: int
    held: AbstractContextManager[BlockingPortal]
    portal: BlockingPortal
    clients: dict[bool, httpx.AsyncClient]  # guarded: client


_running: Loop | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the other side answered, whatever its status. Header names are lower case."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @cached_property
    def json(self) -> dict[str, Any]:
        """The answer's JSON object; empty where it is none."""
        try:
            value = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds the other side asks us to wait, at most an hour; None when it says nothing we understand."""
        try:
            return min(max(float(self.headers.get("retry-after", "")), 0.0), 3600.0)
        except ValueError:
            return None


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    data: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    files: Mapping[str, tuple[str, bytes, str]] | None = None,
    auth: tuple[str, str] | None = None,
    repeatable: bool = False,
    timeout: httpx.Timeout = TIMEOUT,
) -> Reply:
    """Speak to a provider; redirects are not followed. Raises by what may have happened:

    Retry: nothing left the house. Uncertain: the request may have arrived and its answer is lost (Retry where
    `repeatable` says that asking twice does no harm). GiveUp: the address may not be reached from here.
    """
    request = {
        "method": method, "url": url, "headers": dict(headers or {}), "params": params, "json": json, "data": data,
        "content": content, "files": files, "auth": auth, "timeout": timeout,
    }  # fmt: skip
    given = {name: value for name, value in request.items() if value is not None}
    try:
        return _portal().call(_exchange, given, MAX_REPLY)
    except (SSRFProtectionError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise GiveUp(gettext_noop("this address may not be reached from here")) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Retry(gettext_noop("not reachable") + f": {type(error).__name__}") from error
    except (httpx.HTTPError, TimeoutError) as error:
        if repeatable:
            raise Retry(gettext_noop("no answer") + f": {type(error).__name__}") from error
        raise Uncertain(gettext_noop("the provider did not answer, it may have reached the customer")) from error


def fetch(url: str, *, headers: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None) -> "File":
    """A file of at most settings.ATTACHMENT_MAX_BYTES, over at most three redirects, each address checked.

    Keys in `headers` and `auth` go to the first host only. Raises Retry where trying again may help, else GiveUp.
    """
    first = urlsplit(url).netloc
    for _hop in range(MAX_REDIRECTS + 1):
        own = urlsplit(url).netloc == first
        given = {"method": "GET", "url": url, "headers": dict(headers or {}) if own else {}, "timeout": FILE_TIMEOUT}
        if auth and own:
            given["auth"] = auth
        try:
            reply = _portal().call(_exchange, given, settings.ATTACHMENT_MAX_BYTES)
        except (SSRFProtectionError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise GiveUp(gettext_noop("this address may not be reached from here")) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise Retry(gettext_noop("no answer") + f": {type(error).__name__}") from error
        if reply.status in (301, 302, 303, 307, 308) and "location" in reply.headers:
            url = urljoin(url, reply.headers["location"])
            continue
        if reply.status == 202 or reply.status == 429 or reply.status >= 500:
            raise Retry(f"HTTP {reply.status}", after=reply.retry_after)
        if not reply.ok:
            raise GiveUp(gettext_noop("the provider no longer has this file"))
        return File(content=reply.content, content_type=reply.headers.get("content-type", ""), filename=_name(reply))
    raise GiveUp(gettext_noop("this address leads in circles"))


@dataclass(frozen=True, kw_only=True)
class File:
    """A file as it was given out. The type and name are what the other side says, empty where it says nothing."""

    content: bytes
    content_type: str
    filename: str


class TooLong(GiveUp):
    """More bytes than anybody wants to keep."""


async def _exchange(given: dict[str, Any], longest: int) -> Reply:
    """One request and its whole answer, read piece by piece so that a flood is cut off."""
    target = httpx.URL(given["url"])
    allowed = f"{target.host}:{target.port or (443 if target.scheme == 'https' else 80)}"
    client = _clients()[allowed not in settings.ENV.helpdesk_allow_hosts]
    timeout = given.pop("timeout")
    auth = given.pop("auth", None)
    request = client.build_request(**given, timeout=timeout)
    with anyio.fail_after(FILE_SECONDS):
        response = await client.send(request, stream=True, auth=auth)
        try:
            pieces, size = [], 0
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > longest:
                    raise TooLong(gettext_noop("this file is too large to keep"))
                pieces.append(piece)
        finally:
            await response.aclose()
    names = {name.lower(): value for name, value in response.headers.items()}
    return Reply(status=response.status_code, headers=names, content=b"".join(pieces))


def _portal() -> BlockingPortal:
    """The loop of this very process: a fork must not share one with its parent."""
    global _running
    with _lock:
        if _running is None or _running.pid != os.getpid():
            held = start_blocking_portal()
            _running = Loop(os.getpid(), held, held.__enter__(), {})
            _running.portal.call(_open_clients)
            atexit.register(_close, _running)
        return _running.portal


def _close(loop: Loop) -> None:
    """End the thread where it was begun; a fork that inherited only the record has nothing to end."""
    if loop.pid == os.getpid():
        loop.held.__exit__(None, None, None)


def _clients() -> dict[bool, httpx.AsyncClient]:
    assert _running is not None
    return _running.clients


async def _open_clients() -> None:
    limits = httpx.Limits(max_connections=40, max_keepalive_connections=10, keepalive_expiry=30)
    for guarded in (True, False):
        client = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits)
        _clients()[guarded] = httpx_ssrf_protection(client, dns_cache_ttl=60) if guarded else client


def _name(reply: Reply) -> str:
    """The file's name by Content-Disposition."""
    header = Message()
    header["Content-Disposition"] = reply.headers.get("content-disposition", "")
    return unquote(header.get_filename("") or "")
