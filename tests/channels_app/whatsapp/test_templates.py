"""The approved templates: asked for, kept, filled in."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from channels_app import errands, registry, templates_kept
from channels_app.adapters.whatsapp.templates import template
from channels_app.contracts import Template
from channels_app.models import Errand
from channels_app.simulators.base import Fault
from helpdesk.core.errors import Retry
from tests.builders import a_mailbox
from tests.channels_app.contract.conftest import Door

NAMED = {"name": "n", "language": "vi", "status": "APPROVED", "category": "UTILITY", "parameter_format": "NAMED"}
BODY = {"type": "BODY", "text": "Chào {{ho}} {{ten}}, {{ho}} ơi"}


def names(found: list[Template]) -> list[tuple[str, str, int]]:
    return [(one.name, one.language, one.parameters) for one in found]


USABLE = [("follow_up", "vi", 1), ("order_update", "en", 2), ("order_update", "vi", 2)]


@pytest.mark.django_db(transaction=True)
def test_only_what_the_desk_can_fill_in_is_offered(door: Door) -> None:
    assert templates_kept.templates_of(door.channel) == []
    found = templates_kept.refresh_templates(door.channel.pk)
    assert names(found) == USABLE
    assert found[0].names == ("customer_name",)
    assert templates_kept.templates_of(door.fresh()) == found


@pytest.mark.django_db(transaction=True)
def test_every_page_is_read(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels_app.adapters.whatsapp.templates.PAGE", "1")
    assert names(templates_kept.refresh_templates(door.channel.pk)) == USABLE
    assert len(door.provider.calls) > 3


@pytest.mark.django_db(transaction=True)
def test_a_probe_of_the_channel_refreshes_them_once_an_hour(door: Door) -> None:
    def asked() -> int:
        return len([one for one in door.provider.calls if one.path.endswith("message_templates")])

    def probe() -> None:
        Errand.objects.create(channel=door.channel, what=Errand.What.PROBE, due_at=long_ago)
        errands.drain()

    long_ago = now() - timedelta(days=1)
    probe()
    assert names(templates_kept.templates_of(door.fresh())) == USABLE
    assert asked() == 1
    with time_machine.travel(now() + timedelta(minutes=40)):
        probe()
    assert asked() == 1
    with time_machine.travel(now() + timedelta(minutes=70)):
        probe()
    assert asked() == 2


@pytest.mark.django_db(transaction=True)
def test_what_was_kept_stays_when_the_provider_does_not_answer(door: Door) -> None:
    templates_kept.refresh_templates(door.channel.pk)
    door.provider.faults.append(Fault("status", 503))
    with pytest.raises(Retry):
        templates_kept.refresh_templates(door.channel.pk)
    assert names(templates_kept.templates_of(door.fresh())) == USABLE
    with time_machine.travel(now() + timedelta(hours=2)):
        door.provider.faults.append(Fault("status", 503))
        templates_kept.refresh_if_old(registry.reference(door.fresh()))
    assert names(templates_kept.templates_of(door.fresh())) == USABLE


@pytest.mark.django_db
def test_a_channel_without_templates_has_none() -> None:
    mailbox = a_mailbox()
    assert templates_kept.refresh_templates(mailbox.pk) == []
    assert templates_kept.templates_of(mailbox) == []


def test_values_by_name_are_counted_once() -> None:
    found = template(NAMED | {"components": [BODY]})
    assert found is not None
    assert (found.parameters, found.names, found.category) == (2, ("ho", "ten"), "utility")
    text, held = templates_kept.filled(found, ["Trần", "Hồng\n"])
    assert text == "Chào Trần Hồng, Trần ơi"
    assert held == {"name": "n", "language": "vi", "parameters": ["Trần", "Hồng"], "names": ["ho", "ten"]}


def test_values_by_number_go_by_their_number() -> None:
    found = Template(name="t", language="en", category="utility", body="{{2}} before {{1}}", parameters=2)
    text, held = templates_kept.filled(found, ["one", "two"])
    assert (text, held["parameters"]) == ("two before one", ["one", "two"])


@pytest.mark.parametrize("values", [[], ["a"], ["a", " "], ["a", "b", "c"]])
def test_every_value_is_wanted(values: list[str]) -> None:
    found = Template(name="t", language="en", category="utility", body="{{1}} {{2}}", parameters=2)
    with pytest.raises(ValueError):
        templates_kept.filled(found, values)


@pytest.mark.parametrize(
    "parts",
    [
        [BODY, {"type": "HEADER", "format": "IMAGE"}],
        [BODY, {"type": "HEADER", "format": "TEXT", "text": "Đơn {{1}}"}],
        [BODY, {"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://shop.test/{{1}}"}]}],
        [BODY, {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}]}],
        [BODY, {"type": "CAROUSEL", "cards": []}],
        [{"type": "FOOTER", "text": "x"}],
        [],
    ],
)
def test_what_wants_more_than_words_is_not_offered(parts: list[dict[str, Any]]) -> None:
    assert template(NAMED | {"components": parts}) is None


def test_what_is_not_approved_is_not_offered() -> None:
    assert template(NAMED | {"components": [BODY], "status": "PAUSED"}) is None
    assert template(NAMED | {"components": [BODY], "category": "AUTHENTICATION"}) is None
    assert template({}) is None
