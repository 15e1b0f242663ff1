"""Until when, and how often, a customer may be answered on a line, pure: each provider's own rule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAY, WEEK = timedelta(hours=24), timedelta(days=7)
ZALO_FREE, ZALO_FREE_FOR = 8, timedelta(hours=48)

# How far a line is from plainly open. Time alone only ever moves it down this list.
STATES = ("open", "human", "charged", "template", "closed", "unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rule needs to know of a line."""

    last_inbound_at: datetime | None  # for a comment: when it was written
    sent_since: int = 0  # parts sent since the customer last wrote; in private mode: private answers to the comment
    quota: dict[str, object] | None = None  # what the provider last said is left: {remain, total, expires_at, type}
    unreachable: str = ""  # blocked, opted_out, unfollowed
    human_agent: bool = False  # the channel may use the human-agent tag
    mode: str = ""  # comment: in public under the post; private: to who wrote the comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a line stands now.

    state: open; human (open, but only for what a person types); charged (open, and it costs); template (only an
    approved template reaches the customer); closed (nothing does); unreachable (they blocked us or opted out).
    closes_at: when this state ends; for template and closed, when the line was last open, if it ever was.
    """

    state: str = "open"
    closes_at: datetime | None = None
    left: int | None = None  # messages left in this state
    total: int | None = None

    def carries(self, *, person: bool, template: bool = False) -> bool:
        """Whether an answer goes through: typed by a person or made by a machine, with a template or without."""
        if self.state in ("closed", "unreachable"):
            return False
        if self.state == "human":
            return person or template
        return template or self.state != "template"


def window(kind: str, facts: Facts, now: datetime) -> Window:
    """How a line of this kind of channel stands at `now` (aware). A kind without a rule of its own is open."""
    if facts.unreachable:
        return Window(state="unreachable")
    if facts.mode == "comment":
        return Window()
    if facts.mode == "private":
        return _private(facts, now)
    rule = _RULES.get(kind)
    if rule:
        return rule(facts, now)
    left, total = _counted(facts.quota, now)
    return Window(left=left, total=total)


def _meta(facts: Facts, now: datetime) -> Window:
    """24 hours for everybody, then until the seventh day for a person with the human-agent tag."""
    last = facts.last_inbound_at
    if last is None:
        return Window(state="closed")
    if now < last + DAY:
        return Window(closes_at=last + DAY)
    if facts.human_agent and now < last + WEEK:
        return Window(state="human", closes_at=last + WEEK)
    return Window(state="closed", closes_at=last + (WEEK if facts.human_agent else DAY))


def _private(facts: Facts, now: datetime) -> Window:
    """One message to who wrote a comment, within a week of it."""
    last = facts.last_inbound_at
    if last is None:
        return Window(state="closed")
    left = max(0, 1 - facts.sent_since)
    state = "open" if left and now < last + WEEK else "closed"
    return Window(state=state, closes_at=last + WEEK, left=left, total=1)


def _whatsapp(facts: Facts, now: datetime) -> Window:
    """24 hours, then approved templates alone."""
    last = facts.last_inbound_at
    if last is None:
        return Window(state="template")
    return Window(state="open" if now < last + DAY else "template", closes_at=last + DAY)


def _zalo(facts: Facts, now: datetime) -> Window:
    """Eight free messages within 48 hours, then charged ones until the seventh day, then templates alone."""
    last = facts.last_inbound_at
    if last is None:
        return Window(state="template")
    if now >= last + WEEK:
        return Window(state="template", closes_at=last + WEEK)
    quota = facts.quota or {}
    if quota and quota.get("type", "reply") != "reply":  # it counts what is paid for: the free ones are used up
        if _counted(quota, last)[0] == 0:
            return Window(state="template")
        left, total = _counted(quota, now)
        return Window(state="charged", closes_at=last + WEEK, left=left, total=total)
    left, total = _counted(quota, last)
    ends = last + ZALO_FREE_FOR
    if left is None:
        left, total = max(0, ZALO_FREE - facts.sent_since), ZALO_FREE
    if expires := _moment(quota.get("expires_at")):
        ends = min(ends, expires)
    if left and now < ends:
        return Window(closes_at=ends, left=left, total=total)
    return Window(state="charged", closes_at=last + WEEK)


_RULES: dict[str, Callable[[Facts, datetime], Window]] = {
    "messenger": _meta,
    "instagram": _meta,
    "whatsapp": _whatsapp,
    "zalo": _zalo,
}


def _counted(quota: dict[str, object] | None, now: datetime) -> tuple[int | None, int | None]:
    """(left, total) as the provider last said it, as far as it did and while it holds; else two Nones."""
    remain, total = (_whole((quota or {}).get(name)) for name in ("remain", "total"))
    expires = _moment((quota or {}).get("expires_at"))
    if remain is None or total is None or remain < 0 or (expires is not None and now >= expires):
        return None, None
    return remain, max(total, remain)


def _whole(value: object) -> int | None:
    """A count as a provider may write it: 5 or "5"."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    """An RFC 3339 moment with its zone; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None
