"""What a system of the shop's own says, as what it means: pure."""

import base64
import math
import unicodedata
from datetime import datetime
from typing import Any

import phonenumbers
from django.utils.translation import gettext_noop

from channels_app.adapters.base import digest, dumped, read
from channels_app.contracts import (
    Address,
    Arrival,
    ContactChange,
    Edit,
    File,
    InboundItem,
    NewMessage,
    Reaction,
    Receipt,
    RemoteFile,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp
from helpdesk.core.text import short_id

KIND = "open_api"
STATES = ("sent", "delivered", "read", "failed")
CHANGES = ("followed", "unfollowed", "blocked", "unblocked", "opted_out", "opted_in")
MAX_FILES = 20
EPOCH = 1970  # nobody wrote before; the database could not give back what a clock far off would say
HOME = "VN"  # whose numbers are written without a country


def event_id(event: object, call_id: str, place: int) -> str:
    """The dedupe key of one event: a message's own id; for what happens to a message, the call it came with.

    call_id: the id under which the caller repeats one call, empty when it has none.
    """
    if isinstance(event, dict) and event.get("type", "message") == "message" and (own := word(event, "external_id")):
        return own
    return digest(dumped([call_id, place] if call_id else event))


def items(arrival: Arrival) -> tuple[InboundItem, ...]:
    """One event of an own system. Raises GiveUp when it names nobody it is from, or no message it is about."""
    event = read(arrival.raw)
    kind = event.get("type", "message")
    if kind == "receipt":
        return (_receipt(event, arrival),)
    sender = _sender(event, arrival)
    about = word(event, "external_id")
    at = _moment(event.get("occurred_at"), arrival)
    line = sender.value
    if kind not in ("message", "edit", "unsend", "reaction", "contact"):
        what = str(kind)[:60] if isinstance(kind, str) else "?"
        return (Unknown(external_id=arrival.external_id, thread_key=line, sender=sender, occurred_at=at, what=what),)
    if kind == "contact":
        return (_contact(event, sender, at),)
    if not about:
        raise GiveUp(gettext_noop("not readable: no external_id"))
    if kind == "edit":
        number = event.get("number")
        counted = number if type(number) is int and 0 <= number < 2**31 else 0
        return (Edit(external_id=about, thread_key=line, occurred_at=at, text=_text(event), number=counted),)
    if kind == "unsend":
        return (Unsend(external_id=about, thread_key=line, occurred_at=at),)
    if kind == "reaction":
        emoji = word(event, "emoji")[:40]
        return (Reaction(external_id=about, thread_key=line, sender=sender, occurred_at=at, emoji=emoji),)
    return (_message(event, about, sender, at),)


def word(holder: dict[str, Any], name: str) -> str:
    """A short text or an id; a whole number is taken as its digits, anything else as nothing."""
    value = holder.get(name)
    if type(value) is int:
        return str(value) if abs(value) < 10**40 else ""
    return value.strip() if isinstance(value, str) else ""


def _message(event: dict[str, Any], about: str, sender: Address, at: datetime) -> NewMessage:
    files, remote = _files(event.get("attachments"))
    text = _text(event)
    return NewMessage(
        external_id=about,
        thread_key=sender.value,
        sender=sender,
        occurred_at=at,
        subject=unicodedata.normalize("NFC", word(event, "subject"))[:250],
        text=text,
        text_full=text,
        files=files,
        remote=remote,
        also_known=_also_known(event["sender"]),
        quotes=word(event, "quotes"),
        details=_details(event),
    )


def _sender(event: dict[str, Any], arrival: Arrival) -> Address:
    given = event.get("sender")
    value = word(given, "id") if isinstance(given, dict) else ""
    if not isinstance(given, dict) or not value:
        raise GiveUp(gettext_noop("not readable: no sender with an id"))
    name = unicodedata.normalize("NFC", word(given, "name"))[:200]
    return Address(
        kind=KIND, value=short_id(value), scope=str(arrival.channel_id), name=name, verified=True, evidence=KIND
    )


def _also_known(sender: dict[str, Any]) -> tuple[Address, ...]:
    """The sender's mail address and number: proved by the system's word, unless it says that it only heard of them."""
    vouched = sender.get("verified", True) is True
    evidence = KIND if vouched else ""
    found = []
    if "@" in (email := word(sender, "email")):
        found.append(Address(kind="email", value=email.lower()[:254], verified=vouched, evidence=evidence))
    if phone := word(sender, "phone"):
        value = _e164(phone)
        vouched = vouched and bool(value)  # what is no number proves nothing
        evidence = KIND if vouched else ""
        found.append(Address(kind="phone", value=value or phone[:40], verified=vouched, evidence=evidence))
    return tuple(found)


def _e164(phone: str) -> str:
    """The number with its country; empty when it cannot be one."""
    try:
        number = phonenumbers.parse(phone[:40], HOME)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _files(given: object) -> tuple[tuple[File, ...], tuple[RemoteFile, ...]]:
    here: list[File] = []
    there: list[RemoteFile] = []
    for one in given[:MAX_FILES] if isinstance(given, list) else ():
        if not isinstance(one, dict):
            continue
        name, content_type = word(one, "filename")[:255], word(one, "content_type")[:120]
        url, content = word(one, "url"), one.get("content")
        if isinstance(content, str) and content:
            kept = File(filename=name or "file", content_type=content_type, content=_decoded(content))
            here.append(kept)
        elif url.startswith(("https://", "http://")) and len(url) <= 2000:
            source = {"url": url}
            there.append(RemoteFile(source=source, kind=_kind(content_type), filename=name, content_type=content_type))
    return tuple(here), tuple(there)


def _decoded(content: str) -> bytes:
    """The bytes behind base64; what is no base64 is kept as it stands, so that nothing is lost."""
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        return content.encode("utf-8", "replace")


def _kind(content_type: str) -> str:
    first = content_type.split("/")[0].lower()
    return first if first in ("image", "video", "audio") else "file"


def _details(event: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    choice, place = event.get("choice"), event.get("location")
    if isinstance(choice, dict) and (title := word(choice, "title") or word(choice, "payload")):
        found["choice"] = {"title": title[:200], "payload": word(choice, "payload")[:1000]}
    if isinstance(place, dict):
        latitude, longitude = _degrees(place.get("latitude"), 90), _degrees(place.get("longitude"), 180)
        if latitude is not None and longitude is not None:
            name, address = word(place, "name")[:200], word(place, "address")[:500]
            found["location"] = {"latitude": latitude, "longitude": longitude, "name": name, "address": address}
    return found


def _degrees(value: object, most: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= most and math.isfinite(value) else None


def _receipt(event: dict[str, Any], arrival: Arrival) -> Receipt:
    state, ours, theirs = word(event, "state"), word(event, "id"), word(event, "reference")
    if state not in STATES:
        raise GiveUp(gettext_noop("not readable: no such state"))
    at = _moment(event.get("occurred_at"), arrival)
    reason = word(event, "reason")[:500]
    if ours or theirs:
        return Receipt(reference=theirs, our_key=ours, state=state, reason=reason, occurred_at=at)
    if "up_to" not in event:
        raise GiveUp(gettext_noop("not readable: the receipt names nothing"))
    line, until = _sender(event, arrival).value, _moment(event["up_to"], arrival)
    return Receipt(reference="", state=state, reason=reason, occurred_at=at, thread_key=line, up_to=until)


def _contact(event: dict[str, Any], sender: Address, at: datetime) -> ContactChange:
    what = word(event, "what")
    if what not in CHANGES:
        raise GiveUp(gettext_noop("not readable: no such change"))
    return ContactChange(thread_key=sender.value, sender=sender, occurred_at=at, what=what)


def _text(event: dict[str, Any]) -> str:
    value = event.get("text")
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else ""


def _moment(value: object, arrival: Arrival) -> datetime:
    """The moment it happened; when it came in, where that is not said, not readable or still to be."""
    if not isinstance(value, str):
        return arrival.received_at
    try:
        at = datetime.fromisoformat(value.strip())
        is_sane = at.tzinfo is not None and at.year > EPOCH
        return min(at, arrival.received_at) if is_sane else arrival.received_at
    except (ValueError, OverflowError):
        return arrival.received_at
