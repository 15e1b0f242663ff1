"""The way out: one kept connection a process to a mail server, or a folder of .eml files; says what is known."""

import hashlib
import os
import re
import smtplib
import ssl
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings
from django.utils.timezone import now
from django.utils.translation import gettext as _

from channels_app.adapters.email import compose
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile, SendResult
from channels_app.media import path_of
from helpdesk.core.errors import GiveUp, Retry, Uncertain

log = structlog.get_logger(__name__)
CONNECT_SECONDS = 15
ANSWER_SECONDS = 45  # below the lease of a delivery
REAUTHORISE = {530, 534, 535, 538}


@dataclass(frozen=True, slots=True)
class Way:
    """Where mail goes: `dir` with a path, `smtp` or `smtps` with a server."""

    scheme: str
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""


def way_out(url: str) -> Way:
    """MAIL_OUT read. Raises ValueError naming what is wrong, never the password."""
    scheme, _, rest = url.partition(":")
    if scheme == "dir" and rest:
        return Way("dir", path=rest.removeprefix("//") if rest.startswith("///") else rest)
    parts = urlsplit(url)
    if scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("MAIL_OUT must be dir:PATH, smtp://user:password@host:port or smtps://…")
    port = parts.port or (465 if scheme == "smtps" else 587 if parts.username else 25)
    return Way(scheme, "", parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))


