"""People to test with."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from helpdesk.accounts.models import Membership, Team, User
from helpdesk.accounts.queries import actor_for
from helpdesk.core.actor import Actor

PASSWORD = "a long enough phrase"


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    cache.clear()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Makes a user: `make_user("mai", role="admin", teams=[team])`."""

    def make(name: str, role: str = "agent", teams: tuple[Team, ...] = (), **fields: Any) -> User:
        fields.setdefault("language", "en")
        user = User.objects.create_user(f"{name}@desk.test", PASSWORD, name=name.title(), role=role, **fields)
        Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
        return user

    return make


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Returns")


@pytest.fixture
def other_team(db: None) -> Team:
    return Team.objects.create(name="Sales")


@pytest.fixture
def admin(make_user: Callable[..., User]) -> User:
    return make_user("ada", role="admin")


@pytest.fixture
def supervisor(make_user: Callable[..., User], team: Team) -> User:
    return make_user("sam", role="supervisor", teams=(team,))


@pytest.fixture
def agent(make_user: Callable[..., User], team: Team) -> User:
    return make_user("minh", teams=(team,))


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A browser in which the user is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def actor() -> Callable[[User], Actor]:
    return actor_for
