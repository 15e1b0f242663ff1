"""What WhatsApp's error codes mean for us: the same in an answer to a send and in a later receipt."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.graph import AUTH, PERMISSION, RETRY
from channels_app.adapters.whatsapp.values import mapping, mappings, number, words
from helpdesk.core.errors import GiveUp, Reauthorise, Retry

# Nothing was sent; trying again helps. Seconds to wait, None: as the job core has it.
LATER: dict[int, float | None] = {
    130429: 10.0,  # more messages a second than the number may send
    131000: None,
    131016: None,
    131056: 8.0,  # more than about one message in six seconds to one customer
    131057: 300.0,  # the account is being maintained
    133004: None,
}
# Nothing leaves this number until somebody puts it right at Meta.
STOPPED: dict[int, str] = {
    368: gettext_noop("WhatsApp has blocked this account for a breach of its policies: see WhatsApp Manager"),
    131031: gettext_noop("WhatsApp has locked this account: see WhatsApp Manager"),
    131042: gettext_noop("WhatsApp cannot charge this account: check the payment settings in WhatsApp Manager"),
    131005: gettext_noop("WhatsApp does not allow this channel's key to send: connect it again"),
    131045: gettext_noop("this number is not registered with WhatsApp: register it in WhatsApp Manager"),
    133010: gettext_noop("this number is not registered with WhatsApp: register it in WhatsApp Manager"),
    131037: gettext_noop("WhatsApp has not approved this number's display name yet"),
}
MAY_NOT_SEND = gettext_noop("WhatsApp does not let this number send: see WhatsApp Manager")
KEY_REFUSED = gettext_noop("the provider no longer accepts this channel's key: connect it again")
WINDOW = gettext_noop("window closed: choose a template")
_TEMPLATE = gettext_noop("WhatsApp refused the template: its values do not fit it")
_FILE = gettext_noop("WhatsApp does not take this file")
GONE: dict[int, str] = {
    131047: WINDOW,
    131021: gettext_noop("a number cannot write to itself"),
    131026: gettext_noop("WhatsApp cannot reach this customer: not on WhatsApp, blocked, or an outdated app"),
    131030: gettext_noop("a test number reaches only the numbers listed for it at Meta"),
    131048: gettext_noop("WhatsApp limits this number because customers reported its messages"),
    131049: gettext_noop("WhatsApp did not deliver this marketing message: do not send it again soon"),
    131050: gettext_noop("this customer does not want marketing messages"),
    131051: gettext_noop("WhatsApp does not know this kind of message"),
    131052: gettext_noop("WhatsApp could not read the customer's file"),
    131053: _FILE,
    131062: gettext_noop("this message needs the customer's phone number, which WhatsApp does not tell"),
    130472: gettext_noop("WhatsApp did not deliver this message: the customer is part of an experiment of Meta's"),
    130497: gettext_noop("WhatsApp does not let this account write to customers in this country"),
    132000: _TEMPLATE,
    132001: gettext_noop("WhatsApp has no approved template of this name in this language"),
    132005: _TEMPLATE,
    132007: _TEMPLATE,
    132012: _TEMPLATE,
    132015: gettext_noop("WhatsApp has paused this template because customers reported it"),
    132016: gettext_noop("WhatsApp has switched this template off because customers reported it"),
}
REFUSED = gettext_noop("WhatsApp refused the message")
FAILED_LATER = gettext_noop("WhatsApp could not deliver it just now: send it again")


def meaning(code: int, said: str = "") -> Exception:
    """What a code asks of us: Retry, Reauthorise or GiveUp, in words for the agent. Not raised: the caller does."""
    if code in LATER or code in RETRY:
        return Retry(said or f"code {code}", after=LATER.get(code))
    if code in STOPPED:
        return Reauthorise(STOPPED[code])
    if code in AUTH or code in PERMISSION:
        return Reauthorise(KEY_REFUSED)
    if code in GONE:
        return GiveUp(GONE[code])
    return GiveUp(_TEMPLATE if 132000 <= code <= 132999 else said or REFUSED)


def told(status: dict[str, Any]) -> tuple[str, bool]:
    """Of a failed receipt: why, in words, and whether nothing will leave this number until somebody acts."""
    errors = mappings(status.get("errors"))
    if not errors:
        return REFUSED, False
    found = meaning(number(errors[0].get("code")) or -1, said(errors[0]))
    if isinstance(found, Retry):
        return FAILED_LATER, False  # it was accepted once; whether it goes again is the agent's to say
    return str(found), isinstance(found, Reauthorise)


def standing(health: dict[str, Any]) -> str:
    """What keeps the whole number from sending, in words; empty where nothing does."""
    if health.get("can_send_message") != "BLOCKED":
        return ""
    errors = [error for part in mappings(health.get("entities")) for error in mappings(part.get("errors"))]
    return next((STOPPED[code] for one in errors if (code := number(one.get("error_code"))) in STOPPED), MAY_NOT_SEND)


def said(error: dict[str, Any]) -> str:
    """WhatsApp's own words for an error."""
    details = words(mapping(error.get("error_data")).get("details"))
    return (details or words(error.get("message")) or words(error.get("title")))[:300]
