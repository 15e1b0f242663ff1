"""The conversation over the API: reading, answering, notes, files, sending again."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from channels_app.models import Delivery, Media
from helpdesk.core.models import EventLog
from tests.api.conftest import refused
from tests.builders import a_chat, a_mail, receive, run_jobs
from tickets.models import Message, SlaClock

MESSAGE = {
    *("id", "ticket", "channel", "external_id", "direction", "kind", "visibility", "sender", "text", "text_full"),
    *("html", "attachments", "delivery", "auto", "bounce", "occurred_at"),
}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def upload(program, name="bill.pdf", content=b"%PDF-1.4 x", content_type="application/pdf", **headers):
    file = SimpleUploadedFile(name, content, content_type=content_type)
    return program.client.post("/api/v1/attachments/", {"file": file}, headers=headers)


def test_a_message_has_every_field_of_its_shape(agent, ticket, mailbox):
    [said] = agent.get(f"tickets/{ticket.pk}/messages/").json()["results"]
    assert set(said) >= MESSAGE
    assert (said["ticket"], said["channel"], said["channel_kind"]) == (str(ticket.pk), str(mailbox.pk), "email")
    assert (said["direction"], said["kind"], said["visibility"]) == ("in", "message", "public")
    assert said["sender"] == {"name": "Lan Nguyễn", "address": "lan@customer.test", "verified": False}
    assert said["text"] == said["text_full"] == "Shop ơi, đơn của mình đâu rồi?"
    assert (said["attachments"], said["delivery"], said["auto"], said["bounce"]) == ([], None, False, False)
    assert said["occurred_at"].endswith("Z")
    assert agent.get(f"tickets/{ticket.pk}/messages/{said['id']}/").json() == said


def test_an_answer_is_a_message_on_its_way_and_meets_the_clock(agent, ticket, mailbox):
    answer = agent.post(
        f"tickets/{ticket.pk}/replies/", {"text": "Dạ em kiểm tra ngay ạ.", "expected_version": ticket.version}
    )
    assert answer.status_code == 201
    said = answer.json()
    assert set(said) >= MESSAGE
    assert (said["direction"], said["kind"], said["visibility"], said["text"]) == (
        "out",
        "message",
        "public",
        "Dạ em kiểm tra ngay ạ.",
    )
    assert (said["channel"], said["author"]) == (str(mailbox.pk), str(agent.user.pk))
    assert said["delivery"] == {"state": "held", "reason": ""}
    assert SlaClock.objects.get(ticket=ticket).state == "met"
    event = EventLog.objects.filter(topic="message.added").latest("pk")
    assert (event.payload["message_id"], event.payload["direction"], event.actor_id) == (
        int(said["id"]),
        "out",
        agent.user.pk,
    )
    [delivery] = Delivery.objects.filter(message_id=int(said["id"]))
    assert delivery.payload["to"] == "lan@customer.test"
    assert agent.get(f"tickets/{ticket.pk}/").json()["assignee"] == str(agent.user.pk)


def test_an_answer_may_set_the_status_and_name_the_channel(agent, ticket, mailbox):
    body = {"text": "Xong ạ", "channel": str(mailbox.pk), "status": "solved"}
    assert agent.post(f"tickets/{ticket.pk}/replies/", body).status_code == 201
    assert agent.get(f"tickets/{ticket.pk}/").json()["status"] == "solved"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"text": ""}, 422, "invalid"),
        ({"text": " \n "}, 422, "invalid"),
        ({"text": None}, 400, "invalid"),
        ({"text": 5}, 400, "invalid"),
        ({"text": ["a"]}, 400, "invalid"),
        ({"text": "a\x00b"}, 400, "invalid"),
        ({"text": "x" * 60_001}, 400, "invalid"),
        ({"text": "x", "channel": "mail"}, 400, "invalid"),
        ({"text": "x", "channel": "0190b1b0-0000-7000-8000-000000000000"}, 422, "invalid"),
        ({"text": "x", "attachments": ["1"]}, 400, "invalid"),
        ({"text": "x", "attachments": ["0190b1b0-0000-7000-8000-000000000000"]}, 422, "invalid"),
        ({"text": "x", "attachments": ["0190b1b0-0000-7000-8000-000000000000"] * 10_000}, 400, "invalid"),
        ({"text": "x", "expected_version": 10**40}, 400, "invalid"),
        ({"text": "x", "expected_version": "1"}, 400, "invalid"),
        ({"text": "x", "status": "spam"}, 400, "invalid"),
        ({"text": "x", "to": "boss@evil.test"}, 400, "invalid"),
    ],
)
def test_an_answer_that_makes_no_sense_leaves_nothing(agent, ticket, body, status, code):
    refused(agent.post(f"tickets/{ticket.pk}/replies/", json.dumps(body)), status, code)
    assert Message.objects.count() == 1
    assert not Delivery.objects.exists()
    ticket.refresh_from_db()
    assert ticket.waiting_since is not None


def test_an_answer_to_a_moved_thread_is_409_with_what_is_new(agent, ticket, mailbox):
    seen = ticket.version
    new = receive(mailbox, a_mail(text="À thôi, mình thấy rồi"))
    answer = agent.post(f"tickets/{ticket.pk}/replies/", {"text": "Dạ", "expected_version": seen})
    fields = refused(answer, 409, "stale_version")
    assert fields["version"] == seen + 1
    assert [(one["id"], one["text"]) for one in fields["messages"]] == [(str(new.pk), "À thôi, mình thấy rồi")]
    assert Message.objects.filter(direction="out").count() == 0
    assert (
        agent.post(f"tickets/{ticket.pk}/replies/", {"text": "Dạ", "expected_version": fields["version"]}).status_code
        == 201
    )


def test_a_closed_ticket_takes_no_answer(agent, ticket):
    agent.patch(f"tickets/{ticket.pk}/", {"status": "closed"})
    refused(agent.post(f"tickets/{ticket.pk}/replies/", {"text": "x"}), 409, "ticket_closed")


def test_a_note_stays_in_the_house(agent, ticket):
    answer = agent.post(f"tickets/{ticket.pk}/notes/", {"text": "Khách quen, ưu tiên"})
    assert answer.status_code == 201
    said = answer.json()
    assert (said["kind"], said["visibility"], said["delivery"]) == ("note", "internal", None)
    assert not Delivery.objects.exists()
    assert SlaClock.objects.get(ticket=ticket).state == "running"
    refused(agent.post(f"tickets/{ticket.pk}/notes/", {"text": ""}), 422, "invalid")


def test_the_same_key_answers_once(agent, ticket):
    body = {"text": "Dạ em đây"}
    first = agent.post(f"tickets/{ticket.pk}/replies/", body, **{"Idempotency-Key": "k-1"})
    again = agent.post(f"tickets/{ticket.pk}/replies/", body, **{"Idempotency-Key": "k-1"})
    assert first.json() == again.json()
    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 201, "true")
    assert Message.objects.filter(direction="out").count() == Delivery.objects.count() == 1
    other = agent.post(f"tickets/{ticket.pk}/replies/", {"text": "Khác"}, **{"Idempotency-Key": "k-1"})
    refused(other, 422, "idempotency_key_reused")


def test_a_held_answer_is_taken_back_by_its_writer_only(agent, admin, ticket):
    said = agent.post(f"tickets/{ticket.pk}/replies/", {"text": "Nhầm"}).json()
    path = f"tickets/{ticket.pk}/messages/{said['id']}/take-back/"
    refused(admin.post(path), 409, "conflict")
    taken = agent.post(path)
    assert taken.status_code == 200
    assert taken.json()["delivery"]["state"] == "taken_back"
    refused(agent.post(path), 409, "conflict")
    assert SlaClock.objects.get(ticket=ticket).state == "running"


def test_a_failed_answer_is_sent_again(agent, outsider, ticket):
    said = agent.post(f"tickets/{ticket.pk}/replies/", {"text": "Dạ"}).json()
    path = f"tickets/{ticket.pk}/messages/{said['id']}/retry/"
    refused(agent.post(path), 409, "conflict")
    Delivery.objects.filter(message_id=int(said["id"])).update(state="failed", outcome="failed", last_error="550")
    Message.objects.filter(pk=int(said["id"])).update(delivery_state="failed", delivery_reason="550", held_until=None)
    refused(outsider.post(path), 404, "not_found")
    again = agent.post(path)
    assert again.json()["delivery"] == {"state": "queued", "reason": ""}
    assert Delivery.objects.get(message_id=int(said["id"])).tries == 2
    assert EventLog.objects.filter(topic="delivery.retried").count() == 1


def test_messages_page_in_both_directions_at_a_constant_cost(agent, ticket, mailbox, django_assert_num_queries):
    for number in range(4):
        receive(mailbox, a_mail(text=f"tin {number}"))
    agent.get(f"tickets/{ticket.pk}/messages/")
    # the token; the ticket through the gate; tickets merged into it; the page; its files
    with django_assert_num_queries(5):
        page = agent.get(f"tickets/{ticket.pk}/messages/?limit=200").json()
    assert [one["text"] for one in page["results"]][1:] == [f"tin {number}" for number in range(4)]
    latest = agent.get(f"tickets/{ticket.pk}/messages/?ordering=-occurred_at&limit=1").json()
    assert latest["results"][0]["text"] == "tin 3"
    assert latest["next"]


def test_a_file_goes_up_out_and_down_again(agent, outsider, admin, ticket):
    up = upload(agent, name="../../hoá đơn.pdf")
    assert up.status_code == 201
    file = up.json()
    assert (file["filename"], file["content_type"], file["size"]) == ("hoá đơn.pdf", "application/pdf", 10)
    assert agent.get(file["url"]).content == b"%PDF-1.4 x"
    refused(admin.get(file["url"]), 404, "not_found")  # an upload is its owner's until it is sent
    body = {"text": "", "attachments": [file["id"]]}
    refused(admin.post(f"tickets/{ticket.pk}/replies/", body), 422, "invalid")
    said = agent.post(f"tickets/{ticket.pk}/replies/", body).json()
    [sent] = said["attachments"]
    assert (sent["filename"], sent["size"]) == ("hoá đơn.pdf", 10)
    down = admin.get(sent["url"], accept="image/png")
    assert down.content == b"%PDF-1.4 x"
    assert down["Content-Disposition"].startswith("attachment")
    assert (down["X-Content-Type-Options"], down["Content-Type"]) == ("nosniff", "application/pdf")
    refused(outsider.get(sent["url"]), 404, "not_found")


@pytest.mark.parametrize(
    ("name", "content", "claimed", "served", "shown"),
    [
        ("a.png", PNG, "image/png", "image/png", "inline"),
        ("a.png", b"<script>alert(1)</script>", "image/png", "application/octet-stream", "attachment"),
        ("a.svg", b"<svg onload='alert(1)'/>", "image/svg+xml", "application/octet-stream", "attachment"),
        ("a.html", b"<script>1</script>", "text/html", "application/octet-stream", "attachment"),
        ("a.bin", b"x", "nonsense", "application/octet-stream", "attachment"),
    ],
)
def test_only_harmless_images_are_shown_in_place(agent, name, content, claimed, served, shown):
    down = agent.get(upload(agent, name, content, claimed).json()["url"])
    assert down["Content-Type"] == served
    assert down["Content-Disposition"].startswith(shown)


def test_uploads_that_are_none_are_refused(agent, settings):
    refused(agent.post("attachments/", {"file": "x"}), 415, "unsupported_media_type")
    refused(agent.client.post("/api/v1/attachments/", {"other": "x"}), 400, "invalid")
    refused(agent.client.post("/api/v1/attachments/", {"file": "not a file"}), 400, "invalid")
    refused(upload(agent, content=b""), 400, "invalid")
    settings.ATTACHMENT_MAX_BYTES = 10
    refused(upload(agent, content=b"x" * 11), 413, "too_large")
    broken = agent.client.post("/api/v1/attachments/", b"--x\r\n", content_type="multipart/form-data")
    refused(broken, 400, "bad_request")
    assert not Media.objects.exists()


def test_an_upload_with_a_key_is_kept_once(agent):
    first = upload(agent, **{"Idempotency-Key": "up"})
    again = upload(agent, **{"Idempotency-Key": "up"})
    assert first.json() == again.json()
    assert Media.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_over_the_api_leaves_the_house(agent, ticket, tmp_path, settings):
    settings.MAIL_OUT, settings.UNDO_SECONDS = f"dir:{tmp_path}", {}
    said = agent.post(f"tickets/{ticket.pk}/replies/", {"text": "Dạ em gửi ạ"}).json()
    assert said["delivery"]["state"] == "queued"
    run_jobs()
    assert agent.get(f"tickets/{ticket.pk}/messages/{said['id']}/").json()["delivery"]["state"] == "sent"
    assert len(list(tmp_path.glob("*.eml"))) == 1


def test_a_chat_cannot_be_named_for_somebody_who_never_used_it(agent, ticket):
    chat = a_chat()
    answer = agent.post(f"tickets/{ticket.pk}/replies/", {"text": "x", "channel": str(chat.pk)})
    assert refused(answer, 422, "invalid") == {"channel": "unreachable"}
