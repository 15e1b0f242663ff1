"""Tickets over the API: who may, what happens, what is recorded, and nothing on refusal."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now

from channels_app import registry
from helpdesk.core.models import EventLog
from tests.api.conftest import refused
from tests.builders import a_mail, a_ticket, receive
from tickets.models import Ticket

TICKET = {
    *("id", "number", "subject", "status", "priority", "snoozed_until", "team", "assignee", "customer", "language"),
    *("mood", "topic", "moment", "controller", "tags", "next_due_at", "created_at", "updated_at", "version"),
}


def test_a_ticket_has_every_field_of_its_shape(agent, ticket, team):
    body = agent.get(f"tickets/{ticket.pk}/").json()
    assert set(body) >= TICKET
    assert body["id"] == body["number"] == str(ticket.pk)
    assert (body["subject"], body["status"], body["priority"]) == ("Đơn hàng 1024", "open", "normal")
    assert (body["team"], body["team_name"], body["assignee"]) == (str(team.pk), "Returns", None)
    assert (body["customer"], body["customer_name"]) == (str(ticket.customer_id), "Lan Nguyễn")
    assert (body["mood"], body["moment"], body["topic"], body["controller"]) == (None, None, None, "none")
    assert body["next_due_at"].endswith("Z")
    assert body["created_at"].endswith("Z")
    assert isinstance(body["version"], int)


def test_what_is_not_yours_is_404_like_what_is_not_there(outsider, agent, ticket):
    for path in ("", "messages/", "clocks/"):
        refused(outsider.get(f"tickets/{ticket.pk}/{path}"), 404, "not_found")
        refused(agent.get(f"tickets/{ticket.pk + 999}/{path}"), 404, "not_found")
    for path, body in (("read/", {}), ("undo/", {}), ("replies/", {"text": "x"}), ("notes/", {"text": "x"})):
        refused(outsider.post(f"tickets/{ticket.pk}/{path}", body), 404, "not_found")
    refused(outsider.patch(f"tickets/{ticket.pk}/", {"status": "solved"}), 404, "not_found")
    ticket.refresh_from_db()
    assert ticket.status == "open"


def test_the_list_holds_what_the_role_and_teams_allow(agent, outsider, supervisor, admin, ticket, mailbox):
    mailbox.team = None
    mailbox.save()
    registry.forget()
    everybodys = a_ticket(channel=mailbox)

    def seen(program):
        return {row["id"] for row in program.get("tickets/").json()["results"]}

    both = {str(ticket.pk), str(everybodys.pk)}
    assert seen(agent) == seen(supervisor) == seen(admin) == both
    assert seen(outsider) == {str(everybodys.pk)}


def test_the_list_is_newest_change_first_and_pages_without_loss(agent, ticket, mailbox):
    made = [ticket, *(a_ticket(channel=mailbox) for _ in range(4))]
    agent.patch(f"tickets/{made[1].pk}/", {"priority": "high"})
    first = agent.get("tickets/?limit=2").json()
    assert first["results"][0]["id"] == str(made[1].pk)
    assert first["previous"] is None
    found, page = [*first["results"]], first
    while page["next"]:
        page = agent.get(page["next"]).json()
        found += page["results"]
    assert sorted(int(row["id"]) for row in found) == sorted(one.pk for one in made)
    assert [row["updated_at"] for row in found] == sorted((row["updated_at"] for row in found), reverse=True)


def test_the_list_is_filtered(agent, ticket, mailbox):
    other = a_ticket(channel=mailbox, subject="Hoá đơn", sender="Hoa <hoa@customer.test>", text="xuất hoá đơn đỏ")
    agent.patch(f"tickets/{other.pk}/", {"status": "pending", "tags": ["vip"], "priority": "urgent"})

    def ids(query):
        return [row["id"] for row in agent.get(f"tickets/?{query}").json()["results"]]

    this, that = str(ticket.pk), str(other.pk)
    assert ids("status=open") == [this]
    assert ids("status=pending") == [that]
    assert sorted(ids("status=pending&status=open")) == sorted([this, that])
    assert ids("priority=urgent") == ids("tag=vip") == ids("q=hoa don do") == ids("q=hoa@customer.test") == [that]
    assert ids(f"customer={ticket.customer_id}") == [this]
    assert sorted(ids(f"team={mailbox.team_id}")) == sorted(ids(f"channel={mailbox.pk}")) == sorted([this, that])
    assert sorted(ids("assignee=none")) == sorted([this, that])
    assert ids("mood=negative") == ids("topic=refund") == ids("team=none") == []
    assert ids("due_before=2020-01-01T00:00:00Z") == []
    assert ids("ordering=-priority") == [that, this]
    assert ids("ordering=id") == [this, that]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("priority=5", "priority"),
        ("team=abc", "team"),
        ("assignee=99999999999999999999", "assignee"),
        ("customer=1.5", "customer"),
        ("channel=1", "channel"),
        ("mood=sad", "mood"),
        ("due_before=tomorrow", "due_before"),
        ("ordering=customer__notes", "ordering"),
        ("ordering=id,-id", "ordering"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=-1", "cursor"),
        ("cursor=%FF%00", "cursor"),
    ],
)
def test_a_filter_that_makes_no_sense_is_400_with_its_name(agent, query, field):
    assert field in refused(agent.get(f"tickets/?{query}"), 400, "invalid")


def test_the_list_costs_the_same_however_long(agent, ticket, mailbox, django_assert_num_queries):
    agent.get("tickets/")
    for _ in range(5):
        a_ticket(channel=mailbox)
    with django_assert_num_queries(2):  # the token with its user and teams; the page with teams and assignees
        assert len(agent.get("tickets/").json()["results"]) == 6


def test_several_fields_change_at_once_and_are_recorded(agent, ticket):
    until = (now() + timedelta(days=1)).isoformat()
    body = {
        "status": "on_hold",
        "priority": "urgent",
        "assignee": str(agent.user.pk),
        "tags": ["VIP", "đổi trả"],
        "subject": "Đổi hàng",
        "snoozed_until": until,
        "expected_version": ticket.version,
    }
    answer = agent.patch(f"tickets/{ticket.pk}/", body)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["status"], said["priority"], said["subject"]) == ("on_hold", "urgent", "Đổi hàng")
    assert (said["assignee"], said["assignee_name"], said["tags"]) == (
        str(agent.user.pk),
        agent.user.name,
        ["vip", "đổi trả"],
    )
    assert said["snoozed_until"].endswith("Z")
    assert said["version"] > ticket.version
    changed = EventLog.objects.filter(topic="ticket.changed", subject=f"ticket:{ticket.pk}")
    fields = {name for event in changed for name in event.payload["changes"]}
    assert fields == {"status", "priority", "assignee_id", "tags", "subject", "snoozed_until"}
    assert {event.actor_id for event in changed} == {agent.user.pk}
    again = agent.patch(f"tickets/{ticket.pk}/", {"snoozed_until": None, "assignee": None, "tags": []}).json()
    assert (again["snoozed_until"], again["assignee"], again["tags"]) == (None, None, [])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"priority": "urgent", "assignee": "999999"}, 422, "invalid"),
        ({"priority": "urgent", "team": "999999"}, 422, "invalid"),
        ({"priority": "urgent", "status": "nowhere"}, 400, "invalid"),
        ({"priority": "urgent", "snoozed_until": "2020-01-01T00:00:00Z"}, 422, "invalid"),
        ({"priority": "urgent", "snoozed_until": "2099-01-01T00:00:00"}, 400, "invalid"),
        ({"priority": "urgent", "colour": "red"}, 400, "invalid"),
        ({"priority": "urgent", "subject": 5}, 400, "invalid"),
        ({"priority": "urgent", "assignee": 5}, 400, "invalid"),
        ({"priority": "urgent", "tags": "vip"}, 400, "invalid"),
        ({"priority": "urgent", "tags": ["x"] * 31}, 400, "invalid"),
        ({"priority": "urgent", "subject": "a\x00b"}, 400, "invalid"),
        ({"priority": "urgent", "expected_version": True}, 400, "invalid"),
        ([1, 2], 400, "invalid"),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(agent, ticket, body, status, code):
    before = EventLog.objects.count()
    assert refused(agent.patch(f"tickets/{ticket.pk}/", json.dumps(body)), status, code)
    assert Ticket.objects.get(pk=ticket.pk).version == ticket.version
    assert EventLog.objects.count() == before


def test_a_status_that_cannot_follow_is_409(agent, ticket):
    agent.patch(f"tickets/{ticket.pk}/", {"status": "closed"})
    assert refused(agent.patch(f"tickets/{ticket.pk}/", {"status": "pending"}), 409, "conflict") == {"status": "closed"}


def test_a_stale_version_is_409_with_what_is_new(agent, ticket, mailbox):
    seen = ticket.version
    new = receive(mailbox, a_mail(text="Còn một việc nữa"))
    fields = refused(
        agent.patch(f"tickets/{ticket.pk}/", {"status": "solved", "expected_version": seen}), 409, "stale_version"
    )
    assert fields["version"] == seen + 1
    assert [message["id"] for message in fields["messages"]] == [str(new.pk)]
    assert fields["messages"][0]["text"] == "Còn một việc nữa"
    assert Ticket.objects.get(pk=ticket.pk).status == "open"


def test_a_ticket_goes_to_another_team_with_somebody_there(agent, outsider, ticket, other_team):
    body = {"team": str(other_team.pk), "assignee": str(outsider.user.pk), "priority": "high"}
    said = agent.patch(f"tickets/{ticket.pk}/", body).json()
    assert (said["team"], said["assignee"], said["priority"]) == (str(other_team.pk), str(outsider.user.pk), "high")
    refused(agent.get(f"tickets/{ticket.pk}/"), 404, "not_found")
    assert outsider.get(f"tickets/{ticket.pk}/").status_code == 200


def test_reading_marks_as_read_and_is_no_change(agent, ticket):
    assert agent.get(f"tickets/{ticket.pk}/").json()["unread"] is True
    said = agent.post(f"tickets/{ticket.pk}/read/").json()
    assert (said["unread"], said["version"]) == (False, ticket.version)
    refused(agent.post(f"tickets/{ticket.pk}/read/", {"unread": True}), 400, "invalid")


def test_clocks_are_listed(agent, ticket):
    [clock] = agent.get(f"tickets/{ticket.pk}/clocks/").json()["results"]
    assert (clock["metric"], clock["state"], clock["target_seconds"], clock["met_at"]) == (
        "first_reply",
        "running",
        300,
        None,
    )
    assert clock["due_at"].endswith("Z")


def test_two_tickets_are_merged_and_parted_again(agent, ticket, mailbox):
    other = a_ticket(channel=mailbox)
    merged = agent.post(f"tickets/{ticket.pk}/merge/", {"ticket": str(other.pk)})
    assert merged.status_code == 200
    assert merged.json()["id"] == str(ticket.pk)
    assert len(agent.get(f"tickets/{ticket.pk}/messages/").json()["results"]) == 2
    assert agent.get(f"tickets/{other.pk}/").json()["merged_into"] == str(ticket.pk)
    assert str(other.pk) not in [row["id"] for row in agent.get("tickets/").json()["results"]]
    assert EventLog.objects.get(topic="ticket.merged").payload == {"ticket_id": ticket.pk, "other_id": other.pk}
    refused(agent.post(f"tickets/{ticket.pk}/merge/", {"ticket": str(other.pk)}), 409, "conflict")
    assert agent.post(f"tickets/{ticket.pk}/undo/").status_code == 200
    assert agent.get(f"tickets/{other.pk}/").json()["merged_into"] is None
    refused(agent.post(f"tickets/{ticket.pk}/undo/"), 409, "conflict")
    refused(agent.post(f"tickets/{ticket.pk}/merge/", {"ticket": str(ticket.pk)}), 422, "invalid")


def test_nobody_merges_with_a_ticket_out_of_sight(agent, outsider, ticket, mailbox, other_team):
    other = a_ticket(channel=mailbox)
    Ticket.objects.filter(pk=other.pk).update(team=other_team)
    refused(agent.post(f"tickets/{ticket.pk}/merge/", {"ticket": str(other.pk)}), 404, "not_found")
    refused(outsider.post(f"tickets/{other.pk}/merge/", {"ticket": str(ticket.pk)}), 404, "not_found")
    assert not Ticket.objects.exclude(merged_into=None).exists()


def test_a_ticket_is_split_and_a_message_moved(agent, ticket, mailbox):
    second = receive(mailbox, a_mail(text="Việc khác: xin hoá đơn"))
    path = f"tickets/{ticket.pk}/split/"
    fresh = agent.post(path, {"messages": [str(second.pk)], "subject": "Hoá đơn"})
    assert fresh.status_code == 201
    assert fresh.json()["subject"] == "Hoá đơn"
    new = fresh.json()["id"]
    assert [row["id"] for row in agent.get(f"tickets/{new}/messages/").json()["results"]] == [str(second.pk)]
    moved = agent.post(f"tickets/{new}/move/", {"message": str(second.pk), "ticket": str(ticket.pk)})
    assert moved.json()["ticket"] == str(ticket.pk)
    assert {"ticket.split", "message.moved"} <= set(EventLog.objects.values_list("topic", flat=True))
    assert refused(agent.post(path, {"messages": ["999999"]}), 422, "invalid") == {"message_ids": "not_on_this_ticket"}
    refused(agent.post(path, {"messages": []}), 400, "invalid")
    refused(agent.post(path, {"messages": ["1"] * 10_000}), 400, "invalid")
    refused(agent.post(f"tickets/{new}/move/", {"message": str(second.pk), "ticket": str(ticket.pk)}), 404, "not_found")
