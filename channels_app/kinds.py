"""What each kind of channel is set up with, pure: its keys and what their values must be."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], bool]
MAX_ORIGINS = 50
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*", re.I)

# Named in the API from the first day; those not in KEYS come with their adapters.
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
}


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
