"""What Zalo's error codes mean for whoever waits for the answer."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.base import KeyRefused
from helpdesk.core.errors import GiveUp, Reauthorise, Retry

RECONNECT = gettext_noop("Zalo no longer accepts this channel's key: an admin has to connect the account again")

# Seconds until it is worth another try.
_LATER = {"-32": 60.0, "-200": 300.0}
# -124 is what the templates' address says of a key that -216 is said of elsewhere.
_KEY = frozenset({"-216", "-220", "-124"})
_WINDOW = gettext_noop(
    "the customer has not written on Zalo for 7 days: only an approved template (ZNS) or another channel reaches them"
)
_QUOTA = gettext_noop(
    "no Zalo messages are left to send: the free replies to this customer and the account's package are used up"
)
_CONFIG = gettext_noop("Zalo does not let this account or app send: an admin has to look at its settings at Zalo")
_WORDS = {
    **dict.fromkeys(("-230", "-232"), _WINDOW),
    **dict.fromkeys(("-211", "-218", "-224", "-321"), _QUOTA),
    **dict.fromkeys(
        ("-204", "-205", "-209", "-212", "-219", "-221", "-223", "-235", "-240"),
        _CONFIG,
    ),
    "-201": gettext_noop("Zalo does not accept what this message contains"),
    "-210": gettext_noop("Zalo does not accept this file: it is too large or of another type than Zalo takes"),
    "-213": gettext_noop("the customer does not follow the account on Zalo, or no longer does"),
    "-217": gettext_noop("the customer has blocked messages of the account on Zalo"),
    "-227": gettext_noop("this Zalo user is banned or has been away for more than 45 days"),
    "-233": gettext_noop("Zalo does not deliver this kind of message to this customer"),
    "-234": gettext_noop("Zalo delivers no messages of this kind between 22:00 and 6:00"),
    "-244": gettext_noop("the customer does not want messages of this kind from the account on Zalo"),
    "-248": gettext_noop("Zalo says that this message is against its rules"),
    # Of templates (ZNS) only.
    "-108": gettext_noop("this is no phone number that Zalo knows"),
    "-115": gettext_noop("the account's balance for Zalo templates is used up"),
    "-118": gettext_noop("nobody uses Zalo with this phone number"),
    "-119": gettext_noop("the customer does not receive templates of this account on Zalo"),
    "-131": gettext_noop("Zalo has not approved this template"),
    "-133": gettext_noop("Zalo delivers no templates between 22:00 and 6:00"),
    "-147": gettext_noop("this template may not be sent more often today"),
}


def classified(body: dict[str, Any], status: int, retry_after: float | None = None) -> Exception:
    """An answer that is no success as what it means for us. Not raised: the caller does that."""
    code = str(body.get("error", ""))
    said = str(body.get("message") or body.get("error_description") or f"HTTP {status}")[:200]
    if code in _LATER or status == 429 or status >= 500:
        return Retry(f"Zalo: {said} ({code})", after=retry_after or _LATER.get(code))
    if code in _KEY or (status == 401 and code in ("", "0")):
        return KeyRefused(RECONNECT)
    return GiveUp(_WORDS.get(code) or f"Zalo: {said} ({code or status})")


def refused_refresh(body: dict[str, Any], status: int, retry_after: float | None = None) -> Exception:
    """The answer to a refresh or a sign-in that brought no key. Not raised: the caller does that."""
    if status == 429 or status >= 500:
        return Retry(f"Zalo: HTTP {status}", after=retry_after)
    return Reauthorise(RECONNECT)
