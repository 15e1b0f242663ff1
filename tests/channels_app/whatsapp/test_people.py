"""One person by number, by user id, or by both is one customer, and can be answered on either line."""

import time

import pytest
from django.db import transaction

from channels_app.contracts import Address
from channels_app.models import Delivery, Thread
from channels_app.simulators.base import Fault
from tests.builders import an_actor, run_jobs
from tests.channels_app.contract.conftest import Door
from tests.channels_app.whatsapp.payloads import WABA
from tickets.customers import actions as customers
from tickets.messages import actions as messages
from tickets.models import Customer, Identity, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


def says(door: Door, text: str, *, number: bool, user_id: bool) -> None:
    """The same person, named by number, by user id, or by both."""
    person, simulator = door.person, door.provider
    simulator.hidden = set() if number else {person}  # type: ignore[attr-defined]
    simulator.user_ids_on = user_id  # type: ignore[attr-defined]
    simulator.says(person, text)
    run_jobs()


def everybody() -> list[Customer]:
    return list(Customer.objects.filter(canonical=None))


NUMBER_ONLY = {"number": True, "user_id": False}
BOTH = {"number": True, "user_id": True}
USER_ONLY = {"number": False, "user_id": True}


@pytest.mark.parametrize(
    "order",
    [
        (NUMBER_ONLY, BOTH, USER_ONLY),
        (BOTH, NUMBER_ONLY, USER_ONLY),
        (USER_ONLY, NUMBER_ONLY, BOTH),
        (NUMBER_ONLY, USER_ONLY, BOTH),
        (USER_ONLY, BOTH, NUMBER_ONLY),
    ],
)
def test_one_person_however_named_is_one_customer(door: Door, order: tuple[dict[str, bool], ...]) -> None:
    for number, named in enumerate(order):
        says(door, f"Lời {number}", **named)
    [customer] = everybody()
    assert customer.name == "Trần Thị Hồng"
    user_id = door.provider.user_ids[door.person]  # type: ignore[attr-defined]
    known = {(one.kind, one.scope, one.value) for one in Identity.objects.all()}
    phone = ("phone", "", f"+{door.person}")
    assert known == {("whatsapp", WABA, user_id), ("whatsapp", WABA, door.person), phone}
    assert all(one.verified_at and one.evidence == "whatsapp" for one in Identity.objects.all())
    assert Message.objects.count() == 3


def test_first_by_number_then_by_both_then_by_user_id_is_one_ticket_too(door: Door) -> None:
    for number, named in enumerate((NUMBER_ONLY, BOTH, USER_ONLY)):
        says(door, f"Lời {number}", **named)
    assert Ticket.objects.count() == 1
    user_id = door.provider.user_ids[door.person]  # type: ignore[attr-defined]
    lines = {line.key: line.address for line in Thread.objects.all()}
    assert lines == {door.person: door.person, user_id: user_id}  # it changes once and then stays


def test_an_answer_reaches_a_person_without_a_number(door: Door) -> None:
    says(door, "Không có số", **USER_ONLY)
    answer = messages.reply(ticket_id=Ticket.objects.get().pk, text="Dạ", actor=an_actor("admin"))
    run_jobs()
    assert [(line.person, line.text) for line in door.provider.sent()] == [(door.person, "Dạ")]
    answer.refresh_from_db()
    assert answer.delivery_state == "sent"


def test_two_people_stay_two(door: Door) -> None:
    first, second, *_ = door.provider.PEOPLE
    events = [door.provider.event(first, "Một"), door.provider.event(second, "Hai")]
    door.provider.push(door.provider.envelope(events))
    run_jobs()
    assert {one.name for one in everybody()} == {"Trần Thị Hồng", "Phạm Văn Đức"}


def test_a_known_phone_number_meets_its_whatsapp(door: Door) -> None:
    """Somebody who proved the number elsewhere is the customer who writes from it here."""
    sms = Address(kind="sms", value="+1", scope="x")
    phone = Address(kind="phone", value=f"+{door.person}", verified=True, evidence="sms")
    with transaction.atomic():
        known = customers.resolve(address=sms, also_known=(phone,))
    says(door, "Chào", **BOTH)
    assert [one.pk for one in everybody()] == [known.pk]


