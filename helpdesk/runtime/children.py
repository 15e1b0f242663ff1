"""Processes of one desk: how a role is forked from the prepared supervisor, and how its words reach the one log."""

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Thread
from typing import NoReturn

from helpdesk.runtime.privileges import LINUX, die_with_parent

COLOURS = {"postgres": 34, "valkey": 31, "web": 32, "worker": 36, "clock": 33, "beat": 35, "mail": 94, "simulators": 90}
NAME_WIDTH = 10
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a dead role is started again
HEALTHY_AFTER = 60.0  # seconds a role must have lived for its deaths to be forgotten


@dataclass
class Stream:
    """The output of one child, cut into lines."""

    name: str
    descriptor: int
    rest: bytes = b""

    def read(self) -> bool:
        """Pass on what has come; False at its end."""
        try:
            data = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return True
        *lines, self.rest = (self.rest + data).split(b"\n")
        if not data and self.rest:
            lines, self.rest = [self.rest], b""
        say(self.name, lines)
        return bool(data)


def say(name: str, lines: Iterable[bytes | str]) -> None:
    """Lines of one child in the common log, each with its name."""
    colour, plain = (f"\x1b[{COLOURS.get(name, 37)}m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    for line in lines:
        text = line.decode(errors="replace") if isinstance(line, bytes) else line
        sys.stdout.write(f"{colour}{name:<{NAME_WIDTH}}|{plain} {text}\n")
    sys.stdout.flush()


@dataclass
class Role:
    """One role and its present process."""

    name: str
    run: Callable[[], None]
    pid: int | None = None
    started: float = 0.0
    pause: float = 0.0
    start_at: float = field(default=0.0)

    def start(self, close: Iterable[int]) -> Stream:
        """Fork it; `close`: descriptors of the supervisor that it must not hold."""
        read, write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(self.name, self.run, write, [read, *close], parent)
        os.close(write)
        os.set_blocking(read, False)
        self.pid, self.started = pid, time.monotonic()
        return Stream(self.name, read)

    def ended(self) -> int | None:
        """The exit status if the process has ended since we last looked, minus the signal's number if killed."""
        if self.pid is None:
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        self.pid = None
        lived = time.monotonic() - self.started
        self.pause = FIRST_PAUSE if lived > HEALTHY_AFTER else min(self.pause * 2 or FIRST_PAUSE, LONGEST_PAUSE)
        self.start_at = time.monotonic() + self.pause
        return os.waitstatus_to_exitcode(status)

    def signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.kill(self.pid, number)


class Errand:
    """Something run in a forked child, so that this process keeps neither its connections nor its threads."""

    def __init__(self, run: Callable[[], None]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            die_with_parent(signal.SIGKILL, parent)
            _forget_signals()
            _leave_with(run)

    def wait(self, is_cancelled: Callable[[], bool]) -> int:
        """Its exit status; it is ended early when cancelled."""
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if is_cancelled():
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)


def _become(name: str, run: Callable[[], None], output: int, close: Iterable[int], parent: int) -> NoReturn:
    """The forked child's life. Nothing it holds may outlive the supervisor or keep its lock."""
    try:
        os.setsid()  # Ctrl-C is for the supervisor, which stops the roles in order
        die_with_parent(signal.SIGKILL, parent)
        if not LINUX:
            Thread(target=_watch_parent, args=(parent,), daemon=True).start()
        _forget_signals()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        for descriptor in (null, output, *close):
            os.close(descriptor)
        _title(f"hd-{name}")
        gc.enable()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    _leave_with(run)


def _leave_with(run: Callable[[], None]) -> NoReturn:
    """Run and end the process without the supervisor's own clean-up."""
    status = 0
    try:
        run()
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else int(bool(exit_.code))
        if isinstance(exit_.code, str):
            sys.stderr.write(f"{exit_.code}\n")
    except KeyboardInterrupt:
        pass
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _forget_signals() -> None:
    """The supervisor's handlers are not the child's."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _watch_parent(parent: int) -> None:
    """Where the kernel does not end us with the supervisor."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _title(name: str) -> None:
    """What top and ps show, on Linux."""
    if LINUX:
        with open("/proc/self/comm", "w") as comm:
            comm.write(name)
