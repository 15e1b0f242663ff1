"""A wish to stop that a signal handler may set and a loop may wait for."""

import os
import select
import signal
from signal import Signals
from types import FrameType


class Stop:
    """Like threading.Event, which must not be set from a signal handler: its lock may be held just then."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self) -> None:
        os.write(self._write, b"!")

    def is_set(self) -> bool:
        return self.wait(0)

    def wait(self, seconds: float) -> bool:
        """Whether it was set, at the latest after this time."""
        return bool(select.select([self._read], [], [], seconds)[0])


def stop_on_signal() -> Stop:
    """Set by SIGTERM and SIGINT, whose handlers it takes over."""
    stop = Stop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (Signals.SIGTERM, Signals.SIGINT):
        signal.signal(number, on_signal)
    return stop
