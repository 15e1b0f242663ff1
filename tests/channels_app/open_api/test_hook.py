"""Signed calls of an own system at the hook, and its answers, over HTTP."""

import base64
import json
import time
from datetime import timedelta

import pytest
from django.utils.timezone import now
from standardwebhooks import Webhook

from channels_app import handed_out, media, outbound, registry
from channels_app.adapters.open_api import signing
from channels_app.adapters.open_api.adapter import OpenApiAdapter
from channels_app.contracts import OutboundEnvelope, OutboundFile
from channels_app.models import Channel, Delivery, InboundEvent
from channels_app.simulators.base import Fault
from helpdesk.core.errors import GiveUp, Reauthorise, Retry
from tests.builders import an_actor, run_jobs
from tests.channels_app.contract.conftest import Door
from tickets.messages import actions as messages
from tickets.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
ADAPTER = OpenApiAdapter()
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = b'{"external_id":"m-1","sender":{"id":"u-1"},"text":"hi"}'


def signed(secret: str | bytes, at: float = 0, body: bytes = BODY) -> dict[str, str]:
    """Headers made by the standard's own library, as a customer of ours would."""
    moment = now() + timedelta(seconds=at)
    signature = Webhook(secret).sign("msg_1", moment, body.decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


def test_a_call_by_the_standards_own_library_is_believed():
    assert signing.is_signed(SECRET, BODY, signed(SECRET))
    assert not signing.is_signed(SECRET, BODY + b" ", signed(SECRET))
    assert not signing.is_signed(SECRET, BODY, signed(SECRET) | {"webhook-id": "msg_2"})
    assert not signing.is_signed(SECRET, BODY, signed("whsec_" + base64.b64encode(b"x" * 32).decode()))
    assert not signing.is_signed("", BODY, signed(SECRET))


@pytest.mark.parametrize(("at", "believed"), [(-290, True), (-310, False), (290, True), (310, False)])
def test_a_call_is_good_for_five_minutes(at, believed):
    assert signing.is_signed(SECRET, BODY, signed(SECRET, at)) is believed


def test_while_the_secret_is_changed_either_is_good():
    new = "whsec_" + base64.b64encode(b"f" * 32).decode()
    both = signed(SECRET)
    both["webhook-signature"] = f"v1a,xyz {signed(new)['webhook-signature']} {both['webhook-signature']}"
    assert signing.is_signed(SECRET, BODY, both)
    assert signing.is_signed(f"{new} {SECRET}", BODY, signed(SECRET))
    ours = signing.headers(f"{new} {SECRET}", call_id="17", at=now(), body=BODY)
    for secret in (new, SECRET):
        Webhook(secret).verify(BODY, ours)


@pytest.mark.parametrize("secret", ["MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "just some words", "abcd"])
def test_a_secret_without_prefix_is_taken_as_base64_or_as_it_stands(secret):
    assert signing.is_signed(secret, BODY, signed(secret.encode()))
    Webhook(secret.encode()).verify(BODY, signing.headers(secret, call_id="17", at=now(), body=BODY))
    if secret.endswith("="):
        assert signing.is_signed(secret, BODY, signed(secret))


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v1,é", "v1,a b", ",,,", "v2,AAAA", "v1,====", "\u0661"])
def test_a_signature_that_is_none_is_no_accident(signature):
    assert not signing.is_signed(SECRET, BODY, signed(SECRET) | {"webhook-signature": signature})
    assert not signing.is_signed(SECRET, b"\xff\xfe", signed(SECRET))
    assert not signing.is_signed(SECRET, BODY, signed(SECRET) | {"webhook-timestamp": signature})


def test_the_same_message_by_api_and_by_hook_is_one(door: Door):
    made = door.provider.says(door.person, "Một lần")
    kept = InboundEvent.objects.get()
    assert kept.external_id == made
    from channels_app import actions

    message = json.loads(door.provider.pushed[0][0])
    again, is_new = actions.bring(channel_id=door.channel.pk, message=message, actor=an_actor("supervisor"))
    assert (again.pk, is_new) == (kept.pk, False)


def test_without_a_secret_nobody_is_believed(door: Door):
    Channel.objects.update(secrets={})
    registry.forget()
    assert door.provider.push(door.provider.event(door.person, "x")) == 401
    assert not InboundEvent.objects.exists()


def test_a_call_that_is_heard_again_later_is_refused(door: Door):
    body = json.dumps(door.provider.event(door.person, "x")).encode()
    old = door.provider.signed(body) | {"webhook-timestamp": str(int(time.time()) - 400)}
    assert door.provider.push(body, signed=old) == 401


def test_an_answer_arrives_once_signed_and_is_read(door: Door):
    door.provider.says(door.person, "Shop ơi")
    run_jobs()
    ticket = Message.objects.get().ticket
    message = messages.reply(ticket_id=ticket.pk, text="Dạ em nghe", actor=an_actor("admin"))
    door.provider.hook_url, hook = "", door.provider.hook_url  # receipts by hand, in this thread
    run_jobs()
    [line] = door.provider.sent()
    assert (line.person, line.text) == (door.person, "Dạ em nghe")
    delivery = Delivery.objects.get(message_id=message.pk)
    assert (delivery.outcome, delivery.provider_id) == ("sent", line.id)
    call = door.provider.calls[-1]
    assert call.headers["webhook-id"] == str(delivery.pk)
    Webhook(door.provider.SECRETS["signing_secret"]).verify(call.body, call.headers)
    assert json.loads(call.body)["to"] == {"id": door.person, "name": door.provider.PEOPLE[door.person]}
    door.provider.hook_url = hook
    for state in ("read", "delivered"):  # out of order: the furthest stands
        assert door.provider.push(door.provider.receipt(str(delivery.pk), state)) == 200
    run_jobs()
    delivery.refresh_from_db()
    assert delivery.outcome == "read"


def envelope(**given) -> OutboundEnvelope:
    return OutboundEnvelope(idempotency_key="17", to="app-1001", text="Dạ", thread_key="app-1001", **given)


def send(door: Door, **given):
    registry.forget()
    return ADAPTER.send(registry.channel(door.channel.pk), envelope(**given))


def test_files_choices_and_what_it_answers_go_along(door: Door):
    kept = media.keep(content=b"%PDF-1.4", filename="hoá đơn.pdf", content_type="application/pdf")
    file = OutboundFile(filename=kept.filename, content_type=kept.content_type, path=kept.path)
    send(door, files=(file,), choices=("Có", "Không"), quotes="m-1", from_name="Lan")
    [line] = door.provider.sent()
    [there] = line.files
    assert (there["name"], there["type"]) == ("hoá đơn.pdf", "application/pdf")
    assert there["url"].startswith(handed_out.url_for(file).rsplit("/media/out/")[0] + "/media/out/")
    assert (line.choices, line.extra) == (["Có", "Không"], {"quotes": "m-1"})
    assert door.provider.calls[-1].json["author"] == "Lan"


def test_an_answer_that_got_lost_is_asked_for_again_and_arrives_once(door: Door):
    door.provider.faults.append(Fault("lost"))
    with pytest.raises(Retry):
        send(door)
    assert send(door).provider_id == door.provider.sent()[0].id
    assert len(door.provider.sent()) == 1


def test_without_an_address_the_answer_waits_to_be_read(door: Door):
    Channel.objects.update(config={})
    assert send(door).provider_id == "open_api:17"
    assert not door.provider.calls


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (410, Reauthorise),
        (401, Reauthorise),
        (403, Reauthorise),
        (400, GiveUp),
        (413, GiveUp),
        (422, GiveUp),
        (302, GiveUp),
        (404, Retry),
        (408, Retry),
        (429, Retry),
        (500, Retry),
        (503, Retry),
    ],
)
def test_what_a_refusal_means(door: Door, status, error):
    door.provider.faults.append(Fault("status", status, headers={"Retry-After": "7"}))
    with pytest.raises(error) as raised:
        send(door)
    assert raised.type is error
    assert getattr(raised.value, "after", None) == (7 if error is Retry else None)
    assert not door.provider.sent()


def test_an_own_system_that_is_gone_is_trouble_of_the_channel(door: Door):
    door.provider.says(door.person, "Shop ơi")
    run_jobs()
    door.provider.faults.append(Fault("status", 410))
    messages.reply(ticket_id=Message.objects.get().ticket_id, text="Dạ", actor=an_actor("admin"))
    run_jobs()
    assert door.fresh().problem_kind == "auth"
    assert "no longer takes answers" in door.fresh().problem


def test_an_address_without_a_secret_is_never_called(door: Door):
    Channel.objects.update(secrets={})
    with pytest.raises(Reauthorise):
        send(door)
    assert not door.provider.calls


def test_a_private_address_is_never_called(door: Door, settings):
    Channel.objects.update(config={"callback_url": "http://127.0.0.1:9/hook"})
    with pytest.raises(GiveUp):
        send(door)


def test_the_connection_is_tried_without_telling_anybody_anything(door: Door):
    channel = registry.channel(door.channel.pk)
    assert ADAPTER.probe(channel).ok
    assert not door.provider.sent()
    door.provider.faults.append(Fault("status", 401))
    found = ADAPTER.probe(channel)
    assert (found.ok, "signature" in found.problem) == (False, True)
    door.provider.faults.append(Fault("status", 503))
    with pytest.raises(Retry):
        ADAPTER.probe(channel)


def test_a_worker_that_died_half_way_calls_again_under_the_same_id(door: Door):
    door.provider.says(door.person, "Shop ơi")
    run_jobs()
    messages.reply(ticket_id=Message.objects.get().ticket_id, text="Dạ", actor=an_actor("admin"))
    [held] = outbound.jobs.claim(Delivery, 1)
    outbound._prepare(held)()
    Delivery.objects.update(due_at=now() - timedelta(seconds=1))
    run_jobs()
    assert len({call.headers["webhook-id"] for call in door.provider.calls}) == 1
    assert len(door.provider.calls) == 2
    assert len(door.provider.sent()) == 1
