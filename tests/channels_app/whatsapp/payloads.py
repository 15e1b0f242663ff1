"""Payloads as WhatsApp sends them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from channels_app import registry
from channels_app.adapters.base import dumped
from channels_app.contracts import Arrival, Call, ChannelRef, InboundItem, Item

PHONE, WABA = "106540352242922", "102290129340398"
NUMBER, USER = "84912345678", "VN.13491208655302741918"
AT = datetime(2026, 11, 22, 8, 0, 3, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 8, 5, tzinfo=UTC)
REF = ChannelRef(
    id=UUID(int=7),
    kind="whatsapp",
    name="WhatsApp",
    address=PHONE,
    team_id=None,
    is_active=True,
    config={"phone_number_id": PHONE, "waba_id": WABA, "verify_token": "handshake"},
    secrets={"app_secret": "shh", "access_token": "EAA"},
)


def message(kind: str, part: Any = None, *, id: str = "wamid.HBgL1", **more: Any) -> dict[str, Any]:
    """One message of Hồng's, as in `messages[]`: by number and user id unless `more` says otherwise."""
    found = {"from": NUMBER, "from_user_id": USER, "id": id, "timestamp": str(int(AT.timestamp())), "type": kind}
    found |= {} if part is None else {kind: part}
    found |= more
    return {name: value for name, value in found.items() if value is not None}


def contact(**more: Any) -> dict[str, Any]:
    found = {"profile": {"name": "Trần Thị Hồng"}, "wa_id": NUMBER, "user_id": USER} | more
    return {name: value for name, value in found.items() if value is not None}


def value(*messages: Any, contacts: Any = None, phone: str = PHONE, **more: Any) -> dict[str, Any]:
    """The value of one change."""
    found: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "842873001234", "phone_number_id": phone},
    }
    if messages:
        found |= {"contacts": [contact()] if contacts is None else contacts, "messages": list(messages)}
    return found | more


def call(*values: Any, field: str = "messages") -> dict[str, Any]:
    """One call with these changes."""
    changes = [{"field": field, "value": one} for one in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": WABA, "time": 1, "changes": changes}]}


def split(payload: Any) -> list[Item]:
    raw = payload if isinstance(payload, bytes) else dumped(payload)
    asked = Call(method="POST", url="https://desk.test/hooks/x/", headers={}, query={}, body=raw)
    return registry.adapter("whatsapp").split(REF, asked)  # type: ignore[attr-defined,no-any-return]


def arrival(item: Item, *, address: str = PHONE) -> Arrival:
    return Arrival(
        channel_id=REF.id,
        channel_address=address,
        external_id=item.external_id,
        raw=item.raw,
        meta={},
        received_at=LATER,
        config=dict(REF.config),
    )


def parsed(payload: Any) -> list[InboundItem]:
    """What everything in a call says."""
    return [one for item in split(payload) for one in registry.adapter("whatsapp").parse(arrival(item))]


def said(kind: str, part: Any = None, **more: Any) -> Any:
    """What the only message of a call says."""
    contacts = more.pop("contacts", None)
    [found] = parsed(call(value(message(kind, part, **more), contacts=contacts)))
    return found


def status(state: str, **more: Any) -> dict[str, Any]:
    found = {"id": "wamid.out1", "status": state, "timestamp": str(int(AT.timestamp())), "recipient_id": NUMBER}
    found |= {"recipient_user_id": USER, "biz_opaque_callback_data": "41"} | more
    return {name: one for name, one in found.items() if one is not None}


def told(state: str, **more: Any) -> Any:
    [found] = parsed(call(value(statuses=[status(state, **more)])))
    return found
