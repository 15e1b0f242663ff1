"""Speaking to Zalo with a channel's key: what it answers, or why not."""

import json
from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.zalo.refusals import classified
from channels_app.contracts import ChannelRef
from helpdesk.core import net
from helpdesk.core.errors import Uncertain

OPEN_API = "https://openapi.zalo.me"
TEMPLATES = "https://business.openapi.zalo.me"


def call(
    channel: ChannelRef, method: str, path: str, *, base: str = OPEN_API, repeatable: bool = False, **given: Any
) -> dict[str, Any]:
    """The object `data` of Zalo's answer. Its HTTP status is 200 whatever happened: `error` says it.

    Raises Retry, Uncertain, KeyRefused, or GiveUp in words for the agent.
    """
    data = _data(channel, method, path, base=base, repeatable=repeatable, **given)
    return data if isinstance(data, dict) else {}


def rows(channel: ChannelRef, path: str, *, base: str, **given: Any) -> list[dict[str, Any]]:
    """The same for a GET that answers a list."""
    data = _data(channel, "GET", path, base=base, repeatable=True, **given)
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _data(channel: ChannelRef, method: str, path: str, *, base: str, repeatable: bool, **given: Any) -> Any:
    here = str(channel.config.get("api_base") or base).rstrip("/")
    headers = {"access_token": str(channel.secrets.get("access_token", ""))}
    reply = net.call(method, f"{here}{path}", headers=headers, repeatable=repeatable, **given)
    body = numbers_as_sent(reply.content)
    if reply.ok and body.get("error") == "0":
        return body.get("data")
    if reply.ok and "error" not in body:
        raise Uncertain(gettext_noop("Zalo's answer could not be read, the message may have reached the customer"))
    raise classified(body, reply.status, reply.retry_after)


def numbers_as_sent(content: bytes) -> dict[str, Any]:
    """A JSON answer with every number as text: ids are longer than a float is exact. Empty where it is no object."""
    try:
        value = json.loads(content, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
