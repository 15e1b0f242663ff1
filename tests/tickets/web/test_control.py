"""The control room: faults that can be put right, senders, channels. For supervisors and admins only."""

from typing import Any

import pytest
from django.test import Client

from channels_app.models import Channel, InboundEvent
from helpdesk.accounts.models import Team
from helpdesk.accounts.queries import actor_for
from tests.builders import a_chat, a_mailbox, a_user
from tickets.customers import actions as customers
from tickets.messages import actions as messages
from tickets.models import BlockedSender, Message, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss(team: Team) -> Client:
    browser = Client()
    browser.force_login(a_user("supervisor", teams=(team,), language="en", name="Thu Hà"))
    return browser


PAGES = ["/control/", "/control/channels/", "/control/channels/new/email/"]


@pytest.mark.parametrize("address", PAGES)
def test_agents_are_told_that_it_is_not_theirs(client: Client, boss: Client, address: str) -> None:
    assert boss.get(address).status_code == 200
    answer = client.get(address)
    assert answer.status_code == 403
    assert "Not yours to open" in answer.content.decode()


@pytest.mark.parametrize("act", ["inbound/1/retry", "deliveries/1/retry", "blocked/1/unblock"])
def test_agents_change_nothing_here(client: Client, boss: Client, act: str) -> None:
    assert client.post(f"/control/{act}/").status_code == 403
    assert boss.post(f"/control/{act}/").status_code == 404


def test_a_quiet_desk_says_so(boss: Client) -> None:
    assert "Everything came in and went out." in boss.get("/control/").content.decode()


def test_what_could_not_be_read_can_be_read_again(boss: Client, ticket: Ticket) -> None:
    event = InboundEvent.objects.get()
    InboundEvent.objects.update(state="failed", last_error="the parser broke")
    assert "the parser broke" in boss.get("/control/").content.decode()
    assert boss.post(f"/control/inbound/{event.pk}/retry/").status_code == 302
    assert InboundEvent.objects.get().state == "pending"


def test_an_answer_that_did_not_arrive_can_be_sent_again(boss: Client, ticket: Ticket, agent: Any) -> None:
    from channels_app.models import Delivery

    sent = messages.reply(ticket_id=ticket.pk, text="Dạ", actor=actor_for(agent))
    Delivery.objects.update(state="failed", outcome="failed")
    Message.objects.filter(pk=sent.pk).update(delivery_state="failed", delivery_reason="550 mailbox full")
    html = boss.get("/control/").content.decode()
    assert "550 mailbox full" in html
    assert f"/inbox/{ticket.pk}/" in html
    boss.post(f"/control/deliveries/{sent.pk}/retry/")
    assert Delivery.objects.get().state == "pending"


def test_a_blocked_sender_is_listened_to_again(boss: Client, agent: Any) -> None:
    blocked = customers.block(kind="email", value="spam@x.test", actor=actor_for(agent))
    assert "spam@x.test" in boss.get("/control/").content.decode()
    boss.post(f"/control/blocked/{blocked.pk}/unblock/")
    assert not BlockedSender.objects.exists()


def test_a_mailbox_is_set_up_and_its_password_never_comes_back(boss: Client, team: Team) -> None:
    given = {
        "name": "Hỗ trợ",
        "address": "Help@Shop.test",
        "team": team.pk,
        "imap_host": "imap.shop.test",
        "imap_port": 993,
        "imap_user": "help",
        "imap_password": "s3cret-word",
    }
    assert boss.post("/control/channels/new/email/", given).status_code == 302
    channel = Channel.objects.get()
    assert (channel.address, channel.team_id) == ("help@shop.test", team.pk)
    assert channel.secrets == {"imap_password": "s3cret-word"}
    address = f"/control/channels/{channel.pk}/"
    html = boss.get(address).content.decode()
    assert "s3cret-word" not in html
    assert "never shown again" in html
    boss.post(address, given | {"name": "Support", "imap_password": ""})
    channel.refresh_from_db()
    assert (channel.name, channel.secrets) == ("Support", {"imap_password": "s3cret-word"})


def test_the_chat_comes_with_the_line_to_embed_it(boss: Client) -> None:
    given = {"name": "Chat", "origins": "https://shop.test/\nhttp://localhost:3000", "greeting": "Xin chào!"}
    boss.post("/control/channels/new/webchat/", given)
    channel = Channel.objects.get()
    assert channel.config == {"origins": ["https://shop.test", "http://localhost:3000"], "greeting": "Xin chào!"}
    html = boss.get(f"/control/channels/{channel.pk}/").content.decode()
    assert f"widget.js&quot; async data-channel=&quot;{channel.pk}&quot;" in html
    answer = boss.post(f"/control/channels/{channel.pk}/", given | {"origins": "shop.test"})
    assert answer.status_code == 422
    assert "This is no origin: shop.test" in answer.content.decode()


def test_a_taken_address_is_said_beside_its_field(boss: Client) -> None:
    a_mailbox("support@shop.test")
    answer = boss.post("/control/channels/new/email/", {"name": "Two", "address": "support@shop.test"})
    assert answer.status_code == 422
    assert "Another channel has this address." in answer.content.decode()
    assert Channel.objects.count() == 1


def test_a_retired_channel_leaves_the_list(boss: Client) -> None:
    channel = a_chat()
    boss.post(f"/control/channels/{channel.pk}/retire/")
    channel.refresh_from_db()
    assert not channel.is_active
    assert f"/control/channels/{channel.pk}/" not in boss.get("/control/channels/").content.decode()
    assert boss.get("/control/channels/new/nonsense/").status_code == 404
