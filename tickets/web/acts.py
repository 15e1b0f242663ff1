"""What an agent does to a conversation: each act calls one action and answers with what is live of it now."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.accounts.access import signed_in
from helpdesk.core.errors import DomainError, Invalid, NotFound
from tickets.customers import actions as customers
from tickets.customers import queries as customer_queries
from tickets.enums import Priority, Status
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle import joining
from tickets.lifecycle.queries import inbox, survivor, ticket_for
from tickets.messages import queries as messages
from tickets.models import Ticket
from tickets.web import conversation, listing, words
from tickets.web.inbox import actor_of

BULK = 200


def done(
    request: HttpRequest, ticket_id: int, text: str = "", *, undo: bool | str = True, status: int = 200, **more: Any
) -> HttpResponse:
    """What is live of the conversation now, with a toast that can take the act back.

    undo: the address that takes it back, True for one's last step on the ticket, False where nothing can.
    """
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    context = conversation.live(request, actor, ticket) | more.pop("context", {})
    response = render(request, "tickets/_live.html", context, status=status)
    events: dict[str, Any] = dict(more)
    if text:
        events["toast"] = {"text": text, "undo": f"/inbox/{ticket_id}/undo/" if undo is True else undo or ""}
    if events:
        response["HX-Trigger"] = json.dumps(events)
    return response


def dialog(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A dialog's form; one that was filled in wrongly stands in its dialog again, with what is wrong."""
    response = render(request, template, context)
    if request.method == "POST":
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog", "innerHTML"
    return response


