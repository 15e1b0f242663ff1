"""The one way up: whoever does the work plugs its handlers in at start-up."""

from collections.abc import Callable
from typing import Any

from channels_app.contracts import InboundItem, Origin

Handler = Callable[[Any, Origin], None]
_handlers: dict[type, Handler] = {}


def plug(kind: type, handler: Handler) -> None:
    """Name the handler for one kind of inbound item."""
    _handlers[kind] = handler


def hand_over(item: InboundItem, origin: Origin) -> None:
    """Give an item to its handler, in the caller's transaction."""
    _handlers[type(item)](item, origin)
