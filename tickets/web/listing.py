"""The list of conversations: one page of rows, keyset-paged, with its filters as links."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.templatetags.static import static
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.accounts import queries as accounts
from helpdesk.accounts.models import User
from helpdesk.core.actor import Actor
from helpdesk.core.templatetags.desk import initials
from tickets.enums import Mood, Priority, Status
from tickets.lifecycle import queries as lifecycle
from tickets.lifecycle.filters import TicketFilter
from tickets.models import Ticket
from tickets.web import waiting, words

PAGE = 50
HOME = "open"
MAX_IDS = 100
VIEWS = {  # name: (label, icon, what an empty one says)
    "mine": (
        gettext_lazy("Mine"),
        "mine",
        gettext_lazy("Nothing waits for you"),
        gettext_lazy("Everything you hold is answered."),
    ),
    "unassigned": (
        gettext_lazy("Unassigned"),
        "unassigned",
        gettext_lazy("Everybody is looked after"),
        gettext_lazy("New conversations that nobody holds come in here."),
    ),
    "open": (
        gettext_lazy("All open"),
        "inbox",
        gettext_lazy("All answered"),
        gettext_lazy("No conversation is open. Enjoy it."),
    ),
    "pending": (
        gettext_lazy("Customer's turn"),
        "pending",
        gettext_lazy("Nobody owes us an answer"),
        gettext_lazy("Conversations you set to wait for the customer stand here."),
    ),
    "snoozed": (
        gettext_lazy("Snoozed"),
        "snoozed",
        gettext_lazy("Nothing is put aside"),
        gettext_lazy("Snoozed conversations come back by themselves."),
    ),
    "solved": (
        gettext_lazy("Solved"),
        "solved",
        gettext_lazy("Nothing solved yet"),
        gettext_lazy("Solved conversations stand here; they reopen when the customer writes."),
    ),
    "spam": (gettext_lazy("Spam"), "spam", gettext_lazy("No spam"), gettext_lazy("What you mark as spam stands here.")),
    "all": (
        gettext_lazy("All conversations"),
        "search",
        gettext_lazy("Nothing here"),
        gettext_lazy("There is no conversation yet."),
    ),
}
COUNTED = ("mine", "unassigned", "open", "pending", "snoozed")
SHOWN = (*COUNTED, "solved", "spam")
BY_WAITING = frozenset({"mine", "unassigned", "open"})
FILTERS = ("status", "priority", "team", "assignee", "channel_kind", "tag", "customer", "topic", "mood")
_ROW_FIELDS = (
    *(
        "id",
        "customer_name",
        "participants",
        "subject",
        "status",
        "priority",
        "assignee_id",
        "channel_kind",
        "snippet",
        "unread",
    ),
    *("last_direction", "last_message_at", "waiting_since", "next_due_at", "sla_state", "version"),
)


@dataclass(slots=True)
class Row:
    """One line of the list, ready to be printed: numbers are text already, which templates print faster."""

    id: str
    version: str
    sort: str
    href: str
    who: str
    subject: str
    snippet: str
    channel: str
    channel_label: str
    when: str
    unread: bool
    wait: str
    due: str
    since: str
    left: str
    bar: str
    bar_max: str
    urgent: str
    assignee: str
    initials: str
    is_mine: bool


@dataclass(slots=True)
class Page:
    """The list as its template wants it."""

    view: str
    label: str
    q: str
    query: str
    rows: list[Row] = field(default_factory=list)
    more: str = ""
    is_more: bool = False
    rows_src: str = ""
    chips: list[dict[str, str]] = field(default_factory=list)
    filters: list[dict[str, Any]] = field(default_factory=list)
    without_filters: str = ""
    is_first_use: bool = False
    empty_title: str = ""
    empty_text: str = ""
    people: list[User] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)


def page(actor: Actor, params: QueryDict) -> Page:
    """One page of a view for this actor. `params` are the address's: view, q, filters, after or ids."""
    view = params.get("view") or ("all" if params.get("q") else HOME)
    tickets = lifecycle.view(actor, view)
    given = {name: params.getlist(name) for name in ("q", *FILTERS) if any(params.getlist(name))}
    if given:
        tickets = TicketFilter(params, queryset=tickets).qs
    label, _icon, title, text = VIEWS[view]
    q = params.get("q", "").strip()
    query = "?" + urlencode({"view": view, **given}, doseq=True)
    result = Page(view=view, label=str(label), q=q, query=query, empty_title=str(title), empty_text=str(text))
    result.people = list(accounts.active_users().only("id", "name", "role"))
    result.words = {"select": _("Select")}
    found, more = _slice(tickets, view in BY_WAITING and not q, params)
    names = {person.pk: person.name for person in result.people}
    at = now()
    result.rows = [row(ticket, actor, names, at, query) for ticket in found]
    result.is_more = bool(params.get("after"))
    result.rows_src = f"/inbox/rows/{query}"
    if more:
        result.more = f"/inbox/rows/{query}&after={more}"
    result.chips, result.without_filters = _chips(view, q, given)
    if not result.rows and not given and view in BY_WAITING:
        result.is_first_use = not lifecycle.inbox(actor).exists()
    return result


