"""The clock loop: what is due is found within a second, whoever else sleeps."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.module_loading import import_string
from django.utils.timezone import now

from helpdesk.runtime.stop import Stop

log = logging.getLogger(__name__)

LONGEST_SLEEP = 1.0  # seconds; what becomes due meanwhile by another process waits no longer
LONGEST_BACK_OFF = 10.0

# Fires what is due and returns when the next one is, None when nothing waits. Claims with SKIP LOCKED, so that any
# number of loops may run.
Finder = Callable[[], datetime | None]


def finders() -> list[Finder]:
    """Those named in settings.CLOCK_FINDERS."""
    return [import_string(path) for path in settings.CLOCK_FINDERS]


def run(found: Sequence[Finder], stop: Stop) -> None:
    """Ask every finder again and again until told to stop. Survives a dead database and a broken finder."""
    back_off = 0.0
    while not stop.is_set():
        try:
            sleep = look(found)
            back_off = 0.0
        except DatabaseError as error:
            back_off = min(back_off * 2 or 0.5, LONGEST_BACK_OFF)
            log.warning("the database does not answer, next look in %.1f s: %s", back_off, str(error).split("\n")[0])
            connection.close()
            sleep = back_off
        stop.wait(sleep)


def look(found: Sequence[Finder]) -> float:
    """Ask each finder once; how many seconds may be slept until the next one is due."""
    sleep = LONGEST_SLEEP
    for finder in found:
        try:
            due_at = finder()
        except DatabaseError:
            if not connection.is_usable():
                raise
            log.exception("clock finder %s.%s", finder.__module__, finder.__name__)
        except Exception:  # one broken finder must not stop the clocks of the others
            log.exception("clock finder %s.%s", finder.__module__, finder.__name__)
        else:
            if due_at is not None:
                sleep = min(sleep, (due_at - now()).total_seconds())
    return max(sleep, 0.01)
