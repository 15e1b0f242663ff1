"""A signed-in agent and some conversations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from helpdesk.accounts.models import Team, User
from tests.builders import a_mailbox, a_team, a_ticket, a_user
from tickets.models import Ticket


@pytest.fixture
def team(db: None) -> Team:
    return a_team("Care")


@pytest.fixture
def agent(team: Team) -> User:
    return a_user(teams=(team,), name="Trần Minh", language="en")


@pytest.fixture
def client(agent: User) -> Client:
    """A browser with the agent signed in."""
    browser = Client(HTTP_HOST="127.0.0.1:8000")
    browser.force_login(agent)
    browser.get("/inbox/counts/")  # the session's own bookkeeping happens once
    return browser


@pytest.fixture
def ticket(team: Team) -> Ticket:
    return a_ticket(channel=a_mailbox(team=team), subject="Đơn hàng 1024", text="Đơn của mình đâu rồi?")


@pytest.fixture
def statements() -> Callable[[], Any]:
    """Counts SQL statements: `with statements() as sql: ...; len(sql)`."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        found: list[str] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            found.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            yield found

    return counting
