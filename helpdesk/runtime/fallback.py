"""Work goes on without Valkey: the clock process drains the queues itself until Celery can be reached again."""

import logging
from collections.abc import Callable
from threading import Thread

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from helpdesk.core import valkey
from helpdesk.runtime.stop import Stop

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
TROUBLES_BEFORE_HELP = 2  # a restart of Valkey is shorter


def watch(stop: Stop) -> Thread:
    """A thread beside the clock, so that a long drain makes no clock late."""
    thread = Thread(target=_watch, args=(stop,), name="fallback", daemon=True)
    thread.start()
    return thread


def _watch(stop: Stop) -> None:
    troubles = 0
    while not stop.wait(1.0 if troubles >= TROUBLES_BEFORE_HELP else LOOK_SECONDS):
        if valkey_answers():
            troubles = 0
            continue
        troubles += 1
        if troubles == TROUBLES_BEFORE_HELP:
            log.warning("Valkey does not answer: the clock process works the queues meanwhile")
        if troubles >= TROUBLES_BEFORE_HELP:
            drain_all()


def valkey_answers() -> bool:
    try:
        return bool(valkey.client().ping())
    except Exception:
        return False


def drain_all() -> None:
    """Work every queue once, in this process; a queue in trouble does not stop the others."""
    for queue, path in settings.DRAINS.items():
        try:
            work: Callable[[], object] = import_string(path)
            work()
        except Exception:
            log.exception("draining %s without Celery", queue)
            connection.close()
