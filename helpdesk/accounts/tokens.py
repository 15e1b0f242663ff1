"""Secrets handed out once: made unguessable, kept only as a digest."""

import hashlib
import secrets


def fresh(prefix: str = "") -> str:
    """A new secret of 256 random bits, safe in addresses and headers."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a secret: 64 hex characters. The secret is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
