"""A social channel with an adapter of the tests' own behind it."""

from collections.abc import Iterator

import pytest

from channels_app import registry
from tests.tickets.intake.lines import KIND, Line, Provider, a_line


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setitem(registry._ADAPTERS, KIND, f"{Provider.__module__}.{Provider.__name__}")
    registry.adapter.cache_clear()
    found = registry.adapter(KIND)
    assert isinstance(found, Provider)
    yield found
    registry.adapter.cache_clear()


@pytest.fixture
def line(db: None, provider: Provider) -> Line:
    return a_line(provider)
