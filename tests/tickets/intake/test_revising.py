"""What happens to words after they were said: edited, taken back, reacted to."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.timezone import now

from channels_app.contracts import Edit, Fetched, Origin, Reaction, RemoteFile, Unsend
from channels_app.models import Delivery, InboundRaw, Media
from helpdesk.core.errors import GiveUp, Retry
from helpdesk.core.models import EventLog
from tests.builders import an_actor, run_jobs
from tests.tickets.intake.lines import Line, everywhere
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import drift, joining, search
from tickets.messages import actions as messages
from tickets.models import Attachment, Message, Ticket

SECRET = "Mã thẻ xyzzy-4711 nhé"
PNG = b"\x89PNG\r\n\x1a\nxyzzy-4711" + b"\x00" * 64
EDITED, UNSENT, REACTED = "message.edited", "message.unsent", "message.reacted"


def edit(line: Line, message: Message, text: str, *, after: float = 10, number: int = 0) -> None:
    at = message.occurred_at + timedelta(seconds=after)
    item = Edit(external_id=message.external_id, thread_key=line.key, occurred_at=at, text=text, number=number)
    line.tell(item, text.encode())
    message.refresh_from_db()


def unsend(line: Line, external_id: str, **fields: object) -> None:
    line.tell(Unsend(external_id=external_id, thread_key=line.key, occurred_at=now()), **fields)


def react(line: Line, external_id: str, emoji: str, *, seconds: float = 0) -> None:
    at = now() + timedelta(seconds=seconds)
    line.tell(Reaction(external_id=external_id, thread_key=line.key, sender=line.who, occurred_at=at, emoji=emoji))


def told(topic: str) -> int:
    return EventLog.objects.filter(topic=topic).count()


def an_hour_later(line: Line) -> Origin:
    """As the receipt looks after an hour of being tried."""
    from dataclasses import replace

    return replace(line.origin(), received_at=now() - timedelta(hours=1))


def long_ago(line: Line, text: str, **fields: object) -> Message:
    return line.says(text, occurred_at=now() - timedelta(minutes=5), **fields)


def test_an_edited_message_says_the_new_words_and_keeps_the_old(line: Line) -> None:
    message = long_ago(line, "Giao quận 1")
    lifecycle.mark_read(ticket_id=message.ticket_id, actor=an_actor("admin"))
    version = message.ticket.talked_version
    edit(line, message, "Giao quận 7")
    assert message.text == "Giao quận 7"
    assert message.details["history"] == [{"at": message.occurred_at.isoformat(), "text": "Giao quận 1"}]
    assert message.edited_at == message.occurred_at + timedelta(seconds=10)
    ticket = Ticket.objects.get()
    assert (ticket.snippet, ticket.unread) == ("Giao quận 7", True)
    assert ticket.talked_version > version, "an answer to the old words is refused"
    assert told(EDITED) == 1
    assert list(drift.of(ticket)) == []
    assert Ticket.objects.filter(search.matching("quận 7")).exists()


@pytest.mark.parametrize("numbered", [True, False])
def test_of_several_edits_the_last_one_stands_in_whichever_order_they_come(line: Line, numbered: bool) -> None:
    message = long_ago(line, "một")
    edit(line, message, "ba", after=20, number=2 if numbered else 0)
    edit(line, message, "hai", after=10, number=1 if numbered else 0)
    edit(line, message, "ba", after=20, number=2 if numbered else 0)
    assert message.text == "ba"
    assert [former["text"] for former in message.details["history"]] == ["một", "hai"]
    assert told(EDITED) == 1


def test_an_edit_before_its_message_waits_for_it_each_time_longer(line: Line) -> None:
    item = Edit(external_id="late", thread_key=line.key, occurred_at=now(), text="hai")
    with pytest.raises(Retry) as waiting:
        line.tell(item)
    assert waiting.value.after == 2
    with pytest.raises(GiveUp):
        line.tell(item, origin=an_hour_later(line))
    assert (Message.objects.count(), EventLog.objects.count()) == (0, 0)


def test_a_message_taken_back_is_forgotten_everywhere(line: Line) -> None:
    message = long_ago(line, SECRET, details={"location": {"name": SECRET, "latitude": 1, "longitude": 2}})
    edit(line, message, SECRET + " (sửa)")
    lifecycle.set_subject(ticket_id=message.ticket_id, subject="Hỏi thẻ", actor=an_actor("admin"))
    assert everywhere("xyzzy-4711"), "the search itself finds what is there"
    unsend(line, message.external_id)
    assert everywhere("xyzzy-4711") == []
    message.refresh_from_db()
    assert (message.text, message.text_full, message.html, message.details) == ("", "", "", {})
    assert message.unsent_at is not None
    ticket = Ticket.objects.get()
    assert ticket.snippet == "🚫 Tin nhắn đã thu hồi"
    assert ticket.subject == "Hỏi thẻ", "what a colleague called it stays"
    assert told(UNSENT) == 1
    assert not Ticket.objects.filter(search.matching("xyzzy")).exists()
    assert ticket.waiting_since is not None, "that somebody wrote is still true"
    assert list(drift.of(ticket)) == []


def test_a_moved_or_merged_message_is_forgotten_where_it_stood_before_too(line: Line) -> None:
    admin = an_actor("admin")
    message = long_ago(line, SECRET)
    long_ago(line, "và câu này")
    fresh = joining.split(ticket_id=message.ticket_id, message_ids=[message.pk], actor=admin)
    joining.merge(survivor_id=message.ticket_id, loser_id=fresh.pk, actor=admin)
    unsend(line, message.external_id)
    assert everywhere("xyzzy-4711") == []


def test_a_message_taken_back_twice_is_told_once_and_later_edits_stay_forgotten(line: Line) -> None:
    message = long_ago(line, SECRET)
    unsend(line, message.external_id)
    unsend(line, message.external_id)
    edit(line, message, SECRET)
    react(line, message.external_id, "❤️")
    line.says(SECRET, external_id=message.external_id)
    assert everywhere("xyzzy-4711") == []
    assert (told(UNSENT), told(EDITED), told(REACTED)) == (1, 0, 0)
    message.refresh_from_db()
    assert message.reactions == {}


def test_a_message_taken_back_before_it_came_waits_and_in_the_end_needs_no_forgetting(line: Line) -> None:
    with pytest.raises(Retry):
        unsend(line, "never")
    unsend(line, "never", origin=an_hour_later(line))
    assert EventLog.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_files_of_a_message_taken_back_are_gone_and_those_of_others_stay(line: Line) -> None:
    line.provider.files = {
        "a": Fetched(content=PNG, content_type="image/png"),
        "b": Fetched(content=PNG + b"other", content_type="image/png"),
    }
    photo, other = RemoteFile(source={"id": "a"}, filename="xyzzy-4711.png"), RemoteFile(source={"id": "b"})
    first, second = long_ago(line, "", remote=(photo, other)), long_ago(line, "", remote=(other,))
    run_jobs()
    kept = Path(settings.MEDIA_ROOT)
    paths = [kept / file.media.path for file in Attachment.objects.filter(message=first).order_by("pk")]
    assert all(path.exists() for path in paths)
    unsend(line, first.external_id)
    assert [path.exists() for path in paths] == [False, True]
    assert everywhere("xyzzy-4711") == []
    gone = Attachment.objects.filter(message=first).select_related("media")
    assert [(file.media.state, file.media.sha256, file.filename) for file in gone] == [("lost", "", "")] * 2
    assert Attachment.objects.get(message=second).media.state == "kept"


@pytest.mark.django_db(transaction=True)
def test_a_file_still_to_come_is_not_fetched_any_more(line: Line) -> None:
    line.provider.files = {"a": Fetched(content=PNG, content_type="image/png")}
    message = long_ago(line, "", remote=(RemoteFile(source={"id": "a", "url": "https://cdn.test/xyzzy-4711"}),))
    unsend(line, message.external_id)
    run_jobs()
    assert (Media.objects.get().state, Media.objects.get().sha256) == ("lost", "")
    assert everywhere("xyzzy-4711") == []


@pytest.mark.django_db(transaction=True)
def test_an_answer_of_ours_can_be_taken_back_in_the_providers_app_and_reacted_to(line: Line) -> None:
    line.provider.ids = ["provider-1"]
    ticket = long_ago(line, "Alo").ticket
    answer = messages.reply(ticket_id=ticket.pk, text=SECRET, actor=an_actor())
    run_jobs()
    react(line, "provider-1", "👍")
    answer.refresh_from_db()
    assert answer.reactions == {"7001": "👍"}
    unsend(line, "provider-1")
    answer.refresh_from_db()
    assert (answer.text, answer.reactions, answer.unsent_at is not None) == ("", {}, True)
    assert Delivery.objects.get().outcome == "sent"
    assert everywhere("xyzzy-4711") == []


def test_a_reaction_is_shown_and_asks_nobody_for_anything(line: Line) -> None:
    ticket = long_ago(line, "Alo").ticket
    message = line.typed("Dạ")
    assert message is not None
    lifecycle.set_status(ticket_id=ticket.pk, status="solved", actor=an_actor("admin"))
    ticket.refresh_from_db()
    before = (ticket.status, ticket.talked_version, ticket.waiting_since, ticket.unread, ticket.snippet)
    version = ticket.version
    react(line, message.external_id, "❤️")
    message.refresh_from_db()
    ticket.refresh_from_db()
    assert message.reactions == {"7001": "❤️"}
    assert (ticket.status, ticket.talked_version, ticket.waiting_since, ticket.unread, ticket.snippet) == before
    assert ticket.version > version, "open screens hear of it"
    assert told(REACTED) == 1


def test_a_reaction_is_changed_taken_back_and_never_undone_by_an_older_one(line: Line) -> None:
    message = long_ago(line, "Alo")
    react(line, message.external_id, "❤️", seconds=-30)
    react(line, message.external_id, "😆", seconds=-20)
    react(line, message.external_id, "❤️", seconds=-30)
    message.refresh_from_db()
    assert message.reactions == {"7001": "😆"}
    react(line, message.external_id, "", seconds=-10)
    react(line, message.external_id, "😆", seconds=-20)
    message.refresh_from_db()
    assert message.reactions == {}
    assert told(REACTED) == 3


def test_a_reaction_to_what_never_came_is_dropped_in_the_end(line: Line) -> None:
    item = Reaction(external_id="x", thread_key=line.key, sender=line.who, occurred_at=now(), emoji="❤️")
    with pytest.raises(Retry):
        line.tell(item)
    line.tell(item, origin=an_hour_later(line))
    assert EventLog.objects.count() == 0


def test_nobody_revises_what_was_said_on_another_channel(line: Line) -> None:
    message = long_ago(line, "Alo")
    other = line.channel.__class__.objects.create(kind="zalo", name="x", address="x")
    stranger = Line(other, line.provider, line.who, line.key)
    with pytest.raises(Retry):
        edit(stranger, message, "forged")
    with pytest.raises(Retry):
        unsend(stranger, message.external_id)
    message.refresh_from_db()
    assert (message.text, message.unsent_at) == ("Alo", None)
    assert InboundRaw.objects.filter(body=b"Alo").exists()
