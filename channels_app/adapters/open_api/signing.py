"""Standard Webhooks: a call is signed with a secret that both sides know, over its id, its moment and its bytes."""

import base64
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

PREFIX = "whsec_"
LEAST = 16  # bytes of a key in base64; anything shorter was a word that happens to look like it


def is_signed(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether the call is signed with the secret, no more than five minutes ago. An empty secret signs nothing."""
    for key in _keys(secret):
        try:
            Webhook(key).verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue
        return True
    return False


def headers(secret: str, *, call_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers, with a signature for every key, as while a secret is being changed. `at` is in UTC."""
    signatures = [Webhook(key).sign(call_id, at, body.decode()) for key in _keys(secret)]
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(dict.fromkeys(signatures)),
    }


def _keys(secret: str) -> list[bytes]:
    """The keys in a secret: several with their prefix stand apart by spaces. One without is taken as base64 and as it
    stands."""
    several = secret.split()
    found: list[bytes] = []
    for one in several if all(part.startswith(PREFIX) for part in several) else [secret]:
        bare = one.removeprefix(PREFIX)
        decoded = _decoded(bare)
        if one != bare:
            found += [decoded] if decoded else []
        else:
            found += [decoded] if len(decoded) >= LEAST else []
            found.append(one.encode())
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""
