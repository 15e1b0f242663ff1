"""The demo's shop: every story comes in whole, by the doors of real customers, whether or not anything is simulated."""

from dataclasses import replace
from typing import Any

import pytest

from channels_app import registry
from channels_app.models import Channel, Errand, InboundEvent, Media, Thread
from tests.runtime.desk import free_port
from tickets.demo.build import build
from tickets.demo.content import CONVERSATIONS
from tickets.demo.social import SOCIAL
from tickets.enums import Kind
from tickets.messages import reach
from tickets.models import Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]


@pytest.fixture
def simulated(settings: Any) -> int:
    """A port for the providers, which the desk may call; nothing listens there before or after."""
    settings.SIMULATORS_PORT = free_port()
    settings.ENV = replace(settings.ENV, helpdesk_allow_hosts=(f"127.0.0.1:{settings.SIMULATORS_PORT}",))
    registry.forget()
    return int(settings.SIMULATORS_PORT)


def test_the_demo_is_told_on_every_channel(simulated: int) -> None:
    build(password="helpdesk", site_url="http://127.0.0.1:8000")

    shown = Ticket.objects.filter(merged_into__isnull=True)
    assert shown.count() == len(CONVERSATIONS) + len(SOCIAL)
    assert not InboundEvent.objects.exclude(state="done").exists()
    assert not Errand.objects.exclude(what="probe").exclude(state="done").exists()
    assert set(Media.objects.values_list("state", flat=True)) == {"kept"}
    names = {story.name for story in SOCIAL if "instagram" not in story.people}
    assert set(shown.exclude(channel_kind__in=("email", "instagram")).values_list("customer__name", flat=True)) == names

    said = Message.objects.exclude(channel_kind="email")
    assert said.filter(kind=Kind.COMMENT).count() == said.filter(kind=Kind.CALL).count() == 1
    assert said.filter(details__has_key="location").count() == 2
    assert said.exclude(quotes="").filter(direction="in", kind=Kind.MESSAGE).count() == 1
    assert said.exclude(reactions={}).count() == 2
    assert all(
        message.created_at == message.occurred_at or message.kind == Kind.CALL
        for message in said.filter(direction="out")
    )

    # One proved customer, one thread, two channels; the answer on Zalo is counted.
    [lan] = shown.filter(customer__name="Nguyễn Thị Lan")
    entries = Message.objects.filter(ticket__in=lan.family())
    assert set(entries.values_list("channel_kind", flat=True)) == {"email", "zalo"}
    assert reach.channels_for(lan)[0].kind == "zalo"
    assert Thread.objects.get(channel__kind="zalo", address="8142639005581123456").sent_since == 0  # she wrote after it


def test_without_simulators_the_mails_alone_are_told(settings: Any) -> None:
    settings.SIMULATORS_PORT = 0
    build(password="helpdesk", site_url="http://127.0.0.1:8000")
    assert Ticket.objects.count() == len(CONVERSATIONS)
    assert set(Channel.objects.values_list("kind", flat=True)) == {"email", "webchat"}
