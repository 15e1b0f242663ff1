"""A desk of our own to measure: started by `manage.py up` in a temporary folder, on free ports."""

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
READY_WITHIN = 90.0


class Desk:
    """One running desk with durable settings. `start()` may be called again after `stop()`: the data stay."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="desk-bench-"))
        self.temporary = folder is None
        self.port, self.mail_port, self.provider_port = _free_port(), _free_port(), _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "bench.log"

    @property
    def environment(self) -> dict[str, str]:
        """What the desk, and this process, are to see."""
        return {
            "HELPDESK_VAR_DIR": str(self.folder / "var"),
            "PORT": str(self.port),
            "MAIL_PORT": str(self.mail_port),
            "DEMO": "0",
            "HELPDESK_ALLOW_HOSTS": f"127.0.0.1:{self.provider_port}",
            "HOST": "127.0.0.1",
        }

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> dict[str, float]:
        """Seconds until the pages are ready and until the mail listener greets, counted from the command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **self.environment}
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--end-with-parent"],
                cwd=PROJECT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        waiting = {"pages": self._pages_answer, "mail": self._mail_answers}
        took: dict[str, float] = {}
        while waiting:
            if self.process.poll() is not None or time.monotonic() - begun > READY_WITHIN:
                raise SystemExit(f"The desk does not start; its log ends with:\n{self.last_words()}")
            for name in [name for name, answers in waiting.items() if answers()]:
                took[name] = time.monotonic() - begun
                del waiting[name]
            time.sleep(0.01)
        return took

    def stop(self) -> None:
        """In order; the data stay."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def remove(self) -> None:
        """Stop it and throw its folder away, unless the folder was given."""
        self.stop()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def _pages_answer(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _mail_answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.mail_port), timeout=1) as connection:
                return connection.recv(4).startswith(b"220")
        except OSError:
            return False


class Browser:
    """One keep-alive HTTP connection with cookies, as a browser has it."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.port = port
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and body, read to the end."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, given)
        answer = self.connection.getresponse()
        content = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return answer.status, content

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        return self.request("GET", path, **headers)

    def post_form(self, path: str, fields: dict[str, Any], **headers: str) -> tuple[int, bytes]:
        """As multipart/form-data, with the CSRF token."""
        mark = secrets.token_hex(12)
        lines = []
        for name, value in fields.items():
            lines.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
        body = "".join([*lines, f"--{mark}--\r\n"]).encode()
        origin = f"http://127.0.0.1:{self.port}"
        return self.request(
            "POST", path, body,
            Content_Type=f"multipart/form-data; boundary={mark}", X_CSRFToken=self.cookies["csrftoken"],
            **{"Origin": origin, **headers},
        )  # fmt: skip

    def post_json(self, path: str, value: object, **headers: str) -> tuple[int, Any]:
        """The status and the answer's JSON."""
        content = json.dumps(value).encode()
        status, answer = self.request("POST", path, content, **{"Content_Type": "application/json", **headers})
        return status, json.loads(answer) if answer else None

    def sign_in(self, email: str, password: str) -> None:
        """By the sign-in page. SystemExit when it does not let us in."""
        status, _ = self.get("/accounts/login/")
        self.request(
            "POST", "/accounts/login/",
            f"login={email.replace('@', '%40')}&password={password}".encode(),
            Content_Type="application/x-www-form-urlencoded", X_CSRFToken=self.cookies["csrftoken"],
            Origin=f"http://127.0.0.1:{self.port}",
        )  # fmt: skip
        if "sessionid" not in self.cookies:
            raise SystemExit(f"The sign-in page (status {status}) does not let us in.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
