"""Customers, blocked senders and search over the API."""

import json

import pytest

from channels_app import registry
from helpdesk.core.models import EventLog
from tests.api.conftest import refused
from tests.builders import a_mail, a_ticket, receive
from tickets.models import BlockedSender, Customer, Identity

CUSTOMER = {
    *("id", "name", "language", "form_of_address", "tier", "tags", "notes", "identities", "value", "canonical"),
}


@pytest.fixture
def lan(ticket):
    return ticket.customer


def test_a_customer_has_every_field_of_its_shape(agent, lan):
    body = agent.get(f"customers/{lan.pk}/").json()
    assert set(body) >= CUSTOMER
    assert (body["id"], body["name"], body["language"], body["canonical"], body["value"]) == (
        str(lan.pk),
        "Lan Nguyễn",
        "vi",
        None,
        None,
    )
    [identity] = body["identities"]
    assert (identity["kind"], identity["value"], identity["verified"]) == ("email", "lan@customer.test", False)


def test_customers_of_others_are_404(outsider, admin, lan):
    for path in ("", "identities/", "timeline/"):
        refused(outsider.get(f"customers/{lan.pk}/{path}"), 404, "not_found")
    refused(outsider.patch(f"customers/{lan.pk}/", {"name": "x"}), 404, "not_found")
    for path, body in (
        ("merge/", {"customer": "1"}),
        ("unmerge/", {}),
        ("identities/", {"kind": "phone", "value": "1"}),
    ):
        refused(outsider.post(f"customers/{lan.pk}/{path}", body), 404, "not_found")
    assert outsider.get("customers/").json()["results"] == []
    assert admin.get(f"customers/{lan.pk}/").status_code == 200
    assert Customer.objects.get(pk=lan.pk).name == "Lan Nguyễn"


def test_customers_are_found_and_paged_at_a_constant_cost(agent, lan, mailbox, django_assert_num_queries):
    hoa = a_ticket(channel=mailbox, sender="Hoa Trần <hoa@customer.test>").customer
    for _ in range(3):
        a_ticket(channel=mailbox)

    def ids(query):
        return [row["id"] for row in agent.get(f"customers/?{query}").json()["results"]]

    assert ids("q=hoa tr") == ids("q=HOA@customer.test") == [str(hoa.pk)]
    assert ids("tag=vip") == ids("tier=gold") == ids("merged=true") == []
    assert len(ids("ordering=name")) == 5
    with django_assert_num_queries(4):  # the token; the page; the families of its customers; their addresses
        assert len(agent.get("customers/").json()["results"]) == 5
    assert agent.get("customers/?limit=2").json()["next"]
    refused(agent.get("customers/?ordering=notes"), 400, "invalid")
    refused(agent.get("customers/?q=%00"), 400, "invalid")


def test_a_customer_is_changed_and_it_is_recorded(agent, lan, ticket):
    body = {
        "name": "Nguyễn Thị Lan",
        "form_of_address": "chị",
        "tier": "gold",
        "tags": ["vip"],
        "notes": "Thích màu đỏ",
    }
    said = agent.patch(f"customers/{lan.pk}/", body).json()
    assert {name: said[name] for name in body} == body
    event = EventLog.objects.get(topic="customer.changed")
    assert (sorted(event.payload["fields"]), event.actor_id) == (sorted(body), agent.user.pk)
    assert agent.get(f"tickets/{ticket.pk}/").json()["customer_name"] == "Nguyễn Thị Lan"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x" * 201},
        {"name": 5},
        {"language": "de"},
        {"tags": [1]},
        {"id": "7"},
        {"canonical": "1"},
        {"notes": "a\x00"},
        "x",
    ],
)
def test_a_change_that_makes_no_sense_is_400(agent, lan, body):
    refused(agent.patch(f"customers/{lan.pk}/", json.dumps(body)), 400, "invalid")
    assert not EventLog.objects.filter(topic="customer.changed").exists()


def test_an_address_is_added_unproved_and_never_taken_from_somebody(agent, lan, mailbox):
    hoa = a_ticket(channel=mailbox, sender="Hoa <hoa@customer.test>").customer
    path = f"customers/{lan.pk}/identities/"
    added = agent.post(path, {"kind": "email", "value": " LAN@Work.Test "})
    assert added.status_code == 201
    assert (added.json()["value"], added.json()["verified"]) == ("lan@work.test", False)
    assert agent.post(path, {"kind": "email", "value": "lan@work.test"}).json()["id"] == added.json()["id"]
    assert [row["value"] for row in agent.get(path).json()["results"]] == ["lan@customer.test", "lan@work.test"]
    assert EventLog.objects.filter(topic="customer.changed").count() == 1
    assert refused(agent.post(path, {"kind": "email", "value": "hoa@customer.test"}), 409, "conflict") == {
        "value": "taken"
    }
    refused(agent.post(path, {"kind": "email", "value": "not an address"}), 400, "invalid")
    refused(agent.post(path, {"kind": "webchat", "value": "x"}), 400, "invalid")
    assert Identity.objects.get(value="hoa@customer.test").customer_id == hoa.pk


