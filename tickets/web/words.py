"""What screens call things: channels, delivery states, spans of time, events as sentences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from helpdesk.core.models import EventLog
from helpdesk.core.reasons import reason as reason
from helpdesk.core.templatetags.desk import short_moment
from tickets.enums import CallOutcome, Priority, Status

CHANNELS = {
    "email": gettext_lazy("E-mail"),
    "webchat": gettext_lazy("Web chat"),
    "messenger": "Messenger",
    "instagram": "Instagram",
    "whatsapp": "WhatsApp",
    "zalo": "Zalo",
    "telegram": "Telegram",
    "line": "LINE",
    "viber": "Viber",
    "sms": "SMS",
    "phone": gettext_lazy("Telephone"),
    "open_api": gettext_lazy("Own system"),
    "shop": gettext_lazy("Shop"),
}
STATES = {  # delivery state: (icon, words)
    "queued": ("clock", gettext_lazy("Waiting to be sent")),
    "held": ("hold", gettext_lazy("Leaves in a moment")),
    "sending": ("send", gettext_lazy("Sending…")),
    "sent": ("tick", gettext_lazy("Sent")),
    "delivered": ("ticks", gettext_lazy("Delivered")),
    "read": ("eye", gettext_lazy("Read")),
    "failed": ("alert", gettext_lazy("Not delivered")),
    "unknown": ("question", gettext_lazy("Nobody can say whether it arrived")),
    "taken_back": ("undo", gettext_lazy("Taken back, not sent")),
}


def channel(kind: str) -> str:
    """What a kind of channel is called; the kind itself for one we do not know."""
    return str(CHANNELS.get(kind, kind))


def call(facts: dict[str, Any] | None) -> str:
    """A logged call in words: `They called · Spoke with the customer · 4 min`."""
    if not facts:
        return ""
    outcome = CallOutcome(facts["outcome"])
    began = _("They called") if facts["direction"] == "in" else _("We called")
    said = [str(outcome.label)] if outcome == CallOutcome.WALK_IN else [began, str(outcome.label)]
    return " · ".join([*said, span(facts["seconds"])] if facts.get("seconds") else said)


def span(seconds: float) -> str:
    """A length of time in its largest units, as live.js words it: 45 s, 4 min, 2 h 5 min, 3 d."""
    whole = max(0, round(seconds))
    if whole < 60:
        return _("{} s").format(whole)
    if whole < 3600:
        return _("{} min").format(whole // 60)
    if whole < 86400:
        hours = _("{} h").format(whole // 3600)
        if whole % 3600 >= 60 and whole < 36000:
            return f"{hours} {_('{} min').format(whole % 3600 // 60)}"
        return hours
    return _("{} d").format(whole // 86400)


def time_left(seconds: float) -> str:
    """How long until (or since) a moment: `4 min left`, `12 min late`."""
    return (_("{} left") if seconds >= 0 else _("{} late")).format(span(abs(seconds)))


def when(value: datetime | None) -> str:
    """A moment as the list names it, in the reader's zone."""
    return short_moment(timezone.localtime(value)) if value else ""


def day(value: datetime) -> str:
    """The heading of a day on the timeline."""
    local = timezone.localtime(value).date()
    distance = (timezone.localdate() - local).days
    if distance == 0:
        return _("Today")
    if distance == 1:
        return _("Yesterday")
    return formats.date_format(local, "DATE_FORMAT")


def moment(value: datetime) -> str:
    """A moment that may lie ahead: the hour today, else weekday and hour."""
    local = timezone.localtime(value)
    if local.date() == timezone.localdate():
        return local.strftime("%H:%M")
    if abs((local.date() - timezone.localdate()).days) < 7:
        return f"{formats.date_format(local, 'D')} {local.strftime('%H:%M')}"
    return f"{formats.date_format(local, 'd/m')} {local.strftime('%H:%M')}"


def size(count: int) -> str:
    """A file's size for people."""
    if count < 1024 * 1024:
        return f"{max(1, round(count / 1024))} KB"
    return f"{formats.number_format(count / 1024 / 1024, 1)} MB"


def person(name: str, addresses: Sequence[str]) -> str:
    """Whom we speak with: by name, else by an address a person can read, else nobody known."""
    readable = next((one for one in addresses if one.startswith("+") or "@" in one), "")
    return name or readable or _("Somebody unknown")


