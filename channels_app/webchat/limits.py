"""How often: fixed windows counted in Valkey. Without Valkey nobody is refused."""

import ipaddress
import logging
import time

from helpdesk.core import valkey
from helpdesk.core.errors import TooMany

log = logging.getLogger(__name__)

# What -> (times, within seconds), for one visitor and for one address.
PER_VISITOR = {"say": (120, 60), "file": (30, 300), "email": (5, 600), "confirm": (20, 600)}
PER_ADDRESS = {"session": (120, 60), "say": (1200, 60), "file": (300, 300), "email": (20, 600), "confirm": (60, 600)}


def visitor(what: str, thread_id: int) -> None:
    """Count one act of a visitor. Raises TooMany."""
    _count(f"{what}:t{thread_id}", *PER_VISITOR[what])


def address(what: str, remote: str) -> None:
    """Count one act from a network address. Raises TooMany.

    Our own machine is never counted: it is a proxy that did not say for whom it speaks, so a limit would hit all.
    """
    try:
        if ipaddress.ip_address(remote).is_loopback:
            return
    except ValueError:
        return  # a unix socket: likewise a proxy
    _count(f"{what}:a{remote}", *PER_ADDRESS[what])


def _count(name: str, times: int, seconds: int) -> None:
    key = f"widget:{name}:{int(time.time() // seconds)}"
    try:
        with valkey.client().pipeline(transaction=False) as pipe:
            pipe.incr(key)
            pipe.expire(key, seconds)
            used = pipe.execute()[0]
    except Exception:
        log.warning("the chat's limits are not counted: Valkey does not answer")
        return
    if used > times:
        raise TooMany