def test_two_customers_are_merged_and_parted_again(agent, lan, mailbox):
    other = a_ticket(channel=mailbox, sender="Lan N <lan@work.test>").customer
    merged = agent.post(f"customers/{lan.pk}/merge/", {"customer": str(other.pk)})
    assert merged.status_code == 200
    assert [one["value"] for one in merged.json()["identities"]] == ["lan@customer.test", "lan@work.test"]
    assert agent.get(f"customers/{other.pk}/").json()["canonical"] == str(lan.pk)
    assert [row["id"] for row in agent.get("customers/").json()["results"]] == [str(lan.pk)]
    assert [row["id"] for row in agent.get("customers/?merged=true").json()["results"]] == [str(other.pk)]
    assert len(agent.get(f"customers/{lan.pk}/timeline/").json()["results"]) == 2
    assert EventLog.objects.get(topic="customer.merged").payload["other_id"] == other.pk
    refused(agent.post(f"customers/{lan.pk}/merge/", {"customer": str(other.pk)}), 409, "conflict")
    refused(agent.post(f"customers/{lan.pk}/merge/", {"customer": str(lan.pk)}), 409, "conflict")
    assert agent.post(f"customers/{other.pk}/unmerge/").json()["canonical"] is None
    refused(agent.post(f"customers/{other.pk}/unmerge/"), 409, "conflict")


def test_the_timeline_holds_what_the_reader_may_see_newest_first(agent, admin, lan, mailbox, other_team):
    receive(mailbox, a_mail(text="tin hai"))
    hidden = lan.tickets.get()
    agent.patch(f"tickets/{hidden.pk}/", {"status": "closed"})
    mailbox.team = None
    mailbox.save()
    registry.forget()
    receive(mailbox, a_mail(text="tin ba"))
    lan.tickets.filter(pk=hidden.pk).update(team=other_team)

    def said(program):
        return [one["text"] for one in program.get(f"customers/{lan.pk}/timeline/").json()["results"]]

    assert said(admin) == ["tin ba", "tin hai", "Shop ơi, đơn của mình đâu rồi?"]
    assert said(agent) == ["tin ba"]


def test_a_sender_is_blocked_once_and_let_in_again(agent, ticket, mailbox):
    body = {"kind": "email", "value": "LAN@customer.test", "reason": "spam"}
    first = agent.post("blocked/", body)
    assert first.status_code == 201
    assert (first.json()["value"], first.json()["blocked_by"]) == ("lan@customer.test", str(agent.user.pk))
    assert agent.post("blocked/", body).json()["id"] == first.json()["id"]
    assert EventLog.objects.filter(topic="customer.blocked").count() == 1
    assert [row["value"] for row in agent.get("blocked/").json()["results"]] == ["lan@customer.test"]
    gone = agent.ask("delete", f"blocked/{first.json()['id']}/")
    assert (gone.status_code, gone.content) == (204, b"")
    refused(agent.ask("delete", f"blocked/{first.json()['id']}/"), 404, "not_found")
    assert not BlockedSender.objects.exists()
    refused(agent.post("blocked/", {"kind": "pigeon", "value": "x"}), 400, "invalid")


def test_tickets_are_found_by_words_without_diacritics(agent, outsider, ticket, mailbox):
    other = a_ticket(channel=mailbox, subject="Hoá đơn đỏ", text="xin hoá đơn")
    [found] = agent.get("search/?q=hoa don do&in=tickets").json()
    assert (found["type"], found["id"], found["title"], found["external_id"]) == (
        "ticket",
        str(other.pk),
        "Hoá đơn đỏ",
        None,
    )
    assert found["url"].endswith(f"/inbox/{other.pk}/")
    assert 0 < found["score"] <= 1
    assert [one["id"] for one in agent.get(f"search/?q=%23{ticket.pk}").json()] == [str(ticket.pk)]
    assert agent.get("search/?q=don").json()[0]["id"] == str(other.pk)
    assert len(agent.get("search/?q=don&limit=1").json()) == 1
    assert agent.get("search/?q=don&in=articles").json() == []
    assert outsider.get("search/?q=hoa don").json() == []


@pytest.mark.parametrize(
    "query", ["", "q=", "q=%00", "q=x&in=orders", "q=x&limit=0", "q=x&limit=a", "q=x&lang=de", "q=" + "x" * 201]
)
def test_a_search_that_makes_no_sense_is_400(agent, query):
    refused(agent.get(f"search/?{query}"), 400, "invalid")
