"""One conversation on the screen."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from helpdesk.accounts.models import Team, User
from helpdesk.accounts.queries import actor_for
from tests.builders import a_mail, a_mailbox, a_team, a_ticket, a_user, receive
from tickets.lifecycle import actions as lifecycle
from tickets.messages import actions as messages
from tickets.models import Draft, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


def text(answer: Any) -> str:
    return answer.content.decode()


def test_htmx_gets_the_thread_and_a_visitor_the_whole_screen(client: Client, ticket: Ticket) -> None:
    part = text(client.get(f"/inbox/{ticket.pk}/", headers=HTMX))
    assert part.lstrip().startswith('<article class="thread"')
    assert "<html" not in part
    whole = text(client.get(f"/inbox/{ticket.pk}/"))
    assert "<html" in whole
    assert 'id="composer"' in whole
    assert f'id="t{ticket.pk}"' in whole


def test_the_number_of_questions_does_not_grow_with_the_conversation(
    client: Client, ticket: Ticket, agent: User, statements: Callable[[], Any]
) -> None:
    client.get(f"/inbox/{ticket.pk}/")
    with statements() as before:
        client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX)
    for index in range(12):
        messages.note(ticket_id=ticket.pk, text=f"note {index}", actor=actor_for(agent))
    with statements() as after:
        client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX)
    # session, user | ticket, colleagues with teams, teams, merged tickets, messages, attachments, events,
    # customer, aliases, identities, claims, suggestions, block, the customer's other tickets, linked tickets
    assert len(after) == len(before) <= 17, "\n".join(after)


@pytest.mark.parametrize("part", ["", "live/", "merge/", "customer/"])
def test_another_teams_conversation_is_not_there(client: Client, part: str) -> None:
    theirs = a_ticket(channel=a_mailbox("other@shop.test", team=a_team()))
    assert client.get(f"/inbox/{theirs.pk}/{part}").status_code == 404
    answer = client.get(f"/inbox/{theirs.pk}/{part}", headers=HTMX)
    assert answer.status_code == 404
    assert json.loads(answer["HX-Trigger"])["toast"]["kind"] == "error"


POSTS = ["assign", "team", "status", "priority", "tags", "snooze", "block", "undo", "merge", "split", "reply", "note"]


@pytest.mark.parametrize("act", [*POSTS, "draft", "upload", "customer", "customer-notes", "subject"])
def test_nobody_acts_on_another_teams_conversation(client: Client, act: str) -> None:
    theirs = a_ticket(channel=a_mailbox("other@shop.test", team=a_team()))
    version = theirs.version
    given = {"text": "x", "status": "solved", "priority": "high", "add": "x", "subject": "x", "assignee": "none"}
    assert client.post(f"/inbox/{theirs.pk}/{act}/", given, headers=HTMX).status_code == 404
    theirs.refresh_from_db()
    assert theirs.version == version


def test_opening_marks_it_read(client: Client, ticket: Ticket) -> None:
    assert ticket.unread
    client.get(f"/inbox/{ticket.pk}/", headers=HTMX)
    ticket.refresh_from_db()
    assert not ticket.unread


def test_notes_look_unlike_answers_and_what_is_not_proved_is_said(client: Client, ticket: Ticket, agent: User) -> None:
    messages.note(ticket_id=ticket.pk, text="only for us", actor=actor_for(agent))
    html = text(client.get(f"/inbox/{ticket.pk}/"))
    assert 'class="msg note"' in html
    assert "Internal note" in html
    assert "Sender not verified" in html


def test_what_a_stranger_writes_is_shown_as_text(client: Client, team: Team) -> None:
    evil = "<script>alert(1)</script> {{ 7|add:7 }}"
    ticket = a_ticket(channel=a_mailbox(team=team), subject=evil, text=evil, sender='"<img src=x>" <x@y.test>')
    html = text(client.get(f"/inbox/{ticket.pk}/"))
    assert "<script>alert" not in html
    assert "<img src=x>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:7 }}" in html


def test_events_in_a_row_fold_into_one_line(client: Client, ticket: Ticket, agent: User) -> None:
    actor = actor_for(agent)
    lifecycle.assign(ticket_id=ticket.pk, assignee_id=agent.pk, actor=actor)
    lifecycle.set_priority(ticket_id=ticket.pk, priority="high", actor=actor)
    html = text(client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX))
    assert html.count('<details class="events"') == 1
    assert "Trần Minh set the priority to High · 1 more change" in html
    assert "Trần Minh took it" in html


def test_consecutive_messages_share_one_head(client: Client, ticket: Ticket, agent: User) -> None:
    for words in ("first", "second"):
        messages.note(ticket_id=ticket.pk, text=words, actor=actor_for(agent))
    html = text(client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX))
    assert html.count('class="msg note"') == 1
    assert html.count('class="msg note cont"') == 1


def test_a_merged_conversation_shows_where_its_messages_came_from(client: Client, ticket: Ticket, team: Team) -> None:
    other = a_ticket(channel=ticket.messages.get().channel, subject="Anderes")
    answer = client.post(f"/inbox/{ticket.pk}/merge/", {"other": other.pk}, headers=HTMX)
    assert answer.status_code == 200
    assert json.loads(answer["HX-Trigger"])["close-dialog"] is True
    html = text(answer)
    assert f"#{other.pk}</span>" in html
    assert f"goes on in ticket #{ticket.pk}" in text(client.get(f"/inbox/{other.pk}/"))


def test_a_draft_is_there_again_after_a_reload(client: Client, ticket: Ticket, agent: User) -> None:
    answer = client.post(f"/inbox/{ticket.pk}/draft/", {"text": "half a thou", "mode": "note"})
    assert answer.status_code == 204
    html = text(client.get(f"/inbox/{ticket.pk}/"))
    assert "half a thou</textarea>" in html
    assert 'data-mode="note"' in html
    client.post(f"/inbox/{ticket.pk}/draft/", {"text": " "})
    assert not Draft.objects.exists()
    stranger = Client()
    stranger.force_login(a_user(language="en"))
    client.post(f"/inbox/{ticket.pk}/draft/", {"text": "mine alone"})
    assert "mine alone" not in text(stranger.get(f"/inbox/{ticket.pk}/"))


MAIL = b"""From: Lan <lan@customer.test>
To: support@shop.test
Subject: Bilder
Message-ID: <html@customer.test>
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<p onclick="x()">Hello <b>there</b> <img src="https://tracker.test/a.png"><script>alert(1)</script></p>
"""


def test_a_formatted_mail_is_shown_in_a_frame_that_runs_nothing(client: Client, team: Team) -> None:
    message = receive(a_mailbox(team=team), MAIL)
    assert message is not None
    address = f"/inbox/messages/{message.pk}/page/"
    answer = client.get(address)
    assert "<b>there</b>" in text(answer)
    assert "script" not in text(answer)
    assert "onclick" not in text(answer)
    assert ' src="https://tracker.test' not in text(answer)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert ' src="https://tracker.test/a.png"' in text(client.get(address + "?images=1"))
    assert "tracker.test" not in text(client.get(f"/inbox/{message.ticket_id}/"))


def test_the_original_mail_is_a_download_for_those_who_may_see_it(client: Client, ticket: Ticket) -> None:
    message = Message.objects.get(ticket=ticket)
    answer = client.get(f"/inbox/messages/{message.pk}/original/")
    assert b"Message-ID:" in answer.content
    assert answer["Content-Disposition"].startswith("attachment")
    stranger = Client()
    Ticket.objects.update(team=a_team())
    stranger.force_login(a_user())
    for part in ("original", "page"):
        assert stranger.get(f"/inbox/messages/{message.pk}/{part}/").status_code == 404


def test_files_come_through_the_gate_and_run_nowhere(client: Client, team: Team) -> None:
    raw = a_mail(message_id="<file@customer.test>")
    from email import message_from_bytes, policy

    mail: Any = message_from_bytes(raw, policy=policy.default)
    mail.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="x.html")
    message = receive(a_mailbox(team=team), mail.as_bytes())
    assert message is not None
    file = message.attachments.get()
    answer = client.get(f"/inbox/files/{file.pk}/")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    Ticket.objects.update(team=a_team())
    assert client.get(f"/inbox/files/{file.pk}/").status_code == 404
