"""Beginning a chat: who a visitor is, and who they cannot pretend to be."""

import hashlib
import hmac
import uuid
from typing import Any

import pytest
from django.core import signing
from django.test.utils import override_settings

from channels_app.models import Channel, Thread
from channels_app.webchat import proofs
from tests.builders import a_chat, a_mailbox
from tests.channels_app.webchat.visitors import Visitor, signed

pytestmark = pytest.mark.django_db(transaction=True)


def error(answer: Any) -> tuple[int, str]:
    body = answer.json()["error"]
    assert set(body) == {"code", "message", "fields", "request_id"}
    assert body["message"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return answer.status_code, body["code"]


def test_a_stranger_gets_a_thread_nobody_can_guess() -> None:
    chat = a_chat()
    one, two = Visitor(chat), Visitor(chat)
    assert one.thread != two.thread
    key = Thread.objects.get(pk=one.thread).key
    assert key.startswith("v:")
    assert len(key) >= 34
    assert Thread.objects.get(pk=one.thread).channel_id == chat.pk


def test_an_old_token_keeps_the_visitor_and_is_renewed() -> None:
    visitor = Visitor(a_chat())
    thread, old = visitor.thread, visitor.token
    with override_settings(WIDGET_TOKEN_DAYS=90):
        visitor.begin()
    assert visitor.thread == thread
    visitor.say("Vẫn là mình")
    visitor.token = old
    assert [line["text"] for line in visitor.lines()] == ["Vẫn là mình"]


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c", "💥"])
def test_a_damaged_token_opens_nothing(token: str) -> None:
    visitor = Visitor(a_chat())
    visitor.token = token.encode().decode("latin-1")
    assert error(visitor.get("messages?after=0")) == (401, "not_authenticated")
    assert error(visitor.say("hallo")) == (401, "not_authenticated")
    if token:
        assert error(visitor.post("session", {})) == (401, "not_authenticated")


def test_a_token_grows_too_old() -> None:
    visitor = Visitor(a_chat())
    with override_settings(WIDGET_TOKEN_DAYS=-1):
        assert error(visitor.get("messages?after=0")) == (401, "not_authenticated")
        assert error(visitor.post("session", {})) == (401, "not_authenticated")


def test_a_token_is_of_one_channel_and_made_by_us() -> None:
    visitor = Visitor(a_chat())
    visitor.channel = a_chat()
    assert error(visitor.get("messages?after=0")) == (401, "not_authenticated")
    with override_settings(SECRET_KEY="somebody else's"):
        forged = signing.dumps([visitor.channel.pk.hex, visitor.thread], salt="webchat visitor")
    visitor.token = forged
    assert error(visitor.get("messages?after=0")) == (401, "not_authenticated")


def test_a_channel_that_is_unknown_retired_or_no_chat_is_not_there() -> None:
    retired, mailbox, unknown = a_chat(is_active=False), a_mailbox(), Channel(pk=uuid.uuid4())
    for channel in (retired, mailbox, unknown):
        assert error(Visitor(channel, begin=False).post("session", {})) == (404, "not_found")


def test_the_proof_is_what_the_interface_says() -> None:
    chat = a_chat()
    words = b"42\nlan@customer.test\n"
    proof = hmac.new(b"host-secret", words, hashlib.sha256).hexdigest()
    visitor = Visitor(chat, user={"id": "42", "email": "lan@customer.test"}, proof=proof)
    assert Thread.objects.get(pk=visitor.thread).key == "u:42"


def test_a_signed_person_has_one_thread_on_every_device() -> None:
    chat = a_chat()
    person = signed(chat, id="lan", email="lan@customer.test", name="Lan")
    phone, laptop = Visitor(chat, **person), Visitor(chat, **person)
    assert phone.thread == laptop.thread
    phone.say("Từ điện thoại")
    assert [line["text"] for line in laptop.lines()] == ["Từ điện thoại"]
    assert Visitor(chat, **signed(chat, id="minh")).thread != phone.thread
    assert Visitor(a_chat(), **person).thread != phone.thread  # ids are the host's, within one channel


@pytest.mark.parametrize("field", ["id", "email", "phone"])
def test_a_proof_holds_for_id_mail_and_phone_together(field: str) -> None:
    chat = a_chat()
    body = signed(chat, id="lan", email="lan@customer.test", phone="+84901234567")
    body["user"][field] += "1"
    assert error(Visitor(chat, begin=False).post("session", body)) == (403, "wrong_proof")
    del body["user"][field]
    assert Visitor(chat, begin=False).post("session", body).status_code in (403, 422)
    assert not Thread.objects.exists()


@pytest.mark.parametrize("proof", ["0" * 64, "x", "é", "", None])
def test_a_wrong_proof_is_refused_and_none_is_only_a_claim(proof: str | None) -> None:
    chat = a_chat()
    answer = Visitor(chat, begin=False).post("session", {"user": {"id": "lan"}, "proof": proof})
    if proof:
        assert error(answer) == (403, "wrong_proof")
    else:
        assert Thread.objects.get().key.startswith("v:")


def test_a_channel_without_a_secret_believes_nobody() -> None:
    chat = a_chat()
    chat.secrets = {}
    chat.save()
    person = proofs.Person(id="lan")
    body = {"user": {"id": "lan"}, "proof": proofs.sign(person, "")}
    assert error(Visitor(chat, begin=False).post("session", body)) == (403, "wrong_proof")


def test_fields_cannot_be_shifted_over_the_line_ends() -> None:
    chat = a_chat()
    whole = proofs.Person(id="1\nlan@customer.test", email="", phone="")
    body = {"user": {"id": whole.id}, "proof": proofs.sign(whole, "host-secret")}
    assert error(Visitor(chat, begin=False).post("session", body)) == (422, "invalid")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400), ("[]", 400), ('"x"', 400), ("\xff", 400), ("[" * 60_000, 400),
        ('{"user": 5}', 422), ('{"user": {"id": {}}}', 422), ('{"user": {"id": "x", "email": 7}}', 422),
        ('{"proof": "aa"}', 422), ('{"user": {"email": "x@y.test"}, "proof": "aa"}', 422),
        ('{"user": {"id": "\\ud800"}}', 422), (f'{{"user": {{"id": "{"x" * 200}"}}}}', 422), ("x" * 70_000, 413),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_the_one_shape(body: str, status: int) -> None:
    answer = Visitor(a_chat(), begin=False).post("session", body.encode("latin-1"))
    assert error(answer)[0] == status
