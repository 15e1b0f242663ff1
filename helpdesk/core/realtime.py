"""Pokes to open screens: an id and a version, published after the commit. Losing one is harmless."""

import logging
from collections.abc import Iterable
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

from helpdesk.core import valkey
from helpdesk.core.events import Poke

log = logging.getLogger(__name__)


def publish(pokes: Iterable[Poke]) -> None:
    """Send pokes to their groups, the newest for each thing only. Never raises."""
    newest: dict[tuple[str, str], Poke] = {}
    for poke in pokes:
        newest[poke.topic, poke.id] = poke
    for poke in newest.values():
        message = {"type": "poke", "topic": poke.topic, "id": poke.id, "version": poke.version}
        for group in poke.groups:
            send(group, message)


def send(group: str, message: dict[str, Any]) -> None:
    """Publish one message to a channel-layer group from synchronous code. Never raises.

    The layer's own group_send needs an event loop and opens a connection for each new one;
    its wire format (one PUBLISH of the serialized message) is used directly, and a test holds
    the two together.
    """
    try:
        layer: Any = get_channel_layer()
        config: Any = settings.CHANNEL_LAYERS["default"]["CONFIG"]
        valkey.client().publish(f"{config['prefix']}__group__{group}", layer.serialize(message))
    except Exception:
        log.warning("could not poke %s; screens look again by themselves", group)
