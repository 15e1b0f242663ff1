"""What Twilio's calls say, as what they mean: pure."""

import re
import unicodedata

from django.utils.translation import gettext_noop

from channels_app.adapters.base import dumped, read
from channels_app.adapters.sms import refusals
from channels_app.contracts import (
    Address,
    Arrival,
    ContactChange,
    InboundItem,
    Item,
    NewMessage,
    Receipt,
    RemoteFile,
    Unknown,
)
from helpdesk.core.errors import GiveUp
from helpdesk.core.text import short_id

KIND = "sms"
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
STATES = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
ON_ITS_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "partially_delivered"})
# What Twilio itself takes as an opt-out or its end, where the account decides nothing else. YES, CANCEL and END stand
# on its lists too, but they are answers of customers far more often.
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "UNSTOP"})
CHANGES = {"STOP": "opted_out", "START": "opted_in"}
MAX_FILES = 10


def item_of(params: dict[str, str], delivery: str) -> Item:
    """The one thing a call brings. delivery: our key in the address of a status callback. Raises ValueError."""
    about = params.get("MessageSid") or params.get("SmsSid") or params.get("SmsMessageSid") or ""
    if not about:
        raise ValueError("no MessageSid")
    status = _status(params)
    raw = dumped({"params": params, "delivery": delivery})
    return Item(external_id=f"{about}:{status}" if status else about, raw=raw)


def items(arrival: Arrival) -> tuple[InboundItem, ...]:
    """A message, a change of whether they may be written to, or what became of an answer. Raises GiveUp."""
    kept = read(arrival.raw)
    given = kept.get("params")
    params: dict[str, str] = {}
    if isinstance(given, dict):
        params = {name: value for name, value in given.items() if isinstance(value, str)}
    about, sender = params.get("MessageSid") or params.get("SmsSid") or "", params.get("From", "").strip()
    if not about:
        raise GiveUp(gettext_noop("not readable: no MessageSid"))
    if status := _status(params):
        return _receipt(params, about, status, str(kept.get("delivery") or ""), arrival)
    if not sender:
        raise GiveUp(gettext_noop("not readable: no sender"))
    known = bool(E164.fullmatch(sender))
    address = Address(
        kind="phone", value=short_id(sender), verified=known, evidence=KIND if known else ""
    )  # a name or a short code in place of a number proves nothing
    files = _files(params)
    if "Body" not in params and not files:
        what = params.get("EventType", "").strip()[:60] or "?"
        return (
            Unknown(external_id=about, thread_key=sender, sender=address, occurred_at=arrival.received_at, what=what),
        )
    return _message(params, about, address, files, arrival)


def _message(
    params: dict[str, str], about: str, address: Address, files: tuple[RemoteFile, ...], arrival: Arrival
) -> tuple[InboundItem, ...]:
    text = unicodedata.normalize("NFC", params.get("Body", ""))
    change = _change(params, text)
    line = params["From"].strip()
    message = NewMessage(
        external_id=about,
        thread_key=line,
        sender=address,
        occurred_at=arrival.received_at,
        text=text,
        text_full=text,
        remote=files,
        auto=change == "opted_out",  # a wish that no answer can follow
        auto_reason="opt-out" if change == "opted_out" else "",
    )
    if not change:
        return (message,)
    changed = ContactChange(thread_key=line, sender=address, occurred_at=arrival.received_at, what=change)
    return (message, changed)  # in this order: whoever writes can be reached, but for this


def _receipt(
    params: dict[str, str], about: str, status: str, delivery: str, arrival: Arrival
) -> tuple[InboundItem, ...]:
    state = STATES.get(status)
    if state is None:
        if status in ON_ITS_WAY:
            return ()
        raise GiveUp(gettext_noop("not readable: no such status") + f": {status[:60]}")
    code = refusals.number(params.get("ErrorCode"))
    receipt = Receipt(
        reference=about,
        state=state,
        reason=refusals.words(code) if state == "failed" else "",
        recipient=params.get("To", "")[:255],
        occurred_at=arrival.received_at,
        our_key=delivery if delivery.isascii() and delivery.isdecimal() and len(delivery) < 19 else "",
    )
    to = params.get("To", "").strip()
    if code != refusals.OPTED_OUT or not to:
        return (receipt,)
    gone = Address(kind="phone", value=short_id(to))
    return (
        receipt,
        ContactChange(thread_key=to, sender=gone, occurred_at=arrival.received_at, what="opted_out"),
    )


def _status(params: dict[str, str]) -> str:
    """What a status callback says; empty for a message that comes in, which has a status of its own."""
    status = (params.get("MessageStatus") or params.get("SmsStatus") or "").strip().lower()
    is_message = "Body" in params or params.get("NumMedia", "0").strip() not in ("", "0")
    return "" if is_message or status in ("received", "receiving") else status[:60]


def _change(params: dict[str, str], text: str) -> str:
    said = params.get("OptOutType", "").strip().upper()
    if said:
        return CHANGES.get(said, "")
    word = text.strip().strip(".!").upper()
    return "opted_out" if word in STOP else "opted_in" if word in START else ""


def _files(params: dict[str, str]) -> tuple[RemoteFile, ...]:
    count = params.get("NumMedia", "").strip()
    many = min(int(count), MAX_FILES) if count.isascii() and count.isdecimal() and len(count) < 4 else 0
    found = []
    for place in range(many):
        url, content_type = (
            params.get(f"MediaUrl{place}", "").strip(),
            params.get(f"MediaContentType{place}", "").strip(),
        )
        if url.startswith(("https://", "http://")) and len(url) <= 2000:
            first = content_type.split("/")[0].lower()
            kind = first if first in ("image", "video", "audio") else "file"
            found.append(RemoteFile(source={"url": url}, kind=kind, content_type=content_type[:120]))
    return tuple(found)