# --- receipts, to the row of what was sent ----------------------------------------------------------------------------


def answered(door: Door) -> tuple[Message, Delivery]:
    says(door, "Chào", **BOTH)
    message = messages.reply(ticket_id=Ticket.objects.get().pk, text="Dạ", actor=an_actor("admin"))
    run_jobs()
    return message, Delivery.objects.get(message_id=message.pk)


def tell(door: Door, delivery: Delivery, *states: str, id: str = "", code: int = 0) -> str:
    for state in states:
        reference = id or delivery.provider_id
        door.provider.push(
            door.provider.status(reference, state, door.person, str(delivery.pk), code=code)  # type: ignore[attr-defined]
        )
    run_jobs()
    delivery.refresh_from_db()
    return delivery.outcome


@pytest.mark.parametrize(
    ("states", "stands"),
    [
        (("sent", "delivered", "read"), "read"),
        (("read", "delivered", "sent"), "read"),
        (("delivered", "sent", "delivered"), "delivered"),
    ],
)
def test_the_furthest_receipt_stands_in_whatever_order(door: Door, states: tuple[str, ...], stands: str) -> None:
    message, delivery = answered(door)
    assert tell(door, delivery, *states) == stands
    message.refresh_from_db()
    assert message.delivery_state == stands


def test_a_failure_is_told_in_words_and_a_late_sent_does_not_undo_it(door: Door) -> None:
    message, delivery = answered(door)
    assert tell(door, delivery, "failed", code=131026) == "failed"
    assert tell(door, delivery, "sent") == "failed"
    message.refresh_from_db()
    assert (message.delivery_state, "cannot reach this customer" in message.delivery_reason) == ("failed", True)


def test_a_stopped_account_is_said_of_the_channel(door: Door) -> None:
    _message, delivery = answered(door)
    tell(door, delivery, "failed", code=131042)
    assert (door.fresh().problem_kind, "payment" in door.fresh().problem) == ("auth", True)


def test_what_was_in_doubt_is_settled_by_its_receipt(door: Door) -> None:
    says(door, "Chào", **BOTH)
    door.provider.faults.append(Fault("lost"))
    message = messages.reply(ticket_id=Ticket.objects.get().pk, text="Dạ", actor=an_actor("admin"))
    run_jobs()
    delivery = Delivery.objects.get(message_id=message.pk)
    assert delivery.outcome == "unknown"
    [line] = door.provider.sent()
    assert tell(door, delivery, "delivered", id=line.id) == "delivered"
    assert (delivery.provider_id, delivery.state) == (line.id, "done")


def test_a_receipt_of_somebody_elses_message_with_the_same_key_changes_nothing(door: Door) -> None:
    _message, delivery = answered(door)
    assert tell(door, delivery, "read", id="wamid.foreign") == "sent"
    assert tell(door, delivery, "failed", id="wamid.foreign", code=131026) == "sent"
    assert delivery.provider_id != "wamid.foreign"


def test_the_played_provider_tells_everything_by_itself(door: Door) -> None:
    """Sent, delivered, read, last first: by real calls at the hook."""
    says(door, "Chào", **BOTH)
    door.provider.quiet, door.provider.disorder = False, True  # type: ignore[attr-defined]
    door.provider.delays = (0.05, 0.1, 0.15)  # type: ignore[attr-defined]
    done: list[bytes] = []

    def hook(url: str, body: bytes, headers: dict[str, str], timeout: float = 10) -> tuple[int, bytes]:
        done.append(body)
        return 200, b""

    door.provider.transport = hook
    message = messages.reply(ticket_id=Ticket.objects.get().pk, text="Dạ", actor=an_actor("admin"))
    run_jobs()
    until = time.monotonic() + 5
    while len(done) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    assert [b'"read"' in body for body in done] == [True, False, False]
    assert Delivery.objects.get(message_id=message.pk).provider_id.encode() in done[0]
