"""The visitor's token: signed, of one thread on one channel, renewed with every session. Holds no personal data."""

from uuid import UUID

from django.conf import settings
from django.core import signing

from channels_app.webchat.errors import NoVisitor

_SALT = "webchat visitor"
_FILE_SALT = "webchat file"
FILE_KEY_SECONDS = 6 * 3600


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
    """What opens one file for some hours: an image cannot carry a header."""
    return signing.TimestampSigner(salt=_FILE_SALT).sign(media_id).rpartition(media_id + ":")[2]


def opens(key: str, media_id: str) -> bool:
    """Whether a key is of this file and not too old."""
    try:
        signing.TimestampSigner(salt=_FILE_SALT).unsign(f"{media_id}:{key}", max_age=FILE_KEY_SECONDS)
    except signing.BadSignature:
        return False
    return True
