"""Programs that speak with the API, and what they find there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from channels_app.models import Channel
from helpdesk.accounts import actions as accounts
from helpdesk.accounts.models import User
from helpdesk.core.actor import Actor
from tests.builders import a_mail, a_mailbox, a_team, a_user, receive
from tickets.models import Ticket


class Program:
    """A client with one user's token; paths are relative to /api/v1/."""

    def __init__(self, user: User) -> None:
        self.user = user
        token = accounts.create_api_token(user_id=user.pk, name="test", actor=Actor.system()).token
        self.headers = {"Authorization": f"Bearer {token}"}
        self.client = Client(headers=self.headers)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        address = path if path.startswith(("/", "http")) else f"/api/v1/{path}"
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(address, headers=headers, **content)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("post", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.ask("patch", path, body, **headers)


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    cache.clear()


@pytest.fixture
def program(db: None) -> Callable[..., Program]:
    return lambda role="agent", **fields: Program(a_user(role, language="en", **fields))


@pytest.fixture
def team(db: None) -> Any:
    return a_team("Returns")


@pytest.fixture
def other_team(db: None) -> Any:
    return a_team("Sales")


@pytest.fixture
def mailbox(team: Any) -> Channel:
    return a_mailbox(team=team)


@pytest.fixture
def ticket(mailbox: Channel) -> Ticket:
    message = receive(mailbox, a_mail())
    assert message is not None
    return message.ticket


@pytest.fixture
def agent(program: Callable[..., Program], team: Any) -> Program:
    return program(teams=(team,))


@pytest.fixture
def outsider(program: Callable[..., Program], other_team: Any) -> Program:
    """An agent of another team."""
    return program(teams=(other_team,))


@pytest.fixture
def supervisor(program: Callable[..., Program], team: Any) -> Program:
    return program("supervisor", teams=(team,))


@pytest.fixture
def admin(program: Callable[..., Program]) -> Program:
    return program("admin")


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The refusal in its one shape; returns its fields."""
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"code", "message", "fields", "request_id"}
    assert error["code"] == code, error
    assert error["message"]
    assert error["request_id"] == response["X-Request-ID"]
    fields: dict[str, Any] = error["fields"]
    return fields
