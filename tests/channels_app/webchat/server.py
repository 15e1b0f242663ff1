"""The web process in a thread of the test, on a free port, over the test's own database and Valkey."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from channels.layers import channel_layers
from django.test.utils import override_settings


@contextmanager
def web() -> Iterator[str]:
    """Its address. SITE_URL is set to it meanwhile."""
    from helpdesk.asgi import application

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(application, lifespan="off", ws="websockets-sansio", log_config=None)
        config.timeout_graceful_shutdown = 1
        server = uvicorn.Server(config)
        channel_layers.backends.clear()  # a layer belongs to the loop that first used it
        with override_settings(SITE_URL=address):
            thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
            thread.start()
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            try:
                yield address
            finally:
                server.should_exit = True
                thread.join(15)
                channel_layers.backends.clear()
                assert not thread.is_alive()
