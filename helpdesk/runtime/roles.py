"""What a desk consists of: web, worker, clock, beat and mail, each runnable alone or under the supervisor."""

import logging
import os
import runpy
import signal
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from helpdesk.runtime.privileges import die_with_parent
from helpdesk.runtime.stop import stop_on_signal

log = logging.getLogger(__name__)

BEAT_LOCK = 0x68656C70  # "help": the advisory lock of whoever beats
WEB_POOL = {"min_size": 1, "max_size": 16, "timeout": 10.0}
MAIL_SERVER = "channels_app.mail.serve"


def preload() -> None:
    """Import what the roles need, so that forked ones share the memory. Starts no thread, opens no connection."""
    import uvicorn.protocols.http.httptools_impl
    import uvicorn.protocols.websockets.websockets_sansio_impl  # noqa: F401
    from django.urls import get_resolver

    from helpdesk.asgi import application  # noqa: F401
    from helpdesk.celery import app

    app.loader.import_default_modules()
    app.finalize()
    import celery.apps.beat
    import celery.apps.worker
    import celery.concurrency.prefork
    import celery.worker.consumer  # noqa: F401

    _ = get_resolver().url_patterns


def web(listener: socket.socket | None = None) -> None:
    """uvicorn. `listener`: a socket that listens already; else HOST and PORT."""
    import uvicorn

    for name in connections:
        connections.settings[name]["CONN_MAX_AGE"] = 0
        connections.settings[name]["OPTIONS"]["pool"] = WEB_POOL
    config = uvicorn.Config(
        "helpdesk.asgi:application", host=settings.ENV.host, port=settings.ENV.port, lifespan="off",
        ws="websockets-sansio", ws_ping_interval=20, ws_ping_timeout=20, log_config=None, timeout_graceful_shutdown=5,
        server_header=False, backlog=1024,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener] if listener else None)


def worker() -> None:
    """Celery prefork: WORKERS processes, by default one a core, for every queue in settings.CELERY_QUEUES."""
    from helpdesk.celery import app

    _keep_connections()
    parent = os.getpid()
    # A pool process whose main process was killed would wait for work for ever.
    os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL, parent))
    processes = settings.ENV.workers or len(_usable_cores())
    # It may be root here: messages are JSON, nothing in them is executed.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")
    app.worker_main([
        "--quiet", "worker", "--pool", "prefork", "-O", "fair", "--concurrency", str(processes),
        "--queues", ",".join(settings.CELERY_QUEUES), "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ])  # fmt: skip


def clock() -> None:
    """The clock loop, until SIGTERM or SIGINT; it also works the queues while Valkey is dead."""
    from helpdesk.runtime import clock as loop
    from helpdesk.runtime import fallback

    _keep_connections()
    stop = stop_on_signal()
    fallback.watch(stop)
    loop.run(loop.finders(), stop)


def beat() -> None:
    """Celery beat, while this process holds the one advisory lock for it; others wait their turn."""
    import psycopg

    from helpdesk.celery import app

    stop = stop_on_signal()
    wanted: dict[str, Any] = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context", "pool"):  # Django's alone
        wanted.pop(name, None)
    with psycopg.connect(**wanted, autocommit=True) as connection:
        while not connection.execute("SELECT pg_try_advisory_lock(%s)", [BEAT_LOCK]).fetchone()[0]:  # type: ignore[index]
            if stop.wait(5):
                return
        threading.Thread(target=_watch, args=(connection,), daemon=True).start()
        app.Beat(schedule=str(settings.VAR_DIR / "beat-schedule"), loglevel="WARNING", quiet=True).run()


def mail() -> None:
    """The mail listener on HOST and MAIL_PORT, and the mailboxes that are fetched."""
    _keep_connections()
    serve: Callable[[str, int], None] = import_string(MAIL_SERVER)
    serve(settings.ENV.host, settings.ENV.mail_port)


def simulators() -> None:
    """The demo's providers, each calling the demo channel of its kind. The desk knows them by their addresses only."""
    runpy.run_module(f"{settings.SIMULATORS}.__main__", run_name="simulators")["main"](
        settings.SIMULATORS_PORT, settings.SITE_URL
    )


ROLES: dict[str, Callable[[], None]] = {"web": web, "worker": worker, "clock": clock, "beat": beat, "mail": mail}
# What only a demo runs beside them, under the supervisor.
DEMO_ROLES: dict[str, Callable[[], None]] = {"simulators": simulators}


def _keep_connections() -> None:
    """One connection for the life of the process: opening one costs more than most of the work."""
    for name in connections:
        connections.settings[name]["CONN_MAX_AGE"] = None


def _watch(connection: Any) -> None:
    """End the process when the lock may be lost; whoever started it starts it again."""
    while True:
        threading.Event().wait(10)
        try:
            connection.execute("SELECT 1")
        except Exception:
            log.warning("the connection that holds the lock of beat is gone: starting again")
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _usable_cores() -> set[int] | range:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)
