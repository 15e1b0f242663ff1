"""Signed reply addresses: `support+t-<token>@shop.vn` names a ticket, and only we can make one."""

import base64
import hashlib
import hmac
import re

MAC_BYTES = 12  # 96 bits
MAX_LOCAL = 63
TAGGED = re.compile(r"^([^@]+)\+t-([a-z2-7]{16,52})@([^@]+)$")


def make(ticket_id: int, key: bytes) -> str:
    """The token of a ticket: lower-case base32, at most 32 characters. Raises ValueError for an id that is none."""
    if not 0 < ticket_id < 1 << 63:
        raise ValueError("a ticket id is a positive 63-bit number")
    number = ticket_id.to_bytes((ticket_id.bit_length() + 7) // 8, "big")
    return base64.b32encode(number + _mac(number, key)).decode("ascii").rstrip("=").lower()


def read(token: str, key: bytes) -> int | None:
    """The ticket a token names, in whatever case it came back; None for one we did not make."""
    letters = token.strip().upper()
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError:
        return None
    number, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
    if not 0 < len(number) <= 8 or not hmac.compare_digest(mac, _mac(number, key)):
        return None
    ticket_id = int.from_bytes(number, "big")
    return ticket_id if make(ticket_id, key) == letters.lower() else None  # one spelling only


def address(channel_address: str, token: str) -> str:
    """The channel's address with the token in it; the plain one when the local part would get too long."""
    local, _, domain = channel_address.rpartition("@")
    tagged = f"{local}+t-{token}"
    return f"{tagged}@{domain}" if len(tagged) <= MAX_LOCAL else channel_address


def find(recipient: str) -> str:
    """The token in a recipient's address, in lower case; empty when there is none."""
    match = TAGGED.match(recipient.strip().lower())
    return match[2] if match else ""


def untagged(recipient: str) -> list[str]:
    """The addresses a recipient may mean, exact first, then without our tag, then without any plus part."""
    exact = recipient.strip().lower()
    local, _, domain = exact.rpartition("@")
    names = [local, local.partition("+t-")[0], local.partition("+")[0]]
    return [f"{name}@{domain}" for name in dict.fromkeys(names) if name]


def _mac(number: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"reply-address:" + number, hashlib.sha256).digest()[:MAC_BYTES]
