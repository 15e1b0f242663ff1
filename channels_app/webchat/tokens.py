"""The visitor's token: signed, of one thread on one channel, renewed with every session. Holds no personal data."""

import time
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from channels_app.webchat.errors import NoVisitor

_SALT = "webchat visitor"
_FILE_SALT = "webchat file"
FILE_KEY_SECONDS = 3 * 3600


def make(channel_id: UUID, thread_id: int) -> str:
    """A fresh token for a thread."""
    return signing.dumps([channel_id.hex, thread_id], salt=_SALT)


def read(token: str, channel_id: UUID) -> int:
    """The thread a token stands for. Raises NoVisitor when it is damaged, too old or of another channel."""
    try:
        channel, thread_id = signing.loads(token, salt=_SALT, max_age=settings.WIDGET_TOKEN_DAYS * 86400)
    except (signing.BadSignature, ValueError, TypeError):
        raise NoVisitor from None
    if channel != channel_id.hex:
        raise NoVisitor
    return int(thread_id)


def file_key(media_id: str) -> str:
    """What opens one file for three to six hours: an image cannot carry a header. The same within three hours."""
    return _key(media_id, int(time.time() // FILE_KEY_SECONDS))


def opens(key: str, media_id: str) -> bool:
    """Whether a key is of this file and not too old."""
    period = int(time.time() // FILE_KEY_SECONDS)
    given = key.encode()
    return any(constant_time_compare(given, _key(media_id, one).encode()) for one in (period, period - 1))


def _key(media_id: str, period: int) -> str:
    return salted_hmac(_FILE_SALT, f"{media_id}:{period}", algorithm="sha256").hexdigest()[:40]
