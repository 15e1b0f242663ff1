"""What an agent does to a conversation, as the screen sends it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localtime, now

from helpdesk.accounts.models import Team, User
from helpdesk.accounts.queries import actor_for
from tests.builders import a_mail, a_ticket, a_user, receive
from tickets.messages import actions as messages
from tickets.models import BlockedSender, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


def act(client: Client, ticket: Ticket, name: str, /, **given: Any) -> Any:
    answer = client.post(f"/inbox/{ticket.pk}/{name}/", given, headers=HTMX)
    ticket.refresh_from_db()
    return answer


def toast(answer: Any) -> dict[str, str]:
    return dict(json.loads(answer["HX-Trigger"])["toast"])


def test_each_act_answers_with_what_is_live_and_a_way_back(client: Client, ticket: Ticket, agent: User) -> None:
    answer = act(client, ticket, "assign", assignee=str(agent.pk))
    assert ticket.assignee_id == agent.pk
    assert toast(answer) == {"text": "It is yours.", "undo": f"/inbox/{ticket.pk}/undo/"}
    html = answer.content.decode()
    for part in ("thread-version", "thread-head", "timeline", "side"):
        assert f'id="{part}"' in html
    assert 'id="composer"' not in html  # what is being written is never replaced
    act(client, ticket, "undo")
    assert ticket.assignee_id is None


def test_status_priority_tags_and_team(client: Client, ticket: Ticket) -> None:
    act(client, ticket, "status", status="solved")
    assert ticket.status == "solved"
    act(client, ticket, "status", status="open")
    act(client, ticket, "priority", priority="urgent")
    assert (ticket.status, ticket.priority) == ("open", 3)
    act(client, ticket, "tags", add="Giao trễ, vip")
    assert ticket.tags == ["giao trễ", "vip"]
    act(client, ticket, "tags", add="", remove="vip")
    assert ticket.tags == ["giao trễ"]
    act(client, ticket, "team", team="none")
    assert ticket.team_id is None


def test_a_refusal_is_a_toast_and_changes_nothing(client: Client, ticket: Ticket) -> None:
    version = ticket.version
    answer = act(client, ticket, "status", status="nonsense")
    assert answer.status_code == 422
    assert toast(answer)["kind"] == "error"
    assert answer["HX-Reswap"] == "none"
    assert ticket.version == version


def test_snoozing_by_hand_is_meant_in_the_readers_zone_and_can_be_undone(
    client: Client, ticket: Ticket, agent: User
) -> None:
    User.objects.filter(pk=agent.pk).update(time_zone="Asia/Ho_Chi_Minh")
    act(client, ticket, "snooze", until="own", own="2040-05-06T07:30")
    assert ticket.snoozed_until is not None
    assert ticket.snoozed_until.isoformat() == "2040-05-06T00:30:00+00:00"
    assert act(client, ticket, "undo").status_code == 200
    assert ticket.snoozed_until is None
    assert act(client, ticket, "snooze", until="own", own="").status_code == 422
    later = localtime(now()) + timedelta(hours=1)
    act(client, ticket, "snooze", until=later.isoformat(timespec="minutes"))
    assert ticket.snoozed_until is not None
    act(client, ticket, "snooze", until="")
    assert ticket.snoozed_until is None


def test_blocking_and_listening_again(client: Client, ticket: Ticket) -> None:
    act(client, ticket, "block", block="yes")
    blocked = BlockedSender.objects.get()
    assert blocked.value == ticket.customer.identities.get().value
    act(client, ticket, "block", block=str(blocked.pk))
    assert not BlockedSender.objects.exists()


def test_splitting_makes_a_conversation_of_the_chosen(client: Client, ticket: Ticket, agent: User) -> None:
    note = messages.note(ticket_id=ticket.pk, text="something else", actor=actor_for(agent))
    answer = act(client, ticket, "split", message=[note.pk])
    fresh = json.loads(answer["HX-Trigger"])["split"]
    assert Message.objects.get(pk=note.pk).ticket_id == int(fresh)


def test_many_at_once_and_what_could_not_be_done_is_named(client: Client, ticket: Ticket) -> None:
    other = a_ticket(channel=ticket.messages.get().channel)
    missing = other.pk + 1000
    answer = client.post("/inbox/bulk/", {"id": [ticket.pk, other.pk, missing], "status": "solved"}, headers=HTMX)
    assert set(Ticket.objects.values_list("status", flat=True)) == {"solved"}
    said = toast(answer)
    assert said["text"].startswith("2 conversations changed.")
    assert f"#{missing}" in said["text"]
    client.post(said["undo"], headers=HTMX)
    assert set(Ticket.objects.values_list("status", flat=True)) == {"open"}


def reply(client: Client, ticket: Ticket, **given: Any) -> Any:
    seen = Message.objects.filter(ticket=ticket).order_by("-pk").values_list("pk", flat=True).first()
    return act(
        client,
        ticket,
        "reply",
        **{"text": "Dạ em gửi ngay ạ", "seen": seen, "expected_version": ticket.version} | given,
    )


def test_an_answer_is_held_and_can_be_taken_back(client: Client, ticket: Ticket) -> None:
    answer = reply(client, ticket)
    assert answer.status_code == 200
    assert "sent" in json.loads(answer["HX-Trigger"])
    html = answer.content.decode()
    assert 'data-state="held"' in html
    message = Message.objects.get(direction="out")
    back = client.post(f"/inbox/messages/{message.pk}/take-back/", headers=HTMX)
    assert json.loads(back["HX-Trigger"])["restored"] == {"text": "Dạ em gửi ngay ạ"}
    assert "Taken back, not sent" in back.content.decode()


def test_a_colleagues_answer_stops_mine_and_one_click_sends_it_anyway(
    client: Client, ticket: Ticket, team: Team
) -> None:
    colleague = actor_for(a_user(name="Lê Mai", teams=(team,)))
    seen = Message.objects.get().pk
    version = ticket.version
    messages.reply(ticket_id=ticket.pk, text="Mai has answered", actor=colleague)
    answer = reply(client, ticket, seen=seen, expected_version=version)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert 'id="composer-moved"' in html
    assert "<b>Lê Mai</b> Mai has answered" in html
    assert Message.objects.filter(direction="out").count() == 1
    late = reply(client, ticket, seen=seen, expected_version=version, anyway=version)
    assert late.status_code == 409  # it has moved once more since the warning
    again = reply(client, ticket, seen=seen, expected_version=version, anyway=ticket.version)
    assert again.status_code == 200
    assert Message.objects.filter(direction="out").count() == 2


def test_the_customers_new_words_stop_it_too_but_a_changed_tag_does_not(client: Client, ticket: Ticket) -> None:
    seen, version = Message.objects.get().pk, ticket.version
    act(client, ticket, "tags", add="vip")
    assert reply(client, ticket, seen=seen, expected_version=version).status_code == 200
    first = Message.objects.get(direction="in")
    seen = Message.objects.order_by("-pk").values_list("pk", flat=True).first()
    sender = f"{first.sender_name} <{first.sender_address}>"
    receive(first.channel, a_mail(sender=sender, text="Thôi, hủy đơn giúp mình", In_Reply_To=f"<{first.external_id}>"))
    ticket.refresh_from_db()
    answer = reply(client, ticket, seen=seen, expected_version=version)
    assert answer.status_code == 409
    assert "hủy đơn" in answer.content.decode()


def test_an_empty_answer_is_refused(client: Client, ticket: Ticket) -> None:
    assert reply(client, ticket, text="  ").status_code == 422
    assert not Message.objects.filter(direction="out").exists()


def test_files_go_up_first_and_out_with_the_answer(client: Client, ticket: Ticket, settings: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    address = f"/inbox/{ticket.pk}/upload/"
    answer = client.post(address, {"file": SimpleUploadedFile("hóa đơn.pdf", b"%PDF-1.4", "application/pdf")})
    assert answer.status_code == 201
    sent = reply(client, ticket, media=[answer.json()["id"]])
    assert "hóa đơn.pdf" in sent.content.decode()
    settings.ATTACHMENT_MAX_BYTES = 4
    assert client.post(address, {"file": SimpleUploadedFile("big.bin", b"12345")}, headers=HTMX).status_code == 413


def test_the_customers_particulars_and_notes(client: Client, ticket: Ticket) -> None:
    assert "Form of address" in client.get(f"/inbox/{ticket.pk}/customer/").content.decode()
    answer = act(client, ticket, "customer", name="Nguyễn Thị Lan", form_of_address="chị", language="vi")
    assert "Nguyễn Thị Lan" in answer.content.decode()
    act(client, ticket, "customer-notes", notes=" Thích gọi điện ")
    ticket.customer.refresh_from_db()
    assert (ticket.customer.form_of_address, ticket.customer.notes) == ("chị", "Thích gọi điện")
    assert act(client, ticket, "customer", name="").status_code == 200
    ticket.customer.refresh_from_db()
    assert ticket.customer.name == "Nguyễn Thị Lan"


@pytest.mark.parametrize("name", ["assign", "status", "reply", "undo"])
def test_acts_are_posts(client: Client, ticket: Ticket, name: str) -> None:
    assert client.get(f"/inbox/{ticket.pk}/{name}/").status_code == 405
