"""Django's cache on Valkey that goes on, process by process, when Valkey is dead. Holds rate limits, nothing else."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

LOOK_AGAIN = 5.0  # seconds


class ForgivingCache(BaseCache):
    """Valkey where it answers; after a failure this process's memory for five seconds, then Valkey is tried again.

    A limit counted in memory is a limit for each process, so a dead Valkey makes limits wider and never shuts anybody
    out; a dead address costs one time-out in five seconds, not one for every request.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        impatient = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": Retry(NoBackoff(), 0)}
        self._valkey = RedisCache(server, {**params, "OPTIONS": impatient})
        self._memory = LocMemCache(f"beside {server}", params)
        self._dead_until = 0.0

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._dead_until:
            try:
                return getattr(self._valkey, name)(*args, **kwargs)
            except (RedisError, OSError) as error:
                self._dead_until = time.monotonic() + LOOK_AGAIN
                log.warning("Valkey does not answer (%s); rate limits are counted in each process", error)
        fallback: Callable[..., Any] = getattr(self._memory, name)
        return fallback(*args, **kwargs)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._call("add", key, value, timeout, version=version))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._call("get", key, default, version=version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        self._call("set", key, value, timeout, version=version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._call("touch", key, timeout, version=version))

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._call("delete", key, version=version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return int(self._call("incr", key, delta, version=version))

    def clear(self) -> None:
        """Forget all of ours and nothing else: the queues lie in the same database, so never FLUSHDB."""
        self._memory.clear()
        client = self._valkey._cache.get_client(None, write=True)
        try:
            for key in client.scan_iter(match=f"{self.key_prefix}:*", count=500):
                client.delete(key)
        except (RedisError, OSError) as error:
            log.warning("Valkey does not answer (%s); its limits run out by themselves", error)
