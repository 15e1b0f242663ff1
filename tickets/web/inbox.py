"""The inbox: list, rows for pokes and paging, one conversation, what is live of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpdesk.accounts.access import signed_in
from helpdesk.core.actor import Actor
from tickets.lifecycle import actions as lifecycle
from tickets.lifecycle.queries import ticket_for
from tickets.web import conversation, listing


def actor_of(request: HttpRequest) -> Actor:
    """Who asks."""
    return request.actor  # type: ignore[attr-defined]


@require_GET
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """The list alone. SQL beside session and user: counts, people, rows (one or two)."""
    return render(request, "tickets/inbox.html", _screen(request))


@require_GET
@signed_in
def rows(request: HttpRequest) -> HttpResponse:
    """Rows only: the next page, or those a poke named (`ids`) as far as they belong to the view."""
    context = {"page": listing.page(actor_of(request), request.GET), "icons_url": listing.icons_url()}
    return render(request, "tickets/_rows.html", context)


@require_GET
@signed_in
def counts(request: HttpRequest) -> HttpResponse:
    """The views of the sidebar."""
    context = {"view_counts": listing.view_counts(actor_of(request)), "current_view": request.GET.get("view", "")}
    return render(request, "tickets/_views.html", context)


@require_GET
@signed_in
def thread(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """One conversation: only the thread for HTMX, else the whole screen with the list beside it."""
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    if ticket.unread:
        lifecycle.mark_read(ticket_id=ticket.pk, actor=actor)
    if request.headers.get("HX-Request"):
        return render(request, "tickets/_thread.html", conversation.thread(request, actor, ticket))
    context = {**conversation.thread(request, actor, ticket), **_screen(request), "current_id": str(ticket.pk)}
    return render(request, "tickets/inbox.html", context)


@require_GET
@signed_in
def live(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """What may have changed of an open conversation."""
    actor = actor_of(request)
    ticket = ticket_for(actor, ticket_id)
    return render(request, "tickets/_live.html", conversation.live(request, actor, ticket))


def _screen(request: HttpRequest) -> dict[str, object]:
    actor = actor_of(request)
    page = listing.with_filters(listing.page(actor, request.GET), actor, request.GET)
    return {
        "page": page,
        "view_counts": listing.view_counts(actor),
        "current_view": page.view,
        "section": "inbox",
        "icons_url": listing.icons_url(),
    }
