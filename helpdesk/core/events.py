"""What an event is: a frozen dataclass in the past tense, holding ids and small facts only."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Text and addresses never go in: the log is kept for ever."""

    topic: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def subject(self) -> str:
        """What it happened to, as `ticket:42`; empty when it belongs to no single thing."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event as a subscriber gets it."""

    id: int
    topic: str
    payload: dict[str, Any]
    actor_kind: str
    actor_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Poke:
    """Tells open screens that something has a newer version. Carries no content."""

    topic: str  # ticket, inbox, delivery
    id: str
    version: int
    groups: tuple[str, ...]
