"""The composer's channel switch: each way to the customer in words, and what an answer needs on it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels_app import abilities, segments
from channels_app.contracts import Template
from tickets.messages import queries
from tickets.messages.reach import COMMENT, PRIVATE, Reach
from tickets.models import Draft, Ticket
from tickets.web import words
from tickets.web.side import numbered

CLOSED = ("closed", "unreachable")
NEARLY = 0.8  # of what one message holds: from there on the writer is told


@dataclass(slots=True)
class Way:
    """One line of the switch. `data` is what the script needs, by the name of its attribute."""

    value: str  # channel, address and mode, as the form sends them back
    icon: str
    label: str
    address: str
    standing: SafeString
    send: str
    off: bool = False  # nothing goes through; it stays to be read
    chosen: bool = False
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Switch:
    """Everything the switch shows: the ways, and the templates of those that take them, by channel."""

    ways: list[Way] = field(default_factory=list)
    templates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def chosen(self) -> Way | None:
        return next((way for way in self.ways if way.chosen), None)


def switch(ticket: Ticket, draft: Draft | None = None, *, chosen: str = "") -> Switch:
    """The ways of a ticket; chosen is the draft's, the one named, or the best."""
    reaches = queries.channels_for(ticket)
    kept = queries.templates_for(reaches)
    found = Switch(ways=[_way(reach, kept.get(reach.channel_id, [])) for reach in reaches])
    if draft and draft.channel_id:
        chosen = _value(draft.channel_id, draft.way.get("address", ""), draft.way.get("mode", ""))
    best = next((way for way in found.ways if way.value == chosen), None)
    if best is None and draft and draft.channel_id:
        best = next((way for way in found.ways if way.value.startswith(f"{draft.channel_id} ")), None)
    if best is None and found.ways:
        best = found.ways[0]
    if best:
        best.chosen = True
    found.templates = [_template(channel_id, one) for channel_id, some in kept.items() for one in some]
    return found


def measured(text: str, kind: str, *, mode: str = "") -> dict[str, Any]:
    """How many messages a text becomes on this kind of channel, in words when it is worth saying."""
    text = text.strip()
    if kind == "sms" and text:
        return _sms(text)
    ability = abilities.ABILITIES.get(kind, abilities.Ability())
    limit = ability.text_limit
    size = len(text.encode("utf-8", "replace")) if ability.in_bytes else len(text)
    if not limit or not ability.splits or size < limit * NEARLY:
        return {"parts": int(bool(text)), "words": "", "plain": ""}
    parts = len(abilities.pieces(text, limit, in_bytes=ability.in_bytes))
    if parts > 1 and mode == PRIVATE:
        said = _("Too long for a private answer to a comment: {size} of {limit}").format(size=size, limit=limit)
    elif parts > 1:
        said = ngettext("Will be sent as {} message", "Will be sent as {} messages", parts).format(parts)
    elif ability.in_bytes:
        said = _("{size} of {limit} bytes").format(size=size, limit=limit)
    else:
        said = _("{size} of {limit} characters").format(size=size, limit=limit)
    return {"parts": parts, "words": said, "plain": ""}


def _sms(text: str) -> dict[str, Any]:
    _encoding, parts, left = segments.count(text)
    plain = segments.without_marks(text)
    cheaper = segments.count(plain)[1]
    said = ngettext("{} SMS, {} characters left", "{} SMS, {} characters left", parts).format(parts, left)
    return {"parts": parts, "words": said, "plain": plain if cheaper < parts else "", "cheaper": cheaper}


def given(request: HttpRequest) -> dict[str, Any]:
    """How the form wants an answer to go, as `messages.reply` takes it; the template as `None` where none is chosen."""
    channel_id, _space, address = request.POST.get("channel", "").partition(" ")
    name, _bar, language = request.POST.get("template", "").partition("|")
    template = {"name": name, "language": language, "parameters": request.POST.getlist("parameter")} if name else None
    return {
        "channel_id": channel_id or None,
        "address": address,
        "mode": request.POST.get("via") if channel_id else None,
        "template": template,
        "choices": tuple(one.strip() for one in request.POST.getlist("choice") if one.strip()),
        "quotes": request.POST.get("quotes") or None,
    }


