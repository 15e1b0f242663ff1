"""The ways to reach a customer now: every line we have with them, how each stands, the best one first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Max, Q
from django.utils.timezone import now

from channels_app import abilities, windows
from channels_app.models import Channel, Thread
from channels_app.windows import Facts, Window
from tickets.customers import queries as customers
from tickets.enums import DeliveryState, Direction, Kind
from tickets.lifecycle import queries as lifecycle
from tickets.models import Identity, Message, Ticket

COMMENT, PRIVATE = "comment", "private"
AUTH = "auth"  # the trouble of a channel whose keys are refused, as channels_app.health calls it
_OPEN = Window()
_NEVER_LEFT = (DeliveryState.FAILED, DeliveryState.TAKEN_BACK)
# Addresses that can be written to although nobody has written from them yet: kind of channel by kind of identity.
_FIRST_WORD = {"email": "email", "phone": "sms"}
_ORDER = {"open": 0, "human": 0, "charged": 1, "template": 2, "closed": 3, "unreachable": 3}


@dataclass(frozen=True, slots=True)
class Reach:
    """One way to answer the customer, and how it stands now."""

    channel_id: UUID
    kind: str
    name: str
    address: str
    thread_id: int | None = None
    is_last: bool = False  # the line they wrote on last
    window: Window = _OPEN
    mode: str = ""  # comment: in public, under the post; private: a private message to who commented
    blocked: str = ""  # why nothing at all can be sent on this channel, as the worker noted it (English)
    who: str = ""  # what the customer calls themselves on that line
    quotes: str = ""  # external id of the comment this answers
    is_preferred: bool = False  # the kind of channel they asked to be answered on

    @property
    def ability(self) -> abilities.Ability:
        return abilities.ABILITIES.get(self.kind, abilities.Ability())

    def carries(self, *, person: bool, template: bool = False) -> bool:
        """Whether an answer goes through now: typed by a person or made by a machine, as a template or not."""
        return not self.blocked and self.window.carries(person=person, template=template)


@dataclass(frozen=True, slots=True)
class _Comment:
    """The newest word of one kind that a line brought, as far as it is still there."""

    external_id: str
    at: datetime
    is_gone: bool


def channels_for(ticket: Ticket) -> list[Reach]:
    """The ways to reach this customer, best first: the kind they prefer, the line they wrote on last, other open
    lines, then what costs, what needs a template, and what is closed. The number of statements is constant.
    """
    person = customers.survivor(ticket.customer)
    own = list(customers.identities(person.pk))
    spoken = _spoken(lifecycle.family(ticket.pk))
    threads = _lines(own, spoken)
    last = max(spoken, key=lambda pk: spoken[pk], default=None)
    words = _words([thread for thread in threads if abilities.ABILITIES[thread.channel.kind].comments])
    answered = _answered_privately([pk for pk, kind in words if kind == Kind.COMMENT])
    preferred = person.preferred_channel
    ways = [
        way
        for thread in threads
        for way in _of_line(thread, words, answered, is_last=thread.pk == last, preferred=preferred)
    ]
    ways += _first_words(own, {(way.kind, way.address) for way in ways}, preferred)
    heard = {thread.pk: thread.last_inbound_at for thread in threads}
    ways.sort(key=lambda way: _rank(way, heard.get(way.thread_id or 0)))
    return ways


def of_line(thread: Thread, mode: str = "", *, besides: int | None = None) -> Reach:
    """One line as it stands now, whoever it belongs to, in one of its modes; its first one when it has not that.

    besides: an answer that is not to count as given, because it is to be sent again.
    """
    words = _words([thread] if abilities.ABILITIES[thread.channel.kind].comments else [])
    answered = _answered_privately([pk for pk, kind in words if kind == Kind.COMMENT], besides)
    ways = _of_line(thread, words, answered, is_last=False, preferred="")
    return next((way for way in ways if way.mode == mode), ways[0])


def _rank(way: Reach, heard_at: datetime | None) -> tuple[object, ...]:
    stands = 3 if way.blocked else _ORDER[way.window.state]
    recency = -heard_at.timestamp() if heard_at else 0.0
    return stands, not way.is_preferred, not way.is_last, way.mode == PRIVATE, way.thread_id is None, recency


def _spoken(family: Iterable[int]) -> dict[int, int]:
    """The lines the customer spoke on in this conversation, each with the last message on it."""
    rows = Message.objects.filter(ticket__in=family, direction=Direction.IN, thread__isnull=False)
    return dict(rows.order_by().values("thread_id").annotate(last=Max("pk")).values_list("thread_id", "last"))


def _lines(own: list[Identity], spoken: dict[int, int]) -> list[Thread]:
    """The lines of this conversation, and those that belong to an address of the customer."""
    keys = Q(pk__in=spoken)
    for identity in own:
        keys |= Q(key=identity.value, channel__kind=identity.kind)
    found = Thread.objects.filter(keys, channel__is_active=True, channel__kind__in=abilities.ABILITIES)
    threads = list(found.select_related("channel"))
    # An id that a page gave means somebody else on another page.
    mine = {(one.kind, one.value, one.scope) for one in own}
    return [
        thread
        for thread in threads
        if thread.pk in spoken
        or any(
            (thread.channel.kind, thread.key, scope) in mine
            for scope in ("", thread.channel.address, str(thread.channel_id))
        )
    ]


def _words(threads: list[Thread]) -> dict[tuple[int, str], _Comment]:
    """The newest message and the newest comment that each of these lines brought, by line and kind."""
    if not threads:
        return {}
    rows = Message.objects.filter(thread__in=threads, direction=Direction.IN)
    rows = rows.order_by("thread_id", "kind", F("unsent_at").asc(nulls_first=True), "-occurred_at", "-pk")
    newest = rows.distinct("thread_id", "kind").values_list(
        "thread_id", "kind", "external_id", "occurred_at", "unsent_at"
    )
    return {(pk, kind): _Comment(external_id, at, unsent is not None) for pk, kind, external_id, at, unsent in newest}


def _answered_privately(lines: list[int], besides: int | None = None) -> set[tuple[int, str]]:
    """Which comments on these lines have had their one private answer."""
    if not lines:
        return set()
    rows = Message.objects.filter(thread__in=lines, direction=Direction.OUT, details__mode=PRIVATE)
    return set(rows.exclude(delivery_state__in=_NEVER_LEFT).exclude(pk=besides or 0).values_list("thread_id", "quotes"))


def _of_line(
    thread: Thread,
    words: dict[tuple[int, str], _Comment],
    answered: set[tuple[int, str]],
    *,
    is_last: bool,
    preferred: str,
) -> list[Reach]:
    """The ways that one line offers: a direct one, and two for a comment."""
    channel = thread.channel
    comment = words.get((thread.pk, Kind.COMMENT))
    message = words.get((thread.pk, Kind.MESSAGE))

    def way(mode: str, last_inbound_at: datetime | None, sent_since: int, quotes: str = "") -> Reach:
        facts = Facts(
            last_inbound_at=last_inbound_at,
            sent_since=sent_since,
            quota=thread.quota or None,
            unreachable=thread.unreachable,
            human_agent=bool(channel.config.get("human_agent")),
            mode=mode,
        )
        is_gone = bool(mode and comment and comment.is_gone)
        return Reach(
            channel_id=channel.pk,
            kind=channel.kind,
            name=channel.name,
            address=thread.address,
            thread_id=thread.pk,
            is_last=is_last,
            window=Window(state="closed") if is_gone else windows.window(channel.kind, facts, now()),
            mode=mode,
            blocked=channel.problem if channel.problem_kind == AUTH else "",
            who=thread.name,
            quotes=quotes,
            is_preferred=channel.kind == preferred,
        )

    ways = []
    if comment is None or message is not None:
        ways.append(way("", message.at if comment and message else thread.last_inbound_at, thread.sent_since))
    if comment is not None:
        used = int((thread.pk, comment.external_id) in answered)
        ways.append(way(COMMENT, comment.at, 0, comment.external_id))
        ways.append(way(PRIVATE, comment.at, used, comment.external_id))
    return ways


def _first_words(own: list[Identity], reached: set[tuple[str, str]], preferred: str) -> list[Reach]:
    """Proved addresses that can be written to although nobody has written from them."""
    wanted = [
        (_FIRST_WORD[one.kind], one.value)
        for one in own
        if one.kind in _FIRST_WORD and one.verified_at and (_FIRST_WORD[one.kind], one.value) not in reached
    ]
    if not wanted:
        return []
    doors: dict[str, Channel] = {}
    for door in Channel.objects.filter(kind__in=_FIRST_WORD.values(), is_active=True).order_by("created_at"):
        doors.setdefault(door.kind, door)
    return [
        Reach(
            channel_id=doors[kind].pk,
            kind=kind,
            name=doors[kind].name,
            address=address,
            blocked=doors[kind].problem if doors[kind].problem_kind == AUTH else "",
            is_preferred=kind == preferred,
        )
        for kind, address in wanted
        if kind in doors
    ]
