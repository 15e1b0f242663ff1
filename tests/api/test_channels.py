"""Channels and failures at the door over the API: supervisors set up, secrets never come back."""

import json

import pytest
from django.db import connection

from channels_app import inbound, registry
from channels_app.models import Channel, InboundEvent
from helpdesk.core.models import EventLog
from tests.api.conftest import refused
from tests.builders import a_mail, a_mailbox
from tickets.models import Message

MAIL = {
    "kind": "email",
    "name": "Hỗ trợ",
    "address": "Help@Shop.test",
    "config": {"imap_host": "imap.shop.test", "imap_port": 993, "imap_user": "help"},
    "secrets": {"imap_password": "hush-hush"},
}
CHAT = {
    "kind": "webchat",
    "name": "Chat",
    "config": {"origins": ["https://shop.test"], "greeting": "Xin chào!"},
    "secrets": {"identity_secret": "host-secret"},
}


def test_a_mailbox_is_set_up_and_its_secret_never_comes_back(supervisor, team):
    made = supervisor.post("channels/", {**MAIL, "team": str(team.pk)})
    assert made.status_code == 201
    said = made.json()
    assert (said["kind"], said["name"], said["address"], said["team"]) == (
        "email",
        "Hỗ trợ",
        "help@shop.test",
        str(team.pk),
    )
    assert said["config"] == MAIL["config"]
    assert said["secrets_set"] == ["imap_password"]
    assert "secrets" not in said
    assert said["webhook_url"].endswith(f"/hooks/{said['id']}/")
    assert said["health"] == {"state": "ok", "problem": "", "problem_kind": "", "since": None, "last_inbound_at": None}
    channel = Channel.objects.get(pk=said["id"])
    assert channel.secrets == {"imap_password": "hush-hush"}
    assert EventLog.objects.get(topic="channel.changed").payload == {"channel_id": said["id"], "change": "created"}
    for answer in (made, supervisor.get("channels/"), supervisor.get(f"channels/{said['id']}/")):
        assert b"hush-hush" not in answer.content
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM channels_app_channel")
        assert "hush-hush" not in cursor.fetchone()[0]


def test_what_was_set_up_takes_mail(supervisor):
    made = supervisor.post("channels/", {"kind": "email", "name": "Help", "address": "help@shop.test"}).json()
    inbound.accept(Channel.objects.get(pk=made["id"]).pk, "m1", a_mail(to="help@shop.test"), {})
    inbound.drain()
    assert Message.objects.get().channel_id == Channel.objects.get().pk
    assert supervisor.get(f"channels/{made['id']}/").json()["health"]["last_inbound_at"].endswith("Z")


def test_agents_see_and_change_no_channel(agent, mailbox):
    before = EventLog.objects.count()
    for answer in (
        agent.get("channels/"),
        agent.get(f"channels/{mailbox.pk}/"),
        agent.post("channels/", CHAT),
        agent.patch(f"channels/{mailbox.pk}/", {"name": "x"}),
        agent.ask("delete", f"channels/{mailbox.pk}/"),
        agent.get("inbound-failures/"),
        agent.post("inbound-failures/1/retry/"),
    ):
        refused(answer, 403, "not_allowed")
    mailbox.refresh_from_db()
    assert (mailbox.name, mailbox.is_active, EventLog.objects.count()) == ("Support", True, before)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"kind": "messenger", "config": {"page_id": 12345}}, 422, "config.page_id"),
        ({"kind": "shop"}, 422, "kind"),
        ({"kind": "pigeon"}, 400, "kind"),
        ({"name": ""}, 400, "name"),
        ({"name": "  "}, 400, "name"),
        ({"address": ""}, 422, "address"),
        ({"address": "nobody"}, 422, "address"),
        ({"address": "a b@shop.test"}, 422, "address"),
        ({"config": {"imap_hots": "x"}}, 422, "config.imap_hots"),
        ({"config": {"imap_port": "993"}}, 422, "config.imap_port"),
        ({"config": {"imap_port": True}}, 422, "config.imap_port"),
        ({"config": {"imap_port": 70000}}, 422, "config.imap_port"),
        ({"config": {"imap_host": "a b"}}, 422, "config.imap_host"),
        ({"config": {"imap_user": "a\x00"}}, 422, "config.imap_user"),
        ({"config": {"imap_password": "in the wrong place"}}, 422, "config.imap_password"),
        ({"config": ["x"]}, 400, "config"),
        ({"secrets": {"imap_password": 5}}, 422, "secrets.imap_password"),
        ({"secrets": {"token": "x"}}, 422, "secrets.token"),
        ({"team": "999999"}, 422, "team"),
        ({"webhook_url": "http://evil.test"}, 400, "webhook_url"),
    ],
)
def test_a_channel_that_makes_no_sense_is_not_made(supervisor, change, status, field):
    assert field in refused(supervisor.post("channels/", json.dumps({**MAIL, **change})), status, "invalid")
    assert not Channel.objects.exists()
    assert not EventLog.objects.filter(topic="channel.changed").exists()


