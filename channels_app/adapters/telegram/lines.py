"""How a chat of Telegram is named as a line here, and a message on it as an id; pure.

A line is the chat's id, before it and ":" the business connection it is seen through, if any. A message's id is its
line, ":" and Telegram's number: that number is unique in its chat alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Where a message is, and where its answer goes."""

    chat: str
    business: str = ""

    @property
    def key(self) -> str:
        """The thread's key."""
        return f"{self.business}:{self.chat}" if self.business else self.chat

    def message(self, number: str) -> str:
        """The id of a message on this line."""
        return f"{self.key}:{number}"


def line(key: str) -> Line:
    """The line with this key."""
    business, _colon, chat = key.rpartition(":")
    return Line(chat=chat, business=business)


def number(message_id: str) -> int | None:
    """Telegram's number of a message; None for what is no message (a pressed button)."""
    last = message_id.rpartition(":")[2]
    return int(last) if last.isdecimal() and last.isascii() and len(last) < 19 else None
