"""Suggestions, codes, calls and parted customers over the API."""

import re

import pytest

from channels_app.models import Delivery
from helpdesk.core.models import EventLog
from tests.api.conftest import refused
from tests.builders import a_ticket
from tickets.customers import actions as customers
from tickets.customers import suggestions
from tickets.models import Customer, Identity, Message, Ticket


@pytest.fixture
def lan(ticket):
    return ticket.customer


@pytest.fixture
def hoa(ticket, mailbox):
    return a_ticket(channel=mailbox, sender="Hoa <hoa@customer.test>").customer


@pytest.fixture
def suggestion(lan, hoa):
    return suggestions.suggest(customer_id=lan.pk, other_id=hoa.pk, reason="same_phone")


def test_suggestions_are_listed_declined_asked_again_and_accepted(agent, lan, hoa, suggestion):
    path = f"customers/{hoa.pk}/suggestions/"
    [found] = agent.get(path).json()["results"]
    assert set(found) == {"id", "other", "other_name", "reason", "state", "created_at"}
    assert (found["other"], found["other_name"], found["reason"], found["state"]) == (
        str(lan.pk),
        "Lan Nguyễn",
        "same_phone",
        "open",
    )
    one = f"{path}{found['id']}/"
    assert agent.post(f"{one}decline/").json()["state"] == "declined"
    assert agent.get(path).json()["results"] == []
    assert refused(agent.post(f"{one}accept/"), 409, "conflict") == {"suggestion": "declined"}
    assert agent.post(f"{one}reopen/").json()["state"] == "open"
    accepted = agent.post(f"{one}accept/")
    assert (accepted.status_code, accepted.json()["state"], accepted.json()["other"]) == (200, "accepted", str(lan.pk))
    assert Customer.objects.get(pk=lan.pk).canonical_id == hoa.pk
    refused(agent.post(f"{path}{suggestion.pk + 9}/accept/"), 404, "not_found")


def test_outsiders_see_and_decide_nothing(outsider, lan, suggestion, mailbox):
    for verb in ("accept", "decline", "reopen"):
        refused(outsider.post(f"customers/{lan.pk}/suggestions/{suggestion.pk}/{verb}/"), 404, "not_found")
    identity = Identity.objects.get(customer=lan)
    for path in (
        f"customers/{lan.pk}/identities/{identity.pk}/code/",
        f"customers/{lan.pk}/claims/1/code/",
        f"tickets/{lan.tickets.get().pk}/calls/",
    ):
        refused(
            outsider.post(path, {"direction": "in", "outcome": "reached"} if "calls" in path else {}), 404, "not_found"
        )
    refused(outsider.get(f"customers/{lan.pk}/suggestions/"), 404, "not_found")
    refused(outsider.get(f"customers/{lan.pk}/claims/"), 404, "not_found")
    assert not EventLog.objects.filter(topic__in=("customer.merge_decided", "customer.code_sent")).exists()
    assert not Delivery.objects.exists()


def test_a_parted_customer_is_laid_back(agent, lan, hoa):
    agent.post(f"customers/{lan.pk}/merge/", {"customer": str(hoa.pk)})
    agent.post(f"customers/{hoa.pk}/unmerge/")
    again = agent.post(f"customers/{hoa.pk}/rejoin/", {"customer": str(lan.pk)})
    assert (again.status_code, again.json()["canonical"]) == (200, str(lan.pk))
    refused(agent.post(f"customers/{hoa.pk}/rejoin/", {"customer": str(lan.pk)}), 409, "conflict")


def test_an_address_is_proved_by_its_code(agent, lan, settings):
    settings.EMAIL_BACKEND = "channels_app.mailbackend.OutboxBackend"
    identity = Identity.objects.get(customer=lan)
    path = f"customers/{lan.pk}/identities/{identity.pk}/"
    sent = agent.post(f"{path}code/")
    assert sent.status_code == 202
    assert set(sent.json()) == {"id", "kind", "value", "code_sent_at", "code_expires_at"}
    code = re.search(r"\d{6}", Delivery.objects.get().payload["text"])[0]
    assert refused(agent.post(f"{path}confirm/", {"code": "12"}), 422, "invalid") == {"code": "wrong"}
    proved = agent.post(f"{path}confirm/", {"code": code}).json()
    assert (proved["id"], proved["verified"]) == (str(identity.pk), True)
    refused(agent.post(f"{path}code/"), 409, "conflict")


