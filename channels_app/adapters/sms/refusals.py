"""Twilio's error codes as what they mean for us, the same at once and in a status callback."""

from typing import Any

from django.utils.translation import gettext_noop

from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain

OPTED_OUT = 21610
_WORDS: dict[int, str] = {
    OPTED_OUT: gettext_noop("this number has opted out: nothing reaches it until START comes from it"),
    21211: gettext_noop("this is no number that can get an SMS"),
    21214: gettext_noop("this is no number that can get an SMS"),
    21217: gettext_noop("this is no number that can get an SMS"),
    21614: gettext_noop("this is no number that can get an SMS"),
    30006: gettext_noop("this number cannot get an SMS: a landline, or a network that is not reached"),
    21612: gettext_noop("this number is not reached from the channel's number"),
    21408: gettext_noop("SMS to this country is switched off in the Twilio account"),
    21606: gettext_noop("the channel's number cannot send SMS: check it in the Twilio console"),
    21603: gettext_noop("the channel's number cannot send SMS: check it in the Twilio console"),
    21659: gettext_noop("the channel's number cannot send SMS: check it in the Twilio console"),
    21608: gettext_noop("the Twilio account is on trial: it reaches confirmed numbers only"),
    21617: gettext_noop("the text is too long for one SMS message"),
    30002: gettext_noop("the Twilio account is suspended"),
    30003: gettext_noop("the phone is switched off or out of reach"),
    30004: gettext_noop("the phone or its network blocks our messages"),
    30005: gettext_noop("the number is unknown or no longer in use"),
    30007: gettext_noop("the network filtered the message as unwanted"),
    30008: gettext_noop("the network did not deliver it and does not say why"),
    30009: gettext_noop("a part of the message got lost on the way"),
    30022: gettext_noop("the network takes no more messages from this number for now"),
    30034: gettext_noop("the channel's number is not registered for this country"),
}
RETRY = frozenset({20429, 21611, 14107, 30001, 30022, 63018})
AUTH = frozenset({20003, 20004, 20005, 20404, 30002})
DEAD_KEY = gettext_noop("Twilio no longer accepts this channel's account SID and auth token")


def words(code: int) -> str:
    """Why it did not arrive, for the agent."""
    return _WORDS.get(code) or (f"Twilio {code}" if code else gettext_noop("it did not arrive, nobody says why"))


def refused(reply: net.Reply, *, sending: bool = False) -> Exception:
    """What a refusal means. Not raised: the caller does that. sending: a breakdown may come after the acceptance."""
    code = number(reply.json.get("code"))
    if reply.status == 401 or code in AUTH:
        return Reauthorise(_WORDS.get(code, DEAD_KEY))
    if reply.status in (429, 503) or code in RETRY:
        return Retry(words(code) if code else f"HTTP {reply.status}", after=reply.retry_after)
    if reply.status >= 500 and sending:
        return Uncertain(gettext_noop("Twilio broke down while taking it, it may have reached the customer"))
    if reply.status >= 500:
        return Retry(f"HTTP {reply.status}", after=reply.retry_after)
    said = str(reply.json.get("message") or f"HTTP {reply.status}")[:300]
    return GiveUp(_WORDS.get(code) or f"Twilio: {said}")


def number(value: Any) -> int:
    """An error code, which comes as a number in JSON and as digits in a form; 0 is none."""
    if type(value) is int:
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 8 else 0
