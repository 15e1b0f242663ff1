"""What a visitor can do: begin, say something, send a file, read, leave an e-mail address."""

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from channels_app import chatlines, inbound, media, outbound, ports
from channels_app.contracts import ChannelRef, Receipt
from channels_app.models import ChatLine, Media, Thread, Visitor
from channels_app.webchat import proofs, queries, tokens
from channels_app.webchat.errors import WrongProof
from helpdesk.core import realtime
from helpdesk.core.errors import Invalid, TooLarge

MAX_TEXT = 10_000
MAX_READ_AT_ONCE = 200
_CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A visitor's way in. `last_seq` and `seen_seq` are line numbers."""

    token: str
    thread_id: int
    last_seq: int
    seen_seq: int
    email: str  # where answers go when they have left; empty when nobody proved one


def group(thread_id: int) -> str:
    """The group of a visitor's own screens."""
    return f"chat.{thread_id}"


def open_session(
    *,
    channel: ChannelRef,
    person: proofs.Person | None = None,
    proof: str = "",
    token: str = "",
    language: str = "",
) -> Session:
    """A token for a thread: the signed person's, else the one an old token names, else a new visitor's.

    Without proof what is said of the person is a claim: the name is shown, the addresses join nobody.
    Raises WrongProof, NoVisitor.
    """
    signed = person is not None and bool(proof)
    if (
        person is not None
        and signed
        and not proofs.holds(person, proof, str(channel.secrets.get("identity_secret", "")))
    ):
        raise WrongProof
    with transaction.atomic():
        if person is not None and signed:
            thread = _thread(channel, f"u:{person.id}")
        elif token:
            thread = Thread.objects.get(pk=queries.thread_for(channel, token))
        else:
            thread = _thread(channel, f"v:{secrets.token_urlsafe(24)}")
        visitor = Visitor.objects.get_or_create(thread=thread)[0]
        thread.visitor = visitor
        _remember(thread, visitor, person, signed=signed, language=language)
    return Session(
        token=tokens.make(channel.id, thread.pk),
        thread_id=thread.pk,
        last_seq=thread.last_seq,
        seen_seq=visitor.seen_seq,
        email=queries.mail_address(thread),
    )


def say(
    *, channel: ChannelRef, thread_id: int, client_id: str, text: str, attachments: list[object]
) -> tuple[ChatLine, bool]:
    """One line of the visitor, kept and on its way to the desk when this returns. False: it was there already.

    The line and its receipt commit together. Raises Invalid.
    """
    if not _CLIENT_ID.fullmatch(client_id):
        raise Invalid(fields={"client_id": "not_a_uuid"})
    if len(text) > MAX_TEXT:
        raise Invalid(fields={"text": "too_long"})
    text = text.replace("\x00", "").strip()
    if not text and not attachments:
        raise Invalid(fields={"text": "empty"})
    with transaction.atomic():
        files = queries.uploads(thread_id, attachments)
        line, fresh = chatlines.append(
            thread_id=thread_id,
            client_id=client_id.lower(),
            direction="in",
            author="",
            text=text,
            files=lambda: [chatlines.file_entry(file) for file in files],
        )
        if fresh:
            thread = Thread.objects.select_related("visitor").get(pk=thread_id)
            raw = _receipt(thread, line, files)
            inbound.accept(channel.id, f"{thread.key}:{line.client_id}", raw)
            _read(thread_id, line.seq - 1)  # whoever answers has read
    if fresh:
        realtime.send(group(thread_id), {"type": "line", "seq": line.seq})
    return line, fresh


def keep_file(*, thread_id: int, content: bytes, filename: str, content_type: str) -> Media:
    """A file of the visitor, not yet said. Raises TooLarge, Invalid."""
    if len(content) > settings.ATTACHMENT_MAX_BYTES:
        raise TooLarge
    if not content:
        raise Invalid(fields={"file": "empty"})
    owner = f"thread:{thread_id}"
    return media.keep(content=content, filename=filename, content_type=content_type, owner=owner)