def send(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """Send one mail. Raises Retry (nothing left the house), Uncertain (it may have), GiveUp (it never will)."""
    way = way_out(settings.MAIL_OUT)
    message_id = compose.message_id(envelope, channel.address)
    try:
        files = [_enclosure(file) for file in envelope.files]
        raw = compose.compose(envelope, address=channel.address, name=channel.name, now=now(), files=files)
    except compose.BadAddressError as error:
        raise GiveUp(str(error)) from error
    except FileNotFoundError as error:
        raise GiveUp(_("An attached file is no longer there.")) from error
    if way.scheme == "dir":
        _write(Path(way.path), envelope.idempotency_key, message_id, raw)
    else:
        recipients = [envelope.to, *envelope.cc]
        _post.send(way, envelope.reply_to or channel.address, recipients, raw)
    return SendResult(provider_id=message_id)


def _enclosure(file: OutboundFile) -> compose.Enclosure:
    return compose.Enclosure(
        filename=file.filename,
        content_type=file.content_type,
        content=path_of(file.path).read_bytes(),
        content_id=file.content_id,
    )


def _write(folder: Path, key: str, message_id: str, raw: bytes) -> None:
    """One .eml, whole and on disk or not there; the same delivery writes the same file."""
    name = re.sub(r"[^A-Za-z0-9-]", "", key)[:40] or "0"
    target = folder / f"{name:0>12}-{hashlib.sha256(message_id.encode()).hexdigest()[:10]}.eml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o600)
        Path(temporary).replace(target)
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise Retry(_("The folder for outgoing mail cannot be written: %(why)s") % {"why": error.strerror}) from error


class Post:
    """The kept connection of this process. Safe between threads; a forked child makes its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: smtplib.SMTP | None = None
        self._key: tuple[int, Way] | None = None

    def send(self, way: Way, sender: str, recipients: list[str], raw: bytes) -> None:
        """One mail to all recipients over the kept connection, made anew once when it turns out dead."""
        with self._lock:
            for attempt in ("kept", "fresh"):
                kept = self._server is not None and self._key == (os.getpid(), way)
                if not kept:
                    self._connect(way)
                try:
                    self._announce(sender, recipients, raw)
                    break
                except (smtplib.SMTPServerDisconnected, OSError) as error:
                    self._drop()
                    if not kept or attempt == "fresh":
                        raise Retry(_("The mail server closed the connection.")) from error
            self._hand_over(raw)

    def close(self) -> None:
        """Say goodbye; the next mail connects again."""
        with self._lock:
            if self._server is not None and self._key and self._key[0] == os.getpid():
                try:
                    self._server.quit()
                except (smtplib.SMTPException, OSError):
                    log.debug("mail server gone before goodbye")
            self._drop()

    def _drop(self) -> None:
        server, self._server, self._key = self._server, None, None
        if server is not None:
            server.close()

    def _connect(self, way: Way) -> None:
        self._drop()
        context = ssl.create_default_context()
        try:
            if way.scheme == "smtps":
                server: smtplib.SMTP = smtplib.SMTP_SSL(way.host, way.port, timeout=CONNECT_SECONDS, context=context)
            else:
                server = smtplib.SMTP(way.host, way.port, timeout=CONNECT_SECONDS)
        except (smtplib.SMTPException, OSError) as error:
            raise Retry(_("The mail server cannot be reached: %(why)s") % {"why": _words(error)}) from error
        try:
            self._greet(server, way, context)
        except smtplib.SMTPAuthenticationError as error:
            server.close()
            reason = _("The mail server refused our password. Authorise the mailbox again (MAIL_OUT).")
            raise Retry(reason, after=300) from error
        except (smtplib.SMTPException, OSError) as error:
            server.close()
            raise Retry(_("The mail server does not let us in: %(why)s") % {"why": _words(error)}) from error
        except Retry:
            server.close()
            raise
        if server.sock is not None:
            server.sock.settimeout(ANSWER_SECONDS)
        self._server, self._key = server, (os.getpid(), way)

    def _greet(self, server: smtplib.SMTP, way: Way, context: ssl.SSLContext) -> None:
        server.ehlo_or_helo_if_needed()
        if way.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        if way.user:
            if not isinstance(server.sock, ssl.SSLSocket) and way.host not in ("localhost", "127.0.0.1", "::1"):
                raise Retry(
                    _("The mail server offers no encryption, and a password is not sent in the clear."), after=300
                )
            server.login(way.user, way.password)

    def _announce(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Everything up to the server's go-ahead for the mail itself: until here nothing has left the house."""
        assert self._server is not None
        server = self._server
        options = [f"size={len(raw)}"] if server.has_extn("size") else []
        if not all(name.isascii() for name in [sender, *recipients]):
            if not server.has_extn("smtputf8"):
                raise GiveUp(_("The mail server cannot send to an address with letters beyond ASCII."))
            options += ["SMTPUTF8", "BODY=8BITMIME"]
            server.command_encoding = "utf-8"
        else:
            server.command_encoding = "ascii"
        self._check(*server.mail(sender, options), _("The mail server refused the sender"))
        taken = 0
        for number, recipient in enumerate(recipients):
            code, said = server.rcpt(recipient)
            if number == 0 or code == 421:
                self._check(code, said, _("The address was refused"))
            taken += 200 <= code < 300
            if code >= 300:
                log.warning("copy refused by the mail server", code=code)
        self._check(*server.docmd("DATA"), _("The mail server refused the mail"), wanted=354)

    def _hand_over(self, raw: bytes) -> None:
        """The mail itself. Once its end has been sent, a lost connection leaves us in doubt."""
        assert self._server is not None
        server = self._server
        body = re.sub(rb"(?m)^\.", b"..", raw)
        try:
            server.send(body if body.endswith(b"\r\n") else body + b"\r\n")
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            raise Retry(_("The mail server closed the connection.")) from error
        try:
            server.send(b".\r\n")
            code, said = server.getreply()
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            raise Uncertain(_("The connection broke after the mail was handed over: it may have arrived.")) from error
        self._check(code, said, _("The mail server refused the mail"))

    def _check(self, code: int, said: bytes, what: str, *, wanted: int = 0) -> None:
        """Return when the answer is good, else leave the connection clean and raise what it means."""
        if code == wanted or (not wanted and 200 <= code < 300):
            return
        words = said.decode("utf-8", "replace").replace("\n", " ")[:300]
        assert self._server is not None
        if code == 421 or code < 0:
            self._drop()
        else:
            try:
                self._server.rset()
            except (smtplib.SMTPException, OSError):
                self._drop()
        if code in REAUTHORISE:
            self._drop()
            raise Retry(_("The mail server wants us to sign in. Authorise the mailbox again (MAIL_OUT)."), after=300)
        reason = f"{what}: {code} {words}"
        if 500 <= code < 600:
            raise GiveUp(reason)
        raise Retry(reason)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {error.smtp_error!r}"[:200]
    return getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__


_post = Post()
