"""A whole desk started for a test, the way a newcomer does it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = "helpdesk.settings"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Desk:
    """`manage.py up` in a folder, on free ports."""

    def __init__(self, var: Path, **variables: str) -> None:
        self.var, self.port, self.mail_port = var, free_port(), free_port()
        self.log = var.with_suffix(".log")
        kept = {
            key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH"}
        }
        self.environment = {
            **kept, "DJANGO_SETTINGS_MODULE": SETTINGS, "HELPDESK_VAR_DIR": str(var), "DEMO": "0", "WORKERS": "1",
            "PORT": str(self.port), "MAIL_PORT": str(self.mail_port), **variables,
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Another command beside it, or a start that is expected to fail."""
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment,
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def start(self, timeout: float = 60) -> float:
        """Seconds until it answers that it is ready."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        while not self.is_ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - begun < timeout, self.log.read_text()
            time.sleep(0.05)
        return time.monotonic() - begun

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                socket.create_connection(("127.0.0.1", self.mail_port), timeout=2).close()
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Its exit status."""
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(60)

    def processes(self) -> dict[int, str]:
        """Everything alive that belongs to this folder: pid and name, children of the kernel's list only."""
        mark, found = os.fsencode(self.var), {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
            except OSError:
                continue
        found.pop(os.getpid(), None)
        return found

    def nothing_left(self, seconds: float = 5) -> bool:
        return waited(lambda: not self.processes(), seconds)


def waited(condition: object, seconds: float) -> bool:
    """Whether the condition (a callable) came true within the time."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def running(desk: Desk) -> Iterator[Desk]:
    """For fixtures: started, and ended with everything it started."""
    desk.start()
    try:
        yield desk
    finally:
        if desk.process and desk.process.poll() is None:
            desk.end()
