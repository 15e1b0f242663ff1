"""The customer beside the thread: who they may be, who they were, codes, calls, and moving what they said."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localtime, now

from channels_app.models import Delivery, Media
from helpdesk.accounts.models import User
from helpdesk.accounts.queries import actor_for
from tests.builders import a_team, a_ticket
from tickets.customers import actions as customers
from tickets.customers import suggestions
from tickets.lifecycle import joining
from tickets.models import Customer, Identity, MergeSuggestion, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


def act(client: Client, ticket: Ticket, name: str, /, **given: Any) -> Any:
    return client.post(f"/inbox/{ticket.pk}/{name}", given, headers=HTMX)


def toast(answer: Any) -> dict[str, str]:
    return dict(json.loads(answer["HX-Trigger"])["toast"])


def panel(client: Client, ticket: Ticket) -> str:
    html = client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX).content.decode()
    return html[html.index('id="side-customer"') :]


@pytest.fixture
def other(ticket: Ticket) -> Ticket:
    return a_ticket(channel=ticket.messages.get().channel, sender="Hoa Trần <hoa@customer.test>", text="Hoa đây")


def canonical(ticket: Ticket) -> int | None:
    return Customer.objects.get(pk=ticket.customer_id).canonical_id


def test_a_suggestion_is_shown_with_its_reason_and_merging_can_be_undone(
    client: Client, ticket: Ticket, other: Ticket
) -> None:
    one = suggestions.suggest(customer_id=ticket.customer_id, other_id=other.customer_id, reason="same_phone")
    assert one is not None
    shown = panel(client, ticket)
    assert "Maybe the same person:" in shown
    assert "Hoa Trần" in shown
    assert "(same phone number)" in shown
    answer = act(client, ticket, f"suggestions/{one.pk}/accept/")
    assert canonical(other) == ticket.customer_id
    html = answer.content.decode()
    assert "Maybe the same person:" not in html
    assert "hoa@customer.test" in html
    assert "Trần Minh said that this customer and Hoa Trần are one person" in html
    client.post(toast(answer)["undo"], headers=HTMX)
    assert canonical(other) is None
    assert MergeSuggestion.objects.get().state == "open"
    answer = act(client, ticket, f"suggestions/{one.pk}/decline/")
    assert "Maybe the same person:" not in panel(client, other)
    client.post(toast(answer)["undo"], headers=HTMX)
    assert MergeSuggestion.objects.get().state == "open"


def test_two_are_merged_by_search_and_parted_from_the_list(client: Client, ticket: Ticket, other: Ticket) -> None:
    found = client.get(
        f"/inbox/{ticket.pk}/customer/merge/?q=HOA@customer.test", headers={**HTMX, "HX-Target": "merge-found"}
    )
    assert f'value="{other.customer_id}"' in found.content.decode()
    assert str(ticket.customer_id) not in re.findall(r'name="other" value="(\d+)"', found.content.decode())
    answer = act(client, ticket, "customer/merge/", other=other.customer_id)
    assert canonical(other) == ticket.customer_id
    assert "Also Hoa Trần" in answer.content.decode()
    undo = toast(answer)["undo"]
    parted = act(client, ticket, "customer/part/", customer=other.customer_id)
    assert canonical(other) is None
    assert "two people" in parted.content.decode()
    client.post(toast(parted)["undo"], headers=HTMX)
    assert canonical(other) == ticket.customer_id
    client.post(undo, headers=HTMX)
    assert canonical(other) is None
    assert act(client, ticket, "customer/part/", customer=other.customer_id).status_code == 404
    assert act(client, ticket, "customer/merge/", other="x").status_code == 404


def test_an_address_is_added_and_its_code_sent_in_one_step(client: Client, ticket: Ticket) -> None:
    answer = act(client, ticket, "customer/address/", kind="email", value="lan.2@customer.test", prove="yes")
    assert "A code is on its way to lan.2@customer.test" in toast(answer)["text"]
    assert "Code…" in panel(client, ticket)
    # Where no code can go, the address stays, and the answer says why.
    answer = act(client, ticket, "customer/address/", kind="phone", value="0912345678", prove="yes")
    assert toast(answer)["text"] == "Added. A code goes to a telephone by SMS, and no SMS channel is set up."
    assert "+84912345678" in panel(client, ticket)


def test_namesakes_are_offered_before_anything_is_typed(client: Client, ticket: Ticket, other: Ticket) -> None:
    dialog = f"/inbox/{ticket.pk}/customer/merge/"
    assert "Type a name or an address." in client.get(dialog, headers=HTMX).content.decode()
    Customer.objects.filter(pk=other.customer_id).update(name=ticket.customer.name)
    offered = re.findall(r'name="other" value="(\d+)"', client.get(dialog, headers=HTMX).content.decode())
    assert offered == [str(other.customer_id)]
    Customer.objects.update(name="")  # nobody is a namesake of somebody without a name
    assert "merge-option" not in client.get(dialog, headers=HTMX).content.decode()


def test_the_other_talk_of_one_person_joins_with_one_press(client: Client, ticket: Ticket, other: Ticket) -> None:
    joins = f'name="other" value="{other.pk}"'
    assert joins not in client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX).content.decode()
    html = act(client, ticket, "customer/merge/", other=other.customer_id).content.decode()
    assert joins in html
    # The dialog finds it from both sides, whoever of the two survived.
    assert f'value="{ticket.pk}"' in client.get(f"/inbox/{other.pk}/merge/", headers=HTMX).content.decode()
    answer = act(client, ticket, "merge/", other=other.pk)
    assert joins not in answer.content.decode()
    other.refresh_from_db()
    assert other.merged_into_id == ticket.pk
    client.post(toast(answer)["undo"], headers=HTMX)
    assert joins in client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX).content.decode()
    # A talk that is over stays where it is.
    Ticket.objects.filter(pk=other.pk).update(status="solved")
    assert joins not in client.get(f"/inbox/{ticket.pk}/live/", headers=HTMX).content.decode()


def test_an_address_of_somebody_else_asks_whether_they_are_one(client: Client, ticket: Ticket, other: Ticket) -> None:
    answer = act(client, ticket, "customer/address/", kind="email", value="hoa@customer.test")
    assert "Somebody else has this address" in toast(answer)["text"]
    assert "Maybe the same person:" in answer.content.decode()
    act(client, ticket, "customer/address/", kind="phone", value="0120 123 4567")
    assert Identity.objects.get(kind="phone").value == "+84701234567"
    wrong = act(client, ticket, "customer/address/", kind="email", value="nonsense")
    assert wrong["HX-Retarget"] == "#dialog"
    assert "errorlist" in wrong.content.decode()


def test_a_code_is_sent_and_typed_beside_its_address(client: Client, ticket: Ticket, settings: Any) -> None:
    settings.EMAIL_BACKEND = "channels_app.mailbackend.OutboxBackend"
    address = Identity.objects.get().value
    assert ">Verify</button>" in panel(client, ticket)
    answer = act(client, ticket, "customer/code/", kind="email", value=address)
    assert 'name="code"' in answer.content.decode()
    found = re.search(r"\d{6}", Delivery.objects.latest("pk").payload["text"])
    assert found
    wrong = act(client, ticket, "customer/confirm/", kind="email", value=address, code="abc")
    assert (wrong.status_code, toast(wrong)["kind"]) == (422, "error")
    right = act(client, ticket, "customer/confirm/", kind="email", value=address, code=found[0])
    assert 'aria-label="Verified"' in right.content.decode()
    assert Identity.objects.get().evidence == "code"


def test_a_telephone_says_why_it_cannot_be_proved(client: Client, ticket: Ticket, agent: User) -> None:
    actor = actor_for(agent)
    customers.add_address(customer_id=ticket.customer_id, kind="phone", value="0912345678", actor=actor)
    assert "no SMS channel is set up" in panel(client, ticket)
    assert act(client, ticket, "customer/code/", kind="phone", value="0912345678").status_code == 409


def test_the_preferred_channel_and_the_picture_are_shown(client: Client, ticket: Ticket) -> None:
    act(client, ticket, "customer/", name="Lan", form_of_address="", language="", preferred_channel="zalo")
    picture = Media.objects.create(sha256="a" * 64, filename="a.png", content_type="image/png", size=1)
    Customer.objects.filter(pk=ticket.customer_id).update(picture=picture)
    shown = panel(client, ticket)
    assert "Asked to be answered by Zalo" in shown
    assert f"/inbox/customers/{ticket.customer_id}/picture/" in shown


def test_a_picture_is_kept_from_those_who_may_not_know_the_customer(client: Client, ticket: Ticket) -> None:
    from channels_app import media

    picture = media.keep(content=b"\x89PNG\r\n\x1a\n", filename="a.png", content_type="image/png")
    Customer.objects.filter(pk=ticket.customer_id).update(picture=picture)
    path = f"/inbox/customers/{ticket.customer_id}/picture/"
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"], answer["X-Content-Type-Options"]) == (
        200,
        "image/png",
        "nosniff",
    )
    Media.objects.update(content_type="image/svg+xml")
    assert client.get(path).status_code == 404
    Media.objects.update(content_type="image/png", state="coming")
    assert client.get(path).status_code == 404
    Media.objects.update(state="kept")
    Ticket.objects.update(team=a_team())
    assert client.get(path).status_code == 404


def test_a_message_is_moved_or_split_off_by_itself(client: Client, ticket: Ticket, other: Ticket, agent: User) -> None:
    actor = actor_for(agent)
    message = Message.objects.get(ticket=ticket)
    joining.merge(survivor_id=ticket.pk, loser_id=other.pk, actor=actor)
    joining.undo(ticket_id=ticket.pk, actor=actor)
    act(client, ticket, "customer/merge/", other=other.customer_id)
    shown = client.get(f"/inbox/messages/{message.pk}/move/", headers=HTMX).content.decode()
    assert f'name="ticket" value="{other.pk}"' in shown
    answer = client.post(f"/inbox/messages/{message.pk}/move/", {"ticket": other.pk}, headers=HTMX)
    assert Message.objects.get(pk=message.pk).ticket_id == other.pk
    client.post(toast(answer)["undo"], headers=HTMX)
    assert Message.objects.get(pk=message.pk).ticket_id == ticket.pk
    act(client, ticket, "note/", text="x")
    answer = client.post(f"/inbox/messages/{message.pk}/move/", {"ticket": "new"}, headers=HTMX)
    fresh = Message.objects.get(pk=message.pk).ticket_id
    assert fresh not in (ticket.pk, other.pk)
    assert toast(answer)["text"] == f"Split off as #{fresh}."
    client.post(toast(answer)["undo"], headers=HTMX)
    assert Message.objects.get(pk=message.pk).ticket_id == ticket.pk


def when(minutes: float) -> str:
    return (localtime(now()) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")


def test_a_call_is_written_down_on_the_conversation(client: Client, ticket: Ticket, agent: User) -> None:
    User.objects.filter(pk=agent.pk).update(time_zone="UTC")
    assert "What came of it" in client.get(f"/inbox/{ticket.pk}/call/").content.decode()
    given = {"direction": "out", "outcome": "reached", "text": "Hẹn thứ Sáu", "minutes": "4", "at": when(0)}
    answer = act(client, ticket, "call/", **given)
    message = Message.objects.get(kind="call")
    assert message.details["call"] == {"direction": "out", "outcome": "reached", "seconds": 240}
    html = answer.content.decode()
    assert "We called · Spoke with the customer · 4 min" in html
    assert "Hẹn thứ Sáu" in html
    ahead = act(client, ticket, "call/", **given | {"at": when(-10)})
    assert "This moment lies ahead." in ahead.content.decode()
    assert Message.objects.filter(kind="call").count() == 1


def test_a_call_from_nobody_yet_leads_to_its_conversation(client: Client, ticket: Ticket, agent: User) -> None:
    User.objects.filter(pk=agent.pk).update(time_zone="UTC")
    given = {"direction": "out", "outcome": "walk_in", "name": "Chú Ba", "at": when(1)}
    answer = client.post("/inbox/call/", given, headers=HTMX)
    message = Message.objects.get(kind="call")
    assert answer["HX-Redirect"] == f"/inbox/{message.ticket_id}/"
    assert (message.ticket.customer_name, message.direction) == ("Chú Ba", "in")
    nobody = client.post("/inbox/call/", given | {"name": ""}, headers=HTMX)
    assert "A telephone number or a name is needed" in nobody.content.decode()
