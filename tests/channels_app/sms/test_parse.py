"""Twilio's calls as Twilio makes them, one by one; and that nothing breaks the reader."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.adapters.sms.adapter import SmsAdapter
from channels_app.contracts import (
    Address,
    Arrival,
    Call,
    ChannelRef,
    ContactChange,
    NewMessage,
    Receipt,
    RemoteFile,
    Unknown,
)
from helpdesk.core.errors import GiveUp

ID = UUID("01900000-0000-7000-8000-000000000001")
ADAPTER = SmsAdapter()
CHANNEL = ChannelRef(id=ID, kind="sms", name="SMS", address="+12025550100", team_id=None, is_active=True)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SENDER = Address(kind="phone", value="+84912000101", verified=True, evidence="sms")
SID = "SM5f4dcc3b5aa765d61d8327deb882cf99"
MESSAGE = {
    "ToCountry": "US",
    "SmsMessageSid": SID,
    "NumMedia": "0",
    "SmsSid": SID,
    "SmsStatus": "received",
    "Body": "Shop ơi",
    "To": "+12025550100",
    "NumSegments": "1",
    "MessageSid": SID,
    "AccountSid": "AC5d",
    "From": "+84912000101",
    "ApiVersion": "2010-04-01",
}
STATUS = {
    "SmsSid": SID,
    "SmsStatus": "delivered",
    "MessageStatus": "delivered",
    "To": "+84912000101",
    "MessageSid": SID,
    "AccountSid": "AC5d",
    "From": "+12025550100",
    "ApiVersion": "2010-04-01",
}


def a_call(body: bytes, content_type: str = "application/x-www-form-urlencoded", **query: str) -> Call:
    return Call(method="POST", url="", headers={"content-type": content_type}, query=query, body=body)


def arrival(raw: bytes) -> Arrival:
    return Arrival(channel_id=ID, channel_address="+12025550100", external_id="x", raw=raw, meta={}, received_at=NOW)


def read(fields: dict[str, str], **query: str):
    [item] = ADAPTER.split(CHANNEL, a_call(urlencode(fields).encode(), **query))
    return item.external_id, ADAPTER.parse(arrival(item.raw))


def test_words():
    key, [item] = read(MESSAGE | {"Body": "  Chào sho\u0302p \n"})
    assert key == SID
    assert item == NewMessage(
        external_id=SID,
        thread_key="+84912000101",
        sender=SENDER,
        occurred_at=NOW,
        text="  Chào shôp \n",
        text_full="  Chào shôp \n",
    )


def test_pictures():
    media = {
        "Body": "",
        "NumMedia": "2",
        "MediaUrl0": "https://api.twilio.com/2010-04-01/Accounts/AC5d/Messages/MM1/Media/ME1",
        "MediaContentType0": "image/jpeg",
        "MediaUrl1": "https://api.twilio.com/2010-04-01/Accounts/AC5d/Messages/MM1/Media/ME2",
        "MediaContentType1": "text/vcard",
    }
    _key, [item] = read(MESSAGE | media)
    assert item.remote == (
        RemoteFile(source={"url": media["MediaUrl0"]}, kind="image", content_type="image/jpeg"),
        RemoteFile(source={"url": media["MediaUrl1"]}, kind="file", content_type="text/vcard"),
    )


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"Body": "STOP", "OptOutType": "STOP"}, "opted_out"),
        ({"Body": "Dừng", "OptOutType": "STOP"}, "opted_out"),
        ({"Body": "start", "OptOutType": "START"}, "opted_in"),
        ({"Body": "Yes", "OptOutType": "START"}, "opted_in"),
        ({"Body": " stop. "}, "opted_out"),
        ({"Body": "Unsubscribe"}, "opted_out"),
        ({"Body": "UNSTOP"}, "opted_in"),
    ],
)
def test_opting_out_and_in_again_is_said_after_the_words(fields, what):
    _key, [message, change] = read(MESSAGE | fields)
    assert message.text == fields["Body"]
    assert message.auto is (what == "opted_out")
    assert change == ContactChange(thread_key="+84912000101", sender=SENDER, occurred_at=NOW, what=what)


@pytest.mark.parametrize("fields", [{"Body": "yes"}, {"Body": "Cancel"}, {"Body": "stop it"}, {"OptOutType": "HELP"}])
def test_other_words_are_words(fields):
    _key, [message] = read(MESSAGE | fields)
    assert not message.auto


@pytest.mark.parametrize("sender", ["TWILIO", "12345", "+0123", "whatsapp:+84912000101", "+8491200010\u0661"])
def test_who_is_no_number_proves_nothing(sender):
    _key, [message] = read(MESSAGE | {"From": sender})
    assert (message.sender.value, message.sender.verified, message.sender.evidence) == (sender, False, "")


@pytest.mark.parametrize(
    ("status", "state"),
    [("sent", "sent"), ("delivered", "delivered"), ("read", "read"), ("undelivered", "failed"), ("failed", "failed")],
)
def test_what_became_of_an_answer(status, state):
    key, [receipt] = read(STATUS | {"MessageStatus": status, "SmsStatus": status}, delivery="17")
    assert key == f"{SID}:{status}"
    assert (receipt.reference, receipt.state, receipt.our_key) == (SID, state, "17")
    assert (receipt.recipient, receipt.occurred_at) == ("+84912000101", NOW)
    assert bool(receipt.reason) is (state == "failed")


@pytest.mark.parametrize("status", ["accepted", "queued", "sending", "scheduled"])
def test_on_its_way_is_no_news(status):
    assert read(STATUS | {"MessageStatus": status, "SmsStatus": status})[1] == ()


@pytest.mark.parametrize(
    ("code", "word"), [("30003", "switched off"), ("30007", "filtered"), ("39999", "Twilio 39999")]
)
def test_why_it_did_not_arrive(code, word):
    _key, [receipt] = read(STATUS | {"MessageStatus": "undelivered", "ErrorCode": code})
    assert word in receipt.reason


def test_a_refusal_for_an_opt_out_marks_the_line_too():
    _key, [receipt, change] = read(STATUS | {"MessageStatus": "failed", "ErrorCode": "21610"})
    assert isinstance(receipt, Receipt)
    assert (change.thread_key, change.what) == ("+84912000101", "opted_out")


@pytest.mark.parametrize("key", ["", "x", "1; DROP", "9" * 30, "١"])
def test_a_key_that_is_none_is_left_out(key):
    _key, [receipt] = read(STATUS, delivery=key)
    assert receipt.our_key == ""


def test_a_call_of_a_kind_nobody_has_heard_of_is_shown():
    _key, [item] = read({"MessageSid": SID, "From": "+84912000101", "EventType": "onHologram"})
    assert item == Unknown(
        external_id=SID, thread_key="+84912000101", sender=SENDER, occurred_at=NOW, what="onHologram"
    )


def test_fields_may_come_as_json():
    call = a_call(json.dumps(MESSAGE | {"NumMedia": 0}).encode(), "application/json")
    [item] = ADAPTER.split(CHANNEL, call)
    [message] = ADAPTER.parse(arrival(item.raw))
    assert message.text == "Shop ơi"
    assert ADAPTER.identify(item.raw, {}) == item.external_id == SID


@pytest.mark.parametrize("fields", [{}, {"Body": "x"}, {"MessageSid": ""}])
def test_a_call_about_no_message_is_not_taken_apart(fields):
    with pytest.raises(ValueError):
        ADAPTER.split(CHANNEL, a_call(urlencode(fields).encode()))


@pytest.mark.parametrize("fields", [MESSAGE | {"From": " "}, STATUS | {"MessageStatus": "melted"}])
def test_what_says_nothing_is_given_up(fields):
    with pytest.raises(GiveUp):
        read(fields)


NAMES = ["MessageSid", "From", "To", "Body", "NumMedia", "MediaUrl0", "OptOutType", "MessageStatus", "ErrorCode"]
FIELDS = st.dictionaries(st.sampled_from(NAMES) | st.text(), st.text() | st.sampled_from(["STOP", "1", "sent"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def never_breaks(call: Call) -> None:
    with suppress(ValueError):
        for item in ADAPTER.split(CHANNEL, call):
            assert item.external_id
            with suppress(GiveUp):
                for one in ADAPTER.parse(arrival(item.raw)):
                    assert one.occurred_at == NOW
                    assert getattr(one, "thread_key", "") or isinstance(one, Receipt)


@given(fields=FIELDS, key=st.text())
def test_no_form_breaks_the_reader(fields, key):
    body = urlencode(fields, errors="replace").encode()
    never_breaks(a_call(body + b"&MessageSid=SM1", delivery=key))


@given(value=JSON | st.dictionaries(st.sampled_from(NAMES), JSON))
def test_no_json_breaks_the_reader(value):
    never_breaks(a_call(json.dumps(value).encode(), "application/json"))


@given(body=st.binary(), kind=st.sampled_from(["application/x-www-form-urlencoded", "application/json", ""]))
def test_no_bytes_break_the_reader(body, kind):
    never_breaks(a_call(body, kind))
    with suppress(GiveUp):
        ADAPTER.parse(arrival(body))
