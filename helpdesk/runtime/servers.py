"""The embedded database for a command, also when no desk runs in this folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, connections

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
        connections.close_all()
        server.stop()
        os.close(log)
        os.close(folder)


def server_version() -> int:
    """That of the database, as PostgreSQL counts: 180006 is 18.6."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0])
