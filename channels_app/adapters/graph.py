"""What Messenger, Instagram and WhatsApp have in common: one handshake, one signature, one way to call and to fail."""

import hashlib
import hmac
from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.base import Forged, KeyRefused, same
from channels_app.contracts import Answer, Call, ChannelRef
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain

VERSION = "v25.0"
BASE = "https://graph.facebook.com"
RETRY = frozenset({1, 2, 4, 17, 32, 341, 613, 80007})
AUTH = frozenset({0, 3, 102, 190, 463, 467})
# Missing permissions of the whole application; with a subcode they speak of this one call, 230 of this one person.
PERMISSION = frozenset({10, *range(200, 300)}) - {230}


def greet(channel: ChannelRef, call: Call) -> Answer:
    """Echo the challenge to whoever knows our verify token; raises Forged."""
    wanted = str(channel.config.get("verify_token", ""))
    if call.query.get("hub.mode") != "subscribe" or not wanted:
        raise Forged
    if not same(call.query.get("hub.verify_token", ""), wanted):
        raise Forged
    return Answer(body=call.query.get("hub.challenge", "").encode())


def verify(channel: ChannelRef, call: Call) -> None:
    """The body is signed with the app's secret: HMAC-SHA256 over the raw bytes, hex; raises Forged."""
    secret = str(channel.secrets.get("app_secret", ""))
    given = call.headers.get("x-hub-signature-256", "")
    wanted = "sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest()
    if not secret or not same(given, wanted):
        raise Forged


def call(
    channel: ChannelRef,
    method: str,
    path: str,
    *,
    base: str = BASE,
    version: str = f"{VERSION}/",
    repeatable: bool = False,
    **given: Any,
) -> dict[str, Any]:
    """Speak to the Graph API with the channel's token; the JSON it answers. Raises Retry, Uncertain (Retry where
    `repeatable` says that asking twice does no harm), KeyRefused, Forbidden, or Refused, which the caller may look
    into by its code. `base` is where this product's API lies; the channel's own api_base wins."""
    base = str(channel.config.get("api_base") or base).rstrip("/")
    headers = {"Authorization": f"Bearer {channel.secrets.get('access_token', '')}"} | given.pop("headers", {})
    reply = net.call(method, f"{base}/{version}{path}", headers=headers, repeatable=repeatable, **given)
    if reply.ok and "error" not in reply.json:
        return reply.json
    error = reply.json.get("error")
    if not isinstance(error, dict) and reply.status >= 500 and not repeatable:
        raise Uncertain(gettext_noop("the provider broke down while taking it, it may have reached the customer"))
    raise classified(error if isinstance(error, dict) else {}, reply.status, reply.retry_after)


class Refused(GiveUp):
    """The provider said no and will say no again. `code` and `subcode` are its own."""

    def __init__(self, words: str, code: int, subcode: int) -> None:
        super().__init__(words)
        self.code, self.subcode = code, subcode


class Forbidden(Reauthorise):
    """The key is fine and lacks the right to this: somebody has to give it, then connect again. `code` is its own."""

    def __init__(self, code: int) -> None:
        super().__init__(gettext_noop("the provider no longer gives this channel the right to do so: connect it again"))
        self.code = code


def classified(error: dict[str, Any], status: int = 400, retry_after: float | None = None) -> Exception:
    """An error object of the Graph API as what it means for us. Not raised: the caller does that."""
    code, subcode = _number(error.get("code"), -1), _number(error.get("error_subcode"), 0)
    said = str(error.get("message") or f"HTTP {status}")[:300]
    if code in RETRY or status == 429 or (status >= 500 and code not in AUTH):
        return Retry(said, after=retry_after)
    if code in AUTH or status == 401:
        return KeyRefused(gettext_noop("the provider no longer accepts this channel's key: connect it again"))
    if code in PERMISSION and not subcode:
        return Forbidden(code)
    return Refused(said, code, subcode)


def _number(value: Any, otherwise: int) -> int:
    return value if type(value) is int else otherwise
