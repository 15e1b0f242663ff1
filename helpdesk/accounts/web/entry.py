"""Coming in: the start page, an invitation, the first admin, and preferences of whoever reads."""

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from helpdesk.accounts import actions, queries
from helpdesk.accounts.forms import FirstAdminForm, JoinForm, PreferencesForm, show_refusal
from helpdesk.accounts.models import User
from helpdesk.core.errors import DomainError, Invalid, NotFound

YEAR = 365 * 24 * 3600


@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """`/`: each person where they belong."""
    if request.user.is_authenticated:
        return redirect("/inbox/")
    return redirect("accounts:first" if queries.nobody_yet() else "account_login")


@never_cache
@sensitive_post_parameters("password")
def first_admin(request: HttpRequest) -> HttpResponse:
    """The first admin of an empty desk; not there as soon as anybody is."""
    if not queries.nobody_yet():
        raise NotFound
    form = FirstAdminForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.create_first_admin(**form.cleaned_data, language=_language())
        except NotFound:
            raise
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _signed_in(request, user)
    return render(request, "accounts/first.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where the invitation's mail leads. A token that no longer opens anything says so."""
    try:
        found = queries.invitation_by_token(token)
    except NotFound:
        return render(request, "accounts/invitation_gone.html", status=404)
    form = JoinForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept(token=token, **form.cleaned_data)
        except NotFound:
            return render(request, "accounts/invitation_gone.html", status=404)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _signed_in(request, user)
    context = {"form": form, "invitation": found, "teams": found.teams.all()}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Language, theme and time zone: kept with a signed-in user, and in cookies for pages before the sign-in."""
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        raise Invalid(fields=dict(form.errors))
    chosen = {field: value for field, value in form.cleaned_data.items() if value}
    if isinstance(request.user, User) and chosen:
        actions.update_profile(user_id=request.user.pk, actor=request.actor, **chosen)  # type: ignore[attr-defined]
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204, headers={"HX-Refresh": "true"})
    else:
        back = request.POST.get("next") or request.headers.get("Referer", "/")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()})
        response = redirect(back if safe else "/")
    return remember(response, language=chosen.get("language", ""), theme=chosen.get("theme", ""))


def remember(response: HttpResponse, *, language: str = "", theme: str = "") -> HttpResponse:
    """The response, keeping language and theme in cookies for pages before the sign-in."""
    secure = settings.SESSION_COOKIE_SECURE
    if language:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, samesite="Lax", secure=secure)
    if theme:
        response.set_cookie("theme", theme, max_age=YEAR, samesite="Lax", secure=secure)
    return response


def _language() -> str:
    spoken = (get_language() or "vi")[:2]
    return spoken if spoken in dict(settings.LANGUAGES) else "vi"


def _signed_in(request: HttpRequest, user: User) -> HttpResponse:
    record_authentication(request, user, method="password")
    response: HttpResponse = perform_login(request, user, email_verification="none", redirect_url="/")
    return response


def closed(request: HttpRequest) -> HttpResponse:
    """Pages of the sign-in library that lead nowhere here."""
    raise NotFound(_("Accounts are made by invitation. Ask an admin of the desk for one."))
