"""Whether a customer can be reached on a line, and who they are by the provider's word."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from channels_app.contracts import Address, ContactChange, ProfileLearned
from channels_app.models import Media, Thread
from helpdesk.core.models import EventLog
from tests.builders import an_actor
from tests.tickets.intake.lines import Line
from tickets.customers import actions as customers
from tickets.models import Customer, Identity, Message, Ticket

TOLD = "ticket.contact_changed"


def change(line: Line, what: str, *, now_at: str = "", ago: float = 0) -> None:
    new = Address(kind="zalo", value=now_at, scope=line.who.scope) if now_at else None
    at = now() - timedelta(seconds=ago)
    line.tell(ContactChange(thread_key=line.key, sender=line.who, occurred_at=at, what=what, now=new))


def learn(line: Line, **fields: object) -> None:
    line.tell(ProfileLearned(thread_id=Thread.objects.get().pk, **fields))


@pytest.mark.parametrize(
    ("closed", "opened"), [("blocked", "unblocked"), ("opted_out", "opted_in"), ("unfollowed", "followed")]
)
def test_a_line_is_closed_and_opened_and_the_ticket_tells_of_it(line: Line, closed: str, opened: str) -> None:
    ticket = line.says("Alo").ticket
    change(line, closed)
    assert Thread.objects.get().unreachable == closed
    change(line, closed)
    change(line, opened)
    assert Thread.objects.get().unreachable == ""
    told = EventLog.objects.filter(topic=TOLD, subject=f"ticket:{ticket.pk}").order_by("pk")
    assert [event.payload["what"] for event in told] == [closed, opened]
    ticket.refresh_from_db()
    assert (ticket.version, ticket.talked_version) == (3, 1)


def test_news_of_somebody_who_never_wrote_is_nothing(line: Line) -> None:
    change(line, "followed")
    change(line, "blocked")
    assert (Thread.objects.count(), Customer.objects.count(), EventLog.objects.count()) == (0, 0, 0)


def test_old_news_closes_nothing(line: Line) -> None:
    line.says("Alo")
    change(line, "blocked", ago=60)
    assert Thread.objects.get().unreachable == ""


def test_who_blocked_us_and_writes_again_can_be_reached_but_an_opt_out_stands(line: Line) -> None:
    line.says("Alo")
    change(line, "blocked")
    line.says("Shop ơi")
    assert Thread.objects.get().unreachable == ""
    change(line, "opted_out")
    line.says("Shop ơi")
    assert Thread.objects.get().unreachable == "opted_out"


def test_who_moved_is_the_same_customer_and_the_line_goes_on(line: Line) -> None:
    ticket = line.says("Alo").ticket
    change(line, "moved", now_at="8002")
    thread = Thread.objects.get()
    assert (thread.key, thread.address, thread.unreachable) == ("8002", "8002", "")
    identity = Identity.objects.get(value="8002")
    assert (identity.customer_id, identity.evidence, identity.verified_at is not None) == (
        ticket.customer_id, "zalo", True,
    )  # fmt: skip
    moved = Line(line.channel, line.provider, Address(kind="zalo", value="8002", scope=line.who.scope), "8002")
    assert moved.says("Số mới nè").ticket_id == ticket.pk
    assert EventLog.objects.filter(topic=TOLD).count() == 1


def test_who_moved_where_a_line_exists_goes_on_there(line: Line) -> None:
    line.says("Alo")
    moved = Line(line.channel, line.provider, Address(kind="zalo", value="8002", scope=line.who.scope), "8002")
    moved.says("Tôi đây")
    change(line, "moved", now_at="8002")
    assert dict(Thread.objects.values_list("key", "unreachable")) == {"7001": "moved", "8002": ""}
    assert EventLog.objects.filter(topic="customer.merged").count() == 1


def test_what_is_learned_fills_what_is_missing(line: Line) -> None:
    line = Line(line.channel, line.provider, Address(kind="zalo", value="7001", scope=line.who.scope), "7001")
    message = line.says("12345")
    version = message.ticket.version
    picture = Media.objects.create(state="coming", filename="image", content_type="", size=0)
    learn(line, name="Lan Nguyễn", language="vi_VN", picture_id=picture.pk)
    customer = Customer.objects.get()
    assert (customer.name, customer.language, customer.picture_id) == ("Lan Nguyễn", "vi", picture.pk)
    ticket = Ticket.objects.get()
    assert (ticket.customer_name, ticket.version) == ("Lan Nguyễn", version + 1)
    message.refresh_from_db()
    assert message.sender_name == "Lan Nguyễn"
    changed = EventLog.objects.get(topic="customer.changed")
    assert changed.payload["fields"] == ["name", "picture", "language"]


def test_nothing_known_is_overwritten(line: Line) -> None:
    customer = line.says("Alo").ticket.customer
    customers.change(customer_id=customer.pk, actor=an_actor("admin"), name="Chị Lan", language="en")
    count = EventLog.objects.count()
    learn(line, name="lan_cute_99", language="vi")
    customer.refresh_from_db()
    assert (customer.name, customer.language) == ("Chị Lan", "en")
    assert EventLog.objects.count() == count


def test_a_name_that_is_only_the_address_counts_as_missing(line: Line) -> None:
    line = Line(
        line.channel, line.provider, Address(kind="zalo", value="7001", scope=line.who.scope, name="7001"), "7001"
    )
    line.says("Alo")
    learn(line, name="Lan")
    assert (Customer.objects.get().name, Message.objects.get().sender_name) == ("Lan", "Lan")


def test_an_empty_profile_changes_nothing(line: Line) -> None:
    line.says("Alo")
    count = EventLog.objects.count()
    learn(line)
    assert EventLog.objects.count() == count
