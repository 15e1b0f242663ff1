"""One conversation on the screen: what its head, timeline, composer and side panel show."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.timezone import now
from django.utils.translation import gettext as _

from channels_app import media
from channels_app.models import Media
from helpdesk.accounts import queries as accounts
from helpdesk.accounts.models import Team, User
from helpdesk.core.actor import Actor
from tickets.customers import queries as customers
from tickets.enums import Kind, Priority, Status
from tickets.lifecycle import queries as lifecycle
from tickets.messages import queries as messages
from tickets.models import Customer, Identity, Ticket
from tickets.web import listing, timeline, waiting, ways, words
from tickets.web import side as panel

OTHERS = 6
RECENT, ALL = 100, 500


@dataclass(slots=True)
class Composer:
    """What stands in the composer when the conversation is opened."""

    text: str = ""
    is_note: bool = False
    saved: bool = False
    switch: ways.Switch = field(default_factory=ways.Switch)
    choices: list[str] = field(default_factory=list)
    quotes: str = ""
    quoted: str = ""
    template: str = ""
    parameters: list[str] = field(default_factory=list)
    files: list[Media] = field(default_factory=list)
    placeholder: str = ""
    seen: int = 0

    @property
    def mode(self) -> str:
        return "note" if self.is_note else "reply"


def live(request: HttpRequest, actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Everything that a poke or an act may have changed: head, timeline, side panel."""
    people = list(accounts.colleagues())
    teams = list(accounts.teams())
    names = {person.pk: person.name for person in people}
    everything = request.GET.get("all") == "1"
    entries = messages.timeline(ticket, actor, limit=ALL if everything else RECENT)
    customer = customers.survivor(ticket.customer)
    family = customers.family(customer.pk)
    identities = list(customers.addresses(family))
    query = request.GET.urlencode()
    cut = not everything and sum(entry.message is not None for entry in entries) >= RECENT
    return {
        "ticket": ticket,
        "timeline": timeline.items(ticket, entries, names, {team.pk: team.name for team in teams}),
        "earlier": f"/inbox/{ticket.pk}/live/?all=1" if cut else "",
        "head": head(ticket, identities),
        "side": side(actor, ticket, customer, family, identities, people, teams, names),
        "page": {"query": f"?{query}" if query else ""},
        "words": phrases(),
        "icons_url": listing.icons_url(),
        "last_message": max((entry.message.pk for entry in entries if entry.message), default=0),
    }


