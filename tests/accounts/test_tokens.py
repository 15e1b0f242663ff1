"""API tokens: made, used, ended; and the command."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.timezone import now

from helpdesk.accounts import actions
from helpdesk.accounts.models import ApiToken
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Invalid, NotAllowed, NotFound
from helpdesk.core.models import EventLog


@pytest.fixture
def token(agent) -> ApiToken:
    return actions.create_api_token(user_id=agent.pk, name="script", actor=Actor.system())


def ask(token: str, path: str = "/api/v1/me/", scheme: str = "Bearer"):
    return Client().get(path, HTTP_AUTHORIZATION=f"{scheme} {token}")


def refused(answer) -> bool:
    error = answer.json()["error"]
    return (answer.status_code, answer["WWW-Authenticate"], error["code"]) == (401, "Bearer", "not_authenticated")


def test_the_command_prints_the_token_alone_on_the_last_line(agent):
    out = io.StringIO()
    call_command("create_api_token", "MINH@desk.test", name="ci", stdout=out)
    token = out.getvalue().rstrip("\n").splitlines()[-1]
    assert ask(token).json()["email"] == agent.email
    assert ApiToken.objects.get().name == "ci"


@pytest.mark.parametrize("email", ["nobody@desk.test", ""])
def test_the_command_refuses_an_unknown_address_in_words(agent, email):
    with pytest.raises(CommandError, match="No active user"):
        call_command("create_api_token", email, stdout=io.StringIO())
    assert not ApiToken.objects.exists()


def test_the_command_refuses_a_deactivated_user(agent):
    actions.deactivate(user_id=agent.pk, actor=Actor.system())
    with pytest.raises(CommandError):
        call_command("create_api_token", agent.email, stdout=io.StringIO())


def test_only_the_digest_is_kept_and_the_making_is_recorded(token, agent):
    assert token.token not in str(ApiToken.objects.values().get())
    [event] = EventLog.objects.all()
    assert event.payload == {"token_id": token.pk, "user_id": agent.pk, "state": "created"}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_token_acts_as_its_user(token, agent, scheme):
    assert ask(token.token, scheme=scheme).json()["id"] == str(agent.pk)


@pytest.mark.parametrize("given", ["", "nonsense", "hd_" + "x" * 5000, "a b c"])
def test_a_made_up_token_is_401_and_says_how(db, given):
    assert refused(ask(given)) or given == ""
    assert ask(given).status_code == 401


def test_without_anything_it_is_401_with_the_challenge(db):
    assert refused(Client().get("/api/v1/me/"))


def test_a_revoked_an_expired_and_a_deactivated_users_token_are_401(agent, token, admin, actor):
    assert ask(token.token).status_code == 200
    actions.revoke_api_token(token_id=token.pk, actor=actor(agent))
    assert refused(ask(token.token))
    short = actions.create_api_token(
        user_id=agent.pk, name="x", expires_at=now() + timedelta(hours=1), actor=actor(agent)
    )
    assert ask(short.token).status_code == 200
    with time_machine.travel(now() + timedelta(hours=1, seconds=1)):
        assert refused(ask(short.token))
    last = actions.create_api_token(user_id=agent.pk, name="y", actor=actor(agent))
    actions.deactivate(user_id=agent.pk, actor=actor(admin))
    assert refused(ask(last.token))
    actions.reactivate(user_id=agent.pk, actor=actor(admin))
    assert refused(ask(last.token))  # keys stay revoked


def test_last_used_is_written_at_most_once_a_minute(token, django_assert_num_queries):
    start = now()
    with time_machine.travel(start, tick=False):
        ask(token.token)
    assert ApiToken.objects.get().last_used_at == start
    with time_machine.travel(start + timedelta(seconds=59), tick=False), django_assert_num_queries(2):
        # The bearer with user and teams; the teams' names of the answer.
        ask(token.token)
    assert ApiToken.objects.get().last_used_at == start
    with time_machine.travel(start + timedelta(seconds=61), tick=False):
        ask(token.token)
    assert ApiToken.objects.get().last_used_at == start + timedelta(seconds=61)


def test_people_make_and_revoke_their_own_only_and_admins_revoke_any(agent, supervisor, admin, actor, token):
    for who in (supervisor, admin):
        with pytest.raises(NotAllowed):
            actions.create_api_token(user_id=agent.pk, name="x", actor=actor(who))
    with pytest.raises(NotFound):
        actions.revoke_api_token(token_id=token.pk, actor=actor(supervisor))
    assert ApiToken.objects.get().revoked_at is None
    assert EventLog.objects.count() == 1
    for _ in range(2):
        actions.revoke_api_token(token_id=token.pk, actor=actor(admin))
    assert [event.payload["state"] for event in EventLog.objects.order_by("pk")] == ["created", "revoked"]


def test_a_token_needs_a_name_and_a_future(agent, actor):
    for changes in ({"name": " "}, {"name": "x", "expires_at": now()}):
        with pytest.raises(Invalid):
            actions.create_api_token(user_id=agent.pk, actor=actor(agent), **changes)
    assert not ApiToken.objects.exists()


def test_the_page_shows_a_new_token_once_and_revokes_it(agent, as_user):
    client = as_user(agent)
    page = client.post("/accounts/profile/tokens/", {"name": "my script", "days": "30"})
    token = page.context["made"].token
    assert token.encode() in page.content
    assert ask(token).status_code == 200
    assert token.encode() not in client.get("/accounts/profile/").content
    client.post(f"/accounts/profile/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert refused(ask(token))


def test_a_session_may_read_and_write_the_api_only_with_the_csrf_token(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert client.get("/api/v1/me/").status_code == 200
    answer = client.post("/api/v1/teams/", {"name": "x"}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
