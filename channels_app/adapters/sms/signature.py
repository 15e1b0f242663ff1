"""Twilio's signature: HMAC-SHA1 over the public address and the sorted fields of the form, pure."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from channels_app.adapters.base import same
from channels_app.contracts import Call

FORM = "application/x-www-form-urlencoded"
_PORTS = {"https": 443, "http": 80}


def is_form(call: Call) -> bool:
    """Whether the body is a form; anything else is signed by the hash of its bytes."""
    return call.headers.get("content-type", "").split(";")[0].strip().lower() == FORM


def fields(call: Call) -> list[tuple[str, str]]:
    """The form's fields exactly as they came: nothing trimmed, empty ones and repeated ones kept."""
    return parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)


def is_signed(token: str, call: Call) -> bool:
    """Whether the account of this token made the call. An empty token signs nothing."""
    given = call.headers.get("x-twilio-signature", "")
    if not token or not given:
        return False
    if is_form(call):
        named: dict[str, set[str]] = {}
        for name, value in fields(call):
            named.setdefault(name, set()).add(value)
        said = "".join(name + value for name in sorted(named) for value in sorted(named[name]))
    else:
        if not same(call.query.get("bodySHA256", ""), hashlib.sha256(call.body).hexdigest()):
            return False
        said = ""
    return any(same(given, made(token, url + said)) for url in _spellings(call.url))


def made(token: str, words: str) -> str:
    """The signature of these words, in base64."""
    mac = hmac.new(token.encode(), words.encode("utf-8", "replace"), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


def _spellings(url: str) -> list[str]:
    """Twilio signs the address with the usual port or without it, whichever was entered."""
    parts = urlsplit(url)
    usual = _PORTS.get(parts.scheme)
    host = parts.netloc.removesuffix(f":{usual}")
    if ":" in host.rpartition("]")[2]:
        return [url]  # an unusual port is always signed
    return [urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{usual}")]
