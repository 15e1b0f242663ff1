"""Which ticket a message belongs to: every rule, and every way to get it wrong."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils.timezone import now

from channels_app import reply_tokens
from channels_app.models import Channel
from helpdesk.core import crypto
from helpdesk.core.models import EventLog
from tests.builders import a_chat, a_mailbox, an_actor
from tests.core.doubles import together
from tests.tickets.saying import hear, heard, mail_from, signed, visitor
from tickets.customers import actions as customers
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import joining
from tickets.messages import actions as messages
from tickets.models import Customer, Identity, Message, Ticket, TicketLink

LAN = mail_from("lan@customer.test", name="Lan")
HOA = mail_from("hoa@elsewhere.test", name="Hoa")


@pytest.fixture
def mailbox(db: None) -> Channel:
    return a_mailbox()


def token_of(ticket: Ticket) -> str:
    return reply_tokens.make(ticket.pk, crypto.key("reply tokens"))


def set_status(ticket: Ticket, status: str, *, days_ago: float = 0) -> None:
    lifecycle.set_status(ticket_id=ticket.pk, status=status, actor=an_actor("admin"))
    if days_ago:
        Ticket.objects.filter(pk=ticket.pk).update(solved_at=now() - timedelta(days=days_ago))


def links_of(ticket: Ticket) -> list[tuple[int, str]]:
    return list(TicketLink.objects.filter(ticket=ticket).values_list("other_id", "reason"))


def test_a_first_message_opens_a_ticket(mailbox: Channel) -> None:
    message = heard(mailbox, LAN)
    assert (message.ticket.status, message.ticket.customer.name) == ("open", "Lan")
    assert message.evidence == {"by": "first_message"}


def test_the_next_message_joins_the_open_ticket(mailbox: Channel) -> None:
    first, second = heard(mailbox, LAN), heard(mailbox, LAN, subject="something else")
    assert second.ticket_id == first.ticket_id
    assert second.evidence == {"by": "open_ticket"}


def test_a_signed_token_from_a_participant_joins_even_beside_a_newer_ticket(mailbox: Channel) -> None:
    old = heard(mailbox, LAN).ticket
    fresh = joining.split(ticket_id=old.pk, message_ids=[heard(mailbox, LAN).pk], actor=an_actor("admin"))
    message = heard(mailbox, LAN, reply_tokens=(token_of(old),))
    assert (message.ticket_id, message.evidence["by"]) == (old.pk, "token")
    assert fresh.pk != old.pk


def test_a_forged_token_names_nothing(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN).ticket
    forged = reply_tokens.make(ticket.pk, b"another key")
    assert heard(mailbox, HOA, reply_tokens=(forged,)).ticket_id != ticket.pk
    assert links_of(Ticket.objects.latest("pk")) == []


def test_a_reference_from_a_participant_joins(mailbox: Channel) -> None:
    first = heard(mailbox, LAN, external_id="first@customer.test")
    heard(mailbox, LAN)
    message = heard(mailbox, LAN, references=("unknown@nowhere.test", "first@customer.test"))
    assert (message.ticket_id, message.evidence["by"]) == (first.ticket_id, "reference")


def test_someone_in_copy_is_a_participant(mailbox: Channel) -> None:
    first = heard(mailbox, LAN, recipients=("support@shop.test", "hoa@elsewhere.test"), external_id="a@b")
    assert heard(mailbox, HOA, references=("a@b",)).ticket_id == first.ticket_id


@pytest.mark.parametrize("how", ["token", "reference"])
def test_a_stranger_with_a_token_or_reference_gets_a_linked_ticket_and_stays_on_it(mailbox: Channel, how: str) -> None:
    first = heard(mailbox, LAN, external_id="secret@customer.test")
    given = {"reply_tokens": (token_of(first.ticket),)} if how == "token" else {"references": ("secret@customer.test",)}
    stranger = heard(mailbox, HOA, **given)
    assert stranger.ticket_id != first.ticket_id
    assert links_of(stranger.ticket) == [(first.ticket_id, "stranger")]
    assert stranger.evidence["stranger"] is True
    assert heard(mailbox, HOA, **given).ticket_id == stranger.ticket_id, "one new ticket, not one a mail"


def test_nobody_joins_by_the_subject_alone(mailbox: Channel) -> None:
    first = heard(mailbox, LAN, subject="Đơn hàng")
    assert heard(mailbox, HOA, subject=f"Re: [#{first.ticket_id}] Đơn hàng").ticket_id != first.ticket_id


def test_a_merged_ticket_leads_to_its_survivor(mailbox: Channel) -> None:
    kept, lost = heard(mailbox, HOA).ticket, heard(mailbox, LAN, external_id="lost@x").ticket
    joining.merge(survivor_id=kept.pk, loser_id=lost.pk, actor=an_actor("admin"))
    assert heard(mailbox, LAN, references=("lost@x",)).ticket_id == kept.pk
    assert heard(mailbox, LAN, reply_tokens=(token_of(lost),)).ticket_id == kept.pk


def test_a_ticket_closed_lately_opens_again_and_one_closed_long_ago_gets_a_linked_one(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN, external_id="a@x").ticket
    set_status(ticket, "closed")
    message = heard(mailbox, LAN, references=("a@x",))
    assert (message.ticket_id, message.ticket.status, message.ticket.reopened_count) == (ticket.pk, "open", 1)
    set_status(ticket, "closed", days_ago=8)
    later = heard(mailbox, LAN, references=("a@x",))
    assert links_of(later.ticket) == [(ticket.pk, "follow_up")]
    assert heard(mailbox, LAN, references=("a@x",)).ticket_id == later.ticket_id, "the follow-up goes on"
    ticket.refresh_from_db()
    assert ticket.status == "closed"


def test_a_ticket_solved_lately_opens_again_and_one_solved_long_ago_does_not(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN).ticket
    set_status(ticket, "solved", days_ago=6)
    message = heard(mailbox, LAN)
    assert (message.ticket_id, message.evidence["by"], message.ticket.status) == (ticket.pk, "lately_solved", "open")
    assert EventLog.objects.filter(topic="ticket.reopened", subject=f"ticket:{ticket.pk}").count() == 1
    set_status(ticket, "solved", days_ago=8)
    assert heard(mailbox, LAN).ticket_id != ticket.pk


def test_a_closed_ticket_takes_no_new_words_without_a_reference(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN).ticket
    set_status(ticket, "closed")
    assert heard(mailbox, LAN).ticket_id != ticket.pk


def test_of_several_open_tickets_the_one_on_this_line_else_the_latest(mailbox: Channel) -> None:
    chat = a_chat()
    guest = visitor("v1", chat)
    on_chat = heard(chat, guest, also_known=(signed("lan@customer.test"),)).ticket
    on_mail = heard(mailbox, LAN).ticket
    assert on_mail.pk == on_chat.pk, "one person, one ticket, whichever channel"
    split = joining.split(
        ticket_id=on_chat.pk,
        message_ids=[Message.objects.filter(channel_kind="email").get().pk],
        actor=an_actor("admin"),
    )
    assert heard(mailbox, LAN).ticket_id == split.pk
    assert heard(chat, guest).ticket_id == on_chat.pk
    other_box = a_mailbox("sales@shop.test")
    newest = Ticket.objects.order_by("-last_message_at").first()
    assert newest is not None
    assert heard(other_box, LAN).ticket_id == newest.pk


@pytest.mark.parametrize("empty", [{"references": ("", "")}, {"reply_tokens": ("",)}])
def test_empty_keys_match_nothing(mailbox: Channel, empty: dict[str, tuple[str, ...]]) -> None:
    first = heard(mailbox, LAN)
    Message.objects.filter(pk=first.pk).update(external_id="")
    assert heard(mailbox, HOA, **empty).ticket_id != first.ticket_id


def test_the_same_mail_through_two_addresses_is_one_message(mailbox: Channel) -> None:
    other = a_mailbox("sales@shop.test")
    same = {"external_id": "one@customer.test", "content_hash": "a" * 64}
    heard(mailbox, LAN, **same)
    assert hear(other, LAN, **same) is None
    assert hear(mailbox, LAN, **same) is None
    assert Message.objects.count() == 1


def test_a_forged_message_id_suppresses_nobodys_mail(mailbox: Channel) -> None:
    heard(mailbox, HOA, external_id="one@customer.test", content_hash="a" * 64)
    mine = heard(mailbox, LAN, external_id="one@customer.test", content_hash="b" * 64)
    again = heard(mailbox, LAN, external_id="one@customer.test", content_hash="c" * 64, text="another mail")
    assert again.ticket_id == mine.ticket_id
    assert hear(mailbox, LAN, external_id="one@customer.test", content_hash="c" * 64) is None
    assert Message.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_fifty_first_messages_at_once_open_one_ticket() -> None:
    mailbox = a_mailbox()
    numbers = iter(range(50))
    lock = threading.Lock()

    def write() -> None:
        with lock:
            number = next(numbers)
        heard(mailbox, LAN, external_id=f"m{number}@x", content_hash=f"{number:064d}")

    assert together(50, write) == []
    ticket = Ticket.objects.get()
    assert (ticket.message_count, Message.objects.count(), Customer.objects.count()) == (50, 50, 1)


@pytest.mark.django_db(transaction=True)
def test_a_message_that_meets_a_merge_lands_on_the_survivor() -> None:
    """The match is made before the lock: whoever was merged meanwhile must be looked up once more."""
    mailbox, admin = a_mailbox(), an_actor("admin")
    kept, lost = heard(mailbox, HOA).ticket, heard(mailbox, LAN).ticket
    waiting = threading.Event()

    def write() -> None:
        waiting.set()
        heard(mailbox, LAN)
        connections.close_all()

    with transaction.atomic():
        joining.merge(survivor_id=kept.pk, loser_id=lost.pk, actor=admin)
        thread = threading.Thread(target=write)
        thread.start()
        waiting.wait(10)
        _until_somebody_waits_for_a_lock()
    thread.join()
    assert Message.objects.latest("pk").ticket_id != lost.pk
    lost.refresh_from_db()
    assert (lost.status, lost.merged_into_id) == ("closed", kept.pk)


def _until_somebody_waits_for_a_lock() -> None:
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody waits for the lock")


def test_a_blocked_senders_message_is_kept_as_spam_and_wakes_nobody(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN).ticket
    set_status(ticket, "solved")
    customers.block(kind="email", value=" LAN@customer.test ", actor=an_actor("admin"))
    heard(mailbox, LAN)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since, ticket.next_due_at) == ("solved", None, None)
    stranger = mail_from("spam@bad.test")
    customers.block(kind="email", value="spam@bad.test", actor=an_actor("admin"))
    spam = heard(mailbox, stranger).ticket
    assert (spam.status, spam.waiting_since, spam.next_due_at) == ("spam", None, None)


def test_an_automatic_reply_is_attached_quietly(mailbox: Channel) -> None:
    ticket = heard(mailbox, LAN).ticket
    messages.reply(ticket_id=ticket.pk, text="Dạ", actor=an_actor(), status="solved")
    heard(mailbox, LAN, auto=True)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since, ticket.next_due_at) == ("solved", None, None)
    assert ticket.message_count == 3


def test_our_own_mail_come_back_is_dropped(mailbox: Channel) -> None:
    assert hear(mailbox, LAN, loop=True) is None
    assert Ticket.objects.count() == 0


def test_an_unproved_mail_joins_its_address_but_proves_nothing(mailbox: Channel) -> None:
    first = heard(mailbox, LAN)
    assert not first.sender_verified
    assert Identity.objects.get().verified_at is None
    proved = heard(mailbox, mail_from("lan@customer.test", verified=True))
    assert (proved.ticket_id, proved.sender_verified) == (first.ticket_id, True)
    identity = Identity.objects.get()
    assert (identity.verified_at is not None, identity.evidence) == (True, "dmarc")


def test_a_visitor_who_only_types_an_address_is_not_joined(mailbox: Channel) -> None:
    chat = a_chat()
    mine = heard(mailbox, LAN).ticket
    typed = mail_from("lan@customer.test")
    guest = heard(chat, visitor("v1", chat), also_known=(typed,)).ticket
    assert guest.pk != mine.pk
    assert guest.customer_id != mine.customer_id


def test_an_address_the_host_signed_joins_two_customers_and_their_open_tickets_go_on(mailbox: Channel) -> None:
    chat = a_chat()
    guest = visitor("v1", chat)
    anonymous = heard(chat, guest).ticket
    by_mail = heard(mailbox, LAN).ticket
    assert anonymous.customer_id != by_mail.customer_id
    message = heard(chat, guest, also_known=(signed("lan@customer.test"),))
    assert message.ticket_id == anonymous.pk, "the line they write on, although its customer was merged away"
    customer = Customer.objects.get(pk=anonymous.customer_id)
    assert customer.canonical_id == by_mail.customer_id
    merged = EventLog.objects.get(topic="customer.merged")
    assert merged.payload["evidence"] == "host-signature"
    assert Ticket.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_visitors_who_are_joined_crosswise_at_once_do_not_deadlock() -> None:
    chat, mailbox = a_chat(), a_mailbox()
    for number in range(4):
        heard(mailbox, mail_from(f"p{number}@customer.test"))
        heard(chat, visitor(f"v{number}", chat))
    numbers = iter(range(16))
    lock = threading.Lock()

    def write() -> None:
        with lock:
            number = next(numbers)
        mail = signed(f"p{(number * 3 + number // 4) % 4}@customer.test")
        heard(chat, visitor(f"v{number % 4}", chat), also_known=(mail,))

    assert together(16, write) == []
    assert Message.objects.count() == 24


def test_hostile_characters_and_lengths_lose_no_message(mailbox: Channel) -> None:
    message = heard(
        mailbox,
        mail_from("lan@customer.test", name="L\x00an\ud800"),
        text="a\x00b\udfff",
        subject="s\x00" * 300,
        external_id="y" * 400,
        recipients=("z" * 300 + "@x.test", "support@shop.test"),
        references=("r\x00" * 200,),
        reply_tokens=("t\x00",),
        html="<p>\x00</p>",
    )
    assert message.text == "a\ufffdb\ufffd"
    assert message.recipients == ["support@shop.test"]
    assert len(message.external_id) == 255
