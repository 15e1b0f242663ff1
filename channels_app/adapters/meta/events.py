"""What an event of Messenger or Instagram says, as the desk understands it: nobody is asked, nothing is kept."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.base import read as read_raw
from channels_app.adapters.meta import comments, content
from channels_app.adapters.meta.content import ident, moment, obj, words
from channels_app.adapters.meta.split import COMMENTS
from channels_app.contracts import (
    Address,
    Arrival,
    ContactChange,
    Echo,
    Edit,
    InboundItem,
    NewMessage,
    Reaction,
    Receipt,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp

# Words for reactions of old applications, which name no emoji.
_EMOJI = {"love": "❤", "smile": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "like": "👍", "dislike": "👎"}
# Said of every conversation and of no message: who may answer, what a test of theirs does.
_FRAME = {"sender", "recipient", "timestamp", "hop_context", "prior_message", "is_self"}


class Line:
    """Whose event it is: the customer on one side, our page or account on the other."""

    def __init__(self, arrival: Arrival, kind: str, event: dict[str, Any]) -> None:
        sender, recipient = ident(obj(event.get("sender")).get("id")), ident(obj(event.get("recipient")).get("id"))
        account = arrival.channel_address
        self.is_ours = sender == account or obj(event.get("message")).get("is_echo") is True
        self.person = recipient if self.is_ours else sender
        self.at: datetime = moment(event.get("timestamp"), arrival.received_at)
        self.sender = Address(kind=kind, value=self.person, scope=account)
        if not self.person or self.person == account or len(self.person) > 100:
            raise GiveUp(gettext_noop("it names nobody who could be answered"))


def parse(arrival: Arrival, kind: str) -> tuple[InboundItem, ...]:
    """Everything one item of a call says; nothing for what concerns no customer. Raises GiveUp when it is not for
    this channel or nothing at all can be read of it."""
    item = read_raw(arrival.raw)
    account = ident(item.get("id"))
    if not account:
        raise GiveUp(gettext_noop("it does not say for which page or account it is"))
    if account != arrival.channel_address:
        raise GiveUp(gettext_noop("it is for another page or account than this channel") + f": {account[:60]}")
    change = obj(item.get("change"))
    if change.get("field") in COMMENTS:
        return comments.parse(arrival, kind, obj(change.get("value")), item.get("time"))
    event = obj(item.get("event")) or obj(change.get("value"))
    if not event:
        raise GiveUp(gettext_noop("nothing can be read of it"))
    return _event(arrival, event, Line(arrival, kind, event))


def _event(arrival: Arrival, event: dict[str, Any], line: Line) -> tuple[InboundItem, ...]:
    for name, say in _SAYS.items():
        if about := obj(event.get(name)):
            return say(arrival, line, about)
    what = next((name for name in event if name not in _FRAME), "nothing")
    found = Unknown(
        external_id=arrival.external_id, thread_key=line.person, sender=line.sender, occurred_at=line.at, what=what[:60]
    )
    return (found,)


def _message(arrival: Arrival, line: Line, message: dict[str, Any]) -> tuple[InboundItem, ...]:
    mid = ident(message.get("mid")) or arrival.external_id
    if message.get("is_deleted") is True:
        return (Unsend(external_id=mid, thread_key=line.person, occurred_at=line.at),)
    found = content.read(message)
    if found.is_empty:
        found.details["unsupported"] = True
    if line.is_ours:
        return (_echo(arrival, line, mid, found, words(message.get("metadata"))),)
    return (_said(line, mid, found),)


def _said(line: Line, mid: str, found: content.Content) -> NewMessage:
    return NewMessage(
        external_id=mid,
        thread_key=line.person,
        sender=line.sender,
        occurred_at=line.at,
        text=found.text,
        text_full=found.text,
        remote=tuple(found.remote),
        details=found.details,
        quotes=found.quotes,
    )


def our_key(channel_id: object, idempotency_key: str) -> str:
    """What we give with every message: another desk, or another program on this page, has keys of its own."""
    return f"{channel_id}:{idempotency_key}"


def _echo(arrival: Arrival, line: Line, mid: str, found: content.Content, metadata: str) -> Echo:
    own = our_key(arrival.channel_id, "")
    return Echo(
        external_id=mid,
        thread_key=line.person,
        to=line.sender,
        occurred_at=line.at,
        text=found.text,
        remote=tuple(found.remote),
        details=found.details,
        quotes=found.quotes,
        our_key=metadata.removeprefix(own) if metadata.startswith(own) else "",
    )


def _postback(arrival: Arrival, line: Line, postback: dict[str, Any]) -> tuple[InboundItem, ...]:
    """A button was pressed: its title is what the customer says by it."""
    title, payload = words(postback.get("title")), words(postback.get("payload"))
    found = content.Content(text=title or payload, details={"choice": {"title": title, "payload": payload}})
    if led := content.referral(postback.get("referral")):
        found.details["referral"] = led
    return (_said(line, ident(postback.get("mid")) or arrival.external_id, found),)


def _reaction(arrival: Arrival, line: Line, reaction: dict[str, Any]) -> tuple[InboundItem, ...]:
    if line.is_ours:
        return ()
    emoji = words(reaction.get("emoji")) or _EMOJI.get(words(reaction.get("reaction")), "👍")
    found = Reaction(
        external_id=ident(reaction.get("mid")),
        thread_key=line.person,
        sender=line.sender,
        occurred_at=line.at,
        emoji="" if reaction.get("action") == "unreact" else emoji[:32],
    )
    if not found.external_id:
        raise GiveUp(gettext_noop("a reaction to no message"))
    return (found,)


def _edit(arrival: Arrival, line: Line, edit: dict[str, Any]) -> tuple[InboundItem, ...]:
    mid, number = ident(edit.get("mid")), edit.get("num_edit")
    if not mid:
        raise GiveUp(gettext_noop("an edit of no message"))
    counted = number if type(number) is int and 0 <= number < 1_000_000 else 0
    text = words(edit.get("text"))
    return (Edit(external_id=mid, thread_key=line.person, occurred_at=line.at, text=text, number=counted),)


def _read(arrival: Arrival, line: Line, receipt: dict[str, Any]) -> tuple[InboundItem, ...]:
    return _receipts(arrival, line, receipt, "read", [ident(receipt.get("mid"))])


def _delivery(arrival: Arrival, line: Line, receipt: dict[str, Any]) -> tuple[InboundItem, ...]:
    mids = receipt.get("mids")
    return _receipts(
        arrival, line, receipt, "delivered", [ident(mid) for mid in mids] if isinstance(mids, list) else []
    )


def _receipts(
    arrival: Arrival, line: Line, receipt: dict[str, Any], state: str, mids: list[str]
) -> tuple[InboundItem, ...]:
    """One for each message that is named, and one for all up to the watermark."""
    if line.is_ours:  # our own reading of theirs
        return ()
    named = [
        Receipt(reference=mid, state=state, thread_key=line.person, occurred_at=line.at)
        for mid in dict.fromkeys(mids)
        if mid
    ]
    if receipt.get("watermark") is not None:
        up_to = moment(receipt["watermark"], arrival.received_at)
        everything = Receipt(reference="", state=state, thread_key=line.person, up_to=up_to, occurred_at=line.at)
        return (*named, everything)
    return tuple(named)


def _referral(arrival: Arrival, line: Line, referral: dict[str, Any]) -> tuple[InboundItem, ...]:
    """Somebody who writes with us anyway followed a link or an advertisement here, and has said nothing yet."""
    return _opted_in(line, {"referral": content.referral(referral)})


def _optin(arrival: Arrival, line: Line, optin: dict[str, Any]) -> tuple[InboundItem, ...]:
    if optin.get("notification_messages_status") == "STOP_NOTIFICATIONS":
        return ()  # of advertisements, which we never send; they can be answered as before
    given = {
        "source": words(optin.get("type")) or "optin",
        "ref": words(optin.get("ref")) or words(optin.get("payload")),
    }
    title = words(optin.get("title"))
    return _opted_in(
        line, {"referral": {name: text[:1000] for name, text in (given | {"title": title}).items() if text}}
    )


def _opted_in(line: Line, details: dict[str, object]) -> tuple[InboundItem, ...]:
    found = ContactChange(
        thread_key=line.person, sender=line.sender, occurred_at=line.at, what="opted_in", details=details
    )
    return (found,)


_SAYS = {
    "message": _message,
    "postback": _postback,
    "reaction": _reaction,
    "message_edit": _edit,
    "read": _read,
    "delivery": _delivery,
    "referral": _referral,
    "optin": _optin,
}
