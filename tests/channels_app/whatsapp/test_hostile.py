"""Whatever comes: taking a call apart fails by ValueError alone, reading an item by GiveUp alone."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app import contracts, registry
from channels_app.adapters.base import dumped
from channels_app.adapters.whatsapp import split as taking
from channels_app.contracts import InboundItem, Item
from helpdesk.core.errors import GiveUp
from helpdesk.core.text import storable
from tests.channels_app.whatsapp.payloads import NUMBER, PHONE, USER, WABA, arrival

ITEMS = tuple(
    getattr(contracts, name.strip()) for name in str(InboundItem).replace("channels_app.contracts.", "").split("|")
)
KINDS = (
    *("text", "image", "video", "audio", "document", "sticker", "location", "contacts", "interactive", "button"),
    *("reaction", "order", "system", "unsupported", "revoke", "edit", "request_welcome", "hologram"),
)
KEYS = (
    *("id", "type", "timestamp", "from", "from_user_id", "to", "to_user_id", "group_id", "context", "referral", "body"),
    *(
        "caption",
        "mime_type",
        "filename",
        "voice",
        "latitude",
        "longitude",
        "name",
        "phones",
        "emails",
        "formatted_name",
    ),
    *("button_reply", "list_reply", "nfm_reply", "title", "payload", "text", "message_id", "emoji", "product_items"),
    *("quantity", "item_price", "product_retailer_id", "wa_id", "new_wa_id", "user_id", "original_message_id"),
    *("message", "status", "errors", "code", "error_data", "details", "recipient_id", "recipient_user_id", "forwarded"),
    *("biz_opaque_callback_data", "profile", "username", "previous", "current", "source_url", "recipient_type"),
    *("metadata", "phone_number_id", "contacts", "messages", "statuses", "message_echoes", "user_id_update", "field"),
    *("value", "changes", "time", *KINDS),
)
FIELDS = ("messages", "smb_message_echoes", "user_id_update", "history", "account_alerts", "", 7, None)
scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from((NUMBER, USER, PHONE)),
    st.sampled_from(("1763798403", "9" * 400, "\x00", "\ud83d", "💥", "‏مرحبا", *KINDS)), st.integers(10**30, 10**60),
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
objects = st.dictionaries(st.sampled_from(KEYS), anything, max_size=8)
messages = st.builds(
    lambda base, kind, part, more: base | {"type": kind, kind: part} | more,
    st.just({"id": "wamid.1", "from": NUMBER, "from_user_id": USER, "timestamp": "1763798403"}),
    st.sampled_from(KINDS),
    anything,
    objects,
)
statuses = objects.map(lambda more: {"id": "wamid.1", "status": "failed", "recipient_id": NUMBER} | more)
values = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.just({"phone_number_id": PHONE}) | anything,
        "contacts": st.lists(objects, max_size=2) | anything,
        "messages": st.lists(messages | anything, max_size=3) | anything,
        "message_echoes": st.lists(messages | anything, max_size=2) | anything,
        "statuses": st.lists(statuses | anything, max_size=2) | anything,
        "errors": anything,
        "user_id_update": st.lists(objects, max_size=2) | anything,
    },
)
changes = st.fixed_dictionaries({"field": st.sampled_from(FIELDS), "value": values | anything}) | anything
entries = st.fixed_dictionaries({"id": st.just(WABA) | scalars, "changes": st.lists(changes, max_size=3) | anything})
calls = st.fixed_dictionaries(
    {"object": st.just("whatsapp_business_account"), "entry": st.lists(entries | anything, max_size=3)}
)


def through(body: bytes) -> int:
    """Everything a call holds, read; how many things it said."""
    try:
        items = taking.split(body)
    except ValueError:
        items = [Item(external_id="whole", raw=body)]  # kept whole, as the hook does
    said = 0
    for item in items:
        assert item.external_id
        assert registry.adapter("whatsapp").identify(item.raw, {}) == item.external_id or len(items) == 1
        try:
            found = registry.adapter("whatsapp").parse(arrival(item))
        except GiveUp as error:
            assert str(error)
            continue
        for one in found:
            assert isinstance(one, ITEMS)
            check(one)
        said += len(found)
    return said


def check(one: Any) -> None:
    """What the desk relies on."""
    storable(one)
    json.dumps(getattr(one, "details", {}), allow_nan=False)
    if not isinstance(one, contracts.Receipt):
        assert one.thread_key
    for name in ("external_id", "reference"):
        assert getattr(one, name, "x")
    assert one.occurred_at is not None
    assert one.occurred_at.tzinfo is not None


@settings(max_examples=400, deadline=None)
@given(calls)
def test_any_call_is_taken_apart_and_read(payload: dict[str, Any]) -> None:
    through(dumped(payload))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | anything.map(dumped))
def test_any_bytes_are_no_call(body: bytes) -> None:
    through(body)


@settings(max_examples=200, deadline=None)
@given(messages)
def test_a_message_of_somebody_always_says_something(message: dict[str, Any]) -> None:
    value = {"metadata": {"phone_number_id": PHONE}, "messages": [message]}
    entry = {"id": WABA, "changes": [{"field": "messages", "value": value}]}
    body = dumped({"object": "whatsapp_business_account", "entry": [entry]})
    silent = message["type"] == "request_welcome" or message["type"] == "system"
    nobody = not isinstance(message.get("from"), str | int) or not isinstance(message.get("from_user_id"), str | int)
    assert through(body) == 1 or silent or nobody or not str(message["from"]).strip().isdigit()


def test_deep_nesting() -> None:
    for depth in (200, 900, 985, 990, 995, 1000, 5000):
        deep = "[" * depth + "]" * depth
        for inside in ('{"field":"x","value":{"y":%s}}', '{"field":"messages","value":{"messages":[{"text":%s}]}}'):
            place = '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[' + inside + "]}]}"
            through((place % deep).encode())


def test_a_text_of_one_megabyte_and_a_million_small_things() -> None:
    value = {"metadata": {"phone_number_id": PHONE}}
    big = {"id": "w", "from": NUMBER, "type": "text", "text": {"body": "Đ" * 1_000_000}}
    cards = {"id": "c", "from": NUMBER, "type": "contacts", "contacts": [{"name": {}}] * 50_000}
    entry = {"id": WABA, "changes": [{"field": "messages", "value": value | {"messages": [big, cards]}}]}
    assert through(dumped({"object": "whatsapp_business_account", "entry": [entry]})) == 2
