"""Answering on any channel over the API: the ways, what a reply may carry, and the refusals."""

from datetime import timedelta

import pytest

from channels_app.models import Delivery, Thread
from tests.api.conftest import refused
from tests.builders import a_team
from tests.tickets.ways import TEMPLATES, a_door, commented, known_as, wrote
from tickets.models import Message, Ticket

DAY = timedelta(days=1)
WAY = {
    *("channel", "kind", "name", "address", "mode", "window", "blocked", "is_last", "is_preferred"),
    *("text_limit", "in_bytes", "choices", "templates"),
}


def replied(agent, ticket, **body):
    return agent.post(f"tickets/{ticket.pk}/replies/", {"text": "Dạ em đây"} | body)


def test_the_ways_say_how_they_stand(agent, mailbox):
    zalo = a_door("zalo")
    said = wrote(zalo, "z1", ago=timedelta(hours=1))
    known_as(said.ticket.customer, "email", "lan@customer.test")
    Thread.objects.filter(pk=said.thread_id).update(sent_since=3)
    page = agent.get(f"tickets/{said.ticket_id}/channels/").json()
    assert (page["next"], page["previous"]) == (None, None)
    first, second = page["results"]
    assert set(first) == WAY
    assert set(first["window"]) == {"state", "closes_at", "left", "total"}
    assert (first["channel"], first["kind"], first["address"], first["is_last"]) == (str(zalo.pk), "zalo", "z1", True)
    assert (first["window"]["state"], first["window"]["left"], first["window"]["total"]) == ("open", 5, 8)
    assert first["window"]["closes_at"].endswith("Z")
    assert (first["text_limit"], first["in_bytes"], first["templates"]) == (2000, False, True)
    assert (second["kind"], second["window"]["state"], second["window"]["closes_at"]) == ("email", "open", None)


def test_the_ways_of_another_teams_ticket_are_not_there(agent):
    said = wrote(a_door("zalo"))
    Ticket.objects.update(team=a_team())
    refused(agent.get(f"tickets/{said.ticket_id}/channels/"), 404, "not_found")


def test_a_closed_window_is_409_and_leaves_nothing(agent, mailbox):
    messenger = a_door("messenger")
    said = wrote(messenger, ago=2 * DAY)
    known_as(said.ticket.customer, "email", "lan@customer.test")
    fields = refused(replied(agent, said.ticket, channel=str(messenger.pk)), 409, "window_closed")
    assert fields["channel"] == str(messenger.pk)
    assert fields["closes_at"]
    [other] = fields["others"]
    assert {name: other[name] for name in ("channel", "kind", "name")} == {
        "channel": str(mailbox.pk),
        "kind": "email",
        "name": "Support",
    }
    assert Message.objects.count() == 1
    assert not Delivery.objects.exists()


def test_other_refusals_have_their_codes(agent):
    telegram = a_door("telegram")
    said = wrote(telegram)
    Thread.objects.update(unreachable="blocked")
    refused(replied(agent, said.ticket), 409, "unreachable")
    type(telegram).objects.update(problem_kind="auth", problem="refused")
    assert refused(replied(agent, said.ticket), 409, "channel_blocked")["reason"] == "refused"


def test_a_template_goes_in_place_of_text(agent):
    said = wrote(a_door("whatsapp", state={"templates": TEMPLATES}), ago=2 * DAY)
    template = {"name": "order_late", "language": "vi", "parameters": ["Lan", "1024"]}
    answer = replied(agent, said.ticket, text="", template=template)
    assert answer.status_code == 201, answer.content
    assert answer.json()["text"] == "Chào Lan, đơn 1024 sẽ tới muộn."
    assert refused(replied(agent, said.ticket, text="", template={"name": "none"}), 422, "invalid") == {
        "template": "unknown"
    }


def test_a_comment_is_answered_in_public_or_private(agent):
    comment = commented(a_door("messenger"))
    public = replied(agent, comment.ticket, mode="comment")
    assert (public.status_code, public.json()["kind"]) == (201, "comment")
    private = replied(agent, comment.ticket, mode="private")
    assert (private.status_code, private.json()["kind"]) == (201, "message")
    refused(replied(agent, comment.ticket, mode="private"), 409, "window_closed")


def test_quick_replies_and_quotes_go_along(agent):
    said = wrote(a_door("telegram"))
    answer = replied(agent, said.ticket, choices=["Có", "Không"], quotes=str(said.pk), address="u1")
    assert answer.status_code == 201, answer.content
    payload = Delivery.objects.get().payload
    assert (payload["choices"], payload["quotes"]) == (["Có", "Không"], said.external_id)


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "loud"},
        {"template": "hello"},
        {"template": {}},
        {"template": {"name": "x", "parameters": "y"}},
        {"choices": "a"},
        {"choices": ["x" * 101]},
        {"choices": ["a"] * 21},
        {"quotes": ["1"]},
        {"quotes": "1" * 21},
        {"address": 5},
        {"address": "a\x00"},
    ],
)
def test_what_is_malformed_is_400(agent, body):
    said = wrote(a_door("telegram"))
    refused(replied(agent, said.ticket, **body), 400, "invalid")
    assert not Delivery.objects.exists()
