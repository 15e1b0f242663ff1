"""Twilio's signature, its hook and our calls to it over HTTP, doubts cleared up by status callbacks included."""

import hashlib
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.conf import settings as desk
from django.test import Client, override_settings
from django.utils.timezone import now

from channels_app import media, outbound, registry
from channels_app.adapters.sms import signature
from channels_app.adapters.sms.adapter import SmsAdapter
from channels_app.contracts import Call, OutboundEnvelope, OutboundFile
from channels_app.models import Channel, Delivery, InboundEvent, Thread
from channels_app.simulators.base import Fault
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain
from tests.builders import an_actor, run_jobs
from tests.channels_app.contract.conftest import Door, through_client
from tickets.messages import actions as messages
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
ADAPTER = SmsAdapter()
FORM = "application/x-www-form-urlencoded"
PNG = b"\x89PNG\r\n\x1a\n"


def call(url: str, body: bytes, content_type: str = FORM, given: str = "", **query: str) -> Call:
    headers = {"content-type": content_type, "x-twilio-signature": given}
    return Call(method="POST", url=url, headers=headers, query=query, body=body)


# --- the signature ----------------------------------------------------------------------------------------------------


def test_the_example_of_twilios_own_manual():
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    body = urlencode(fields).encode()
    made = call("https://example.com/myapp.php?foo=1&bar=2", body, given="L/OH5YylLD5NRKLltdqwSvS0BnU=")
    assert signature.is_signed("12345", made)
    assert not signature.is_signed("12346", made)
    assert not signature.is_signed("", made)


@pytest.mark.parametrize(
    ("entered", "heard"),
    [
        ("https://a.test/x?y=1", "https://a.test:443/x?y=1"),
        ("https://a.test:443/x", "https://a.test/x"),
        ("http://a.test:80/x", "http://a.test/x"),
        ("https://a.test:8443/x", "https://a.test:8443/x"),
        ("https://[::1]/x", "https://[::1]:443/x"),
    ],
)
def test_the_usual_port_may_be_written_or_not(entered, heard):
    given = signature.made("token", entered + "AB")
    assert signature.is_signed("token", call(heard, b"A=B", given=given))
    assert not signature.is_signed("token", call(heard.replace("/x", "/y"), b"A=B", given=given))


def test_fields_are_taken_as_they_came_sorted_and_each_value_once():
    words = "https://a.test/x" + "B 2 " + "Empty" + "aé" + "list1" + "list2"
    body = b"list=2&a=%C3%A9&list=1&B=+2%20&Empty=&list=2"
    assert signature.is_signed("token", call("https://a.test/x", body, given=signature.made("token", words)))


def test_json_is_signed_by_the_hash_of_its_bytes():
    body = b'{"MessageSid":"SM1"}'
    url = "https://a.test/x?bodySHA256=" + (sha := hashlib.sha256(body).hexdigest())
    given = signature.made("token", url)
    assert signature.is_signed("token", call(url, body, "application/json", given, bodySHA256=sha))
    assert not signature.is_signed("token", call(url, body + b" ", "application/json", given, bodySHA256=sha))
    plain = signature.made("token", "https://a.test/x")
    assert not signature.is_signed("token", call("https://a.test/x", body, "application/json", plain))


def test_the_hook_answers_with_an_empty_response(door: Door):
    body = urlencode(door.provider.event(door.person, "Chào & tạm biệt = +1 ")).encode()
    headers = door.provider.signed(body)
    path = door.provider.hook_url.removeprefix(desk.SITE_URL)
    given = {"X-Twilio-Signature": headers["X-Twilio-Signature"]}
    answer = Client().post(path, body, content_type=FORM, headers=given)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert answer.content.endswith(b"<Response/>")
    run_jobs()
    assert Message.objects.get().text == "Chào & tạm biệt = +1 "
    assert Client().post(path, body + b"&x=y", content_type=FORM, headers=given).status_code == 401
    assert Client().post(path + "?x=y", body, content_type=FORM, headers=given).status_code == 401


# --- sending ----------------------------------------------------------------------------------------------------------


def send(door: Door, text: str = "Dạ", to: str = "", **given):
    registry.forget()
    to = to or door.person
    envelope = OutboundEnvelope(idempotency_key="17", to=to, thread_key=to, text=text, **given)
    return ADAPTER.send(registry.channel(door.channel.pk), envelope)


@pytest.fixture
def quiet(door: Door) -> Door:
    """Status callbacks come when the test says so."""
    door.provider.hook_url, hook = "", door.provider.hook_url
    door.provider.signed = lambda body, url="": type(door.provider).signed(door.provider, body, url or hook)  # type: ignore[method-assign]
    return door


