"""The approved templates of a channel, kept for the composer: asked for once an hour, never while somebody waits."""

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from channels_app import registry
from channels_app.adapters.base import Templated
from channels_app.contracts import ChannelRef, Template
from channels_app.models import Channel
from helpdesk.core.errors import GiveUp, Retry
from helpdesk.core.text import storable

log = structlog.get_logger(__name__)

FRESH = timedelta(hours=1)
_PLACE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


def templates_of(channel: Channel) -> list[Template]:
    """What was kept last, by name; empty where there is none, or nobody has asked yet. No call leaves the house."""
    kept: Any = channel.state.get("templates", {})
    return [Template(**one | {"names": tuple(one["names"])}) for one in kept.get("list", [])]


def refresh_templates(channel_id: UUID) -> list[Template]:
    """Ask the provider now and keep what it says; empty for a kind without templates. Not within a transaction.

    Raises Retry, Reauthorise or GiveUp; what was kept then stays.
    """
    channel = registry.channel(channel_id)
    adapter = registry.adapter(channel.kind)
    if not isinstance(adapter, Templated):
        return []
    found = adapter.templates(channel)
    kept = {"at": now().isoformat(), "list": [storable(asdict(one)) for one in found]}
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel_id)
        row.state = row.state | {"templates": kept}
        row.save(update_fields=["state"])
    return found


def refresh_if_old(channel: ChannelRef) -> None:
    """The same when an hour has passed; a provider that does not answer costs nothing but the hour."""
    if not isinstance(registry.adapter(channel.kind), Templated):
        return
    state: dict[str, Any] = Channel.objects.values_list("state", flat=True).get(pk=channel.id)
    at = parse_datetime(str(state.get("templates", {}).get("at", "")))
    if at and at > now() - FRESH:
        return
    try:
        refresh_templates(channel.id)
    except (Retry, GiveUp) as error:
        log.warning("templates not refreshed", channel=str(channel.id), problem=str(error))


def filled(template: Template, values: list[str]) -> tuple[str, dict[str, object]]:
    """What a template reads like with these values, and what the envelope holds for it. Raises ValueError where there
    are too few or too many, or an empty one: the provider would refuse it."""
    given = [" ".join(value.split()) for value in values]  # the provider takes no line breaks in a value
    if len(given) != template.parameters or not all(given):
        raise ValueError("a template wants each of its values")
    places = template.names or tuple(str(number + 1) for number in range(len(given)))
    by_place = dict(zip(places, given, strict=True))
    text = _PLACE.sub(lambda found: by_place.get(found[1], found[0]), template.body)
    held: dict[str, object] = {"name": template.name, "language": template.language, "parameters": given}
    return text, held | ({"names": list(template.names)} if template.names else {})
