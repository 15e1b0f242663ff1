"""What is looked at before anything is started: each problem is one clear line."""

import errno
import fcntl
import os
import socket
from pathlib import Path

from helpdesk.env import Env
from helpdesk.runtime.embedded import unwritable
from helpdesk.runtime.errors import CannotStart


def refuse_public_demo(env: Env) -> None:
    """The demo's passwords are known to everybody: CannotStart when others could reach it."""
    if env.demo and not env.is_loopback:
        raise CannotStart(
            f"The demo accounts have known passwords and HOST={env.host} lets others in: set DEMO=0 or HOST=127.0.0.1."
        )


def take_folder(var: Path) -> int:
    """The descriptor that holds this folder for one desk until it is closed. CannotStart when another one has it."""
    path = var / "up.lock"
    try:
        var.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(var, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        raise CannotStart(
            f"A desk runs in {var} already (process {other or 'unknown'}): stop it or set HELPDESK_VAR_DIR."
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def is_taken(var: Path) -> bool:
    """Whether a desk runs in this folder."""
    try:
        os.close(take_folder(var))
    except CannotStart:
        return True
    return False


def bound(host: str, port: int, variable: str) -> socket.socket:
    """A socket bound to this address, not yet listening. CannotStart names the variable to change."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CannotStart(f"HOST: {host!r} is not an address of this machine ({error.strerror}).") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)  # only now does the kernel say whether another one listens there
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"Port {port} on {host} is taken: set {variable} to a free one.") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise CannotStart(f"HOST: {host} is not an address of this machine.") from None
        raise CannotStart(f"Port {port} on {host} cannot be used ({error.strerror}): set {variable}.") from None
    return listener
