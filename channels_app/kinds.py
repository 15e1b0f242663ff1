"""What each kind of channel is set up with, pure: its keys and what their values must be."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], bool]
MAX_ORIGINS = 50
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*", re.I)

# Named in the API from the first day; the shop comes with its adapter.
KINDS = (
    *("email", "webchat", "messenger", "instagram", "whatsapp", "zalo", "telegram", "line", "viber", "sms"),
    *("open_api", "shop"),
)


def _text(longest: int) -> Check:
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _words(longest: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= longest and "\x00" not in value


def _host(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return bool(_HOST.fullmatch(value))
    return True


def _port(value: Any) -> bool:
    return type(value) is int and 0 < value < 65536


def is_origin(value: Any) -> bool:
    """Whether this is a web origin: scheme, host and port, nothing behind them."""
    if not isinstance(value, str) or len(value) > 300 or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment or parts.username is not None)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and bare and port_is_fine


def is_mail_address(value: str) -> bool:
    """Whether a mailbox can be called this."""
    local, at, domain = value.rpartition("@")
    fits = re.fullmatch(r"[^\s@<>(),;:\"\\]{1,64}", local) and local.isprintable()
    return bool(at and fits and _HOST.fullmatch(domain))


def _flag(value: Any) -> bool:
    return type(value) is bool


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _days(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 3650


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= MAX_ORIGINS and all(check(one) for one in value)


def _network(value: Any) -> bool:
    try:
        ipaddress.ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        return False
    return True


def _greeting(value: Any) -> bool:
    """One text for all, or one a language."""
    if not isinstance(value, dict):
        return _words(500)(value)
    return all(language in ("vi", "en") and _words(500)(text) for language, text in value.items())


def is_web_address(value: Any) -> bool:
    """Whether this is an http or https address without a fragment or credentials; a path is fine."""
    if not isinstance(value, str) or len(value) > 500 or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    bare = not (parts.fragment or parts.username is not None)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and bare and port_is_fine


def _digits(value: Any) -> bool:
    """An id of a provider: a string of digits. A number would lose its last places in somebody's JavaScript."""
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9]{1,40}", value))


def _number(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\+?[0-9A-Za-z ]{3,20}", value))


_BASE: dict[str, Check] = {"api_base": is_web_address}
# Where the calls of a channel go instead of to its provider; for admins only, see actions.
BASES = ("api_base", "oauth_base", "data_base", "callback_url")
# Which config key is the channel's address: what the provider calls us by in its own events.
ADDRESS_KEY = {
    "messenger": "page_id",
    "instagram": "account_id",
    "whatsapp": "phone_number_id",
    "zalo": "oa_id",
    "telegram": "bot_username",
    "line": "destination",
    "viber": "bot_name",
    "sms": "number",
}

KEYS: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "email": (
        {
            "imap_host": _host,
            "imap_port": _port,
            "imap_user": _text(254),
            "imap_security": _one_of("tls", "starttls", "none"),
            "imap_folder": _text(200),
            "imap_mark_seen": _flag,
            "imap_history_days": _days,
            "authserv_id": _list_of(_host),  # whose word on DMARC counts: our own receivers
            "trusted_relays": _list_of(_network),
            "catch_all": _flag,
        },
        {"imap_password": _text(500)},
    ),
    "webchat": (
        {"origins": _list_of(is_origin), "greeting": _greeting},
        {"identity_secret": _text(200)},
    ),
    "messenger": (
        {"page_id": _digits, "verify_token": _text(200), "human_agent": _flag, "comments": _flag, **_BASE},
        {"app_secret": _text(200), "access_token": _text(1000)},
    ),
    "instagram": (
        {"account_id": _digits, "verify_token": _text(200), "human_agent": _flag, "comments": _flag, **_BASE},
        {"app_secret": _text(200), "access_token": _text(1000)},
    ),
    "whatsapp": (
        {"phone_number_id": _digits, "waba_id": _digits, "verify_token": _text(200), **_BASE},
        {"app_secret": _text(200), "access_token": _text(1000)},
    ),
    "zalo": (
        {"app_id": _digits, "oa_id": _digits, "oauth_base": is_web_address, **_BASE},
        {
            "app_secret": _text(200),
            "oa_secret": _text(200),
            "access_token": _text(2000),
            "refresh_token": _text(2000),
        },
    ),
    "telegram": ({"bot_username": _text(64), **_BASE}, {"token": _text(200), "secret_token": _text(256)}),
    "line": (
        {"destination": _text(64), "data_base": is_web_address, **_BASE},
        {"channel_secret": _text(200), "access_token": _text(1000)},
    ),
    "viber": ({"bot_name": _text(28), **_BASE}, {"auth_token": _text(200)}),
    "sms": ({"account_sid": _text(64), "number": _number, **_BASE}, {"auth_token": _text(200)}),
    "open_api": ({"callback_url": is_web_address}, {"signing_secret": _text(200)}),
}
# Whose providers are told by us where to call; at the others it is entered by hand.
CONNECTED_BY_US = ("telegram", "viber")
# Without these a channel can neither be called nor answer. They may be filled in later: the channel then says so.
NEEDED: dict[str, tuple[str, ...]] = {
    "messenger": ("page_id", "verify_token", "app_secret", "access_token"),
    "instagram": ("account_id", "verify_token", "app_secret", "access_token"),
    "whatsapp": ("phone_number_id", "waba_id", "verify_token", "app_secret", "access_token"),
    "zalo": ("app_id", "oa_id", "app_secret", "oa_secret", "access_token", "refresh_token"),
    "telegram": ("bot_username", "token", "secret_token"),
    "line": ("destination", "channel_secret", "access_token"),
    "viber": ("bot_name", "auth_token"),
    "sms": ("account_sid", "number", "auth_token"),
}

# By which secret a provider signs its calls, where it is not the app's.
SIGNING_KEY = {"zalo": "oa_secret"}
# Whose access key ends by itself and is exchanged for a new one before that.
EXPIRING = ("zalo", "instagram")
# Whose keys an admin gets by signing in at the provider; what must be known of the channel before that.
SIGNED_IN = {"zalo": ("app_id", "oa_id", "app_secret")}


def missing(kind: str, config: dict[str, Any], secrets: dict[str, Any]) -> list[str]:
    """Which of the values that this kind needs are not there yet."""
    return [key for key in NEEDED.get(kind, ()) if not (config.get(key) or secrets.get(key))]


def address_of(kind: str, address: str, config: dict[str, Any]) -> str:
    """What the outside knows this channel by: the id its provider uses, else the address that was given."""
    key = ADDRESS_KEY.get(kind)
    return str(config.get(key) or address) if key else address


def problems(kind: str, config: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with these values, by `config.key` or `secrets.key`: `unknown` or `invalid`; empty: nothing."""
    found: dict[str, str] = {}
    for name, given, known in (("config", config, KEYS[kind][0]), ("secrets", secrets, KEYS[kind][1])):
        for key, value in given.items():
            if key not in known:
                found[f"{name}.{key[:60]}"] = "unknown"
            elif not known[key](value):
                found[f"{name}.{key}"] = "invalid"
    return found
