"""Mail fetched from a mailbox: IDLE and a poll, a durable cursor, and no mail that blocks the next."""

import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connections
from django.utils.timezone import now
from django.utils.translation import gettext_noop
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from channels_app.contracts import ChannelRef

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 60
IDLE_SLICE_SECONDS = 2.0  # how soon a stop is heard
BATCH = 100
MAX_TRIES = 10
FIRST_BACK_OFF, LAST_BACK_OFF = 2.0, 300.0
HISTORY_DAYS = 7
FIRST_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Desk:
    """What a mailbox needs of the desk: keep a mail, remember the cursor, say what is wrong ('' for nothing)."""

    accept: Callable[[UUID, bytes, dict[str, Any]], bool]
    load_cursor: Callable[[UUID], dict[str, Any]]
    save_cursor: Callable[[UUID, dict[str, Any]], None]
    report: Callable[[UUID, str], None]


@dataclass(slots=True)
class Cursor:
    """How far a mailbox has been read. `missed` counts the attempts at mails that could not be fetched."""

    validity: int = 0
    last_uid: int = 0
    since: str = ""  # day of the first look; older mail was there before us
    missed: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "Cursor":
        missed = {int(uid): int(tries) for uid, tries in dict(stored.get("missed") or {}).items()}
        return cls(
            int(stored.get("validity") or 0), int(stored.get("last_uid") or 0), str(stored.get("since") or ""), missed
        )

    def stored(self) -> dict[str, Any]:
        return {
            "validity": self.validity,
            "last_uid": self.last_uid,
            "since": self.since,
            "missed": {str(uid): tries for uid, tries in self.missed.items()},
        }


