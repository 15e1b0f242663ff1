"""What every request gets: its actor, the reader's language and time zone, and the second factor where it is due."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfoNotFoundError

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.queries import ANONYMOUS, actor_for
from helpdesk.core.actor import Actor
from helpdesk.core.http import error_body, wants_json

GetResponse = Callable[[HttpRequest], HttpResponse]

THEMES = ("auto", "light", "dark")
SEEN_EVERY = timedelta(minutes=5)
# What somebody without the required second factor may still reach.
SETUP_PATHS = (
    "/accounts/2fa/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
    "/accounts/preferences/",
    "/static/",
    "/help/",
    "/healthz",
    "/readyz",
)


def bind_actor(request: HttpRequest, user: User | None = None) -> None:
    """Give the request its `actor`, made when first asked for: the given user, else whoever the session belongs to."""

    def actor() -> Actor:
        who = user or request.user
        return actor_for(who) if isinstance(who, User) else ANONYMOUS

    request.actor = SimpleLazyObject(actor)  # type: ignore[attr-defined]


class PreferencesMiddleware:
    """Sets `request.actor` and `request.theme`, and speaks the reader's language in the reader's time zone.

    A signed-in user's own choice wins; else the django_language cookie, else what the browser asks for.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        bind_actor(request)
        user = request.user if request.user.is_authenticated else None
        language = user.language if user else translation.get_language_from_request(request)
        theme = user.theme if user else request.COOKIES.get("theme", "auto")
        request.theme = theme if theme in THEMES else "auto"  # type: ignore[attr-defined]
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()
        try:
            timezone.activate(user.time_zone if user else settings.DEFAULT_USER_TIME_ZONE)
        except (ZoneInfoNotFoundError, ValueError):
            timezone.activate(settings.DEFAULT_USER_TIME_ZONE)
        try:
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        response.headers.setdefault("Content-Language", language)
        return response


class SecondFactorMiddleware:
    """Somebody whose role needs a second factor and who has none can set it up and do nothing else.

    API tokens are exempt: they carry no session, so there is no user here yet.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not getattr(user, "mfa_missing", False) or request.path.startswith(SETUP_PATHS):
            return self.get_response(request)
        message = _("Your role needs a second factor. Set it up first.")
        if wants_json(request):
            if request.headers.get("Authorization", "").lower().startswith("bearer "):
                return self.get_response(request)
            return JsonResponse(error_body(request, "second_factor_required", message), status=403)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=403, headers={"HX-Redirect": reverse("mfa_activate_totp")})
        return redirect("mfa_activate_totp")


class SessionsMiddleware:
    """Keeps the list of sessions true, with one write in five minutes rather than three queries a request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.session.session_key:
            moment = timezone.now()
            if moment.timestamp() - request.session.get("seen_at", 0) >= SEEN_EVERY.total_seconds():
                request.session["seen_at"] = int(moment.timestamp())
                UserSession.objects.create_from_request(request)
        return self.get_response(request)
