"""What a customer's message brings beside its words."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from channels_app.contracts import Fetched, Profile, RemoteFile
from channels_app.models import Errand, Thread
from helpdesk.core.models import EventLog
from tests.builders import an_actor, run_jobs
from tests.tickets.intake.lines import Line
from tickets.customers import actions as customers
from tickets.lifecycle import drift
from tickets.models import Attachment, Message, Ticket

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
PHOTO = RemoteFile(source={"id": "photo"}, kind="image", filename="", content_type="")


@pytest.mark.django_db(transaction=True)
def test_a_file_that_lies_with_the_provider_shows_at_once_and_its_content_comes_later(line: Line) -> None:
    line.provider.files["photo"] = Fetched(content=PNG, content_type="image/png", filename="hoa.png")
    message = line.says("Ảnh đây shop", remote=(PHOTO,))
    file = Attachment.objects.select_related("media").get(message=message)
    assert (file.media.state, file.media.sha256, file.content_type) == ("coming", "", "image/*")
    version = message.ticket.version
    run_jobs()
    file.refresh_from_db()
    assert (file.media.state, file.content_type, file.size) == ("kept", "image/png", len(PNG))
    message.ticket.refresh_from_db()
    assert message.ticket.version > version, "screens that show the placeholder hear of it"


@pytest.mark.django_db(transaction=True)
def test_a_file_the_provider_no_longer_has_is_lost_and_said_so(line: Line) -> None:
    message = line.says("Ảnh đây shop", remote=(PHOTO,))
    version = message.ticket.version
    run_jobs()
    assert Attachment.objects.get(message=message).media.state == "lost"
    message.ticket.refresh_from_db()
    assert message.ticket.version > version


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"remote": (PHOTO,)}, "📷 Ảnh"),
        ({"remote": (PHOTO, PHOTO)}, "📷 2 ảnh"),
        ({"remote": (RemoteFile(source={}, kind="sticker"),)}, "🙂 Nhãn dán"),
        ({"remote": (RemoteFile(source={}, filename="hoa-don.pdf"),)}, "📎 Tệp: hoa-don.pdf"),
        ({"details": {"location": {"latitude": 10.7, "longitude": 106.6, "name": "Chợ Bến Thành"}}},
         "📍 Vị trí: Chợ Bến Thành"),
        ({"details": {"contacts": [{"name": "Hoa", "phones": ["+84901"]}]}}, "👤 Danh thiếp: Hoa"),
        ({"details": {"unsupported": True}}, "❔ Loại tin nhắn chưa đọc được"),
    ],
)  # fmt: skip
def test_a_message_without_words_is_named_by_what_it_holds(line: Line, fields: dict, words: str) -> None:
    ticket = line.says("", **fields).ticket
    assert (ticket.subject, ticket.snippet) == (words, words)
    assert list(drift.of(ticket)) == []
    line.says("Shop ơi")
    ticket = line.says("", **fields).ticket
    assert ticket.snippet == words
    assert list(drift.of(ticket)) == []


def test_what_words_cannot_hold_is_kept_and_nothing_of_the_desks_own_can_be_slipped_in(line: Line) -> None:
    details = {"choice": {"title": "Đổi size", "payload": "SIZE"}, "history": [{"text": "forged"}], "echo": True}
    message = line.says("Đổi size", details=details, quotes="q1")
    assert message.details == {"choice": {"title": "Đổi size", "payload": "SIZE"}}
    assert message.quotes == "q1"


def test_a_public_comment_is_marked_as_one_and_waits_for_an_answer(line: Line) -> None:
    post = {"post": {"id": "p1", "url": "https://social.test/p1", "text": "Khai trương", "parent": ""}}
    message = line.says("Còn hàng không shop?", is_comment=True, details=post)
    assert (message.kind, message.visibility) == ("comment", "public")
    assert message.ticket.waiting_since is not None
    added = EventLog.objects.get(topic="message.added", subject=f"ticket:{message.ticket_id}")
    assert added.payload["kind"] == "comment"


@pytest.mark.django_db(transaction=True)
def test_the_provider_is_asked_once_who_writes_where_no_name_came(line: Line) -> None:
    line.provider.people["7001"] = Profile(name="Lan Nguyễn", language="vi")
    nameless = Line(
        line.channel, line.provider, line.who.__class__(kind="zalo", value="7001", scope=line.who.scope), "7001"
    )
    nameless.says("Alo")
    nameless.says("Shop ơi")
    assert Errand.objects.filter(what="profile").count() == 1
    run_jobs()
    ticket = Ticket.objects.get()
    assert (ticket.customer_name, ticket.customer.name) == ("Lan Nguyễn", "Lan Nguyễn")


def test_nobody_is_asked_where_the_name_is_known(line: Line) -> None:
    line.says("Alo")
    assert not Errand.objects.exists()


def test_a_blocked_senders_message_is_spam_and_starts_no_clock(line: Line) -> None:
    customers.block(kind="zalo", value="7001", actor=an_actor("admin"))
    ticket = line.says("Mua đi").ticket
    assert (ticket.status, ticket.waiting_since, ticket.next_due_at) == ("spam", None, None)


def test_the_same_message_told_twice_is_one(line: Line) -> None:
    first = line.says("Alo", external_id="same", remote=(PHOTO,))
    events = EventLog.objects.count()
    line.says("Alo", external_id="same", remote=(PHOTO,))
    assert (Message.objects.count(), Attachment.objects.count(), Errand.objects.count()) == (1, 1, 1)
    assert EventLog.objects.count() == events
    first.ticket.refresh_from_db()
    assert first.ticket.message_count == 1


def test_a_message_that_comes_late_stands_where_it_was_said_and_does_not_set_the_list_back(line: Line) -> None:
    said = now()
    newest = line.says("thứ hai", occurred_at=said)
    line.says("thứ nhất", occurred_at=said - timedelta(minutes=1))
    newest.ticket.refresh_from_db()
    assert newest.ticket.last_message_at == said
    assert newest.ticket.snippet == "thứ hai"
    assert newest.ticket.waiting_since == said - timedelta(minutes=1)
    assert [one.text for one in Message.objects.order_by("occurred_at")] == ["thứ nhất", "thứ hai"]
    assert list(drift.of(newest.ticket)) == []
    assert Thread.objects.get().last_inbound_at == said
