"""Until when, and how often, a customer may be answered on a line, pure: each provider's own rule."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rule needs to know of a line."""

    last_inbound_at: datetime | None
    sent_since: int = 0  # parts sent since the customer last wrote
    quota: dict[str, object] | None = None  # what the provider last said is left: {remain, total, expires_at, type}
    unreachable: str = ""  # blocked, opted_out, unfollowed
    human_agent: bool = False  # the channel may use the human-agent tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a line stands now.

    state: open; human (open, but only for what a person types); charged (open, and it costs); template (only an
    approved template reaches the customer); closed (nothing does); unreachable (they blocked us or opted out).
    """

    state: str = "open"
    closes_at: datetime | None = None
    left: int | None = None  # free messages left
    total: int | None = None
