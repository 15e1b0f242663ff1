"""A code proves an address: sent by somebody at the desk, read back by the customer."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from channels_app.models import Channel, Delivery
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, DomainError, Invalid, NotFound, TooMany
from helpdesk.core.models import EventLog
from tests.builders import a_chat, a_mailbox, a_team, an_actor
from tests.tickets.saying import heard, mail_from, visitor
from tickets.customers import actions as customers
from tickets.customers import claims
from tickets.lifecycle import people
from tickets.models import Customer, Identity, IdentityClaim, MergeSuggestion, Ticket

pytestmark = pytest.mark.django_db
EMAIL = {"kind": "email", "value": "lan@customer.test"}
PHONE = {"kind": "phone", "value": "+84912345678"}


@pytest.fixture(autouse=True)
def _one_outbox(settings: Any) -> None:
    """Mail of the desk leaves as it does outside of tests."""
    settings.EMAIL_BACKEND = "channels_app.mailbackend.OutboxBackend"


@pytest.fixture
def agent() -> Actor:
    return an_actor()


@pytest.fixture
def lan() -> Customer:
    customer = heard(a_mailbox(), mail_from("lan@customer.test", name="Lan")).customer
    assert customer is not None
    return customer


def an_sms(**fields: Any) -> Channel:
    return Channel.objects.create(kind="sms", name="SMS", address="+84280000000", **fields)


def sent() -> list[dict[str, Any]]:
    return list(Delivery.objects.filter(message_id=None).order_by("pk").values_list("payload", flat=True))


def code_in(payload: dict[str, Any]) -> str:
    found = re.search(r"\b\d{6}\b", payload["text"])
    assert found
    return found[0]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_goes_out_in_the_customers_language_and_proves_the_address(lan: Customer, agent: Actor) -> None:
    customers.change(customer_id=lan.pk, language="en", actor=agent)
    claim = claims.send(customer_id=lan.pk, actor=agent, kind="email", value=" LAN@customer.test ")
    [mail] = sent()
    code = code_in(mail)
    assert mail["to"] == "lan@customer.test"
    assert mail["subject"] == f"{code} is your code"
    assert "tell it to nobody" in mail["text"]
    event = EventLog.objects.get(topic="customer.code_sent")
    assert event.payload == {"customer_id": lan.pk, "claim_id": claim.pk, "kind": "email"}
    assert event.actor_id == agent.id
    with pytest.raises(Invalid):
        people.confirm_code(customer_id=lan.pk, actor=agent, code=wrong(code), **EMAIL)
    identity = Identity.objects.get()
    assert identity.verified_at is None
    version = Ticket.objects.get().version
    people.confirm_code(customer_id=lan.pk, actor=agent, code=f" {code} ", **EMAIL)
    identity.refresh_from_db()
    assert (identity.verified_at is not None, identity.evidence) == (True, "code")
    verified = EventLog.objects.get(topic="customer.identity_verified")
    assert (verified.actor_id, verified.payload["evidence"]) == (agent.id, "code")
    assert Ticket.objects.get().version == version + 1, "screens look again"
    with pytest.raises(Invalid):
        people.confirm_code(customer_id=lan.pk, actor=agent, code=code, **EMAIL)
    with pytest.raises(Conflict):
        claims.send(customer_id=lan.pk, actor=agent, **EMAIL)


def test_a_claimed_address_of_somebody_else_joins_the_two_by_its_code(lan: Customer, agent: Actor) -> None:
    chat = a_chat()
    guest = heard(chat, visitor("v1", chat), also_known=(mail_from("lan@customer.test"),)).customer_id
    claims.send(customer_id=guest, actor=agent, **EMAIL)
    found = people.confirm_code(customer_id=guest, actor=agent, code=code_in(sent()[0]), **EMAIL)
    assert found.pk == lan.pk
    assert Customer.objects.get(pk=guest).canonical_id == lan.pk
    merged = EventLog.objects.get(topic="customer.merged")
    assert (merged.actor_kind, merged.payload["evidence"]) == ("system", "code")
    assert MergeSuggestion.objects.get().state == "accepted"
    assert Identity.objects.get(kind="email").verified_at is not None


def test_a_claimed_address_of_nobody_becomes_the_customers(agent: Actor) -> None:
    chat = a_chat()
    guest = heard(chat, visitor("v1", chat), also_known=(mail_from("new@customer.test"),)).customer_id
    a_mailbox()
    given = {"kind": "email", "value": "new@customer.test"}
    claims.send(customer_id=guest, actor=agent, **given)
    people.confirm_code(customer_id=guest, actor=agent, code=code_in(sent()[0]), **given)
    identity = Identity.objects.get(kind="email")
    assert (identity.customer_id, identity.value, identity.evidence) == (guest, "new@customer.test", "code")
    assert EventLog.objects.get(topic="customer.identity_verified").payload["identity_id"] == identity.pk


def test_a_number_is_proved_by_sms_where_there_is_such_a_channel(lan: Customer, agent: Actor) -> None:
    customers.add_address(customer_id=lan.pk, kind="phone", value="0912345678", actor=agent)
    with pytest.raises(Conflict) as refused:
        claims.send(customer_id=lan.pk, actor=agent, **PHONE)
    assert "no SMS channel" in refused.value.message
    assert not EventLog.objects.filter(topic="customer.code_sent").exists()
    channel = an_sms()
    claims.send(customer_id=lan.pk, actor=agent, kind="phone", value="0912 345 678")
    delivery = Delivery.objects.get()
    assert (delivery.channel_id, delivery.payload["to"], delivery.payload["thread_key"]) == (
        channel.pk,
        *["+84912345678"] * 2,
    )
    people.confirm_code(customer_id=lan.pk, actor=agent, code=code_in(delivery.payload), **PHONE)
    assert Identity.objects.get(kind="phone").verified_at is not None
    channel.problem_kind = "auth"
    channel.save()
    assert "sign in" in claims.why_not("phone")
    assert claims.why_not("zalo")


def test_five_codes_an_hour_and_five_tries_a_code(lan: Customer, agent: Actor) -> None:
    for _ in range(claims.MAX_CODES):
        claims.send(customer_id=lan.pk, actor=agent, **EMAIL)
    with pytest.raises(TooMany):
        claims.send(customer_id=lan.pk, actor=agent, **EMAIL)
    assert len(sent()) == claims.MAX_CODES
    code = code_in(sent()[-1])
    for _ in range(claims.MAX_TRIES):
        with pytest.raises(Invalid):
            people.confirm_code(customer_id=lan.pk, actor=agent, code=wrong(code), **EMAIL)
    with pytest.raises(TooMany):
        people.confirm_code(customer_id=lan.pk, actor=agent, code=code, **EMAIL)
    assert Identity.objects.get().verified_at is None
    with time_machine.travel(now() + timedelta(hours=1, minutes=1), tick=False):
        claims.send(customer_id=lan.pk, actor=agent, **EMAIL)
        late = now() + claims.CODE_LIFE + timedelta(seconds=1)
    with time_machine.travel(late, tick=False), pytest.raises(Invalid):
        people.confirm_code(customer_id=lan.pk, actor=agent, code=code_in(sent()[-1]), **EMAIL)


REFUSED: list[tuple[dict[str, str], type[DomainError]]] = [
    ({"kind": "email", "value": "nobody@x.test"}, NotFound),
    ({"kind": "email", "value": "no address"}, Invalid),
    ({"kind": "phone", "value": "113"}, Invalid),
    ({"kind": "webchat", "value": "v1"}, NotFound),
]


@pytest.mark.parametrize(("given", "error"), REFUSED)
def test_no_code_goes_to_what_is_not_theirs_to_prove(
    lan: Customer, agent: Actor, given: dict[str, str], error: type[DomainError]
) -> None:
    before = EventLog.objects.count()
    with pytest.raises(error):
        claims.send(customer_id=lan.pk, actor=agent, **given)
    with pytest.raises(Invalid):
        people.confirm_code(customer_id=lan.pk, actor=agent, code="000000", **given)
    assert (sent(), IdentityClaim.objects.count(), EventLog.objects.count()) == ([], 0, before)


def test_customers_of_other_teams_get_no_code(lan: Customer, agent: Actor) -> None:
    claims.send(customer_id=lan.pk, actor=agent, **EMAIL)
    Ticket.objects.update(team=a_team())
    with pytest.raises(NotFound):
        claims.send(customer_id=lan.pk, actor=agent, **EMAIL)
    with pytest.raises(NotFound):
        people.confirm_code(customer_id=lan.pk, actor=agent, code=code_in(sent()[0]), **EMAIL)
    assert Identity.objects.get().verified_at is None
    assert len(sent()) == 1


def test_how_somebody_likes_to_be_answered_is_kept_and_told(lan: Customer, agent: Actor) -> None:
    customers.change(customer_id=lan.pk, preferred_channel="zalo", actor=agent)
    assert EventLog.objects.get(topic="customer.changed").payload["fields"] == ["preferred_channel"]
    with pytest.raises(Invalid):
        customers.change(customer_id=lan.pk, preferred_channel="pigeon", actor=agent)
    lan.refresh_from_db()
    assert lan.preferred_channel == "zalo"