@require_POST
@signed_in
def assign(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Give it to somebody, or to nobody."""
    actor = actor_of(request)
    chosen = request.POST.get("assignee", "")
    ticket = lifecycle.assign(ticket_id=ticket_id, assignee_id=None if chosen in ("", "none") else chosen, actor=actor)
    if ticket.assignee is None:
        text = _("Back to everybody.")
    elif ticket.assignee_id == actor.id:
        text = _("It is yours.")
    else:
        text = _("Given to {name}.").format(name=ticket.assignee.name)
    return done(request, ticket_id, text)


@require_POST
@signed_in
def set_team(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Move it to a team's queue; a team that is not ours takes it out of our sight."""
    chosen = request.POST.get("team", "")
    actor = actor_of(request)
    lifecycle.set_team(ticket_id=ticket_id, team_id=None if chosen == "none" else chosen, actor=actor)
    try:
        ticket_for(actor, ticket_id)
    except NotFound:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = "/inbox/"
        return response
    return done(request, ticket_id, _("Moved."))


@require_POST
@signed_in
def set_status(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Solve it, put it aside, open it again, call it spam."""
    ticket = lifecycle.set_status(ticket_id=ticket_id, status=request.POST.get("status", ""), actor=actor_of(request))
    return done(request, ticket_id, _("Now: {status}.").format(status=Status(ticket.status).label))


@require_POST
@signed_in
def set_priority(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """How urgent it is."""
    chosen = request.POST.get("priority", "")
    ticket = lifecycle.set_priority(ticket_id=ticket_id, priority=chosen, actor=actor_of(request))
    return done(request, ticket_id, _("Priority: {priority}.").format(priority=Priority(ticket.priority).label))


@require_POST
@signed_in
def set_subject(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Name what it is about."""
    lifecycle.set_subject(ticket_id=ticket_id, subject=request.POST.get("subject", ""), actor=actor_of(request))
    return done(request, ticket_id, _("Renamed."))


@require_POST
@signed_in
def set_tags(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Add or remove tags."""
    add = tuple(word for word in request.POST.get("add", "").split(",") if word.strip())
    remove = tuple(request.POST.getlist("remove"))
    lifecycle.tag(ticket_id=ticket_id, add=() if remove else add, remove=remove, actor=actor_of(request))
    return done(request, ticket_id, _("Tags changed.") if add or remove else "")


@require_POST
@signed_in
def snooze(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Put it aside until a moment given by a preset or by hand, in the reader's zone; nothing brings it back."""
    chosen = request.POST.get("until", "")
    until = _moment(request.POST.get("own", "") if chosen == "own" else chosen, required=chosen != "")
    ticket = lifecycle.snooze(ticket_id=ticket_id, until=until, actor=actor_of(request))
    if ticket.snoozed_until is None:
        return done(request, ticket_id, _("Back in the inbox."))
    return done(request, ticket_id, _("Snoozed until {when}.").format(when=words.moment(ticket.snoozed_until)))


@require_POST
@signed_in
def block(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Send the sender's messages to spam from now on, or listen again."""
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    chosen = request.POST.get("block", "")
    if chosen.isdecimal():
        customers.unblock(blocked_id=chosen, actor=actor)
        return done(request, ticket_id, _("Messages from this sender come in again."), undo=False)
    found = [one for one in customer_queries.identities(ticket.customer_id) if one.kind == ticket.channel_kind]
    if not found:
        raise NotFound
    customers.block(kind=found[-1].kind, value=found[-1].value, actor=actor)
    return done(request, ticket_id, _("Blocked. Their messages go to spam; the menu takes it back."), undo=False)


@require_POST
@signed_in
def undo(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Take back one's last step on this conversation."""
    joining.undo(ticket_id=ticket_id, actor=actor_of(request))
    return done(request, ticket_id, _("Taken back."), undo=False)


@require_http_methods(["GET", "POST"])
@signed_in
def merge(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Find the other ticket, see both, and make them one. The one open now survives."""
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    if request.method == "POST":
        joining.merge(survivor_id=ticket_id, loser_id=request.POST.get("other", ""), actor=actor)
        return done(request, ticket_id, _("Merged."), **{"close-dialog": True})
    found = inbox(actor).exclude(pk=ticket.pk).filter(merged_into__isnull=True)
    q = request.GET.get("q", "").strip()
    if q:
        found = listing.TicketFilter({"q": q}, queryset=found).qs
    else:
        found = found.filter(customer__in=customer_queries.family(customer_queries.survivor(ticket.customer).pk))
    context = {"ticket": ticket, "found": _options(found), "q": q, "icons_url": listing.icons_url()}
    is_search = request.headers.get("HX-Target") == "merge-found"
    return render(request, "tickets/_merge_found.html" if is_search else "tickets/_merge.html", context)


@require_POST
@signed_in
def split(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Make chosen messages a conversation of their own."""
    ids = [int(one) for one in request.POST.getlist("message") if one.isdecimal()]
    fresh = joining.split(ticket_id=ticket_id, message_ids=ids, actor=actor_of(request))
    return done(request, ticket_id, _("Split off as #{number}.").format(number=fresh.pk), split=str(fresh.pk))


@require_http_methods(["GET", "POST"])
@signed_in
def move(request: HttpRequest, message_id: int) -> HttpResponse:
    """Choose where a message belongs: another conversation of the same customer, or one of its own."""
    actor = actor_of(request)
    message = messages.message_for(actor, message_id)
    ticket = survivor(message.ticket)
    if request.method == "POST":
        chosen = request.POST.get("ticket", "")
        if chosen == "new":
            fresh = joining.split(ticket_id=ticket.pk, message_ids=[message.pk], actor=actor)
            text = _("Split off as #{number}.").format(number=fresh.pk)
        else:
            joining.move(message_id=message.pk, to_ticket_id=chosen, actor=actor)
            text = _("Moved to #{number}.").format(number=chosen)
        return done(request, ticket.pk, text, **{"close-dialog": True})
    people = customer_queries.family(customer_queries.survivor(ticket.customer).pk)
    found = inbox(actor).filter(customer__in=people).exclude(pk=ticket.pk)
    context = {"ticket": ticket, "message": message, "found": _options(found), "icons_url": listing.icons_url()}
    return render(request, "tickets/_move.html", context)


@require_POST
@signed_in
def bulk(request: HttpRequest) -> HttpResponse:
    """One act on many conversations; what cannot be changed is counted and named."""
    actor = actor_of(request)
    ids = [int(one) for one in request.POST.getlist("id")[:BULK] if one.isdecimal()]
    chosen = request.POST.get("assign")
    status = request.POST.get("status", "")
    act: Callable[[int], Ticket]
    if chosen is not None:
        act = lambda one: lifecycle.assign(ticket_id=one, assignee_id=None if chosen == "none" else chosen, actor=actor)  # noqa: E731
    else:
        act = lambda one: lifecycle.set_status(ticket_id=one, status=status, actor=actor)  # noqa: E731
    changed, refused = _each(ids, act)
    text = " ".join([words.count_done(len(changed)), *refused[:3]])
    return _many_done(text, changed, bool(refused))


@require_POST
@signed_in
def undo_bulk(request: HttpRequest) -> HttpResponse:
    """Take back one's last step on each of these conversations."""
    ids = [int(one) for one in request.GET.get("ids", "").split(",")[:BULK] if one.isdecimal()]
    _changed, refused = _each(ids, lambda one: joining.undo(ticket_id=one, actor=actor_of(request)))
    return _many_done(" ".join([_("Taken back."), *refused[:3]]), [], bool(refused))


def _each(ids: list[int], act: Callable[[int], Ticket]) -> tuple[list[int], list[str]]:
    """Do it to each: which were done, and why the others were not. Each is its own transaction."""
    changed, refused = [], []
    for one in ids:
        try:
            act(one)
            changed.append(one)
        except DomainError as error:
            refused.append(f"#{one}: {error.message}")
    return changed, refused


def _many_done(text: str, changed: list[int], is_partial: bool) -> HttpResponse:
    undo = f"/inbox/bulk/undo/?ids={','.join(map(str, changed))}" if changed else ""
    toast = {"text": text, "kind": "error" if is_partial else "info", "undo": undo}
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"toast": toast, "bulk-done": True})
    return response


def _options(found: Any) -> list[dict[str, Any]]:
    tickets = found.order_by("-last_message_at").only(
        *("id", "subject", "snippet", "customer_name", "channel_kind", "last_message_at", "status")
    )[:8]
    return [
        {
            "id": one.pk,
            "subject": one.subject or one.snippet,
            "who": one.customer_name,
            "channel": one.channel_kind or "open_api",
            "when": words.when(one.last_message_at),
            "snippet": one.snippet,
            "status": one.get_status_display(),
        }
        for one in tickets
    ]


def _moment(text: str, *, required: bool) -> datetime | None:
    if not text and not required:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise Invalid(_("Choose a day and a time."), fields={"until": "required"})
    return (at if timezone.is_aware(at) else timezone.make_aware(at)).astimezone(UTC)
