"""The ways to reach a customer now: which there are, how each stands, and which is proposed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from channels_app.models import Channel, Thread
from tests.builders import a_chat, a_mailbox
from tests.tickets.saying import heard, mail_from, visitor
from tests.tickets.ways import a_door, commented, known_as, wrote
from tickets.messages.queries import channels_for
from tickets.models import Customer, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ways(ticket: Ticket) -> list[tuple[str, str, str]]:
    fresh = Ticket.objects.get(pk=ticket.pk)
    return [(way.kind, way.mode, "blocked" if way.blocked else way.window.state) for way in channels_for(fresh)]


@pytest.fixture
def mailbox(db: None) -> Channel:
    return a_mailbox()


@pytest.fixture
def everywhere(mailbox: Channel) -> Ticket:
    """Somebody who wrote on Messenger an hour ago, on Zalo before, and whose mail address is proved."""
    zalo, messenger = a_door("zalo"), a_door("messenger")
    first = wrote(zalo, "z1", ago=3 * HOUR)
    known_as(first.ticket.customer, "messenger", "m1", scope=messenger.address)
    known_as(first.ticket.customer, "email", "lan@customer.test")
    wrote(messenger, "m1", ago=HOUR)
    return first.ticket


def test_the_line_they_wrote_on_last_is_proposed(everywhere: Ticket) -> None:
    assert ways(everywhere) == [("messenger", "", "open"), ("zalo", "", "open"), ("email", "", "open")]
    assert [way.is_last for way in channels_for(everywhere)] == [True, False, False]


def test_what_the_customer_prefers_goes_before(everywhere: Ticket) -> None:
    Customer.objects.filter(pk=everywhere.customer_id).update(preferred_channel="zalo")
    assert ways(everywhere)[0] == ("zalo", "", "open")
    Customer.objects.filter(pk=everywhere.customer_id).update(preferred_channel="email")
    assert ways(everywhere)[0] == ("email", "", "open")


def test_a_preferred_channel_that_is_closed_is_not_proposed(everywhere: Ticket) -> None:
    Customer.objects.filter(pk=everywhere.customer_id).update(preferred_channel="zalo")
    Thread.objects.filter(channel__kind="zalo").update(sent_since=8)
    assert ways(everywhere) == [("messenger", "", "open"), ("email", "", "open"), ("zalo", "", "charged")]


def test_what_is_closed_stands_last_with_how_it_stands(everywhere: Ticket) -> None:
    Thread.objects.filter(channel__kind="messenger").update(last_inbound_at=now() - 2 * DAY)
    Thread.objects.filter(channel__kind="zalo").update(last_inbound_at=now() - 8 * DAY)
    assert ways(everywhere) == [("email", "", "open"), ("zalo", "", "template"), ("messenger", "", "closed")]
    Channel.objects.filter(kind="messenger").update(config={"human_agent": True})
    assert ways(everywhere)[0] == ("messenger", "", "human")
    Thread.objects.filter(channel__kind="messenger").update(unreachable="blocked")
    assert ways(everywhere)[-1] == ("messenger", "", "unreachable")


def test_a_channel_whose_keys_are_refused_is_blocked_with_its_reason(everywhere: Ticket) -> None:
    Channel.objects.filter(kind="messenger").update(problem_kind="auth", problem="Facebook no longer accepts the keys")
    assert ways(everywhere)[-1] == ("messenger", "", "blocked")
    assert channels_for(everywhere)[-1].blocked == "Facebook no longer accepts the keys"
    Channel.objects.filter(kind="messenger").update(problem_kind="silent")
    assert ways(everywhere)[0] == ("messenger", "", "open"), "silence blocks nothing"


def test_a_retired_channel_is_no_way(everywhere: Ticket) -> None:
    Channel.objects.filter(kind="messenger").update(is_active=False)
    assert [kind for kind, _mode, _state in ways(everywhere)] == ["zalo", "email"]


def test_the_same_id_on_another_page_is_somebody_else(mailbox: Channel) -> None:
    ours, theirs = a_door("messenger", address="page-1"), a_door("messenger", address="page-2")
    mine = wrote(ours, "777")
    other = wrote(theirs, "777")
    assert mine.ticket_id != other.ticket_id
    assert [way.channel_id for way in channels_for(mine.ticket)] == [ours.pk]


def test_only_proved_addresses_are_written_to_first(mailbox: Channel) -> None:
    ticket = wrote(a_door("zalo")).ticket
    for kind, value in (("email", "lan@customer.test"), ("phone", "+84901234567")):
        known_as(ticket.customer, kind, value, verified=False)
    assert ways(ticket) == [("zalo", "", "open")]
    ticket.customer.identities.update(verified_at=now())
    assert ways(ticket) == [("zalo", "", "open"), ("email", "", "open")]
    a_door("sms")
    assert [(way.kind, way.address) for way in channels_for(ticket)][1:] == [
        ("email", "lan@customer.test"),
        ("sms", "+84901234567"),
    ]


def test_a_comment_can_be_answered_in_public_or_once_in_private(mailbox: Channel) -> None:
    messenger = a_door("messenger")
    comment = commented(messenger, ago=HOUR)
    assert ways(comment.ticket) == [("messenger", "comment", "open"), ("messenger", "private", "open")]
    assert {way.quotes for way in channels_for(comment.ticket)} == {comment.external_id}
    private = channels_for(comment.ticket)[1].window
    assert (private.left, private.total) == (1, 1)
    assert private.closes_at is not None
    assert abs(private.closes_at - (now() - HOUR + 7 * DAY)) < timedelta(seconds=30)
    Message.objects.create(
        ticket=comment.ticket, thread=comment.thread, channel=messenger, direction="out", external_id="a1",
        details={"mode": "private"}, quotes=comment.external_id, delivery_state="failed",
    )  # fmt: skip
    assert ways(comment.ticket)[1] == ("messenger", "private", "open"), "it never arrived"
    Message.objects.filter(external_id="a1").update(delivery_state="sent")
    assert ways(comment.ticket)[1] == ("messenger", "private", "closed")


def test_a_new_comment_may_be_answered_privately_again_and_a_deleted_one_not_at_all(mailbox: Channel) -> None:
    messenger = a_door("messenger")
    first = commented(messenger, ago=9 * DAY)
    assert ways(first.ticket) == [("messenger", "comment", "open"), ("messenger", "private", "closed")]
    second = commented(messenger, ago=HOUR)
    assert second.ticket_id == first.ticket_id
    assert ways(first.ticket) == [("messenger", "comment", "open"), ("messenger", "private", "open")]
    assert channels_for(first.ticket)[0].quotes == second.external_id
    Message.objects.filter(pk=second.pk).update(unsent_at=now())
    assert channels_for(first.ticket)[0].quotes == first.external_id
    Message.objects.filter(pk=first.pk).update(unsent_at=now())
    assert {state for _kind, _mode, state in ways(first.ticket)} == {"closed"}


def test_a_line_with_both_comments_and_messages_offers_both(mailbox: Channel) -> None:
    instagram = a_door("instagram")
    wrote(instagram, "u1", ago=2 * DAY)
    ticket = commented(instagram, "u1", ago=HOUR, thread_key="u1").ticket
    found = ways(ticket)
    assert ("instagram", "comment", "open") in found
    assert ("instagram", "", "closed") in found, "a comment does not open the window of messages"


def questions(ticket: Ticket) -> int:
    fresh = Ticket.objects.get(pk=ticket.pk)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        channels_for(fresh)
    return len(asked)


def test_the_number_of_questions_is_the_same_however_many_ways_there_are(mailbox: Channel) -> None:
    messenger = a_door("messenger")
    ticket = commented(messenger, "m0").ticket
    known_as(ticket.customer, "email", "lan@customer.test")
    one = questions(ticket)
    for kind in ("zalo", "telegram", "line", "viber", "instagram", "whatsapp"):
        known_as(ticket.customer, kind, f"{kind}-u", scope=f"{kind}-1")
        wrote(a_door(kind), f"{kind}-u")
    for number in range(4):
        commented(messenger, "m0", thread_key=f"comment:{number}")
        known_as(ticket.customer, "email", f"lan{number}@customer.test")
    assert len(channels_for(ticket)) == 6 + 2 * 5 + 5
    # customer, aliases, identities, merged tickets, lines spoken on, lines with channels, newest words on lines that
    # carry comments, private answers, doors for proved addresses
    assert questions(ticket) == one <= 9


def test_mail_and_chat_stay_open_and_nobody_else_is_reached(mailbox: Channel) -> None:
    chat = a_chat()
    talk = heard(chat, visitor("v1", chat)).ticket
    assert ways(talk) == [("webchat", "", "open")]
    mail = heard(mailbox, mail_from("lan@customer.test")).ticket
    assert ways(mail) == [("email", "", "open")]
