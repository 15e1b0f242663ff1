"""Calls of Viber's bot API, and what its statuses mean: HTTP says 200 whatever happened."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.picking import words
from channels_app.contracts import ChannelRef
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain

BASE = "https://chatapi.viber.com"
TOO_MANY = 12
_REFUSED = gettext_noop("Viber no longer accepts this bot's token: enter the new one")
_AUTH = {
    2: _REFUSED,
    8: _REFUSED,
    15: gettext_noop("Viber has not approved this bot for this: ask Viber's support"),
}
_REASONS = {
    1: gettext_noop("Viber does not accept this desk's address: it must be https with a public certificate"),
    3: gettext_noop("Viber could not read this message"),
    4: gettext_noop("Viber could not read this message"),
    5: gettext_noop("the customer is no longer on Viber"),
    6: gettext_noop("the customer has not subscribed to the bot, or has left it"),
    7: gettext_noop("Viber has blocked this bot"),
    9: gettext_noop("Viber has suspended this bot"),
    10: gettext_noop("Viber does not call this desk yet: connect the channel"),
    11: gettext_noop("the customer's Viber is too old for this"),
    13: gettext_noop("the customer's Viber is too old for this"),
    14: gettext_noop("the customer's Viber is too old for this"),
    21: gettext_noop("Viber does not deliver bots' messages in the customer's country"),
    23: gettext_noop("the bot's free messages for this month are used up"),
    24: gettext_noop("the bot's balance at Viber is used up"),
}


class Refused(GiveUp):
    """Viber said no and will say no again."""


def call(channel: ChannelRef, method: str, given: dict[str, Any], *, repeatable: bool = False) -> dict[str, Any]:
    """What a method answers. Raises Retry, Uncertain, Reauthorise or Refused."""
    base = str(channel.config.get("api_base") or BASE).rstrip("/")
    headers = {"X-Viber-Auth-Token": str(channel.secrets.get("auth_token", ""))}
    if not headers["X-Viber-Auth-Token"].isascii():
        raise Reauthorise(_REFUSED)
    reply = net.call("POST", f"{base}/pa/{method}", json=given, headers=headers, repeatable=repeatable)
    status = reply.json.get("status")
    if reply.ok and type(status) is int:
        if status == 0:
            return reply.json
        raise refusal(status, words(reply.json.get("status_message")))
    if reply.status == 429:
        raise Retry(gettext_noop("Viber asks to wait"), after=reply.retry_after)
    if reply.status in (401, 403):
        raise Reauthorise(_REFUSED)
    if repeatable or (reply.status >= 500 and reply.status not in (502, 504)):
        raise Retry(f"Viber: HTTP {reply.status}", after=reply.retry_after)
    if reply.ok or reply.status in (502, 504):  # somebody between us and Viber broke off, or half an answer came
        raise Uncertain(gettext_noop("Viber's answer could not be read, it may have reached the customer"))
    raise Refused(f"HTTP {reply.status}")


def refusal(status: int, said: str) -> Exception:
    """What a status other than 0 means for us. Not raised: the caller does that."""
    if status == TOO_MANY:
        # After a hundred messages in an hour that were not answered, too: it is asked again ever less often.
        return Retry(gettext_noop("Viber asks to wait"))
    if status in _AUTH:
        return Reauthorise(_AUTH[status])
    return Refused(_REASONS.get(status) or said[:300] or f"Viber: {status}")
