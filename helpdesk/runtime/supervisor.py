"""What `manage.py up` does: servers, migrations, roles; one log; an orderly end."""

import gc
import http.client
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from helpdesk.env import Env
from helpdesk.runtime import preflight, roles
from helpdesk.runtime.children import Errand, Role, Stream, say
from helpdesk.runtime.embedded import Postgres, Valkey
from helpdesk.runtime.errors import CannotStart

# Doors first, so that nothing new comes in; workers last, they finish what they hold.
STOP_ORDER = (("mail", "web"), ("beat", "clock"), ("worker",), ("simulators",))
PATIENCE = {"worker": 30.0}  # seconds before a role that will not end is killed
DEFAULT_PATIENCE = 10.0
NOT_READY_AFTER, ASK_EVERY = 60.0, 0.1  # seconds


class Supervisor:
    """One desk on one machine. Single-threaded: it forks."""

    def __init__(self, env: Env, var: Path, announce: Callable[[], str], prepare: Callable[[], None]) -> None:
        self.env, self.var, self.announce, self.prepare = env, var, announce, prepare
        self.selector = selectors.DefaultSelector()
        self.servers: list[tuple[str, Postgres | Valkey]] = []
        self.roles: list[Role] = []
        self.streams: dict[int, Stream] = {}
        self.held: list[int] = []  # descriptors no child may inherit
        self.stopping = False
        self.wake_read, self.wake_write = os.pipe()

    def run(self) -> None:
        """Until a signal ends it. CannotStart before anything was left running."""
        preflight.refuse_public_demo(self.env)
        self.held += [preflight.take_folder(self.var), self.wake_read, self.wake_write]
        listener = preflight.bound(self.env.host, self.env.port, "PORT")
        preflight.bound(self.env.host, self.env.mail_port, "MAIL_PORT").close()
        self._listen_to_signals()
        try:
            self._start_servers()
            self._prepare()
            self._start_roles(listener)
            self._watch()
        finally:
            self._stop()

    def _listen_to_signals(self) -> None:
        for descriptor in (self.wake_read, self.wake_write):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self.wake_write)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # wakes the loop
        self.selector.register(self.wake_read, selectors.EVENT_READ)

    def _on_stop(self, number: int, frame: object) -> None:
        if self.stopping:  # a second one is impatience
            for role in self.roles:
                role.signal(signal.SIGKILL)
        self.stopping = True

    # --- servers ------------------------------------------------------------------------------------------------------

    def _start_servers(self) -> None:
        if not self.env.database_url:
            self._start_server("postgres", Postgres(self.var))
        if not self.env.broker:
            self._start_server("valkey", Valkey(self.var))

    def _start_server(self, name: str, server: Postgres | Valkey) -> None:
        read, write = os.pipe()
        os.set_blocking(read, False)
        stream = Stream(name, read)
        self._listen(stream)
        try:
            server.start(output=write)
        except CannotStart:
            stream.read()
            raise
        finally:
            os.close(write)
        if (name, server) not in self.servers:
            self.servers.append((name, server))

    def _prepare(self) -> None:
        """Migrate in a child while this process imports what the roles will share."""
        errand = Errand(self.prepare)
        gc.disable()
        roles.preload()
        if errand.wait(lambda: self.stopping) and not self.stopping:
            raise CannotStart("The database could not be made ready; the lines above say why.")
        if threading.active_count() > 1:
            say("up", [f"more than one thread before the fork: {threading.enumerate()}"])
        gc.collect()
        gc.freeze()

    # --- roles --------------------------------------------------------------------------------------------------------

    def _start_roles(self, listener: socket.socket) -> None:
        wanted = roles.ROLES | (roles.DEMO_ROLES if self.env.demo else {})
        for name, run in wanted.items():
            role = Role(name, (lambda: roles.web(listener)) if name == "web" else run)
            self.roles.append(role)
        self.listener = listener
        for role in self.roles:
            self._start_role(role)

    def _start_role(self, role: Role) -> None:
        if self.stopping:
            return
        close = [*self.held, *self.streams]
        if role.name != "web":
            close.append(self.listener.fileno())
        self._listen(role.start(close))

    def _listen(self, stream: Stream) -> None:
        self.streams[stream.descriptor] = stream
        self.selector.register(stream.descriptor, selectors.EVENT_READ)

    def _watch(self) -> None:
        """Pass lines on, start again what died, say when the desk is ready."""
        announced = False
        begun = asked = time.monotonic()
        while not self.stopping:
            self._pass_on(1.0 if announced else 0.05)
            self._start_again()
            if announced or time.monotonic() - asked < ASK_EVERY:
                continue
            asked = time.monotonic()
            if (ready := self._is_ready()) or asked - begun > NOT_READY_AFTER:
                announced = True
                sys.stdout.write(self.announce() if ready else "The desk is not ready yet; the lines above say why.\n")
                sys.stdout.flush()

    def _pass_on(self, seconds: float) -> None:
        """Wait for lines or a signal, at most this long."""
        for key, _ in self.selector.select(seconds):
            if key.fd == self.wake_read:
                with suppress(BlockingIOError):
                    os.read(self.wake_read, 4096)
            elif not self.streams[key.fd].read():
                self.selector.unregister(key.fd)
                del self.streams[key.fd]
                os.close(key.fd)

    def _start_again(self) -> None:
        for name, server in self.servers:
            if server.process and server.process.poll() is not None:
                say(name, [f"ended ({server.process.returncode}): starting it again"])
                try:
                    self._start_server(name, server)
                except CannotStart as error:
                    say(name, [str(error)])
        for role in self.roles:
            if (status := role.ended()) is not None:
                say(role.name, [f"ended ({status}): starting it again in {role.pause:.1f} s"])
            if role.pid is None and time.monotonic() >= role.start_at:
                self._start_role(role)

    def _is_ready(self) -> bool:
        host = "127.0.0.1" if self.env.host in {"0.0.0.0", ""} else self.env.host  # noqa: S104 - compared, not bound
        connection = http.client.HTTPConnection(host, self.env.port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status != http.HTTPStatus.OK:
                return False
            socket.create_connection((host, self.env.mail_port), timeout=1).close()
            return True
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    # --- the end ------------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        self.stopping = True
        for names in STOP_ORDER:
            self._stop_roles([role for role in self.roles if role.name in names and role.pid is not None])
        for _, server in reversed(self.servers):
            server.stop()
        self._pass_on(0)

    def _stop_roles(self, group: list[Role]) -> None:
        for role in group:
            role.signal(signal.SIGTERM)
        begun = time.monotonic()
        while alive := [role for role in group if role.pid is not None]:
            self._pass_on(0.05)
            for role in alive:
                if role.ended() is None and time.monotonic() - begun > PATIENCE.get(role.name, DEFAULT_PATIENCE):
                    say(role.name, ["does not end: killed"])
                    role.signal(signal.SIGKILL)