def thread(request: HttpRequest, actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """A conversation as it is opened: what is live, and the composer."""
    context = live(request, actor, ticket)
    context["composer"] = composer(actor, ticket, context["last_message"])
    return context


def head(ticket: Ticket, identities: list[Identity]) -> dict[str, Any]:
    """The line above the timeline: time left, and whom a block would silence."""
    wait = waiting.wait_of(ticket, now())
    sender = next((one for one in reversed(identities) if one.kind == ticket.channel_kind), None)
    blocked = customers.block_of(sender.kind, sender.value) if sender else None
    return {
        "wait": wait.state,
        "due": wait.due,
        "since": wait.since,
        "left": wait.left,
        "bar": wait.bar,
        "bar_max": wait.bar_max,
        "sender": panel.label(sender) if sender else "",
        "blocked_id": blocked.pk if blocked else None,
    }


def side(
    actor: Actor,
    ticket: Ticket,
    customer: Customer,
    family: list[int],
    identities: list[Identity],
    people: list[User],
    teams: list[Team],
    names: dict[int, str],
) -> dict[str, Any]:
    """The panel beside the thread: who the customer is, and the ticket's properties with their menus."""
    others = lifecycle.inbox(actor).filter(customer__in=family, merged_into__isnull=True).exclude(pk=ticket.pk)
    others = others.order_by("-last_message_at")
    language = {"vi": "Tiếng Việt", "en": "English"}.get(customer.language, customer.language)
    facts = []
    if ticket.reopened_count:
        facts.append({"label": _("Reopened"), "value": ticket.reopened_count})
    for link in lifecycle.links(ticket, actor):
        other = link.other if link.ticket_id == ticket.pk else link.ticket
        facts.append({"label": _("Linked"), "value": f"#{other.pk} {other.subject}"})
    return {
        "name": words.person(customer.name or ticket.customer_name, ticket.participants),
        "subtitle": " · ".join(part for part in (customer.form_of_address, language, customer.tier) if part),
        "notes": customer.notes,
        "customer": customer,
        **panel.person(actor, customer, family, identities),
        "assignee": names.get(ticket.assignee_id or 0, ""),
        "team": next((team.name for team in teams if team.pk == ticket.team_id), ""),
        "teams": [team for team in teams if actor.is_admin or team.pk in actor.team_ids or team.pk == ticket.team_id],
        "people": [person for person in _holders(people, ticket) if person.pk != actor.id],
        "statuses": [(value, label) for value, label in Status.choices if value != Status.SPAM],
        "priorities": [(int(one), one.word, one.label) for one in reversed(Priority)],
        "snoozed": words.moment(ticket.snoozed_until) if ticket.snoozed_until else "",
        "snoozes": snooze_presets(),
        "facts": facts,
        "others": [
            {
                "id": other.pk,
                "subject": other.subject or other.snippet or f"#{other.pk}",
                "status": other.get_status_display(),
                "channel": other.channel_kind or "open_api",
                "joins": other.is_active and ticket.is_active and ticket.merged_into_id is None,
            }
            for other in others.only("id", "subject", "snippet", "status", "channel_kind")[:OTHERS]
        ],
    }


def composer(actor: Actor, ticket: Ticket, last_message: int) -> Composer:
    """The composer with the actor's draft, and the channels that reach the customer now, best first."""
    draft = messages.draft_for(ticket, actor)
    found = Composer(seen=last_message)
    found.placeholder = _("Answer {name}…").format(name=ticket.customer_name or _("the customer"))
    if draft:
        found.text, found.saved = draft.text, True
        found.is_note = draft.kind == Kind.NOTE
        found.choices, found.quotes = draft.way.get("choices", []), str(draft.way.get("quotes") or "")
        if template := draft.way.get("template"):
            found.template = f"{template['name']}|{template['language']}"
            found.parameters = template.get("parameters", [])
        own = media.uploads(owner=f"user:{actor.id}", media_ids=draft.media_ids)
        found.files = own
    found.switch = ways.switch(ticket, draft)
    return found


def snooze_presets() -> list[dict[str, str]]:
    """When somebody may want a conversation back, in their own time zone; each preset lies ahead."""
    local = timezone.localtime()
    morning = time(8, 30)
    tomorrow = local.date() + timedelta(days=1)
    monday = local.date() + timedelta(days=7 - local.weekday())
    zone = timezone.get_current_timezone()
    presets = [
        (_("In one hour"), local + timedelta(hours=1)),
        (_("In three hours"), local + timedelta(hours=3)),
        (_("Tomorrow morning"), datetime.combine(tomorrow, morning, zone)),
    ]
    if monday != tomorrow:
        presets.append((_("Monday morning"), datetime.combine(monday, morning, zone)))
    return [
        {"label": label, "value": at.isoformat(timespec="minutes"), "when": words.moment(at)} for label, at in presets
    ]


def phrases() -> dict[str, str]:
    """The words that every message repeats, translated once a page."""
    return {
        "pick": _("Choose this message"),
        "internal": _("Internal note"),
        "move": _("Move to another conversation…"),
        "quote": _("Answer to this"),
        "unproved": _("Sender not verified"),
        "unproved_why": _("The mail did not prove where it came from (no DMARC pass). Be careful with what you tell."),
        "auto": _("Automatic"),
        "unfold": _("Show all of it"),
        "quoted": _("Show quoted text"),
        "take_back": _("Take back"),
        "retry": _("Send again"),
        "formatted": _("Show as formatted"),
        "original": _("Original mail"),
        "coming": _("Loading the file…"),
        "lost": _("This file is no longer there"),
        "unsent_in": _("Taken back by the customer"),
        "unsent_out": _("Taken back"),
        "jump": _("Go to the message it answers"),
        "opens_map": _("Open on the map"),
        "reacted": _("reacted"),
        "sticker": _("Sticker"),
    }


def new_for(ticket: Ticket, actor: Actor, seen: int) -> list[dict[str, str]]:
    """What others have said since this actor's last look, for the warning that the thread has moved."""
    found = messages.messages(ticket, actor).filter(pk__gt=seen).exclude(author_id=actor.id)
    return [
        {
            "who": message.author.name if message.author else message.sender_name or ticket.customer_name,
            "text": message.text,
        }
        for message in found
    ]


def _holders(people: list[User], ticket: Ticket) -> list[User]:
    """Who may be given this ticket: its team and admins, everybody when it has no team."""
    if ticket.team_id is None:
        return people
    return [one for one in people if one.role == "admin" or ticket.team_id in one.works_in]  # type: ignore[attr-defined]
