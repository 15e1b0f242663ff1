"""What an own system says, event by event; and that nothing it says breaks the reader."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.adapters.open_api.adapter import OpenApiAdapter
from channels_app.contracts import (
    Address,
    Arrival,
    Call,
    ChannelRef,
    ContactChange,
    Edit,
    NewMessage,
    Reaction,
    Receipt,
    RemoteFile,
    Unknown,
    Unsend,
)
from helpdesk.core.errors import GiveUp

ID = UUID("01900000-0000-7000-8000-000000000001")
ADAPTER = OpenApiAdapter()
CHANNEL = ChannelRef(id=ID, kind="open_api", name="Kho", address="", team_id=None, is_active=True)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
THEN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WHO = {"id": "u-1", "name": "Mai"}
SENDER = Address(kind="open_api", value="u-1", name="Mai", scope=str(ID), verified=True, evidence="open_api")
BASE = {"external_id": "m-1", "sender": WHO, "occurred_at": "2026-11-22T16:30:00+07:00"}


def arrival(raw: bytes) -> Arrival:
    return Arrival(
        channel_id=ID, channel_address="", external_id="kept-1", raw=raw, meta={}, received_at=NOW, config={}
    )


def parsed(event: object):
    [item] = ADAPTER.parse(arrival(json.dumps(event).encode()))
    return item


def split(body: object, call_id: str = "msg_1") -> list[tuple[str, object]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = Call(method="POST", url="https://desk.test/hooks/x/", headers={"webhook-id": call_id}, query={}, body=raw)
    return [(item.external_id, json.loads(item.raw)) for item in ADAPTER.split(CHANNEL, call)]


def test_a_message():
    item = parsed(BASE | {"text": "Chào sho\u0302p", "quotes": "m-0", "subject": "Đơn 5"})
    assert item == NewMessage(
        external_id="m-1",
        thread_key="u-1",
        sender=SENDER,
        occurred_at=THEN,
        subject="Đơn 5",
        text="Chào shôp",
        text_full="Chào shôp",
        quotes="m-0",
    )


def test_a_message_with_all_that_a_person_can_do():
    choice = {"title": "Có", "payload": "YES"}
    place = {"latitude": 10.77, "longitude": 106.7, "name": "Chợ Bến Thành"}
    item = parsed(BASE | {"text": "", "choice": choice, "location": place})
    assert item.details == {"choice": choice, "location": place | {"address": ""}}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 91, "10", True, None])
def test_a_place_that_is_none_is_left_out(bad):
    assert parsed(BASE | {"location": {"latitude": bad, "longitude": 1}}).details == {}


def test_files_here_and_there():
    files = [
        {"filename": "a.txt", "content_type": "text/plain", "content": base64.b64encode(b"abc").decode()},
        {"filename": "b.png", "content_type": "image/png", "url": "https://kho.test/b.png"},
        {"filename": "c", "content": "no base64!"},
        {"filename": "d", "url": "file:///etc/passwd"},
        "e",
    ]
    item = parsed(BASE | {"attachments": files})
    assert [(one.filename, one.content) for one in item.files] == [("a.txt", b"abc"), ("c", b"no base64!")]
    source = {"url": "https://kho.test/b.png"}
    assert item.remote == (RemoteFile(source=source, kind="image", filename="b.png", content_type="image/png"),)


@pytest.mark.parametrize(
    ("phone", "value", "verified"),
    [
        ("0912 345 678", "+84912345678", True),
        ("+1 650-253-0000", "+16502530000", True),
        ("84912345678", "+84912345678", True),
        ("call me", "call me", False),
    ],
)
def test_a_number_gets_its_country(phone, value, verified):
    [known] = parsed(BASE | {"sender": WHO | {"phone": phone}}).also_known
    assert (known.kind, known.value, known.verified) == ("phone", value, verified)


def test_mail_and_phone_are_vouched_for_unless_the_system_only_heard_of_them():
    told = WHO | {"email": "Mai@Customer.test", "phone": "0912345678"}
    proved = parsed(BASE | {"sender": told}).also_known
    assert [(one.value, one.verified, one.evidence) for one in proved] == [
        ("mai@customer.test", True, "open_api"),
        ("+84912345678", True, "open_api"),
    ]
    heard = parsed(BASE | {"sender": told | {"verified": False}})
    assert heard.sender.verified
    assert [(one.verified, one.evidence) for one in heard.also_known] == [(False, ""), (False, "")]


def test_edit_unsend_and_reaction():
    assert parsed(BASE | {"type": "edit", "text": "mới", "number": 2}) == Edit(
        external_id="m-1", thread_key="u-1", occurred_at=THEN, text="mới", number=2
    )
    assert parsed(BASE | {"type": "unsend"}) == Unsend(external_id="m-1", thread_key="u-1", occurred_at=THEN)
    assert parsed(BASE | {"type": "reaction", "emoji": "👍🏽"}) == Reaction(
        external_id="m-1", thread_key="u-1", sender=SENDER, occurred_at=THEN, emoji="👍🏽"
    )


def test_receipts_by_our_id_by_theirs_or_up_to_a_moment():
    at = {"type": "receipt", "occurred_at": BASE["occurred_at"]}
    assert parsed(at | {"id": "17", "state": "delivered"}) == Receipt(
        reference="", our_key="17", state="delivered", occurred_at=THEN
    )
    assert parsed(at | {"reference": "r-9", "state": "failed", "reason": "app deleted"}) == Receipt(
        reference="r-9", state="failed", reason="app deleted", occurred_at=THEN
    )
    assert parsed(at | {"sender": WHO, "state": "read", "up_to": BASE["occurred_at"]}) == Receipt(
        reference="", state="read", thread_key="u-1", up_to=THEN, occurred_at=THEN
    )


def test_a_change_of_contact():
    assert parsed(BASE | {"type": "contact", "what": "opted_out"}) == ContactChange(
        thread_key="u-1", sender=SENDER, occurred_at=THEN, what="opted_out"
    )


def test_a_type_nobody_has_heard_of_is_shown():
    assert parsed(BASE | {"type": "wave"}) == Unknown(
        external_id="kept-1", thread_key="u-1", sender=SENDER, occurred_at=THEN, what="wave"
    )


@pytest.mark.parametrize(
    "event",
    [
        [],
        "x",
        {},
        {"external_id": "m-1", "text": "from nobody"},
        {"sender": WHO, "text": "no id"},
        {"sender": {"id": ""}, "external_id": "m-1"},
        {"sender": {"id": True}, "external_id": "m-1"},
        {"type": "receipt", "state": "sent"},
        {"type": "receipt", "id": "1", "state": "lost"},
        BASE | {"type": "contact", "what": "angry"},
    ],
)
def test_what_names_nobody_and_nothing_is_given_up(event):
    with pytest.raises(GiveUp):
        parsed(event)


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ((NOW + timedelta(days=1)).isoformat(), NOW),
        ("2026-11-22T09:30:00", NOW),
        ("0001-01-01T00:00:00+14:00", NOW),
        ("9999-12-31T23:59:59-14:00", NOW),
        ("yesterday", NOW),
        (17, NOW),
        ("2026-11-22T09:30:00Z", THEN),
    ],
)
def test_the_moment_is_never_in_the_future_and_never_nonsense(told, at):
    assert parsed(BASE | {"occurred_at": told}).occurred_at == at


def test_ids_that_come_as_numbers_are_kept_exactly():
    number = 12345678901234567890123
    item = parsed(BASE | {"external_id": number, "sender": {"id": number}})
    assert (item.external_id, item.thread_key) == (str(number), str(number))


def test_a_message_is_known_by_its_own_id_and_anything_else_by_its_call():
    events = [BASE | {"text": "1"}, BASE | {"type": "edit"}, BASE | {"type": "edit"}, {"type": "ping"}]
    first = split({"events": events})
    assert [event for _id, event in first] == events[:3]
    ids = [one for one, _event in first]
    assert ids[0] == "m-1"
    assert len(set(ids)) == 3
    assert [one for one, _event in split({"events": events})] == ids
    other = [one for one, _event in split({"events": events}, "msg_2")]
    assert other[0] == ids[0]
    assert not set(other[1:]) & set(ids)
    assert split(BASE) == [("m-1", BASE)]
    assert split({"type": "ping"}) == []


@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b"5", b"[" * 100_000])
def test_a_body_that_is_no_object_is_not_taken_apart(body):
    with pytest.raises(ValueError):
        split(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KINDS = ["message", "edit", "unsend", "reaction", "receipt", "contact", "wave"]
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(KINDS) | JSON,
        "external_id": st.text() | JSON,
        "sender": st.fixed_dictionaries(
            {"id": st.text(min_size=1) | JSON},
            optional={key: JSON | st.text() for key in ("name", "email", "phone", "verified")},
        )
        | JSON,
        "text": st.text() | JSON,
        "attachments": st.lists(
            st.fixed_dictionaries({}, optional={key: st.text() | JSON for key in ("filename", "content", "url")}) | JSON
        )
        | JSON,
        "occurred_at": st.datetimes(timezones=st.timezones()).map(str) | JSON,
        "location": st.fixed_dictionaries({"latitude": JSON, "longitude": JSON}) | JSON,
        **dict.fromkeys(("choice", "quotes", "emoji", "number", "state", "id", "up_to", "what", "subject"), JSON),
    },
)  # fmt: skip


@given(event=EVENTS | JSON)
def test_no_event_breaks_the_reader(event):
    body = json.dumps({"events": [event]}).encode()
    call = Call(method="POST", url="", headers={}, query={}, body=body)
    for item in ADAPTER.split(CHANNEL, call):
        assert item.external_id
        try:
            found = ADAPTER.parse(arrival(item.raw))
        except GiveUp:
            continue
        for one in found:
            assert getattr(one, "occurred_at", NOW) <= NOW
            assert getattr(one, "thread_key", "x") or isinstance(one, Receipt)


@given(body=st.binary())
def test_no_bytes_break_the_reader(body):
    call = Call(method="POST", url="", headers={}, query={}, body=body)
    try:
        items = ADAPTER.split(CHANNEL, call)
    except ValueError:
        items = []
    for raw in (body, *(item.raw for item in items)):
        try:
            ADAPTER.parse(arrival(raw))
        except GiveUp:
            continue
