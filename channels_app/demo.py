"""Customers' phones at /demo/phones/: write as a customer on a simulated channel, see the answer. Only when DEMO=1."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from channels_app import queries
from helpdesk.core import net
from helpdesk.core.errors import DomainError, GiveUp, Invalid, NotFound, Retry

# What a Vietnamese shop's customers use most stands first.
ORDER = ("zalo", "messenger", "whatsapp", "instagram", "telegram", "sms", "viber", "line", "open_api")


class Away(DomainError):
    code, status = "unavailable", 503


@require_safe
def phones(request: HttpRequest) -> HttpResponse:
    """Every simulated channel with the people who use it."""
    _ensure_demo()
    try:
        people = _ask("GET", "").get("people", {})
    except DomainError:
        people = {}
    shown = [
        {"kind": channel.kind, "name": channel.name, "people": list(people[channel.kind].items())}
        for channel in sorted(queries.demo_channels(list(people)), key=lambda one: ORDER.index(one.kind))
    ]
    return render(request, "demo/phones.html", {"doors": shown})


@require_http_methods(["GET", "POST"])
def talk(request: HttpRequest, kind: str) -> JsonResponse:
    """GET ?person=: what that phone shows. POST {person, text}: that person writes."""
    _ensure_demo()
    if request.method == "GET":
        return JsonResponse(_ask("GET", f"{kind}/", params={"person": request.GET.get("person", "")}))
    try:
        said = json.loads(request.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Invalid
    return JsonResponse(_ask("POST", f"{kind}/", json=said))


def _ensure_demo() -> None:
    if not settings.SIMULATORS_PORT:
        raise NotFound


def _ask(method: str, path: str, **given: Any) -> dict[str, Any]:
    """Speak to the people's side of the simulators; raises Away, Invalid."""
    try:
        reply = net.call(method, f"http://127.0.0.1:{settings.SIMULATORS_PORT}/_people/{path}", **given)
    except (Retry, GiveUp) as error:
        raise Away from error
    if not reply.ok:
        raise Invalid
    return reply.json