def event(row: EventLog, names: Mapping[int, str], teams: Mapping[int, str]) -> list[str]:
    """An event of the log as sentences; none for one that nobody needs to read."""
    who = _actor(row, names)
    facts = row.payload
    match row.topic:
        case "ticket.reopened":
            return [_("Open again")]
        case "ticket.merged":
            return [_("{who} merged #{other} into this").format(who=who, other=facts["other_id"])]
        case "ticket.unmerged":
            return [_("{who} took the merge of #{other} back").format(who=who, other=facts["other_id"])]
        case "ticket.split":
            return [_("{who} split off #{other}").format(who=who, other=facts["other_id"])]
        case "message.moved":
            return [_("{who} moved a message to #{other}").format(who=who, other=facts["other_id"])]
        case "ticket.undone":
            return [_("{who} took a step back").format(who=who)]
        case "ticket.channel_switched":
            before, after = channel(facts["before"]), channel(facts["after"])
            if facts.get("direction") == "out":
                return [_("{who} went on by {after}, after {before}").format(who=who, before=before, after=after)]
            return [_("The customer went from {before} to {after}").format(before=before, after=after)]
        case "customer.merged" | "customer.merged_away" | "customer.unmerged" | "customer.parted":
            return [_of_person(who, row)]
        case "ticket.contact_changed":
            return [_contact(facts["what"], channel(facts["channel_kind"]))]
        case "sla.breached":
            return [_("The time to answer ran out")]
        case "ticket.changed":
            return [
                line for name, pair in facts["changes"].items() if (line := _change(who, row, name, pair, names, teams))
            ]
    return []


def _of_person(who: str, row: EventLog) -> str:
    """What became of the customer: one person with another, or two again."""
    other = row.payload.get("other_name") or f"#{row.payload['other_id']}"
    if row.topic in ("customer.unmerged", "customer.parted"):
        return _("{who} said that this customer and {other} are two people").format(who=who, other=other)
    if row.actor_kind != "user":
        return _("This customer has proved to be the same person as {other}").format(other=other)
    return _("{who} said that this customer and {other} are one person").format(who=who, other=other)


def _contact(what: str, where: str) -> str:
    """What became of a line, as a sentence."""
    said = {
        "blocked": _("The customer has blocked us on {channel}"),
        "unblocked": _("The customer can be reached on {channel} again"),
        "unfollowed": _("The customer no longer follows us on {channel}"),
        "followed": _("The customer follows us on {channel}"),
        "opted_out": _("The customer wants no more messages on {channel}"),
        "opted_in": _("The customer wants messages on {channel} again"),
        "moved": _("The customer has another address on {channel} now"),
    }
    return said.get(what, _("{channel}: something has changed")).format(channel=where)


def _actor(row: EventLog, names: Mapping[int, str]) -> str:
    if row.actor_kind == "user" and row.actor_id is not None:
        return names.get(row.actor_id, _("A former colleague"))
    return {"customer": _("The customer"), "bot": _("The bot"), "automation": _("A rule")}.get(
        row.actor_kind, _("The desk")
    )


def _change(
    who: str, row: EventLog, name: str, pair: list[Any], names: Mapping[int, str], teams: Mapping[int, str]
) -> str:
    after = pair[1]
    match name:
        case "assignee_id" if after is None:
            return _("{who} gave it back to everybody").format(who=who)
        case "assignee_id" if after == row.actor_id and row.actor_kind == "user":
            return _("{who} took it").format(who=who)
        case "assignee_id":
            return _("{who} gave it to {whom}").format(who=who, whom=names.get(after, "?"))
        case "status":
            return _("{who}: {status}").format(who=who, status=Status(after).label)
        case "priority":
            return _("{who} set the priority to {priority}").format(who=who, priority=Priority(after).label)
        case "team_id" if after is None:
            return _("{who} took it out of its team").format(who=who)
        case "team_id":
            return _("{who} moved it to {team}").format(who=who, team=teams.get(after, "?"))
        case "snoozed_until" if after is None:
            return _("Back from snoozing")
        case "snoozed_until":
            return _("{who} snoozed it until {when}").format(who=who, when=moment(datetime.fromisoformat(after)))
        case "tags":
            added = [tag for tag in after if tag not in pair[0]]
            gone = [tag for tag in pair[0] if tag not in after]
            signs = " ".join([f"+{tag}" for tag in added] + [f"−{tag}" for tag in gone])
            return _("{who} tagged: {tags}").format(who=who, tags=signs)
        case "subject":
            return _("{who} renamed it").format(who=who)
    return ""


def count_done(count: int) -> str:
    """What a bulk act says afterwards."""
    return ngettext("{} conversation changed.", "{} conversations changed.", count).format(count)


def ago(value: datetime) -> str:
    """How long ago, in words."""
    return _("{} ago").format(span((now() - value).total_seconds()))