def connected(*, thread_id: int) -> None:
    """A screen of the visitor is open now."""
    Thread.objects.filter(pk=thread_id).update(seen_at=now())


def read_up_to(*, thread_id: int, seq: int) -> None:
    """The visitor has the lines up to this one before their eyes; the agent's ticks say so."""
    with transaction.atomic():
        _read(thread_id, seq)


def types(*, thread_id: int) -> None:
    """The visitor is writing."""
    ports.desk().visitor_types(thread_id=thread_id)


def leave_email(*, thread_id: int, email: str, language: str) -> None:
    """Send a code to the address the visitor gives. Nothing is joined yet. Raises Invalid, TooMany."""
    ports.desk().send_code(visitor=queries.visitor_address(thread_id), email=email, language=language)


def confirm_email(*, thread_id: int, email: str, code: str) -> str:
    """The code came back: answers reach the visitor by mail from now on. Raises Invalid, TooMany."""
    ports.desk().confirm_code(visitor=queries.visitor_address(thread_id), email=email, code=code)
    return queries.mail_address(Thread.objects.select_related("visitor").get(pk=thread_id))


def _thread(channel: ChannelRef, key: str) -> Thread:
    """A visitor's line. Its address is its key: whoever holds the token reads there."""
    return Thread.objects.get_or_create(channel_id=channel.id, key=key, defaults={"address": key})[0]


def _remember(thread: Thread, visitor: Visitor, person: proofs.Person | None, *, signed: bool, language: str) -> None:
    if person is not None:
        if person.name and person.name != thread.name:
            thread.name = person.name[:200]
            thread.save(update_fields=["name"])
        found = [{"kind": "email", "value": person.email}, {"kind": "phone", "value": person.phone}]
        given = [entry for entry in found if entry["value"]]
        if signed:
            visitor.proved = [{"kind": "host", "value": person.id}, *given]
        else:
            visitor.claimed = given
    visitor.language = language or visitor.language
    visitor.save(update_fields=["proved", "claimed", "language"])


def _receipt(thread: Thread, line: ChatLine, files: list[Media]) -> bytes:
    """What the adapter reads: this line, and who the host site says its writer is."""
    visitor = thread.visitor
    known: list[dict[str, Any]] = [
        entry
        | {"verified": True, "evidence": "host-signature"}
        | ({"scope": str(thread.channel_id)} if entry["kind"] == "host" else {})
        for entry in visitor.proved
    ]
    known += [entry | {"verified": False} for entry in visitor.claimed if not visitor.proved]
    return json.dumps(
        {
            "thread_key": thread.key,
            "client_id": line.client_id,
            "text": line.text,
            "at": line.created_at.isoformat(),
            "name": thread.name,
            "files": [str(file.pk) for file in files],
            "also_known": known,
            "signed": bool(visitor.proved),
        },
        ensure_ascii=False,
    ).encode()


def _read(thread_id: int, seq: int) -> None:
    """Move the mark of what was read forwards, never beyond what there is."""
    locked = Visitor.objects.select_for_update(of=("self",)).select_related("thread")
    visitor = locked.filter(pk=thread_id).first()
    if visitor is None:
        return
    before, seq = visitor.seen_seq, min(seq, visitor.thread.last_seq)
    if seq <= before:
        return
    visitor.seen_seq = seq
    answers = ChatLine.objects.filter(thread_id=thread_id, direction="out")
    if not answers.filter(seq__gt=seq).exists():
        visitor.mail_due_at = None
    visitor.save(update_fields=["seen_seq", "mail_due_at"])
    newly = answers.filter(seq__gt=before, seq__lte=seq).order_by("-seq")
    for number in newly.values_list("seq", flat=True)[:MAX_READ_AT_ONCE]:
        outbound.report(Receipt(reference=f"chat:{thread_id}:{number}", state="read"))


def media_entry(media_row: Media, channel_id: UUID) -> dict[str, Any]:
    """An upload as the widget gets it."""
    return queries.file_as_seen(chatlines.file_entry(media_row), channel_id)
