"""The one way up: whoever does the work plugs its handlers in at start-up."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from channels_app.contracts import Address, InboundItem, Origin, ProfileLearned
from helpdesk.core.text import storable

Handler = Callable[[Any, Origin], None]
_handlers: dict[type, Handler] = {}


def plug(kind: type, handler: Handler) -> None:
    """Name the handler for one kind of inbound item."""
    _handlers[kind] = handler


def hand_over(item: InboundItem | ProfileLearned, origin: Origin) -> None:
    """Give an item to its handler, in the caller's transaction, without what the database refuses to keep."""
    _handlers[type(item)](storable(item), origin)


class VisitorDesk(Protocol):
    """What the chat asks of those who do the work. `visitor` is the address of a chat thread."""

    def usual_answer(self, *, channel_id: UUID) -> int | None:
        """How many seconds a first answer lately took here; None when nothing is known."""

    def send_code(self, *, visitor: Address, email: str, language: str) -> None:
        """Send a code to an address the visitor says is theirs. Raises Invalid, TooMany."""

    def confirm_code(self, *, visitor: Address, email: str, code: str) -> None:
        """The code came back: the address is the visitor's. Raises Invalid, TooMany."""

    def mail_address(self, *, visitor: Address) -> str:
        """The newest address this very visitor proved by a code; empty when there is none."""

    def mail_unseen(self, *, to: str, thread_id: int, lines: Sequence[tuple[str, str]], language: str) -> bool:
        """Send answers, as (author, text), by mail, in the caller's transaction. False when that cannot be done."""

    def visitor_types(self, *, thread_id: int) -> None:
        """Tell the agents who look at this conversation."""


_desk: VisitorDesk | None = None


def plug_desk(desk: VisitorDesk) -> None:
    """Name who answers the chat's questions."""
    global _desk
    _desk = desk


def desk() -> VisitorDesk:
    """Who answers the chat's questions."""
    if _desk is None:
        raise RuntimeError("nobody is plugged in for the visitors of the chat")
    return _desk
