"""A system of the shop's own brings its customers' messages by the API."""

import base64
import json
from datetime import timedelta

import pytest
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from channels_app import inbound, registry
from channels_app.models import Channel, InboundEvent, Media
from tests.api.conftest import refused
from tests.builders import a_mail, a_mailbox, a_ticket, receive, run_jobs
from tickets.models import Customer, Message

pytestmark = pytest.mark.django_db(transaction=True)  # jobs ask the clock of their transaction
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SAID = {
    "external_id": "kho-1",
    "sender": {"id": "u-77", "name": "Trần Thị Hạnh", "email": "Hanh@Customer.test", "phone": "0912 345 678"},
    "text": "Chị ơi, kiện hàng bị móp góc ạ",
    "occurred_at": "2026-01-31T16:00:00+07:00",
}


@pytest.fixture
def door(team) -> Channel:
    registry.forget()
    return Channel.objects.create(kind="open_api", name="Kho", team=team)


def bring(program, door, **changes):
    return program.post(f"channels/{door.pk}/inbound/", SAID | changes)


def test_a_message_is_on_disk_before_the_answer_and_then_in_the_thread(supervisor, agent, door):
    answer = bring(supervisor, door)
    assert answer.status_code == 201
    kept = InboundEvent.objects.get()
    assert answer.json() == {"id": str(kept.pk), "status": "accepted"}
    assert (kept.channel_id, kept.external_id) == (door.pk, "kho-1")
    run_jobs()
    [ticket] = agent.get("tickets/").json()["results"]
    [said] = agent.get(f"tickets/{ticket['id']}/messages/").json()["results"]
    assert (said["text"], said["direction"], said["external_id"]) == (SAID["text"], "in", "kho-1")
    assert said["channel"] == str(door.pk)
    assert said["occurred_at"] == "2026-01-31T09:00:00Z"
    assert said["sender"] == {"name": "Trần Thị Hạnh", "address": "u-77", "verified": True}


def test_a_repeated_id_changes_nothing_and_says_what_became_of_the_first(supervisor, door):
    first = bring(supervisor, door).json()
    run_jobs()
    again = bring(supervisor, door, text="khác rồi")
    assert (again.status_code, again.json()) == (200, first | {"status": "done"})
    run_jobs()
    assert [message.text for message in Message.objects.all()] == [SAID["text"]]
    InboundEvent.objects.update(state="failed")
    assert bring(supervisor, door).json()["status"] == "failed"


def test_one_id_on_two_channels_is_two_messages(supervisor, door):
    other = Channel.objects.create(kind="open_api", name="Cửa hàng")
    assert [bring(supervisor, one).status_code for one in (door, other)] == [201, 201]