@pytest.mark.parametrize(
    "origin",
    [
        "shop.test",
        "https://shop.test/path",
        "https://u@shop.test",
        "javascript:alert(1)",
        "https://",
        "https://a:99999",
        5,
        "*",
    ],
)
def test_a_chat_page_must_be_an_origin(supervisor, origin):
    body = {**CHAT, "config": {"origins": [origin]}}
    assert "config.origins" in refused(supervisor.post("channels/", body), 422, "invalid")


def test_a_channel_is_changed_in_part_and_retired(supervisor, outsider):
    made = supervisor.post("channels/", CHAT).json()
    path = f"channels/{made['id']}/"
    said = supervisor.patch(path, {"name": "Trò chuyện", "config": {"greeting": "Chào bạn"}}).json()
    assert (said["name"], said["config"], said["secrets_set"]) == (
        "Trò chuyện",
        {"greeting": "Chào bạn"},
        ["identity_secret"],
    )
    assert supervisor.patch(path, {"secrets": {"identity_secret": "new"}}).status_code == 200
    assert Channel.objects.get().secrets == {"identity_secret": "new"}
    assert supervisor.patch(path, {"secrets": {"identity_secret": None}}).json()["secrets_set"] == []
    assert "config.origin" in refused(supervisor.patch(path, {"config": {"origin": "x"}}), 422, "invalid")
    assert supervisor.ask("delete", path).status_code == 204
    assert supervisor.get("channels/").json()["results"] == []
    assert supervisor.get(path).json()["health"]["state"] == "retired"
    refused(supervisor.patch(path, {"name": "x"}), 409, "conflict")
    changes = [event.payload["change"] for event in EventLog.objects.filter(topic="channel.changed").order_by("pk")]
    assert changes == ["created", "updated", "updated", "updated", "retired"]
    refused(supervisor.get("channels/0190b1b0-0000-7000-8000-000000000000/"), 404, "not_found")
    refused(supervisor.get("channels/1/"), 404, "not_found")


def test_an_address_belongs_to_one_channel(supervisor, mailbox):
    refused(supervisor.post("channels/", {**MAIL, "address": mailbox.address}), 409, "address_taken")
    other = supervisor.post("channels/", MAIL).json()
    refused(supervisor.patch(f"channels/{other['id']}/", {"address": mailbox.address}), 409, "address_taken")
    assert Channel.objects.filter(address=mailbox.address).count() == 1


def test_channels_list_at_a_constant_cost(supervisor, mailbox, django_assert_num_queries):
    a_mailbox("b@shop.test")
    a_mailbox("c@shop.test")
    supervisor.get("channels/")
    with django_assert_num_queries(2):  # the token; the page with its teams
        assert len(supervisor.get("channels/").json()["results"]) == 3


@pytest.mark.django_db(transaction=True)  # a claim asks the clock of its transaction
def test_what_failed_at_the_door_is_listed_and_read_again(supervisor, mailbox):
    inbound.accept(mailbox.pk, "m1", a_mail(), {})
    InboundEvent.objects.update(state="failed", last_error="cannot be read", attempts=12)
    [failure] = supervisor.get("inbound-failures/").json()["results"]
    assert (failure["channel"], failure["channel_name"], failure["reason"], failure["attempts"]) == (
        *(str(mailbox.pk), "Support", "cannot be read"),
        12,
    )
    path = f"inbound-failures/{failure['id']}/retry/"
    assert supervisor.post(path).status_code == 202
    assert EventLog.objects.get(topic="inbound.retried").actor_id == supervisor.user.pk
    refused(supervisor.post(path), 404, "not_found")
    refused(supervisor.post("inbound-failures/999999/retry/"), 404, "not_found")
    registry.forget()
    inbound.drain()
    assert Message.objects.count() == 1
    assert supervisor.get("inbound-failures/").json()["results"] == []
