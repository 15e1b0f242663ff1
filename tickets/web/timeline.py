"""The timeline as its template wants it: messages grouped, days between them, events folded into one line."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils import formats, timezone
from django.utils.translation import ngettext

from channels_app.abilities import ABILITIES, Ability
from helpdesk.core.templatetags.desk import initials
from tickets.enums import Direction, Kind
from tickets.messages.queries import Entry
from tickets.models import Message, Ticket
from tickets.web import extras, words
from tickets.web.extras import Extras, Quote

GROUP = timedelta(minutes=10)
LONG_LINES, LONG_TEXT = 18, 1600


@dataclass(slots=True)
class Item:
    """One thing on the timeline: `what` is message, day or events."""

    what: str
    key: str = ""
    label: str = ""
    summary: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Said:
    """A message, ready to be printed."""

    id: int
    css: str
    who: str
    initials: str
    text: str
    iso: str
    time: str
    full_time: str
    channel: str
    channel_label: str
    what: str = "message"
    is_note: bool = False
    is_out: bool = False
    call: str = ""
    cont: bool = False
    auto: bool = False
    unproved: bool = False
    from_ticket: int = 0
    mail_subject: str = ""
    quoted: str = ""
    long: bool = False
    beside: Extras = field(default_factory=Extras)
    quote: Quote | None = None
    answer_line: int = 0  # the line on which an answer can point at this very message; 0 is none
    unsent: bool = False
    revision: str = ""  # another one replaces what somebody has unfolded
    state: str = ""
    state_icon: str = ""
    state_words: str = ""
    held_until: int = 0
    may_retry: bool = False
    has_html: bool = False
    has_original: bool = False
    has_foot: bool = False
    has_beside: bool = False  # more than words and plain files


def items(
    ticket: Ticket, entries: list[Entry], names: Mapping[int, str], teams: Mapping[int, str]
) -> list[Said | Item]:
    """Everything on the timeline in order. Events between two messages fold into one line."""
    found: list[Said | Item] = []
    happened: list[tuple[datetime, int, str]] = []
    shown = {entry.message.pk for entry in entries if entry.message is not None}
    before: Message | None = None
    today: date | None = None
    for entry in entries:
        if entry.event is not None:
            event = entry.event
            happened += [(entry.at, event.pk, line) for line in words.event(event, names, teams)]
            continue
        message = entry.message
        if message is None:
            continue
        if happened:
            today = _headed(found, happened[0][0], today)
            found.append(_folded(happened))
            happened, before = [], None
        yesterday, today = today, _headed(found, message.occurred_at, today)
        made = said(ticket, message, before if today == yesterday else None)
        made.quote = extras.quote(entry.quoted, ticket, shown)
        found.append(made)
        before = message
    if happened:
        _headed(found, happened[0][0], today)
        found.append(_folded(happened))
    return found


def _headed(found: list[Said | Item], at: datetime, today: date | None) -> date:
    """The reader's day of this moment, under a heading of its own when it is another one than before."""
    day = timezone.localtime(at).date()
    if day != today:
        found.append(Item(what="day", key=day.isoformat(), label=words.day(at)))
    return day


