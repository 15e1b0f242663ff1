"""Who is meant: the addresses of a person on WhatsApp, by user id, by number, or by both, pure.

The line's key and the sender's address are the user id where WhatsApp gives one, else the number. User ids have
come with every event since April 2026, numbers no longer do; so a line keeps its key when a number disappears.
"""

import re
from dataclasses import dataclass
from typing import Any

from channels_app.adapters.whatsapp.values import identifier, mapping, words
from channels_app.contracts import Address

KIND = "whatsapp"
GROUP = "group:"  # a group's line: its key begins so
MAX_USER_ID = 200  # characters; Meta says at most 131
_NUMBER = re.compile(r"[0-9]{5,20}")


@dataclass(frozen=True, slots=True)
class Person:
    """One person as an event names them: a business-scoped user id, a number (digits), or both."""

    user_id: str
    number: str
    scope: str  # the WhatsApp Business account
    name: str = ""

    @property
    def key(self) -> str:
        """What their line is kept under, and where answers go; empty for nobody."""
        return self.user_id or self.number

    @property
    def address(self) -> Address:
        return self._known_by(self.key)

    @property
    def also_known(self) -> tuple[Address, ...]:
        """Their further addresses; WhatsApp's word is the proof that they are one person's."""
        if not self.number:
            return ()
        other = (self._known_by(self.number),) if self.user_id else ()
        return (*other, Address(kind="phone", value=f"+{self.number}", verified=True, evidence=KIND))

    def _known_by(self, value: str) -> Address:
        return Address(kind=KIND, value=value, scope=self.scope, name=self.name, verified=True, evidence=KIND)


def person(event: dict[str, Any], contact: dict[str, Any], scope: str, side: str = "from") -> Person:
    """Whom an event is from (or, by side="to", for): its own ids first, then those of the contact beside it."""
    profile = mapping(contact.get("profile"))
    return Person(
        user_id=_user(event.get(f"{side}_user_id")) or _user(contact.get("user_id")),
        number=digits(event.get(side)) or digits(contact.get("wa_id")),
        scope=scope,
        name=(words(profile.get("name")) or words(profile.get("username")))[:200].strip(),
    )


def digits(value: Any) -> str:
    """A number as WhatsApp writes it, without the plus; empty where it is none."""
    found = identifier(value).removeprefix("+")
    return found if _NUMBER.fullmatch(found) else ""


def _user(value: Any) -> str:
    found = identifier(value)
    return found if len(found) <= MAX_USER_ID and not _NUMBER.fullmatch(found) else ""
