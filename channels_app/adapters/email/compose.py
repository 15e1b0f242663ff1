"""An envelope becomes the bytes of a mail. Pure: ids, times and files are given."""

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

from channels_app.adapters.email import charsets, headers
from channels_app.contracts import OutboundEnvelope

MAX_CHAIN = 11  # ids in References: the first and the last ten
LINK = re.compile(r"https?://[^\s<>\"]{1,2000}[^\s<>\".,;:!?)\]]")
TYPE = re.compile(r"[a-z]+/[\w.+-]+\Z")
ID_FIELDS = {"message-id", "in-reply-to", "references"}


class BadAddressError(ValueError):
    """An address that no mail can be sent to."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file with its content; `content_id` is set for an image that the HTML shows."""

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""


class _Policy(EmailPolicy):
    """The stdlib's, but message ids are never encoded or cut, however long."""

    def fold(self, name: str, value: str) -> str:
        if name.lower() in ID_FIELDS:
            return f"{name}: " + "\r\n ".join(str(value).split()) + "\r\n"
        return super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in ID_FIELDS:
            return self.fold(name, value).encode("ascii", "replace")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n", max_line_length=SMTP.max_line_length)


def message_id(envelope: OutboundEnvelope, channel_address: str) -> str:
    """The envelope's own Message-ID, else one made of its key: the same at every attempt. Without brackets."""
    if envelope.message_id:
        return envelope.message_id.strip().strip("<>")
    mark = hashlib.sha256(f"{envelope.idempotency_key}|{envelope.to}|{channel_address}".encode()).hexdigest()[:12]
    number = envelope.idempotency_key if envelope.idempotency_key.isdecimal() else "0"
    return f"d{number}.{mark}@{channel_address.rpartition('@')[2] or 'localhost'}"


def compose(
    envelope: OutboundEnvelope, *, address: str, name: str, now: datetime, files: Sequence[Enclosure] = ()
) -> bytes:
    """The mail with CRLF line ends. Raises BadAddressError when a recipient or our own address is none."""
    mail = EmailMessage(policy=_POLICY)
    mail["Message-ID"] = f"<{message_id(envelope, address)}>"
    mail["Date"] = format_datetime(now)
    mail["From"] = _mailbox(address, sender_name(envelope.from_name, name))
    mail["To"] = _mailbox(envelope.to, envelope.to_name)
    if envelope.cc:
        mail["Cc"] = [_mailbox(one, "") for one in envelope.cc]
    if envelope.reply_to and envelope.reply_to != address:
        mail["Reply-To"] = _mailbox(envelope.reply_to, one_line(name, 100))
    mail["Subject"] = one_line(envelope.subject, 300)
    _thread(mail, envelope)
    mail["X-Loop"] = address
    if envelope.auto:
        mail["Auto-Submitted"] = "auto-replied" if envelope.in_reply_to else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
    text = charsets.clean(envelope.text)
    mail.set_content(text if text.endswith("\n") else text + "\n", charset="utf-8")
    source = envelope.html or from_text(text)
    mail.add_alternative(charsets.clean(source), subtype="html", charset="utf-8")
    _enclose(mail, source, files)
    return mail.as_bytes()


def sender_name(person: str, team: str) -> str:
    """`Agent (Team)`, or whichever is known."""
    person, team = one_line(person, 100), one_line(team, 100)
    if not person or person == team:
        return team
    return f"{person} ({team})" if team and "(" not in person else person


def one_line(value: str, limit: int) -> str:
    """What may stand in a header field: one line, no control characters."""
    return headers.SPACE.sub(" ", charsets.clean(value)).strip()[:limit]


def from_text(text: str) -> str:
    """Plain text as simple HTML: paragraphs, lines and links kept."""
    paragraphs = [part for part in re.split(r"\n{2,}", text.strip("\n")) if part.strip()]
    return "\n".join(f"<p>{_linked(part).replace(chr(10), '<br>' + chr(10))}</p>" for part in paragraphs) or "<p></p>"


def _linked(text: str) -> str:
    out, at = [], 0
    for match in LINK.finditer(text):
        url = html.escape(match[0])
        out += [html.escape(text[at : match.start()]), f'<a href="{url}">{url}</a>']
        at = match.end()
    return "".join([*out, html.escape(text[at:])])


def _mailbox(address: str, name: str) -> Address:
    value = headers.normalize(one_line(address, 320))
    if not value:
        raise BadAddressError(f"{one_line(address, 100)!r} is not an e-mail address")
    local, _, _ = address.strip().strip("<>").rpartition("@")
    try:
        return Address(display_name=one_line(name, 200), username=local, domain=value.rpartition("@")[2])
    except (ValueError, IndexError) as error:
        raise BadAddressError(f"{one_line(address, 100)!r} is not an e-mail address") from error


def _thread(mail: EmailMessage, envelope: OutboundEnvelope) -> None:
    """In-Reply-To and the chain; `references` is oldest first, the first and the last ten are kept."""
    answered = _id(envelope.in_reply_to)
    chain = list(dict.fromkeys(name for value in envelope.references if (name := _id(value)) and name != answered))
    if answered:
        mail["In-Reply-To"] = answered
        chain.append(answered)
    if len(chain) > MAX_CHAIN:
        chain = [chain[0], *chain[1 - MAX_CHAIN :]]
    if chain:
        mail["References"] = " ".join(chain)


def _id(value: str) -> str:
    """The id in brackets; empty for none and for those of mails that had none (`hash:…`)."""
    name = re.sub(r"[\s<>]", "", value)
    if not name or not name.isascii() or name.startswith(("hash:", "long:")) or not name.isprintable():
        return ""
    return f"<{name}>"


def _enclose(mail: EmailMessage, source: str, files: Sequence[Enclosure]) -> None:
    shown = [file for file in files if file.content_id and f"cid:{file.content_id}" in source]
    body = mail.get_body(("html",))
    for file in shown:
        maintype, subtype = _type(file.content_type)
        name = one_line(file.filename, 200) or "image"
        cid = f"<{one_line(file.content_id, 200)}>"
        assert isinstance(body, EmailMessage)
        body.add_related(file.content, maintype, subtype, cid=cid, filename=name, disposition="inline")
    for file in files:
        if file not in shown:
            maintype, subtype = _type(file.content_type)
            mail.add_attachment(file.content, maintype, subtype, filename=one_line(file.filename, 200) or "file")


def _type(content_type: str) -> tuple[str, str]:
    """Main and sub type; what is no such thing, or would need taking apart, is plain bytes."""
    value = content_type.strip().lower()
    if not TYPE.match(value) or value.startswith(("message/", "multipart/")):
        return "application", "octet-stream"
    maintype, _, subtype = value.partition("/")
    return maintype, subtype
