"""Who may open a screen at all; what they see there is decided by the gates."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode

from helpdesk.core.errors import NotAllowed

View = Callable[..., HttpResponseBase]


def signed_in(view: View) -> View:
    """Only for people of the desk; others are led to the sign-in and back, a fragment's reader by HX-Redirect."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.headers.get("HX-Request"):
            back = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
            return HttpResponse(
                status=401, headers={"HX-Redirect": f"{settings.LOGIN_URL}?{urlencode({'next': back})}"}
            )
        return redirect_to_login(request.get_full_path())

    return guarded


def supervisors_only(view: View) -> View:
    """Only for supervisors and admins; agents are told so."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.actor.is_supervisor:  # type: ignore[attr-defined]
            raise NotAllowed
        return view(request, *args, **kwargs)

    return signed_in(guarded)
