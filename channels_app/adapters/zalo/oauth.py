"""Zalo's OAuth v4 with PKCE: where an admin agrees, the first keys for a code, new keys for old ones."""

import base64
import hashlib
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app.adapters.zalo.calls import numbers_as_sent
from channels_app.adapters.zalo.refusals import refused_refresh
from channels_app.contracts import ChannelRef, Refreshed
from helpdesk.core import net
from helpdesk.core.errors import Uncertain

BASE = "https://oauth.zaloapp.com"
# Longer than for other calls: an answer that comes too late is a refresh key lost.
PATIENCE = net.FILE_TIMEOUT
LOST = gettext_noop("Zalo's answer with the new keys was lost")


def authorise_url(channel: ChannelRef, redirect: str, verifier: str, state: str) -> str:
    """Zalo's page on which an admin of the account agrees."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "app_id": str(channel.config.get("app_id", "")),
        "redirect_uri": redirect,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": state,
    }
    return f"{_base(channel)}/v4/oa/permission?{urlencode(query)}"


def exchange(channel: ChannelRef, code: str, redirect: str, verifier: str) -> Refreshed:
    """The first keys for a code. Raises Retry, Uncertain or Reauthorise."""
    return _keys(channel, {"code": code, "grant_type": "authorization_code", "code_verifier": verifier})


def refresh(channel: ChannelRef) -> Refreshed:
    """New keys for the refresh key, which works once. Raises Retry, Uncertain or Reauthorise."""
    return _keys(
        channel, {"refresh_token": str(channel.secrets.get("refresh_token", "")), "grant_type": "refresh_token"}
    )


def _keys(channel: ChannelRef, form: dict[str, str]) -> Refreshed:
    reply = net.call(
        "POST",
        f"{_base(channel)}/v4/oa/access_token",
        headers={"secret_key": str(channel.secrets.get("app_secret", ""))},
        data={"app_id": str(channel.config.get("app_id", "")), **form},
        timeout=PATIENCE,
    )
    body = numbers_as_sent(reply.content)
    found = {key: str(body[key]) for key in ("access_token", "refresh_token") if body.get(key)}
    if "access_token" not in found:
        if reply.ok and "error" not in body:
            raise Uncertain(LOST)
        raise refused_refresh(body, reply.status, reply.retry_after)
    return Refreshed(secrets=found, expires_at=now() + timedelta(seconds=_seconds(body.get("expires_in"))))


def _seconds(value: Any) -> int:
    """How long the key lives; an hour where Zalo says nothing sensible, so that it is exchanged soon."""
    fits = isinstance(value, str) and re.fullmatch(r"[0-9]{2,9}", value)
    return max(int(value), 60) if fits else 3600


def _base(channel: ChannelRef) -> str:
    return str(channel.config.get("oauth_base") or channel.config.get("api_base") or BASE).rstrip("/")
