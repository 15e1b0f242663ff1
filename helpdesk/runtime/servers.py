"""The embedded database for a command, also when no desk runs in this folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from helpdesk.runtime.embedded import Postgres
from helpdesk.runtime.errors import CannotStart
from helpdesk.runtime.preflight import take_folder


@contextmanager
def database_running() -> Iterator[None]:
    """Inside, the database answers: the given one, the running desk's, or one started for this command."""
    if settings.ENV.database_url:
        yield
        return
    try:
        folder = take_folder(Path(settings.VAR_DIR).resolve())
    except CannotStart:  # a desk runs there: its server is ours too
        yield
        return
    log = os.open(os.devnull, os.O_WRONLY)
    server = Postgres(settings.VAR_DIR).start(output=log)
    try:
        yield
    finally:
        from django.db import connections

        connections.close_all()
        server.stop()
        os.close(log)
        os.close(folder)
