"""Who the embedded servers run as, and how they die with the process that started them."""

import ctypes
import os
import pwd
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

from helpdesk.runtime.errors import CannotStart

ACCOUNTS = ("postgres", "embedded_postgres", "nobody")
LINUX = sys.platform.startswith("linux")

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT = 1, 28, 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(death_signal: Signals, parent: int) -> None:
    """Linux: this process gets `death_signal` when its parent ends, even by kill -9. Nothing elsewhere."""
    if LINUX:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel knew
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Account:
    """The account a child runs as. `through_closed_folders`: it keeps the right to enter folders closed to it."""

    name: str
    uid: int
    gid: int
    through_closed_folders: bool = False

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)

    def become(self) -> None:
        """Switch this (single-threaded, just forked) process for good; never back to root."""
        # Without NO_SETUID_FIXUP the kernel drops the capability in access(2), which PostgreSQL asks about itself.
        keep = self.through_closed_folders and _libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == 0
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)
        if keep:
            mask = 1 << CAP_DAC_READ_SEARCH
            data = (_CapData * 2)(_CapData(mask, mask, mask), _CapData(0, 0, 0))
            if _libc.capset(ctypes.byref(_CapHeader(CAPABILITY_VERSION_3, 0)), data) != 0:
                os._exit(126)
            _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0)


def server_account(paths: Iterable[Path]) -> Account | None:
    """The account for a server that needs these paths; None: run as ourselves. PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        account = Account(name, entry.pw_uid, entry.pw_gid)
        if all(can_enter(account, path) for path in paths):
            return account
        return Account(name, entry.pw_uid, entry.pw_gid, through_closed_folders=LINUX)
    raise CannotStart("PostgreSQL does not run as root and there is no unprivileged account (postgres, nobody) to use.")


def can_enter(account: Account, path: Path) -> bool:
    """Whether the mode bits of every folder above `path` let the account pass."""
    for folder in path.absolute().parents:
        try:
            status = folder.stat()
        except FileNotFoundError:
            continue
        if status.st_uid == account.uid:
            wanted = stat.S_IXUSR
        elif status.st_gid == account.gid:
            wanted = stat.S_IXGRP
        else:
            wanted = stat.S_IXOTH
        if not status.st_mode & wanted:
            return False
    return True


def before_exec(death_signal: Signals, account: Account | None) -> Callable[[], Any]:
    """A preexec function: become the account, then tie the life to ours (a switch of user would undo the tie)."""
    parent = os.getpid()

    def prepare() -> None:
        if account is not None:
            account.become()
        die_with_parent(death_signal, parent)

    return prepare
