"""Signed reply addresses: support+t-TOKEN@shop names a ticket and cannot be made up. Pure given a key."""

import base64
import hashlib
import hmac

_MAC = 10  # bytes: 80 bits, too many to guess by mail


def make(ticket_id: int, key: bytes) -> str:
    """The token of a ticket: base32 in lower case, because some servers fold the case of addresses."""
    number = ticket_id.to_bytes((ticket_id.bit_length() + 7) // 8 or 1, "big")
    return base64.b32encode(_mac(number, key) + number).decode().rstrip("=").lower()


def read(token: str, key: bytes) -> int | None:
    """The ticket a token names, or None for anything that we did not sign."""
    folded = token.strip().upper()
    try:
        raw = base64.b32decode(folded + "=" * (-len(folded) % 8))
    except ValueError:
        return None
    mac, number = raw[:_MAC], raw[_MAC:]
    if not 0 < len(number) <= 8 or not hmac.compare_digest(mac, _mac(number, key)):
        return None
    return int.from_bytes(number, "big")


def address(mailbox: str, token: str) -> str:
    """The mailbox's address that carries a token; the local part stays under 64 characters."""
    local, _, domain = mailbox.partition("@")
    return f"{local}+t-{token}@{domain}"


def _mac(number: bytes, key: bytes) -> bytes:
    return hmac.new(key, number, hashlib.sha256).digest()[:_MAC]
