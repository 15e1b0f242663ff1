"""Calls at the hook: several numbers of one application, and what stays where it came."""

import json

import pytest

from channels_app import registry
from channels_app.models import Channel, InboundEvent
from tests.builders import run_jobs
from tests.channels_app.contract.conftest import Door
from tickets.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = "206540352242923"


def second_number(door: Door, *, app_secret: str) -> Channel:
    registry.forget()
    return Channel.objects.create(
        kind="whatsapp",
        name="Second",
        address=SECOND,
        config=door.channel.config | {"phone_number_id": SECOND},
        secrets={"app_secret": app_secret, "access_token": "EAA"},
    )


def for_both(door: Door) -> bytes:
    """One call with a message for each of the two numbers."""
    mine = door.provider.envelope([door.provider.event(door.person, "Số một")])
    other = door.provider.envelope([door.provider.event(door.person, "Số hai")])
    other["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = SECOND
    mine["entry"] += other["entry"]
    return json.dumps(mine).encode()


def test_a_call_for_two_numbers_of_one_application_reaches_both(door: Door) -> None:
    second = second_number(door, app_secret=door.provider.account["app_secret"])
    assert door.provider.push(for_both(door)) == 200
    run_jobs()
    where = dict(Message.objects.values_list("text", "channel_id"))
    assert where == {"Số một": door.channel.pk, "Số hai": second.pk}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_number_that_the_key_does_not_speak_for_gets_nothing(door: Door, is_there: bool) -> None:
    if is_there:
        second_number(door, app_secret="another application's")
    assert door.provider.push(for_both(door)) == 200
    run_jobs()
    assert list(Message.objects.values_list("text", flat=True)) == ["Số một"]
    failed = InboundEvent.objects.get(state="failed")
    assert (failed.channel_id, "another WhatsApp number" in failed.last_error) == (door.channel.pk, True)
