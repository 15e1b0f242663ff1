"""The one client of Valkey for synchronous code. Valkey remembers nothing we could not do without."""

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client() -> Redis:
    """A client that answers or fails within two seconds and is never retried: the callers can do without."""
    return Redis.from_url(settings.VALKEY_URL, socket_timeout=2, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