class Mailbox(threading.Thread):
    """One mailbox in one thread, until `halt` is called. Trouble is reported on the channel and tried again."""

    def __init__(
        self, channel: ChannelRef, desk: Desk, *, poll_seconds: float = 60, max_bytes: int = 25 * 2**20
    ) -> None:
        super().__init__(name=f"imap-{channel.address}", daemon=True)
        self.channel, self.desk = channel, desk
        self.poll_seconds, self.max_bytes = poll_seconds, max_bytes
        self._halted = threading.Event()
        self._cursor = Cursor()

    def halt(self) -> None:
        """Ask it to end; it does within a few seconds."""
        self._halted.set()

    def run(self) -> None:
        try:
            self._keep_trying()
        finally:
            connections.close_all()  # this thread's own

    def _keep_trying(self) -> None:
        wait = FIRST_BACK_OFF
        while not self._halted.is_set():
            began = time.monotonic()
            problem, slow = self._try()
            if self._halted.is_set():
                return
            if time.monotonic() - began > 120:
                wait = FIRST_BACK_OFF  # it had worked for a while
            self._say(problem)
            wait = LAST_BACK_OFF if slow else wait
            self._halted.wait(wait * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnects, guards nothing
            wait = min(wait * 2, LAST_BACK_OFF)

    def _try(self) -> tuple[str, bool]:
        """One session until it breaks: what was wrong, and whether trying again soon is pointless."""
        try:
            self._session()
        except LoginError as error:
            return gettext_noop("The mailbox refused our password. Authorise it again") + f": {_words(error)}", True
        except ssl.SSLError as error:
            return gettext_noop("The mailbox offers no encryption we can trust") + f": {_words(error)}", True
        except (IMAPClientError, OSError) as error:
            return gettext_noop("The mailbox cannot be read") + f": {_words(error)}", False
        except Exception as error:  # our own fault, the database perhaps: say so, and go on trying
            log.exception("mailbox failed", channel=str(self.channel.id))
            return gettext_noop("Fetching mail failed on our side") + f": {type(error).__name__}", False
        return "", False

    def _say(self, problem: str) -> None:
        try:
            self.desk.report(self.channel.id, problem)
        except Exception as error:  # the thread must outlive a database that is away
            log.warning("mailbox trouble not recorded", error=str(error)[:200])

    def _session(self) -> None:
        client = connect(self.channel)
        try:
            folder = str(self.channel.config.get("imap_folder") or "INBOX")
            mark_seen = bool(self.channel.config.get("imap_mark_seen"))
            selected = client.select_folder(folder, readonly=not mark_seen)
            self._open(int(selected[b"UIDVALIDITY"]))
            self._say("")
            can_idle = client.has_capability("IDLE")
            while not self._halted.is_set():
                self._fetch_new(client, mark_seen)
                self._wait(client, can_idle)
        finally:
            try:
                client.logout()
            except (IMAPClientError, OSError):
                log.debug("mailbox gone before goodbye")

    def _open(self, validity: int) -> None:
        """Read the cursor; a changed UIDVALIDITY means the numbers are new, so everything is looked at again."""
        self._cursor = Cursor.read(self.desk.load_cursor(self.channel.id))
        if not self._cursor.since:
            days = self.channel.config.get("imap_history_days", HISTORY_DAYS)
            since = now() - timedelta(days=float(str(days))) if days is not None else datetime(1970, 1, 1, tzinfo=UTC)
            self._cursor.since = since.date().isoformat()
        if self._cursor.validity != validity:
            self._cursor.validity, self._cursor.last_uid, self._cursor.missed = validity, 0, {}
        self._save()

    def _save(self) -> None:
        self.desk.save_cursor(self.channel.id, self._cursor.stored())

    def _fetch_new(self, client: IMAPClient, mark_seen: bool) -> None:
        last = self._cursor.last_uid
        criteria: list[Any] = (
            ["UID", f"{last + 1}:*"] if last else ["SINCE", datetime.fromisoformat(self._cursor.since).date()]
        )
        uids = sorted(uid for uid in client.search(criteria) if uid > last)
        before, again = self._cursor.stored(), list(self._cursor.missed)
        for start in range(0, len(uids), BATCH):
            for uid in uids[start : start + BATCH]:
                if self._halted.is_set():
                    return
                self._take(client, uid, mark_seen)
            self._save()
        for uid in again:
            self._take(client, uid, mark_seen)
        if self._cursor.stored() != before:
            self._save()

    def _take(self, client: IMAPClient, uid: int, mark_seen: bool) -> None:
        """One mail: kept by us, or counted as missed. Only a broken connection or a fault of ours is raised."""
        tries = self._cursor.missed.get(uid, 0)
        try:
            found = self._read(client, uid)
        except (IMAPClientAbortError, OSError):
            self._miss(uid, tries)
            raise
        except (IMAPClientError, ValueError, KeyError, TypeError, IndexError) as error:
            log.warning("mail not fetched", channel=str(self.channel.id), uid=uid, error=_words(error))
            self._miss(uid, tries)
            if tries + 1 < MAX_TRIES:
                return
            found = b"", {"unfetched": _words(error)}
        if found is not None:
            raw, meta = found
            meta |= {"uid": f"{self._cursor.validity}:{uid}", "received": now().astimezone(UTC).isoformat()}
            self.desk.accept(self.channel.id, raw, meta)
        self._cursor.last_uid = max(self._cursor.last_uid, uid)
        self._cursor.missed.pop(uid, None)
        if mark_seen and found is not None:
            client.add_flags([uid], [b"\\Seen"], silent=True)

    def _miss(self, uid: int, tries: int) -> None:
        """Go past a mail that cannot be fetched, and remember to come back to it."""
        self._cursor.missed[uid] = tries + 1
        self._cursor.last_uid = max(self._cursor.last_uid, uid)
        self._save()

    def _read(self, client: IMAPClient, uid: int) -> tuple[bytes, dict[str, Any]] | None:
        """Raw mail and what the mailbox knows of it; None when it has been deleted meanwhile."""
        about = client.fetch([uid], ["RFC822.SIZE", "INTERNALDATE"]).get(uid)
        if not about:
            return None
        meta: dict[str, Any] = {}
        if isinstance(at := about.get(b"INTERNALDATE"), datetime):
            meta["internaldate"] = at.astimezone(UTC).isoformat()
        if about.get(b"RFC822.SIZE", 0) > self.max_bytes:
            meta["truncated"] = int(about[b"RFC822.SIZE"])
            part = client.fetch([uid], [f"BODY.PEEK[]<0.{FIRST_MEGABYTE}>"])[uid]
        else:
            part = client.fetch([uid], ["BODY.PEEK[]"]).get(uid) or {}
        raw = next((value for key, value in part.items() if key.startswith(b"BODY[") and value is not None), None)
        if raw is None:
            raise ValueError("the mailbox sent no content")
        return bytes(raw), meta

    def _wait(self, client: IMAPClient, can_idle: bool) -> None:
        """Until something may have come, or the poll is due. IDLE is renewed every time, long before it may end."""
        end = time.monotonic() + self.poll_seconds
        if not can_idle:
            self._halted.wait(min(self.poll_seconds, 60))
            client.noop()
            return
        client.idle()
        try:
            while not self._halted.is_set() and time.monotonic() < end:
                if client.idle_check(timeout=min(IDLE_SLICE_SECONDS, max(end - time.monotonic(), 0.1))):
                    break
        finally:
            client.idle_done()


def connect(channel: ChannelRef) -> IMAPClient:
    """A signed-in connection. Raises LoginError, IMAPClientError or OSError."""
    config = channel.config
    host, port = str(config["imap_host"]), int(str(config.get("imap_port") or 993))
    security = str(config.get("imap_security") or ("starttls" if port == 143 else "tls"))
    client = IMAPClient(host, port=port, ssl=security == "tls", timeout=TIMEOUT_SECONDS, use_uid=True)
    client.normalise_times = False
    try:
        if security == "starttls":
            client.starttls(ssl.create_default_context())
        client.login(str(config.get("imap_user") or channel.address), str(channel.secrets.get("imap_password") or ""))
    except Exception:
        client.shutdown()
        raise
    return client


def _words(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:160]
