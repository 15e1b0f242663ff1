"""What every Zalo event holds, whichever it is: its name, its people, its moment. Pure; numbers stay as they came."""

import json
import re
from datetime import UTC, datetime
from typing import Any

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
_EARLIEST = datetime(2012, 8, 1, tzinfo=UTC)  # there was no Zalo before
# Events that speak of what our side did: the account is the sender.
_FROM_US = re.compile(r"oa_|user_received_message$|user_seen_message$")
ANONYMOUS = "anonymous:"


def opened(raw: bytes) -> dict[str, Any]:
    """The event's JSON object with every number as the text it was sent as; raises ValueError for anything else.

    Ids are longer than a float is exact, and the signature covers the very digits of the timestamp.
    """
    try:
        value = json.loads(raw, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def part(event: Any, *path: str) -> Any:
    """What lies at this path; None where there is nothing."""
    for key in path:
        event = event.get(key) if isinstance(event, dict) else None
    return event


def ident(value: Any) -> str:
    """An id as text; empty where there is none that could be one."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def name_of(event: dict[str, Any]) -> str:
    """The kind of event; empty where it says none."""
    return ident(event.get("event_name"))


def is_from_us(event: dict[str, Any]) -> bool:
    """Whether the Official Account is the sender of this event."""
    return bool(_FROM_US.match(name_of(event)))


def account_of(event: dict[str, Any]) -> str:
    """The id of the Official Account it is for; empty where it names none."""
    side = "sender" if is_from_us(event) else "recipient"
    return ident(event.get("oa_id")) or ident(part(event, side, "id"))


def person_of(event: dict[str, Any]) -> str:
    """The id of the customer it is about, unique within the account; empty where it is about nobody."""
    name = name_of(event)
    if "_group" in name:
        found = "" if is_from_us(event) else ident(part(event, "sender", "id"))
    elif is_from_us(event):
        found = ident(part(event, "recipient", "id"))
    else:
        found = (
            ident(part(event, "follower", "id")) or ident(event.get("user_id")) or ident(part(event, "sender", "id"))
        )
    if not found or found == account_of(event):
        return ""
    return f"{ANONYMOUS}{found}" if "anonymous_" in name else found


def line_of(event: dict[str, Any]) -> str:
    """The key of the customer's line: who has no Zalo account is known for one conversation only."""
    person = person_of(event)
    talk = ident(part(event, "message", "conversation_id"))
    return f"{person}:{talk}" if person.startswith(ANONYMOUS) and talk else person


def key_of(event: dict[str, Any]) -> str:
    """What tells this event from every other, the same when Zalo repeats it; empty where nothing does."""
    name, message = name_of(event), event.get("message")
    msg_id = ident(part(message, "msg_id"))
    moment = ident(event.get("timestamp"))
    seen = part(message, "msg_ids")
    if name == "user_reacted_message" and msg_id:
        return f"{name}:{msg_id}:{moment}"
    if msg_id:
        return f"{name}:{msg_id}"
    if isinstance(seen, list) and seen:
        return ":".join([name, *(ident(one) for one in seen)])
    person = person_of(event)
    return f"{name}:{person}:{moment}" if name and person and moment else ""


def moment_of(event: dict[str, Any], latest: datetime) -> datetime:
    """When it happened by the provider's clock, never after `latest`; that where it says nothing sensible."""
    said = event.get("timestamp")
    if not isinstance(said, str) or not re.fullmatch(r"[0-9]{9,14}", said):
        return latest
    seconds = int(said) / (1000 if len(said) > 11 else 1)
    at = datetime.fromtimestamp(seconds, UTC)
    return min(at, latest) if at >= _EARLIEST else latest
