"""One call of WhatsApp's as its several things, each with all of the envelope that reading it needs, pure."""

from collections.abc import Iterator
from typing import Any

from channels_app.adapters.base import digest, dumped, loaded
from channels_app.adapters.whatsapp.values import identifier, items, mapping, mappings
from channels_app.contracts import Item

# An item's raw bytes: {waba, phone, field, contact?} and one of message, echo, status, error, value, whole.


def split(body: bytes) -> list[Item]:
    """One item for each message, echo, receipt and error, in order; raises ValueError where it is no such call."""
    call = loaded(body)
    if not isinstance(call, dict) or call.get("object") != "whatsapp_business_account":
        raise ValueError("no call of WhatsApp's")
    if not isinstance(call.get("entry"), list):
        raise ValueError("nothing in it")
    try:
        return [item for entry in call["entry"] for item in _entry(entry)]
    except RecursionError:
        raise ValueError("nested too deeply") from None


def identify(raw: bytes) -> str:
    """The dedupe key of an item's raw bytes, the same that `split` gave it; never empty."""
    try:
        wrapped = mapping(loaded(raw))
    except ValueError:
        return digest(raw)
    return _key(wrapped) or digest(raw)


def _entry(entry: Any) -> Iterator[Item]:
    waba = identifier(mapping(entry).get("id"))
    changes = mapping(entry).get("changes")
    if not isinstance(changes, list):
        yield _item({"waba": waba, "phone": "", "field": "", "whole": entry})
        return
    for change in changes:
        field, value = identifier(mapping(change).get("field")), mapping(change).get("value")
        if not isinstance(value, dict):
            yield _item({"waba": waba, "phone": "", "field": field, "whole": change})
            continue
        phone = identifier(mapping(value.get("metadata")).get("phone_number_id"))
        yield from _change({"waba": waba, "phone": phone, "field": field}, value, entry)


def _change(base: dict[str, Any], value: dict[str, Any], entry: dict[str, Any]) -> Iterator[Item]:
    """What one change brings. What is of no kind we take apart goes on whole, so that nothing is lost."""
    contacts = _Contacts(mappings(value.get("contacts")), items(value.get("messages")))
    found = False
    for message in items(value.get("messages")):
        found = True
        yield _item(base | {"contact": contacts.of(message), "message": message})
    for echo in items(value.get("message_echoes")):
        found = True
        yield _item(base | {"contact": contacts.of(echo, "to"), "echo": echo})
    for kind, several in (("status", "statuses"), ("error", "errors")):
        for one in items(value.get(several)):
            found = True
            # An error without a time of its own would be the same error for ever.
            yield _item(base | {kind: one} | ({"time": entry.get("time")} if kind == "error" else {}))
    if not found:
        yield _item(base | {"value": value, "time": entry.get("time")})


def _item(wrapped: dict[str, Any]) -> Item:
    raw = dumped(wrapped)
    return Item(external_id=_key(wrapped) or digest(raw), raw=raw, account=wrapped["phone"])


def _key(wrapped: dict[str, Any]) -> str:
    """By the provider's own id; empty for what has none."""
    for kind in ("message", "echo"):
        if own := identifier(mapping(wrapped.get(kind)).get("id")):
            return own
    status = mapping(wrapped.get("status"))
    own, state = identifier(status.get("id")), identifier(status.get("status"))
    if not own or not state:
        return ""
    members = ("recipient_participant_user_id", "recipient_participant_id")  # a group has a receipt of each
    member = next(filter(None, (identifier(status.get(name)) for name in members)), "")
    return ":".join(part for part in (own, state, member) if part)


class _Contacts:
    """Who the senders of one change are: each message is given its own contact only, never somebody else's."""

    def __init__(self, contacts: list[dict[str, Any]], messages: list[Any]) -> None:
        self.by_user = {identifier(one.get("user_id")): one for one in contacts}
        self.by_number = {identifier(one.get("wa_id")): one for one in contacts}
        named = [mapping(one) for one in messages]
        senders = {(identifier(one.get("from_user_id")), identifier(one.get("from"))) for one in named}
        self.only = contacts[0] if len(contacts) == 1 and len(senders) == 1 else {}

    def of(self, message: Any, side: str = "from") -> dict[str, Any]:
        """The contact with the message's user id or number; an only contact where nothing speaks against it."""
        message = mapping(message)
        user, number = identifier(message.get(f"{side}_user_id")), identifier(message.get(side))
        known = (user and self.by_user.get(user)) or (number and self.by_number.get(number)) or self.only
        for own, theirs in ((user, identifier(known.get("user_id"))), (number, identifier(known.get("wa_id")))):
            if own and theirs and own != theirs:
                return {}
        return known
