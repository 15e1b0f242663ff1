"""What an item of WhatsApp's says: messages, echoes, edits, unsends, reactions, moves and receipts, pure."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.base import digest, read
from channels_app.adapters.whatsapp import refusals
from channels_app.adapters.whatsapp.content import Content, circumstances, content
from channels_app.adapters.whatsapp.people import GROUP, Person, digits, person
from channels_app.adapters.whatsapp.values import identifier, mapping, mappings, moment, words
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

UNREADABLE = gettext_noop("WhatsApp sent something that cannot be read")
ELSEWHERE = gettext_noop("this is for another WhatsApp number, which no channel here has")
NOBODY = gettext_noop("WhatsApp does not say who this is from")
# Kept, and nothing to show on any ticket: news of the account itself, old talks of the app, wishes about marketing.
QUIET = frozenset({
    "account_review_update", "business_capability_update", "business_status_update", "flows", "history",
    "message_template_components_update", "message_template_quality_update", "message_template_status_update",
    "phone_number_name_update", "phone_number_quality_update", "security", "smb_app_state_sync",
    "template_category_update", "user_preferences",
})  # fmt: skip
# A message that nobody typed: the chat was opened, or WhatsApp says that an encryption key changed.
SILENT_TYPES = frozenset({"request_welcome"})
SILENT_SYSTEM = frozenset({"customer_identity_changed", "user_identity_changed"})
MOVED = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
STATES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}


def parse(arrival: Arrival) -> tuple[InboundItem, ...]:
    """What it says; raises GiveUp where nothing can be shown of it, and nothing else whatever came."""
    item = read(arrival.raw)
    phone = identifier(item.get("phone"))
    if phone and phone != arrival.channel_address:
        raise GiveUp(ELSEWHERE)
    scope = (identifier(item.get("waba")) or identifier(arrival.config.get("waba_id")) or arrival.channel_address)[:80]
    contact = mapping(item.get("contact"))
    if isinstance(message := item.get("message"), dict):
        return _message(arrival, message, person(message, contact, scope))
    if isinstance(echo := item.get("echo"), dict):
        return _echo(arrival, echo, person(echo, contact, scope, side="to"))
    if isinstance(status := item.get("status"), dict):
        ids = {"from": status.get("recipient_id"), "from_user_id": status.get("recipient_user_id")}
        return _status(arrival, status, person(ids, {}, scope))
    if isinstance(error := item.get("error"), dict):
        raise GiveUp(refusals.said(error) or refusals.REFUSED)
    return _change(arrival, item, scope)


def _message(arrival: Arrival, message: dict[str, Any], sender: Person) -> tuple[InboundItem, ...]:
    if not sender.key:
        raise GiveUp(NOBODY)
    kind, part = identifier(message.get("type")), mapping(message.get(identifier(message.get("type"))))
    line, at = _line(message, sender), moment(message.get("timestamp"), arrival.received_at)
    if kind == "reaction" and (of := identifier(part.get("message_id"))):
        emoji = words(part.get("emoji"))[:64]
        return (Reaction(external_id=of, thread_key=line, sender=sender.address, occurred_at=at, emoji=emoji),)
    if changed := _changed(kind, part, line, arrival, message):
        return (changed,)
    if kind in SILENT_TYPES:
        return ()
    if kind == "system":
        return _system(arrival, message, part, sender)
    said = content(message)
    if said is None:
        return (_unknown(arrival, identifier(message.get("id")), line, sender.address, at, kind or "?"),)
    return (_new(arrival, message, sender, line, said),)


def _new(arrival: Arrival, message: dict[str, Any], sender: Person, line: str, said: Content) -> NewMessage:
    return NewMessage(
        external_id=identifier(message.get("id")) or digest(arrival.raw),
        thread_key=line,
        sender=sender.address,
        also_known=sender.also_known,
        occurred_at=moment(message.get("timestamp"), arrival.received_at),
        text=said.text,
        text_full=said.text,
        remote=said.remote,
        details=said.details | circumstances(message),
        quotes=identifier(mapping(message.get("context")).get("id")),
    )


def _changed(
    kind: str, part: dict[str, Any], line: str, arrival: Arrival, message: dict[str, Any]
) -> Edit | Unsend | None:
    """An edit or a taking back, by the customer or in the Business app; None for anything else."""
    original = identifier(part.get("original_message_id"))
    if kind not in ("edit", "revoke") or not original:
        return None
    at = moment(message.get("timestamp"), arrival.received_at)
    if kind == "revoke":
        return Unsend(external_id=original, thread_key=line, occurred_at=at)
    now = content(mapping(part.get("message")))
    return Edit(external_id=original, thread_key=line, occurred_at=at, text=now.text) if now else None


def _system(arrival: Arrival, message: dict[str, Any], part: dict[str, Any], sender: Person) -> tuple[InboundItem, ...]:
    """What WhatsApp itself says in a talk: mostly that somebody is now at another number."""
    kind, at = identifier(part.get("type")), moment(message.get("timestamp"), arrival.received_at)
    if kind in SILENT_SYSTEM:
        return ()
    number = digits(part.get("wa_id")) or digits(part.get("new_wa_id"))
    now = person({"from": number, "from_user_id": part.get("user_id")}, {}, sender.scope)
    if kind in MOVED and now.key and now.key != sender.key:
        return (_moved(sender, now, at),)
    what = f"system {kind}".strip()
    return (_unknown(arrival, identifier(message.get("id")), _line(message, sender), sender.address, at, what),)


def _moved(before: Person, now: Person, at: Any) -> ContactChange:
    details: dict[str, object] = {"number": f"+{now.number}"} if now.number else {}
    return ContactChange(
        thread_key=before.key, sender=before.address, occurred_at=at, what="moved", now=now.address, details=details
    )


def _echo(arrival: Arrival, echo: dict[str, Any], to: Person) -> tuple[InboundItem, ...]:
    """Typed in the Business app on the shop's own phone."""
    if not to.key:
        raise GiveUp(NOBODY)
    kind, part = identifier(echo.get("type")), mapping(echo.get(identifier(echo.get("type"))))
    line = _line(echo, to)
    if changed := _changed(kind, part, line, arrival, echo):
        return (changed,)
    said, quotes = content(echo), identifier(mapping(echo.get("context")).get("id"))
    if kind == "reaction":
        said, quotes = Content(text=words(part.get("emoji"))), identifier(part.get("message_id"))
        if not said.text:
            return ()  # a reaction taken back: what was shown of it stays
    details: dict[str, object] = {"unsupported": True}
    return (
        Echo(
            external_id=identifier(echo.get("id")) or digest(arrival.raw),
            thread_key=line,
            to=to.address,
            occurred_at=moment(echo.get("timestamp"), arrival.received_at),
            text=said.text if said else "",
            remote=said.remote if said else (),
            details=said.details | circumstances(echo) if said else details,
            quotes=quotes,
            author="WhatsApp Business",
        ),
    )


