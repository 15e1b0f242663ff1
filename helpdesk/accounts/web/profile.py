"""One's own account: settings, password, second factor, sessions, API tokens."""

from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from helpdesk.accounts import actions, queries
from helpdesk.accounts.access import signed_in
from helpdesk.accounts.forms import ProfileForm, TokenForm, show_refusal
from helpdesk.accounts.models import User
from helpdesk.accounts.web.entry import remember
from helpdesk.core.errors import DomainError


@never_cache
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """The page, and the saving of the settings."""
    user = _user(request)
    if request.method != "POST":
        return _page(request, form=ProfileForm.of(user))
    form = ProfileForm(request.POST)
    if form.is_valid():
        try:
            user = actions.update_profile(user_id=user.pk, actor=request.actor, **form.cleaned_data)  # type: ignore[attr-defined]
        except DomainError as error:
            show_refusal(form, error)
        else:
            with translation.override(user.language):
                messages.success(request, _("Saved."))
            return remember(redirect("accounts:profile"), language=user.language, theme=user.theme)
    return _page(request, form=form, status=422)


@never_cache
@require_POST
@signed_in
def create_token(request: HttpRequest) -> HttpResponse:
    """The new token stands on the answer, this once; loading the page again does not show it."""
    form = TokenForm(request.POST)
    made = None
    if form.is_valid():
        days = form.cleaned_data["days"]
        expires_at = now() + timedelta(days=int(days)) if days else None
        try:
            made = actions.create_api_token(
                user_id=_user(request).pk,
                name=form.cleaned_data["name"],
                expires_at=expires_at,
                actor=request.actor,  # type: ignore[attr-defined]
            )
        except DomainError as error:
            show_refusal(form, error)
    return _page(request, token_form=None if made else form, made=made, status=200 if made else 422)


@require_POST
@signed_in
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """The token stops working at once."""
    actions.revoke_api_token(token_id=token_id, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, _("The token no longer works."))
    return redirect("accounts:profile")


def _user(request: HttpRequest) -> User:
    """The signed-in user; `signed_in` has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user


def _page(request: HttpRequest, *, status: int = 200, **given: Any) -> HttpResponse:
    user = _user(request)
    context = {
        "form": given.get("form") or ProfileForm.of(user),
        "token_form": given.get("token_form") or TokenForm(),
        "made": given.get("made"),
        "tokens": queries.living_tokens(user.pk),
        "has_second_factor": Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists(),
        "session_count": UserSession.objects.filter(user=user).count(),
        "time_zones": sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
        "section": "me",
    }
    return render(request, "accounts/profile.html", context, status=status)
