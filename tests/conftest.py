"""What every test finds running, and in which words."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from helpdesk.core import catalog
from helpdesk.runtime import embedded
from tests import servers
from tests.servers import pytest_unconfigure  # noqa: F401 - a hook of this run


def pytest_configure(config: pytest.Config) -> None:
    """Once for all processes of a run: the servers, and the texts as they are translated now."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        catalog.compile_stale(embedded.PROJECT)
    servers.pytest_configure(config)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database; what a thread of some test still holds open does not keep it from being dropped."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