def _status(arrival: Arrival, status: dict[str, Any], recipient: Person) -> tuple[InboundItem, ...]:
    """What became of a message of ours. In a group each member has a receipt: the furthest one stands."""
    reference, state = identifier(status.get("id")), STATES.get(identifier(status.get("status")), "")
    at = moment(status.get("timestamp"), arrival.received_at)
    if identifier(status.get("status")) == "deleted":
        return ()  # the customer removed it from their own phone; it was read or it was not
    if not reference or not state:
        if not recipient.key:
            raise GiveUp(UNREADABLE)
        what = f"status {identifier(status.get('status'))}".strip()
        return (_unknown(arrival, "", recipient.key, recipient.address, at, what),)
    if state == "failed" and identifier(status.get("recipient_type")) == "group":
        members = ("recipient_participant_id", "recipient_participant_user_id")
        if any(identifier(status.get(name)) for name in members):
            return ()  # one member was not reached: the others were
    reason, is_stopped = refusals.told(status) if state == "failed" else ("", False)
    return (
        Receipt(
            reference=reference,
            state=state,
            reason=reason,
            recipient=recipient.key,
            occurred_at=at,
            our_key=identifier(status.get("biz_opaque_callback_data")),
            stops_channel=is_stopped,
        ),
    )


def _change(arrival: Arrival, item: dict[str, Any], scope: str) -> tuple[InboundItem, ...]:
    """What came without a message: a new user id, news of the account, or nothing we know."""
    field, value = identifier(item.get("field")), mapping(item.get("value"))
    if field == "user_id_update":
        moved = [_renamed(arrival, one, scope) for one in mappings(value.get("user_id_update"))]
        return tuple(one for one in moved if one)
    if field in QUIET or (field == "messages" and item.get("value") is not None):
        return ()
    raise GiveUp(UNREADABLE)


def _renamed(arrival: Arrival, update: dict[str, Any], scope: str) -> ContactChange | None:
    ids = mapping(update.get("user_id"))
    number = digits(update.get("wa_id"))
    before = person({"from_user_id": ids.get("previous")}, {}, scope)
    now = person({"from": number, "from_user_id": ids.get("current")}, {}, scope)
    if not before.key or not now.key or before.key == now.key:
        return None
    return _moved(before, now, moment(update.get("timestamp"), arrival.received_at))


def _line(message: dict[str, Any], somebody: Person) -> str:
    group = identifier(message.get("group_id"))
    return GROUP + group if group else somebody.key


def _unknown(arrival: Arrival, external_id: str, line: str, sender: Address, at: Any, what: str) -> Unknown:
    return Unknown(
        external_id=external_id or digest(arrival.raw), thread_key=line, sender=sender, occurred_at=at, what=what[:100]
    )