def test_an_idempotency_key_gets_the_first_answer(supervisor, door):
    path = f"channels/{door.pk}/inbound/"
    first, again = (supervisor.post(path, SAID, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert InboundEvent.objects.count() == 1


def test_the_same_person_goes_on_in_the_same_thread(supervisor, door):
    bring(supervisor, door)
    bring(supervisor, door, external_id="kho-2", text="Alo?")
    bring(supervisor, door, external_id="kho-3", text="Hàng về chưa?", sender={"id": "u-78"})
    run_jobs()
    by_text = {message.text: message.ticket_id for message in Message.objects.all()}
    assert by_text[SAID["text"]] == by_text["Alo?"]
    assert Customer.objects.count() == 2


def test_the_own_system_vouches_for_mail_and_phone(supervisor, door):
    a_mailbox()
    receive(Channel.objects.get(kind="email"), a_mail(sender="Hạnh <hanh@customer.test>", dmarc=True))
    bring(supervisor, door)
    run_jobs()
    known = {(one.kind, one.value): one.evidence for one in Customer.objects.get().identities.all()}
    assert known["phone", "+84912345678"] == "open_api"
    assert known["open_api", "u-77"] == "open_api"
    assert ("email", "hanh@customer.test") in known


def test_what_the_own_system_only_heard_joins_nobody(supervisor, door):
    a_ticket(sender="Hạnh <hanh@customer.test>")
    bring(supervisor, door, sender=SAID["sender"] | {"verified": False})
    run_jobs()
    assert Customer.objects.count() == 2
    writer = Customer.objects.get(identities__kind="open_api")
    assert set(writer.identities.values_list("kind", flat=True)) == {"open_api"}


def test_files_come_with_it_or_are_fetched(supervisor, door):
    files = [
        {"filename": "móp.png", "content_type": "image/png", "content": base64.b64encode(PNG).decode()},
        {"filename": "biên bản.pdf", "content_type": "application/pdf", "url": "https://kho.test/b.pdf"},
    ]
    assert bring(supervisor, door, text="", attachments=files).status_code == 201
    inbound.drain()
    here, there = Message.objects.get().attachments.order_by("pk")
    assert (here.filename, here.content_type, here.media.state) == ("móp.png", "image/png", Media.State.KEPT)
    assert (there.filename, there.media.state) == ("biên bản.pdf", Media.State.COMING)
    run_jobs()  # no such host: tried again later


def test_a_file_at_a_private_address_is_never_asked_for(supervisor, door):
    files = [{"filename": "x", "url": "http://127.0.0.1:9/secret"}]
    bring(supervisor, door, attachments=files)
    run_jobs()
    assert Media.objects.get().state == Media.State.LOST


def test_a_moment_that_is_still_to_come_is_now(supervisor, door):
    before = now()
    bring(supervisor, door, occurred_at=(before + timedelta(days=3)).isoformat())
    bring(supervisor, door, external_id="kho-2", occurred_at="0001-01-01T00:00:00+14:00")
    run_jobs()
    assert all(before - timedelta(seconds=5) <= message.occurred_at <= now() for message in Message.objects.all())
    assert parse_datetime(SAID["occurred_at"]) < before


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"external_id": ""}, 400, "external_id"),
        ({"external_id": 17}, 400, "external_id"),
        ({"external_id": "x" * 256}, 400, "external_id"),
        ({"sender": {"name": "Hạnh"}}, 400, "sender"),
        ({"sender": {"id": 5}}, 400, "sender"),
        ({"sender": {"id": "u", "email": "no address"}}, 400, "sender"),
        ({"sender": "u-77"}, 400, "sender"),
        ({"text": None}, 400, "text"),
        ({"text": " \n"}, 422, "text"),
        ({"text": "a\x00b"}, 400, "text"),
        ({"occurred_at": "gestern"}, 400, "occurred_at"),
        ({"occurred_at": "2026-01-31T16:00:00"}, 400, "occurred_at"),
        ({"attachments": [{"filename": "x"}]}, 400, "attachments"),
        ({"attachments": [{"content": "=", "filename": "x"}]}, 400, "attachments"),
        ({"attachments": [{"url": "ftp://kho.test/x"}]}, 400, "attachments"),
        ({"attachments": [{"url": "https://kho.test/x"}] * 21}, 400, "attachments"),
        ({"direction": "out"}, 400, "direction"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_kept(supervisor, door, change, status, field):
    assert field in refused(bring(supervisor, door, **change), status, "invalid")
    assert not InboundEvent.objects.exists()


def test_a_file_larger_than_the_desk_keeps_is_refused(supervisor, door, settings):
    settings.ATTACHMENT_MAX_BYTES = 1000
    files = [{"filename": "x", "content": base64.b64encode(b"x" * 2000).decode()}]
    refused(bring(supervisor, door, attachments=files), 413, "too_large")
    assert not InboundEvent.objects.exists()


def test_a_file_of_many_megabytes_fits_where_other_json_does_not(supervisor, door):
    files = [{"filename": "to.bin", "content": base64.b64encode(b"\x00" * 3_000_000).decode()}]
    assert bring(supervisor, door, attachments=files).status_code == 201
    run_jobs()
    assert Message.objects.get().attachments.get().size == 3_000_000
    refused(supervisor.post("channels/", json.dumps({"name": "x" * 2_000_000})), 413, "too_large")


def test_only_those_who_may_set_up_channels_bring_messages(agent, admin, door, client):
    refused(bring(agent, door), 403, "not_allowed")
    path = f"/api/v1/channels/{door.pk}/inbound/"
    refused(client.post(path, SAID, content_type="application/json"), 401, "not_authenticated")
    assert not InboundEvent.objects.exists()
    assert bring(admin, door).status_code == 201


def test_other_doors_take_no_messages_this_way(supervisor, door, mailbox):
    refused(bring(supervisor, mailbox), 404, "not_found")
    refused(supervisor.post("channels/0190b1b0-0000-7000-8000-000000000000/inbound/", SAID), 404, "not_found")
    Channel.objects.filter(pk=door.pk).update(is_active=False)
    refused(bring(supervisor, door), 409, "conflict")
    assert not InboundEvent.objects.exists()


def test_a_text_of_a_megabyte_and_odd_characters_arrive_whole(supervisor, door):
    odd = "👩‍👩‍👧 \u202eabc\u202c " + "dài " * 200_000
    assert bring(supervisor, door, text=odd).status_code == 201
    run_jobs()
    assert Message.objects.get().text == odd


def test_where_the_answers_go_is_an_admins_to_say(supervisor, admin):
    body = {"kind": "open_api", "name": "Kho", "config": {"callback_url": "https://kho.test/hook"}}
    refused(supervisor.post("channels/", body), 403, "not_allowed")
    assert admin.post("channels/", body).status_code == 201
    body["config"] = {"callback_url": "http://kho.test/hook"}
    assert "config.callback_url" in refused(admin.post("channels/", body), 422, "invalid")
