"""What every test finds running."""

from tests.servers import pytest_configure, pytest_unconfigure  # noqa: F401 - hooks of this run
