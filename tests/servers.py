"""The PostgreSQL and Valkey of a test run: real ones, in a temp folder that is reused between runs."""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

import pytest

from helpdesk.runtime import embedded

VALKEY_DATABASES = 64
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
FOLDER, CLAIMED_BY = "HELPDESK_VAR_DIR", "HELPDESK_TEST_SERVERS"

_locks: list[int] = []
_running: list[embedded.Postgres | embedded.Valkey] = []


def claim() -> Path:
    """The folder of this run's servers; call it in tests/settings.py before the environment is read.

    The first process of a run takes a free folder (two runs of one checkout get two); the xdist workers it
    starts find the folder in their environment and get a Valkey database of their own.
    """
    if CLAIMED_BY not in os.environ:
        checkout = hashlib.sha256(str(embedded.PROJECT).encode()).hexdigest()[:10]
        base = Path(tempfile.gettempdir()) / f"hd-tests-{os.geteuid()}-{checkout}"
        folder = next(path for number in range(20) if _lock(path := base / str(number)))
        os.environ[CLAIMED_BY] = str(os.getpid())
        os.environ[FOLDER] = str(folder)
        for name in ("DATABASE_URL", "VALKEY_URL", "REDIS_URL", "MAIL_OUT", "SITE_URL"):
            os.environ.pop(name, None)  # a run never touches servers somebody works with
    folder = Path(os.environ[FOLDER])
    os.environ["VALKEY_URL"] = f"{embedded.valkey_url(folder)}?db={worker_number()}"
    return folder


def _lock(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _locks.append(descriptor)  # held until this process ends
    return True


def worker_number() -> int:
    """Which of the run's processes this is: 0 without xdist, else 1 for gw0 and so on."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return (int(worker.removeprefix("gw")) + 1) % VALKEY_DATABASES if worker else 0


def start() -> None:
    """Both servers run on return; they end with stop() or with this process, however it ends."""
    folder = claim()
    log = os.open(folder / "servers.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    _running.append(embedded.Postgres(folder, FAST).start(log))
    options = {"appendonly": "no", "databases": str(VALKEY_DATABASES)}
    _running.append(embedded.Valkey(folder, options).start(log))
    os.close(log)


def stop() -> None:
    while _running:
        _running.pop().stop()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        start()


def pytest_unconfigure(config: pytest.Config) -> None:
    stop()
