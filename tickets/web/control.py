"""The control room's first page: what has gone wrong and can be put right, and who is not listened to."""

from django.contrib import messages as told
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from channels_app import actions as channels
from channels_app import queries as channel_queries
from helpdesk.accounts.access import supervisors_only
from tickets.customers import actions as customers
from tickets.customers import queries as customer_queries
from tickets.messages import actions as messages
from tickets.messages import queries as message_queries
from tickets.web import words
from tickets.web.inbox import actor_of

SHOWN = 50


@require_GET
@supervisors_only
def now(request: HttpRequest) -> HttpResponseBase:
    """What could not be read, what could not be delivered, channels in trouble, blocked senders."""
    actor = actor_of(request)
    undelivered = [
        {"message": one, "state": words.STATES[one.delivery_state][1], "channel": one.channel_kind or "open_api"}
        for one in message_queries.undelivered(actor)[:SHOWN]
    ]
    context = {
        "inbound": channel_queries.failed_inbound(actor).order_by("-pk")[:SHOWN],
        "undelivered": undelivered,
        "troubled": [one for one in channel_queries.channels(actor) if one.problem],
        "blocked": customer_queries.blocked_senders(actor)[:SHOWN],
        "section": "control",
        "tab": "now",
    }
    return render(request, "tickets/control.html", context)


@require_POST
@supervisors_only
def retry_inbound(request: HttpRequest, event_id: int) -> HttpResponseBase:
    """Read again what could not be read."""
    channels.retry_inbound(event_id=event_id, actor=actor_of(request))
    told.success(request, _("It is read again now."))
    return redirect("/control/")


@require_POST
@supervisors_only
def retry_delivery(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """Send again what could not be delivered."""
    messages.retry(message_id=message_id, actor=actor_of(request))
    told.success(request, _("On its way again."))
    return redirect("/control/")


@require_POST
@supervisors_only
def unblock(request: HttpRequest, blocked_id: int) -> HttpResponseBase:
    """Listen to a sender again."""
    customers.unblock(blocked_id=blocked_id, actor=actor_of(request))
    told.success(request, _("Messages from this sender come in again."))
    return redirect("/control/")