def standing(reach: Reach) -> SafeString:
    """How a way stands, in words that go on after its name: `5 of 8 free replies left, closes in 3 h 12 min`."""
    window = reach.window
    if reach.blocked:
        return format_html(_("must be connected again: {reason}"), reason=words.reason(reach.blocked))
    if window.state == "unreachable":
        return format_html("{}", _("the customer blocked us there or opted out"))
    seconds = (window.closes_at - now()).total_seconds() if window.closes_at else 0.0
    until = int(window.closes_at.timestamp()) if window.closes_at else 0
    time = format_html('<time data-until="{}">{}</time>', until, _span(seconds))
    facts = {"time": time, "left": window.left, "total": window.total, "channel": words.channel(reach.kind)}
    return format_html(_sentence(reach, seconds), **facts)


def _span(seconds: float) -> str:
    """A length of time; below three days in hours, since a window is counted in them. As ways.js words it."""
    return _("{} h").format(int(seconds // 3600)) if 86400 <= seconds < 3 * 86400 else words.span(seconds)


def _sentence(reach: Reach, seconds: float) -> str:
    window = reach.window
    counted = window.left is not None
    match window.state:
        case "template":
            return _("window closed: choose a template")
        case "closed" if reach.mode == PRIVATE and window.left == 0:
            return _("this comment has had its private answer")
        case "closed":
            return _("window closed: the customer must write first")
        case "human":
            return _("only what you type yourself, closes in {time}")
        case "charged" if counted:
            return _("free replies used up: charged, {left} of {total} left, closes in {time}")
        case "charged":
            return _("free replies used up: each message is charged, closes in {time}")
    if reach.mode == COMMENT:
        return _("everybody can read it")
    if reach.mode == PRIVATE:
        return _("one private message, closes in {time}")
    if counted and window.closes_at:
        return _("{left} of {total} free replies left, closes in {time}")
    if counted:
        return _("{left} of {total} messages left")
    return _("closes in {time}") if window.closes_at else ""


def _way(reach: Reach, templates: Sequence[Template]) -> Way:
    """A way as the switch prints it."""
    ability, window = reach.ability, reach.window
    off = bool(reach.blocked) or window.state in CLOSED or (window.state == "template" and not templates)
    label, send = words.channel(reach.kind), _("Send")
    if reach.mode == COMMENT:
        label, send = _("{channel}: in public under the post").format(channel=label), _("Post in public")
    elif reach.mode == PRIVATE:
        label, send = _("{channel}: private message").format(channel=label), _("Send privately")
    said = standing(reach)
    if window.state == "template" and not templates and not reach.blocked:
        said = format_html("{}", _("window closed, and no approved template is kept for this channel"))
    files = {} if reach.mode else ability.files
    return Way(
        value=_value(reach.channel_id, reach.address, reach.mode),
        icon=reach.kind,
        label=label,
        address=_address(reach),
        standing=said,
        send=send,
        off=off,
        data={
            "channel": reach.channel_id,
            "address": reach.address,
            "via": reach.mode,
            "line": reach.thread_id or "",
            "last": int(reach.is_last),
            "kind": reach.kind,
            "state": window.state,
            "limit": ability.text_limit,
            "bytes": int(ability.in_bytes),
            "files": json.dumps(files) if ability.splits else "",
            "choices": 0 if reach.mode == COMMENT else ability.choices,
            "choice-length": ability.choice_length,
            "quotes": int(ability.quotes or bool(reach.mode)),
            "templates": int(bool(templates) and not reach.mode),
            "left": "" if window.left is None else window.left,
        },
    )


def _value(channel_id: object, address: str, mode: str) -> str:
    return f"{channel_id} {address} {mode}"


def _address(reach: Reach) -> str:
    """Whom it reaches, as a person would say it: provider's ids mean nothing to anybody."""
    if reach.kind == "webchat":
        return _("the chat")
    if reach.kind in ("email", "sms"):
        return reach.address
    return numbered(reach.kind, reach.address) or reach.who or reach.address


def _template(channel_id: object, one: Template) -> dict[str, Any]:
    places = one.names or tuple(str(number + 1) for number in range(one.parameters))
    return {
        "channel": channel_id,
        "value": f"{one.name}|{one.language}",
        "label": f"{one.name} ({one.language})",
        "body": one.body,
        "places": json.dumps(places),
    }


def draft_of(request: HttpRequest) -> Mapping[str, Any]:
    """What a draft keeps of the way beside its channel."""
    wanted = given(request)
    kept = {"address": wanted["address"], "mode": wanted["mode"], "template": wanted["template"]}
    kept |= {"choices": list(wanted["choices"]), "quotes": wanted["quotes"]}
    return {name: value for name, value in kept.items() if value}