def asked(door: Door) -> Ticket:
    body = urlencode(door.provider.event(door.person, "Shop ơi")).encode()
    url = f"{desk.SITE_URL}/hooks/{door.channel.pk}/"
    assert through_client(url, body, door.provider.signed(body))[0] == 200
    run_jobs()
    return Ticket.objects.get()


def test_an_answer_and_what_became_of_it(quiet: Door):
    ticket = asked(quiet)
    message = messages.reply(ticket_id=ticket.pk, text="Dạ em nghe ạ", actor=an_actor("admin"))
    run_jobs()
    [line] = quiet.provider.sent()
    delivery = Delivery.objects.get(message_id=message.pk)
    assert (line.person, line.text, line.id) == (quiet.person, "Dạ em nghe ạ", delivery.provider_id)
    assert line.extra["callback"] == f"{desk.SITE_URL}/hooks/{quiet.channel.pk}/?delivery={delivery.pk}"
    for state in ("queued", "delivered", "sent", "delivered"):  # out of order, and twice
        assert quiet.provider.status(line, state) == 200
    run_jobs()
    delivery.refresh_from_db()
    assert delivery.outcome == "delivered"
    assert not InboundEvent.objects.exclude(state="done").exists()


def test_a_failure_is_told_in_words(quiet: Door):
    message = messages.reply(ticket_id=asked(quiet).pk, text="Dạ", actor=an_actor("admin"))
    run_jobs()
    quiet.provider.status(quiet.provider.sent()[0], "undelivered", code=30005)
    run_jobs()
    message.refresh_from_db()
    assert message.delivery_state == "failed"
    assert "no longer in use" in Delivery.objects.get(message_id=message.pk).last_error


def test_a_status_nobody_signed_changes_nothing(quiet: Door):
    messages.reply(ticket_id=asked(quiet).pk, text="Dạ", actor=an_actor("admin"))
    run_jobs()
    [line] = quiet.provider.sent()
    line.extra["callback"] += "9"  # another delivery's
    quiet.provider.signed = lambda body, url="": type(quiet.provider).signed(quiet.provider, body, url[:-1])  # type: ignore[method-assign]
    assert quiet.provider.status(line, "failed") == 401
    run_jobs()
    assert Delivery.objects.get(provider_id=line.id).outcome == "sent"


def test_a_doubt_is_cleared_up_by_the_status_callback(quiet: Door):
    ticket = asked(quiet)
    quiet.provider.faults.append(Fault("lost"))
    message = messages.reply(ticket_id=ticket.pk, text="Chỉ một lần", actor=an_actor("admin"))
    run_jobs()
    message.refresh_from_db()
    assert message.delivery_state == "unknown"
    [line] = quiet.provider.sent()
    quiet.provider.status(line, "delivered")
    run_jobs()
    message.refresh_from_db()
    delivery = Delivery.objects.get(message_id=message.pk)
    assert (message.delivery_state, delivery.provider_id) == ("delivered", line.id)
    assert len(quiet.provider.sent()) == 1


def test_a_worker_that_died_half_way_leaves_a_doubt_and_no_second_sms(quiet: Door):
    message = messages.reply(ticket_id=asked(quiet).pk, text="Dạ", actor=an_actor("admin"))
    [held] = outbound.jobs.claim(Delivery, 1)
    outbound._prepare(held)()
    Delivery.objects.update(due_at=now() - timedelta(seconds=1))
    run_jobs()
    message.refresh_from_db()
    assert message.delivery_state == "unknown"
    assert len(quiet.provider.sent()) == 1


def kept(content: bytes, filename: str, content_type: str) -> OutboundFile:
    file = media.keep(content=content, filename=filename, content_type=content_type)
    return OutboundFile(filename=file.filename, content_type=file.content_type, path=file.path)


def test_a_picture_goes_as_one_where_numbers_carry_them_and_else_as_an_address(quiet: Door):
    american = "+12025550143"
    picture = kept(PNG, "a.png", "image/png")
    with override_settings(SITE_URL="https://desk.test"):
        send(quiet, "", american, files=(picture,))
        send(quiet, "", files=(picture,))
        send(quiet, "", american, files=(kept(b"%PDF", "b.pdf", "application/pdf"),))
        send(quiet, "", american, files=(kept(PNG + b"\0" * 5 * 1024 * 1024, "c.png", "image/png"),))
    shown, *addresses = quiet.provider.sent()
    assert (shown.text, shown.files[0]["url"].startswith("https://desk.test/media/out/")) == ("", True)
    starts = [line.text.split("/media/out/")[0] for line in addresses]
    assert starts == [f"{name}\nhttps://desk.test" for name in ("a.png", "b.pdf", "c.png")]


