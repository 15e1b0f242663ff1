"""Signing in at a provider: to its page and back with a code, which becomes the channel's keys."""

import secrets
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from channels_app import actions
from channels_app.adapters.base import same
from helpdesk.accounts.access import supervisors_only
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict

SALT = "channels_app.connect"
SESSION_KEY = "connecting_channel"
SECONDS = 900  # from leaving to coming back


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


@never_cache
@require_GET
@supervisors_only
def begin(request: HttpRequest, channel_id: UUID) -> HttpResponseBase:
    """Off to the provider's page. A link, not a form: forms of ours may lead nowhere else."""
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    state = signing.dumps({"channel": str(channel_id), "nonce": nonce}, salt=SALT)
    try:
        address = actions.authorise_url(
            channel_id=channel_id,
            redirect=_back(channel_id),
            verifier=verifier,
            state=state,
            actor=_actor(request),
        )
    except Conflict as error:
        messages.error(request, str(error.message))
        return redirect(f"/control/channels/{channel_id}/")
    request.session[SESSION_KEY] = {"nonce": nonce, "verifier": verifier}
    return redirect(address)


@never_cache
@require_GET
@supervisors_only
def callback(request: HttpRequest, channel_id: UUID) -> HttpResponseBase:
    """Back with a code, in the very session that left; each departure is good for one return."""
    left = request.session.pop(SESSION_KEY, None)
    code = request.GET.get("code", "")
    try:
        if not code or not _is_ours(request.GET.get("state", ""), channel_id, left):
            raise Conflict(_("The sign-in was not completed here. Start it again."))
        actions.connect(
            channel_id=channel_id,
            code=code,
            redirect=_back(channel_id),
            verifier=left["verifier"],
            account=request.GET.get("oa_id", ""),
            actor=_actor(request),
        )
    except Conflict as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The account is connected."))
    return redirect(f"/control/channels/{channel_id}/")


def _is_ours(state: str, channel_id: UUID, left: Any) -> bool:
    """Whether this return belongs to the departure that this session remembers."""
    try:
        said = signing.loads(state, salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return False
    known = isinstance(left, dict) and same(str(said.get("nonce", "")), str(left.get("nonce", "")))
    return known and said.get("channel") == str(channel_id)


def _back(channel_id: UUID) -> str:
    return f"{settings.SITE_URL}/control/channels/{channel_id}/connect/callback/"
