"""How the conversation shows what is more than words, on the screen and to programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from channels_app.contracts import ContactChange, Edit, Fetched, Reaction, Receipt, RemoteFile, Unsend
from channels_app.models import Media
from helpdesk.accounts.models import User
from helpdesk.accounts.queries import actor_for
from tests.builders import a_user, run_jobs
from tests.tickets.intake.lines import Line
from tickets.messages import actions as messages
from tickets.messages import queries
from tickets.models import Attachment, Message, Ticket

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture
def agent(db: None) -> User:
    return a_user(language="en")


@pytest.fixture
def client(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def page(client: Client) -> str:
    answer = client.get(f"/inbox/{Ticket.objects.latest('pk').pk}/live/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return str(answer.content.decode())


def shown(client: Client, message: Message) -> str:
    html = page(client)
    return html[html.index(f'id="m{message.pk}"') :].split("</article>")[0]


def ago(line: Line, text: str = "", **fields: Any) -> Message:
    return line.says(text, occurred_at=now() - timedelta(minutes=5), **fields)


def test_each_message_says_by_which_channel_it_came(client: Client, line: Line) -> None:
    assert "#zalo" in (html := shown(client, ago(line, "Alo")))
    assert "</svg>Zalo</span>" in html


def test_a_place_leads_to_a_map_and_one_without_coordinates_does_not(client: Client, line: Line) -> None:
    place = {"latitude": 10.772, "longitude": 106.698, "name": "Chợ <b>Bến Thành</b>", "address": "Quận 1"}
    html = shown(client, ago(line, details={"location": place}))
    assert (
        'href="https://www.openstreetmap.org/?mlat=10.772000&amp;mlon=106.698000#map=17/10.772000/106.698000"' in html
    )
    assert 'rel="noopener noreferrer"' in html
    assert "Chợ &lt;b&gt;Bến Thành&lt;/b&gt;, Quận 1" in html
    assert "10.77200, 106.69800" in html


@pytest.mark.parametrize(
    "details",
    [
        {"location": {"latitude": "x", "longitude": 1}}, {"location": {"latitude": float(91), "longitude": 0}},
        {"location": []}, {"contacts": {"name": 1}}, {"contacts": [None, 3, {"phones": "x"}]}, {"choice": 7},
        {"choice": {"title": None}}, {"referral": "ad"}, {"story": {"url": "javascript:alert(1)"}},
        {"referral": {"url": "javascript:alert(1)", "title": 3}}, {"post": [1]},
    ],
)  # fmt: skip
def test_details_of_any_shape_break_no_page_and_lead_nowhere(client: Client, line: Line, details: Any) -> None:
    html = shown(client, ago(line, "Alo", details=details, is_comment="post" in details))
    assert "Alo" in html
    assert "javascript:" not in html


def test_cards_choices_ads_stories_and_forwarded_words(client: Client, line: Line) -> None:
    details = {
        "contacts": [{"name": "Hoa", "phones": ["+84901234567"], "emails": ["hoa@x.test"]}],
        "choice": {"title": "Đổi size", "payload": "SIZE"},
        "referral": {"source": "ADS", "title": "Khai trương", "url": "https://ads.test/1"},
        "story": {"url": "https://cdn.test/story"},
        "forwarded": True,
    }
    html = shown(client, ago(line, "Đổi size", details=details))
    for words in ("Hoa", "+84901234567 · hoa@x.test", "Chose: Đổi size", "Came from an ad: Khai trương", "Forwarded"):
        assert words in html
    assert 'href="https://cdn.test/story"' in html
    assert html.count("Đổi size") == 1, "what was pressed is said once"


def test_a_public_comment_cannot_be_taken_for_a_private_message(client: Client, line: Line) -> None:
    post = {"id": "p1", "url": "https://social.test/p1", "text": "Khai trương"}
    message = ago(line, "Còn không?", is_comment=True, details={"post": post})
    assert f'class="msg in public" id="m{message.pk}"' in page(client)
    html = shown(client, message)
    assert "Public, under the post “Khai trương”" in html
    assert 'href="https://social.test/p1"' in html


def test_an_answer_typed_elsewhere_says_so_and_by_whom(client: Client, line: Line) -> None:
    ago(line, "Alo")
    answer = line.typed("Dạ", author="Hoa", external_id="e1")
    assert answer is not None
    line.tell(Receipt(reference="e1", state="read"))
    html = shown(client, answer)
    assert "Sent from Zalo’s own app" in html
    assert ">Hoa</span>" in html
    assert 'data-state="read"' in html


def test_a_quoted_message_stands_above_and_leads_there(client: Client, line: Line) -> None:
    first = ago(line, "Câu đầu")
    html = shown(client, ago(line, "Trả lời", quotes=first.external_id))
    assert f'href="#m{first.pk}"' in html
    assert "Câu đầu" in html
    assert "msg-quote" not in shown(client, ago(line, "Khác", quotes="unknown"))


@pytest.mark.django_db(transaction=True)
def test_a_quote_of_our_own_answer_is_found_by_its_providers_id(line: Line, agent: User) -> None:
    line.provider.ids = ["provider-1"]
    ticket = ago(line, "Alo").ticket
    answer = messages.reply(ticket_id=ticket.pk, text="Dạ", actor=actor_for(agent))
    run_jobs()
    quoting = line.says("Cái này nè", quotes="provider-1")
    entry = next(one for one in queries.timeline(ticket, actor_for(agent)) if one.message == quoting)
    assert entry.quoted == answer


def test_an_edit_shows_the_former_text_on_demand(client: Client, line: Line) -> None:
    message = ago(line, "Quận 1")
    at = message.occurred_at + timedelta(seconds=5)
    line.tell(Edit(external_id=message.external_id, thread_key=line.key, occurred_at=at, text="Quận 7"))
    html = shown(client, message)
    assert html.index("Quận 7") < html.index("<details") < html.index("Quận 1")
    assert "<summary>Edited " in html


def test_what_was_taken_back_is_a_placeholder(client: Client, line: Line) -> None:
    message = ago(line, "bí mật", details={"location": {"latitude": 1, "longitude": 2}})
    line.tell(Unsend(external_id=message.external_id, thread_key=line.key, occurred_at=now()))
    assert "bí mật" not in page(client)
    html = shown(client, message)
    assert "Taken back by the customer" in html
    assert "openstreetmap" not in html


def test_reactions_stand_under_the_message_with_a_name(client: Client, line: Line) -> None:
    message = ago(line, "Alo")
    line.tell(
        Reaction(external_id=message.external_id, thread_key=line.key, sender=line.who, occurred_at=now(), emoji="❤️")
    )
    assert "Lan reacted: ❤️" in shown(client, message)


def test_a_line_that_was_closed_is_told_in_one_quiet_line(client: Client, line: Line) -> None:
    ago(line, "Alo")
    line.tell(ContactChange(thread_key=line.key, sender=line.who, occurred_at=now(), what="blocked"))
    assert "The customer has blocked us on Zalo" in page(client)


@pytest.mark.django_db(transaction=True)
def test_files_are_shown_by_what_they_are_and_while_they_come(client: Client, line: Line, agent: User) -> None:
    kinds = {"a": "image/png", "b": "audio/mpeg", "c": "video/mp4", "d": "application/pdf"}
    line.provider.files = {
        key: Fetched(content=PNG if key == "a" else key.encode() * 100, content_type=kind, filename=f"{key}.bin")
        for key, kind in kinds.items()
    }
    message = ago(line, remote=tuple(RemoteFile(source={"id": key}) for key in (*kinds, "gone")))
    coming = Attachment.objects.filter(message=message).first()
    assert coming is not None
    assert shown(client, message).count("Loading the file…") == 5
    assert client.get(f"/inbox/files/{coming.pk}/").status_code == 404
    run_jobs()
    html = shown(client, message)
    for tag in ("<img ", "<audio ", "<video ", "<a class=", "This file is no longer there"):
        assert html.count(tag) >= 1, tag
    film = Attachment.objects.get(content_type="video/mp4")
    whole = client.get(f"/inbox/files/{film.pk}/")
    assert (whole.status_code, whole["Content-Type"], len(whole.content)) == (200, "video/mp4", 100)
    part = client.get(f"/inbox/files/{film.pk}/", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content, part["Content-Range"]) == (206, b"c" * 10, "bytes 10-19/100")
    assert client.get(f"/inbox/files/{film.pk}/", headers={"Range": "bytes=500-"}).status_code == 200


def test_a_sticker_is_small(client: Client, line: Line) -> None:
    message = ago(line, remote=(RemoteFile(source={}, kind="sticker"),))
    Media.objects.update(state="kept", sha256="a" * 64, content_type="image/webp")
    Attachment.objects.update(content_type="image/webp")
    assert 'class="file-sticker"' in shown(client, message)


@pytest.mark.parametrize("state", ["coming", "lost"])
def test_a_file_that_is_not_here_is_404_in_words_everywhere(client: Client, line: Line, state: str) -> None:
    message = ago(line, remote=(RemoteFile(source={}, kind="image"),))
    Media.objects.update(state=state)
    file = Attachment.objects.get(message=message)
    page_answer = client.get(f"/inbox/files/{file.pk}/")
    assert page_answer.status_code == 404
    words = "on its way" if state == "coming" else "no longer there"
    answer = client.get(f"/api/v1/attachments/{file.pk}/")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["code"], words in error["message"]) == ("not_found", True)


def test_programs_are_told_the_same(client: Client, line: Line) -> None:
    message = ago(line, "một", details={"forwarded": True}, quotes="q", remote=(RemoteFile(source={}, kind="image"),))
    at = message.occurred_at + timedelta(seconds=5)
    key = {"external_id": message.external_id, "thread_key": line.key}
    line.tell(Edit(**key, occurred_at=at, text="hai", number=1))
    line.tell(Reaction(**key, sender=line.who, occurred_at=now(), emoji="👍"))
    path = f"/api/v1/tickets/{message.ticket_id}/messages/{message.pk}/"
    found = client.get(path).json()
    assert (found["quotes"], found["reactions"], found["unsent_at"]) == ("q", {"7001": "👍"}, None)
    assert found["details"] == {"forwarded": True, "history": [{"at": message.occurred_at.isoformat(), "text": "một"}]}
    assert found["edited_at"] is not None
    assert [file["state"] for file in found["attachments"]] == ["coming"]
    line.tell(Unsend(**key, occurred_at=now()))
    found = client.get(path).json()
    assert (found["text"], found["details"], found["attachments"][0]["state"]) == ("", {}, "lost")
    assert found["unsent_at"] is not None


def test_a_page_of_everything_asks_hardly_more_questions_than_a_plain_one(client: Client, line: Line) -> None:
    first = ago(line, "Alo", remote=(RemoteFile(source={}, kind="image"),))
    page(client)
    with CaptureQueriesContext(connection) as plain:
        page(client)
    for index in range(8):
        ago(
            line,
            f"{index}",
            quotes="elsewhere" if index % 2 else first.external_id,
            remote=(RemoteFile(source={}, kind="image"),),
            details={"forwarded": True},
        )
    with CaptureQueriesContext(connection) as full:
        page(client)
    # what is quoted from off the page: deliveries by the provider's id, messages
    assert len(full) - len(plain) <= 2, "\n".join(one["sql"] for one in full.captured_queries)