def with_filters(result: Page, actor: Actor, params: QueryDict) -> Page:
    """The page with its filter menu; only whole screens need one."""
    given = {name: params.getlist(name) for name in FILTERS if params.getlist(name)}
    base = {"view": result.view, **({"q": [result.q]} if result.q else {})}
    groups: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("channel_kind", _("Channel"), [(kind, words.channel(kind)) for kind in ("email", "webchat")]),
        ("priority", _("Priority"), [(one.word, str(one.label)) for one in reversed(Priority)]),
        ("assignee", _("Assignee"), [(str(actor.id), _("Me")), ("none", _("Nobody"))]),
        ("team", _("Team"), [("none", _("No team"))]),
    ]
    result.filters = [
        {
            "label": label,
            "choices": [
                {
                    "label": text,
                    "chosen": value in given.get(name, []),
                    "href": "/inbox/?" + urlencode(base | _toggled(given, name, value), doseq=True),
                }
                for value, text in choices
            ],
        }
        for name, label, choices in groups
    ]
    return result


def view_counts(actor: Actor) -> list[dict[str, str]]:
    """The views of the sidebar with their counts, in one statement; a long one ends in a plus."""
    counts = lifecycle.counts(actor, COUNTED)
    cap = lifecycle.COUNT_CAP
    return [
        {
            "name": name,
            "label": str(VIEWS[name][0]),
            "icon": VIEWS[name][1],
            "count": "" if not counts.get(name) else f"{cap - 1}+" if counts[name] >= cap else str(counts[name]),
        }
        for name in SHOWN
    ]


def row(ticket: Ticket, actor: Actor, names: dict[int, str], at: datetime, query: str) -> Row:
    """A ticket as one line of the list."""
    wait = waiting.wait_of(ticket, at)
    assignee = names.get(ticket.assignee_id, "?") if ticket.assignee_id else ""
    return Row(
        id=str(ticket.pk),
        version=str(ticket.version),
        sort=_sort_key(ticket),
        href=f"/inbox/{ticket.pk}/{query}",
        who=words.person(ticket.customer_name, ticket.participants),
        subject=ticket.subject or _("(no subject)"),
        snippet=f"↩ {ticket.snippet}" if ticket.last_direction == "out" and ticket.snippet else ticket.snippet,
        channel=ticket.channel_kind or "open_api",
        channel_label=words.channel(ticket.channel_kind),
        when=words.when(ticket.last_message_at),
        unread=ticket.unread,
        wait=wait.state,
        due=str(wait.due),
        since=str(wait.since),
        left=wait.left,
        bar=str(wait.bar),
        bar_max=str(wait.bar_max),
        urgent=str(Priority(ticket.priority).label) if ticket.priority > Priority.NORMAL else "",
        assignee=assignee,
        initials=initials(assignee) if assignee else "",
        is_mine=ticket.assignee_id == actor.id,
    )


def icons_url() -> str:
    """Where the sprite of icons lies."""
    return static("icons.svg")