def test_a_claim_is_listed_and_its_code_joins_whoever_has_it(agent, lan, hoa, settings):
    settings.EMAIL_BACKEND = "channels_app.mailbackend.OutboxBackend"
    customers.claim(customer_id=hoa.pk, kind="email", value="lan@customer.test")
    path = f"customers/{hoa.pk}/claims/"
    [claim] = agent.get(path).json()["results"]
    assert (claim["kind"], claim["value"], claim["code_sent_at"]) == ("email", "lan@customer.test", None)
    assert agent.post(f"{path}{claim['id']}/code/").status_code == 202
    code = re.search(r"\d{6}", Delivery.objects.get().payload["text"])[0]
    proved = agent.post(f"{path}{claim['id']}/confirm/", {"code": code})
    assert (proved.status_code, proved.json()["verified"]) == (200, True)
    assert Customer.objects.get(pk=hoa.pk).canonical_id == lan.pk


def test_the_preferred_channel_is_set_and_shown(agent, lan):
    assert agent.get(f"customers/{lan.pk}/").json()["preferred_channel"] is None
    assert agent.patch(f"customers/{lan.pk}/", {"preferred_channel": "zalo"}).json()["preferred_channel"] == "zalo"
    refused(agent.patch(f"customers/{lan.pk}/", {"preferred_channel": "pigeon"}), 400, "invalid")
    assert agent.patch(f"customers/{lan.pk}/", {"preferred_channel": ""}).json()["preferred_channel"] is None


CALL = {"direction": "in", "outcome": "reached"}


def test_a_call_is_logged_and_answers(agent, ticket):
    made = agent.post(f"tickets/{ticket.pk}/calls/", {**CALL, "seconds": 95, "text": "Hẹn thứ Sáu"})
    assert made.status_code == 201
    body = made.json()
    assert (body["kind"], body["visibility"], body["direction"], body["text"]) == (
        "call",
        "internal",
        "in",
        "Hẹn thứ Sáu",
    )
    assert Message.objects.get(pk=body["id"]).details["call"]["seconds"] == 95
    assert agent.get(f"tickets/{ticket.pk}/").json()["waiting_since"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"direction": "in"},
        {**CALL, "outcome": "married"},
        {**CALL, "seconds": -1},
        {**CALL, "seconds": "9"},
        {**CALL, "visibility": "public"},
    ],
)
def test_a_call_that_makes_no_sense_is_400(agent, ticket, body):
    refused(agent.post(f"tickets/{ticket.pk}/calls/", body), 400, "invalid")
    assert not Message.objects.filter(kind="call").exists()


@pytest.mark.parametrize(
    "body", [{**CALL, "occurred_at": "2999-01-01T00:00:00Z"}, {"direction": "out", "outcome": "walk_in"}]
)
def test_a_call_that_cannot_have_been_is_422(agent, ticket, body):
    refused(agent.post(f"tickets/{ticket.pk}/calls/", body), 422, "invalid")
    assert not Message.objects.filter(kind="call").exists()


def test_a_call_of_somebody_finds_or_opens_a_ticket(agent, lan, ticket):
    assert agent.post("calls/", {**CALL, "customer": str(lan.pk)}).json()["ticket"] == str(ticket.pk)
    made = agent.post("calls/", {**CALL, "phone": "0912 345 678", "name": "Cô Tư"}).json()
    assert made["ticket"] != str(ticket.pk)
    assert Ticket.objects.get(pk=made["ticket"]).customer.name == "Cô Tư"
    again = agent.post("calls/", {**CALL, "phone": "+84912345678", "new_ticket": True}).json()
    assert again["ticket"] not in (str(ticket.pk), made["ticket"])
    refused(agent.post("calls/", CALL), 422, "invalid")
    refused(agent.post("calls/", {**CALL, "customer": "999999"}), 404, "not_found")