def said(ticket: Ticket, message: Message, before: Message | None) -> Said:
    """One message as the timeline shows it; `before` is the one above it, or None after a break."""
    is_note = message.kind == Kind.NOTE
    is_out = message.direction == Direction.OUT
    who = message.author.name if message.author else message.sender_name
    who = who or ticket.customer_name or message.sender_address
    local = timezone.localtime(message.occurred_at)
    result = Said(
        id=message.pk,
        css=" ".join(_classes(message, is_note=is_note, is_out=is_out)),
        who=words.person(who, ticket.participants),
        initials=initials(who),
        text=message.text or ("" if message.attachments.all() else message.text_full),
        iso=message.occurred_at.isoformat(timespec="seconds"),
        time=local.strftime("%H:%M"),
        full_time=formats.date_format(local, "DATETIME_FORMAT"),
        channel=message.channel_kind or "open_api",
        channel_label=words.channel(message.channel_kind),
        is_note=is_note,
        is_out=is_out,
        call=words.call(message.details.get("call")) if message.kind == Kind.CALL else "",
        auto=message.auto or message.bounce,
        unproved=not is_out and message.channel_kind == "email" and not message.sender_verified,
        from_ticket=message.ticket_id if message.ticket_id != ticket.pk else 0,
        answer_line=(message.thread_id or 0) if _can_be_quoted(message, is_out=is_out) else 0,
        has_html=bool(message.html),
        has_original=message.event_id is not None and message.channel_kind == "email",
    )
    result.cont = before is not None and _goes_on(before, message) and not result.unproved
    if result.cont:
        result.css += " cont"
    if message.channel_kind == "email" and not is_out and not message.subject.endswith(ticket.subject):
        result.mail_subject = message.subject
    if message.text_full and len(message.text_full) > len(message.text) + 3:
        result.quoted = (
            message.text_full[len(message.text) :] if message.text_full.startswith(message.text) else message.text_full
        )
        result.quoted = result.quoted.strip()
    result.long = len(result.text) > LONG_TEXT or result.text.count("\n") > LONG_LINES
    result.beside = extras.of(message, ticket)
    if result.beside.chosen and result.text == message.details["choice"]["title"].strip():
        result.text = ""
    result.unsent = message.unsent_at is not None
    result.revision = f"{message.edited_at or ''}{message.unsent_at or ''}"
    if is_out and not is_note:
        _add_state(result, message)
    result.has_beside = bool(result.beside.files or result.beside.below)
    marks = result.beside.reactions or result.beside.edited
    result.has_foot = bool(result.state or result.has_html or result.has_original or marks)
    return result


def _can_be_quoted(message: Message, *, is_out: bool) -> bool:
    """Whether an answer by the same channel can point at what the customer said here."""
    is_said = not is_out and message.kind == Kind.MESSAGE and message.unsent_at is None and bool(message.external_id)
    return is_said and ABILITIES.get(message.channel_kind, Ability()).quotes


def _classes(message: Message, *, is_note: bool, is_out: bool) -> list[str]:
    css = ["note" if is_note else "out" if is_out else "in"]
    if message.kind == Kind.CALL:
        css.append("call")
    if message.auto or message.bounce:
        css.append("auto")
    if message.delivery_state == "taken_back":
        css.append("taken")
    if message.kind == Kind.COMMENT:
        css.append("public")
    if message.unsent_at is not None:
        css.append("unsent")
    return css


def _goes_on(before: Message, message: Message) -> bool:
    """Whether this message stands under the one above it without a head of its own."""
    return _voice(before) == _voice(message) and message.occurred_at - before.occurred_at < GROUP


def _voice(message: Message) -> tuple[object, ...]:
    """Who speaks, and by which way: what a head of its own says."""
    return (
        *(message.direction, message.kind, message.author_id, message.sender_address, message.sender_name),
        *(message.channel_kind, message.thread_id, message.ticket_id, bool(message.details.get("echo"))),
    )


def _add_state(result: Said, message: Message) -> None:
    """What became of it, in words: `Sent`, `Not delivered: mailbox full`."""
    state = message.delivery_state
    if state not in words.STATES:
        return
    icon, text = words.STATES[state]
    result.state, result.state_icon = state, icon
    result.state_words = f"{text}: {words.reason(message.delivery_reason)}" if message.delivery_reason else str(text)
    if state == "held" and message.held_until:
        result.held_until = math.ceil(message.held_until.timestamp())
    result.may_retry = state in ("failed", "unknown")


def _folded(happened: list[tuple[datetime, int, str]]) -> Item:
    """Events in a row as one line: the only sentence, or how many and the last of them."""
    lines = [f"{timezone.localtime(at).strftime('%H:%M')} · {line}" for at, _pk, line in happened]
    key = str(happened[0][1])
    if len(lines) == 1:
        return Item(what="events", key=key, summary=lines[0])
    rest = len(lines) - 1
    more = ngettext("{} more change", "{} more changes", rest).format(rest)
    return Item(what="events", key=key, summary=f"{lines[-1]} · {more}", lines=lines)
