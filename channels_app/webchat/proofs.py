"""Who the host site says its visitor is, and whether it really said so. Pure."""

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A visitor as the host site names them. The proof covers id, e-mail and phone together, not the name."""

    id: str
    email: str = ""
    phone: str = ""
    name: str = ""


def sign(person: Person, secret: str) -> str:
    """The proof: hex HMAC-SHA256 by the channel's identity secret over id, e-mail and phone, a line each."""
    words = f"{person.id}\n{person.email}\n{person.phone}"
    return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()


def holds(person: Person, proof: str, secret: str) -> bool:
    """Whether the proof is the host site's. Never without a secret; compared in constant time."""
    if not secret or not proof.isascii():
        return False
    return hmac.compare_digest(sign(person, secret), proof.strip().lower())
