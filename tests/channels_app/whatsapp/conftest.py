"""A channel in front of the played Cloud API."""

from collections.abc import Iterator

import pytest

from channels_app import registry
from tests.channels_app.contract.conftest import Door, open_door


@pytest.fixture
def door(transactional_db: None, settings: object) -> Iterator[Door]:
    made, server = open_door("whatsapp", settings)
    made.provider.quiet = True  # type: ignore[attr-defined]
    yield made
    server.shutdown()  # type: ignore[attr-defined]
    server.server_close()  # type: ignore[attr-defined]
    registry.forget()
