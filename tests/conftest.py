"""What every test finds running, and in which words."""

import pytest

from helpdesk.core import catalog
from helpdesk.runtime import embedded
from tests import servers
from tests.servers import pytest_unconfigure  # noqa: F401 - a hook of this run


def pytest_configure(config: pytest.Config) -> None:
    """Once for all processes of a run: the servers, and the texts as they are translated now."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        catalog.compile_stale(embedded.PROJECT)
    servers.pytest_configure(config)
