"""All simulated providers in one process, beside the demo desk: python -m channels_app.simulators PORT DESK_URL."""

import importlib
import pkgutil
import signal
import sys
import threading

from channels_app import simulators
from channels_app.simulators.base import Provider, serve


def providers(desk: str) -> dict[str, Provider]:
    """One of each kind, each calling the demo channel of its kind."""
    found: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(simulators.__path__):
        if module.name.startswith("_") or module.name == "base":
            continue
        importlib.import_module(f"channels_app.simulators.{module.name}")
    for one in _below(Provider):
        if getattr(one, "kind", ""):
            made = found[one.kind] = one(hook_url=f"{desk.rstrip('/')}/hooks/{one.channel_id}/")
            for person in made.PEOPLE:  # the demo's stories are of today, also after a restart
                made.touched(person)
    return found


def _below(base: type[Provider]) -> list[type[Provider]]:
    return [one for child in base.__subclasses__() for one in (child, *_below(child))]


def main(port: int, desk: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    every = providers(desk)
    for one in every.values():
        one.begin()
    server = serve(every, port=port)
    stop.wait()
    server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
