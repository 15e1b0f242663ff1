"""Which pages may hold the chat: exact origins, nothing fuzzy. Pure."""

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def normal(origin: object) -> str:
    """`scheme://host[:port]` in lower case, without a default port; empty for anything that is no origin."""
    if not isinstance(origin, str) or any(character in origin for character in "*\\@?# \t\r\n"):
        return ""
    try:
        parts = urlsplit(origin.strip().lower())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = f":{port}" if port and port != _PORTS[parts.scheme] else ""
    return f"{parts.scheme}://{host}{suffix}"


def allowed(origin: str, listed: object, site_url: str) -> bool:
    """Whether a page of this origin may use the chat: it is on the list, or it is the desk's own (the demo shop)."""
    asked = normal(origin)
    if not asked:
        return False
    own = set(listed) if isinstance(listed, (list, tuple)) else set()
    return asked in {normal(entry) for entry in own} | _ours(site_url)


def _ours(site_url: str) -> set[str]:
    """The desk's own origin; on one's own machine by each of its names."""
    parts = urlsplit(site_url)
    own = normal(f"{parts.scheme}://{parts.netloc}")
    host = own.partition("://")[2].removesuffix(f":{parts.port}")
    if host not in _LOOPBACK:
        return {own}
    return {own.replace(host, name, 1) for name in _LOOPBACK}