def _slice(tickets: QuerySet[Ticket], by_waiting: bool, params: QueryDict) -> tuple[list[Ticket], str]:
    """A page of tickets and the cursor of the next. Both orders are walked by an index, never by OFFSET."""
    tickets = tickets.only(*_ROW_FIELDS)
    if "ids" in params:
        ids = [int(one) for one in params.get("ids", "").split(",")[:MAX_IDS] if one.isdecimal() and len(one) < 15]
        return list(tickets.filter(pk__in=ids)), ""
    limit = PAGE + 1
    cursor = _cursor(params.get("after", ""))
    found: list[Ticket] = []
    if by_waiting and (cursor is None or cursor[0]):
        waits = tickets.filter(waiting_since__isnull=False)
        if cursor:
            waits = waits.filter(Q(waiting_since__gt=cursor[1]) | Q(waiting_since=cursor[1], pk__gt=cursor[2]))
        found = list(waits.order_by("waiting_since", "pk")[:limit])
        cursor = None
    if len(found) < limit:
        rest = tickets.filter(waiting_since__isnull=True) if by_waiting else tickets
        if cursor:
            rest = rest.filter(Q(last_message_at__lt=cursor[1]) | Q(last_message_at=cursor[1], pk__lt=cursor[2]))
        found += list(rest.order_by("-last_message_at", "-pk")[: limit - len(found)])
    if len(found) <= PAGE:
        return found, ""
    return found[:PAGE], _encode(found[PAGE - 1], by_waiting)


def _encode(ticket: Ticket, by_waiting: bool) -> str:
    waits = ticket.waiting_since if by_waiting else None
    at = waits or ticket.last_message_at
    said = json.dumps([int(waits is not None), at.isoformat(), ticket.pk])
    return urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _cursor(text: str) -> tuple[int, datetime, int] | None:
    """What a cursor says; None for none and for a broken one, which begins again."""
    try:
        waits, at, pk = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return int(waits), datetime.fromisoformat(at).astimezone(UTC), int(pk)
    except (ValueError, TypeError):
        return None


def _sort_key(ticket: Ticket) -> str:
    """A string that sorts as the list does, so that a script can put a row where it belongs."""
    if ticket.waiting_since:
        return f"0{int(ticket.waiting_since.timestamp() * 1000):014d}{ticket.pk:012d}"
    return f"1{10**14 - int(ticket.last_message_at.timestamp() * 1000):014d}{10**12 - ticket.pk:012d}"


def _toggled(given: dict[str, list[str]], name: str, value: str) -> dict[str, list[str]]:
    """The filters with one choice taken or dropped; only priority takes several at once."""
    several = name == "priority"
    present = given.get(name, [])
    chosen = [one for one in present if one != value] if value in present else [*(present if several else []), value]
    return {**given, name: chosen}


def _chip_label(name: str, value: str) -> str:
    """A chosen filter in the reader's words."""
    fixed: dict[str, dict[Any, Any]] = {
        "status": dict(Status.choices),
        "mood": dict(Mood.choices),
        "priority": {one.word: one.label for one in Priority},
        "team": {"none": _("No team")},
        "assignee": {"none": _("Nobody")},
    }
    names = {"team": _("Team"), "assignee": _("Assignee"), "customer": _("Customer"), "topic": _("Topic")}
    if name == "channel_kind":
        return words.channel(value)
    said = fixed.get(name, {}).get(value)
    return str(said) if said else f"{names.get(name, _('Tags') if name == 'tag' else name)}: {value}"


def _chips(view: str, q: str, given: dict[str, list[str]]) -> tuple[list[dict[str, str]], str]:
    base: dict[str, Any] = {"view": view, **({"q": q} if q else {})}
    chosen = {name: values for name, values in given.items() if name != "q"}
    chips = [
        {
            "label": _chip_label(name, value),
            "href": "/inbox/?" + urlencode(base | _toggled(chosen, name, value), doseq=True),
        }
        for name, values in chosen.items()
        for value in values
        if value
    ]
    return chips, "/inbox/?" + urlencode(base)