def test_a_messaging_service_sends_for_its_numbers(quiet: Door):
    Channel.objects.update(config=quiet.channel.config | {"number": "MG" + "0" * 32})
    with pytest.raises(GiveUp):
        send(quiet)  # this account has none
    assert quiet.provider.calls[-1].form["MessagingServiceSid"] == "MG" + "0" * 32
    assert "From" not in quiet.provider.calls[-1].form


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, {"code": 20003, "message": "Authenticate"}, Reauthorise, "auth token"),
        (403, {"code": 20003}, Reauthorise, "auth token"),
        (404, {"code": 20404}, Reauthorise, "auth token"),
        (429, {"code": 20429, "message": "Too Many Requests"}, Retry, "20429"),
        (400, {"code": 21610}, GiveUp, "opted out"),
        (400, {"code": 21211}, GiveUp, "no number"),
        (400, {"code": 21614}, GiveUp, "no number"),
        (400, {"code": 21408}, GiveUp, "country"),
        (400, {"code": 21999, "message": "Something new"}, GiveUp, "Something new"),
        (400, b"<html>", GiveUp, "400"),
        (503, {}, Retry, "503"),
        (500, {}, Uncertain, "may have reached"),
        (502, b"<html>", Uncertain, "may have reached"),
    ],
)
def test_what_a_refusal_means(quiet: Door, status, body, error, words):
    quiet.provider.faults.append(Fault("status", status, body=body, headers={"Retry-After": "9"}))
    with pytest.raises(error) as raised:
        send(quiet)
    assert raised.type is error
    assert words in str(raised.value)
    assert getattr(raised.value, "after", None) == (9 if error is Retry else None)


def test_who_says_stop_cannot_be_written_to_until_start(quiet: Door):
    asked(quiet)
    url = f"{desk.SITE_URL}/hooks/{quiet.channel.pk}/"
    for word, unreachable in (("STOP", "opted_out"), ("START", "")):
        body = urlencode(quiet.provider.event(quiet.person, word)).encode()
        assert through_client(url, body, quiet.provider.signed(body))[0] == 200
        run_jobs()
        assert Thread.objects.get().unreachable == unreachable
    assert {"STOP", "START"} <= set(Message.objects.values_list("text", flat=True))


def test_who_opted_out_gets_nothing_until_they_opt_in_again(quiet: Door):
    quiet.provider.event(quiet.person, "STOP")
    with pytest.raises(GiveUp, match="opted out"):
        send(quiet)
    quiet.provider.event(quiet.person, "START")
    assert send(quiet).state == "sent"


# --- files and the connection test ------------------------------------------------------------------------------------


def test_the_keys_go_to_twilio_alone(quiet: Door, settings):
    channel = registry.channel(quiet.channel.pk)
    url = quiet.provider.base_url + quiet.provider.keep("a.png", "image/png", PNG)
    found = ADAPTER.fetch(channel, {"url": url})
    assert (found.content, found.content_type) == (PNG, "image/png")
    assert quiet.provider.calls[-1].headers["authorization"].startswith("Basic ")
    for elsewhere in ("http://127.0.0.1:9/a.png", url.replace("127.0.0.1", "localhost"), "https://127.0.0.1:9/a.png"):
        with pytest.raises(GiveUp):
            ADAPTER.fetch(channel, {"url": elsewhere})
    assert len(quiet.provider.calls) == 1


def test_the_connection_test_says_whose_account_it_is(quiet: Door):
    channel = registry.channel(quiet.channel.pk)
    assert ADAPTER.probe(channel).account == "Hoa Lư Store"
    quiet.provider.faults.append(Fault("status", 200, body={"friendly_name": "Hoa Lư", "status": "suspended"}))
    found = ADAPTER.probe(channel)
    assert (found.ok, "suspended" in found.problem) == (False, True)
    quiet.provider.account["auth_token"] = "another"
    assert "auth token" in ADAPTER.probe(channel).problem


def test_json_calls_come_in_too(quiet: Door):
    body = json.dumps(quiet.provider.event(quiet.person, "Bằng JSON")).encode()
    path = f"/hooks/{quiet.channel.pk}/?bodySHA256={hashlib.sha256(body).hexdigest()}"
    given = signature.made(quiet.provider.SECRETS["auth_token"], desk.SITE_URL + path)
    headers = {"X-Twilio-Signature": given}
    assert Client().post(path, body, content_type="application/json", headers=headers).status_code == 200
    run_jobs()
    assert Message.objects.get().text == "Bằng JSON"
