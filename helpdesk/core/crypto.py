"""Secrets at rest: a JSON field that PostgreSQL only sees encrypted."""

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


@cache
def fernet(purpose: str) -> Fernet:
    """What encrypts and decrypts for one purpose."""
    return Fernet(base64.urlsafe_b64encode(key(purpose)))


def key(purpose: str) -> bytes:
    """32 bytes for one purpose, made from SECRET_KEY: no two purposes share a key."""
    return hmac.new(settings.SECRET_KEY.encode(), f"helpdesk {purpose}".encode(), hashlib.sha256).digest()


class EncryptedJSON(_TextField):
    """A dict kept encrypted. A value that no longer decrypts (another SECRET_KEY) reads as an empty dict."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> dict[str, Any]:
        if not value:
            return {}
        try:
            opened: dict[str, Any] = json.loads(fernet("channel secrets").decrypt(value.encode()))
        except InvalidToken:
            return {}
        return opened

    def get_prep_value(self, value: Any) -> str:
        if not value:
            return ""
        return fernet("channel secrets").encrypt(json.dumps(value).encode()).decode()

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, dict) else {}
