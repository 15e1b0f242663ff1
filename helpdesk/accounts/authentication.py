"""How a program proves who it acts for: a bearer token, or the browser's session with CSRF."""

from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from helpdesk.accounts.middleware import bind_actor
from helpdesk.accounts.models import ApiToken, User
from helpdesk.accounts.queries import token_bearer

USED_EVERY = timedelta(minutes=1)


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer TOKEN`. A bad, expired or revoked token and an inactive user are all the same 401.

    A token acts with all its user's rights and is exempt from a required second factor: it is
    the second thing to have.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's user, or None when no bearer token was sent."""
        scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token_bearer(given.strip()) if given.strip() else None
        if token is None:
            raise exceptions.AuthenticationFailed(_("The token is not valid."))
        moment = now()
        if token.last_used_at is None or moment - token.last_used_at >= USED_EVERY:
            stale = Q(last_used_at=None) | Q(last_used_at__lte=moment - USED_EVERY)
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=moment)
        bind_actor(request._request, token.user)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of our own pages; every write needs the CSRF token."""


class TokenScheme(OpenApiAuthenticationExtension):
    """How the API document names the bearer token."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):
    """How the API document names the browser's session."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
