"""Users and teams: who may change what, what follows, what is recorded."""

import threading

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from helpdesk.accounts import actions
from helpdesk.accounts.models import ApiToken, Membership, Team, User
from helpdesk.accounts.queries import actor_for
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from helpdesk.core.models import EventLog
from tests.accounts.conftest import PASSWORD


def events() -> list[tuple[str, dict]]:
    return [(event.topic, event.payload) for event in EventLog.objects.order_by("pk")]


def test_an_admin_changes_a_role(admin, agent, actor):
    changed = actions.change_role(user_id=agent.pk, role="supervisor", actor=actor(admin))
    agent.refresh_from_db()
    assert changed.role == agent.role == "supervisor"
    assert events() == [("user.changed", {"user_id": agent.pk, "changes": {"role": ["agent", "supervisor"]}})]
    assert EventLog.objects.get().actor_id == admin.pk


def test_the_same_role_again_is_no_change(admin, agent, actor):
    actions.change_role(user_id=agent.pk, role="agent", actor=actor(admin))
    assert events() == []


@pytest.mark.parametrize("who", ["agent", "supervisor"])
def test_only_admins_change_users(request, who, agent, admin, actor):
    refused = actor(request.getfixturevalue(who))
    for act in (
        lambda: actions.change_role(user_id=agent.pk, role="admin", actor=refused),
        lambda: actions.deactivate(user_id=agent.pk, actor=refused),
        lambda: actions.reactivate(user_id=agent.pk, actor=refused),
        lambda: actions.update_profile(user_id=admin.pk, name="Owned", actor=refused),
    ):
        with pytest.raises(NotAllowed):
            act()
    agent.refresh_from_db()
    admin.refresh_from_db()
    assert (agent.role, agent.is_active, admin.name) == ("agent", True, "Ada")
    assert events() == []


@pytest.mark.parametrize("kind", ["customer", "bot", "automation", "anonymous"])
def test_nobody_but_a_person_of_the_desk_changes_users(kind, agent):
    with pytest.raises(NotAllowed):
        actions.change_role(user_id=agent.pk, role="admin", actor=Actor(kind=kind, id=agent.pk, role="admin"))
    assert events() == []


def test_a_role_and_a_user_that_do_not_exist_are_refused(admin, agent, actor):
    with pytest.raises(Invalid):
        actions.change_role(user_id=agent.pk, role="king", actor=actor(admin))
    with pytest.raises(NotFound):
        actions.change_role(user_id=987654, role="agent", actor=actor(admin))
    with pytest.raises(NotFound):
        actions.deactivate(user_id=987654, actor=actor(admin))
    assert events() == []


def test_the_last_admin_cannot_go(admin, make_user, actor):
    make_user("gone", role="admin", is_active=False)
    for act in (
        lambda: actions.change_role(user_id=admin.pk, role="agent", actor=actor(admin)),
        lambda: actions.deactivate(user_id=admin.pk, actor=actor(admin)),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "last_admin"
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)
    assert events() == []


def test_one_of_two_admins_can_go(admin, make_user, actor):
    other = make_user("bo", role="admin")
    actions.deactivate(user_id=admin.pk, actor=actor(other))
    assert not User.objects.get(pk=admin.pk).is_active


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_at_once_leave_one():
    pair = [User.objects.create_user(f"{n}@desk.test", None, name=n, role="admin") for n in ("ada", "bo")]
    gate, lost = threading.Barrier(2), []

    def run(me: User, you: User) -> None:
        who = actor_for(me)
        gate.wait()
        try:
            actions.deactivate(user_id=you.pk, actor=who)
        except DomainError as error:
            lost.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair), threading.Thread(target=run, args=pair[::-1])]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert lost == ["last_admin"]
    assert User.objects.filter(role="admin", is_active=True).count() == 1


def test_deactivating_ends_sessions_and_keys_at_once_and_letting_back_in_does_not_revive_them(admin, agent, actor):
    client = Client()
    client.post("/accounts/login/", {"login": agent.email, "password": PASSWORD})
    assert client.get("/accounts/profile/").status_code == 200
    actions.create_api_token(user_id=agent.pk, name="x", actor=actor(agent))
    actions.deactivate(user_id=agent.pk, actor=actor(admin))
    assert not Session.objects.exists()
    assert ApiToken.objects.get().revoked_at is not None
    assert client.get("/accounts/profile/").status_code == 302
    actions.reactivate(user_id=agent.pk, actor=actor(admin))
    assert client.get("/accounts/profile/").status_code == 302
    assert [topic for topic, _payload in events()][-2:] == ["user.changed"] * 2
    assert events()[-2][1]["changes"] == {"is_active": [True, False]}


def test_a_session_of_a_deactivated_user_that_was_not_in_the_list_opens_nothing_either(agent, as_user):
    client = as_user(agent)
    User.objects.filter(pk=agent.pk).update(is_active=False)
    assert client.get("/accounts/profile/").status_code == 302
    assert client.get("/api/v1/me/").status_code == 401


def test_people_change_their_own_settings_and_only_the_names_of_them_are_recorded(agent, actor):
    actions.update_profile(
        user_id=agent.pk, name="Minh An", language="vi", time_zone="Asia/Tokyo", signature="Minh", actor=actor(agent)
    )
    agent.refresh_from_db()
    assert (agent.name, agent.language, agent.time_zone, agent.signature) == ("Minh An", "vi", "Asia/Tokyo", "Minh")
    changes = {"name": [], "language": [], "time_zone": [], "signature": []}
    assert events() == [("user.changed", {"user_id": agent.pk, "changes": changes})]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 121},
        {"language": "xx"},
        {"theme": "pink"},
        {"time_zone": "Mars/Base"},
        {"time_zone": "../../etc/passwd"},
        {"signature": "x" * 2001},
        {"signature": "a\x00b"},
        {"role": "admin"},
        {"is_active": "1"},
    ],
)
def test_settings_that_make_no_sense_are_refused(agent, actor, changes):
    with pytest.raises(Invalid) as refused:
        actions.update_profile(user_id=agent.pk, actor=actor(agent), **changes)
    assert list(refused.value.fields) == list(changes)
    agent.refresh_from_db()
    assert agent.role == "agent"
    assert events() == []


def test_an_admin_makes_renames_retires_and_revives_a_team(admin, actor):
    who = actor(admin)
    team = actions.create_team(name="  Hoàn   hàng ", actor=who)
    assert team.name == "Hoàn hàng"
    actions.rename_team(team_id=team.pk, name="Đổi trả", actor=who)
    for act in (actions.retire_team, actions.retire_team, actions.revive_team):
        act(team_id=team.pk, actor=who)
    assert events() == [
        ("team.changed", {"team_id": team.pk, "state": state}) for state in ("created", "renamed", "retired", "revived")
    ]
    assert Team.objects.get().is_active


@pytest.mark.parametrize("who", ["agent", "supervisor"])
def test_only_admins_change_teams(request, who, team, actor):
    refused = actor(request.getfixturevalue(who))
    for act in (
        lambda: actions.create_team(name="x", actor=refused),
        lambda: actions.rename_team(team_id=team.pk, name="x", actor=refused),
        lambda: actions.retire_team(team_id=team.pk, actor=refused),
        lambda: actions.change_team(team_id=team.pk, is_active=False, actor=refused),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert list(Team.objects.values_list("name", "is_active")) == [("Returns", True)]
    assert events() == []


def test_a_teams_name_is_there_and_used_once(admin, team, other_team, actor):
    for name, refusal in [("", Invalid), (" ", Invalid), ("x" * 81, Invalid), ("Sales", Conflict)]:
        with pytest.raises(refusal):
            actions.create_team(name=name, actor=actor(admin))
        with pytest.raises(refusal):
            actions.rename_team(team_id=team.pk, name=name, actor=actor(admin))
    assert events() == []
    assert Team.objects.get(pk=team.pk).name == "Returns"


def test_a_supervisor_puts_people_into_own_teams_and_takes_them_out(supervisor, make_user, team, actor):
    user, who = make_user("lan"), actor(supervisor)
    for _ in range(2):
        actions.add_member(team_id=team.pk, user_id=user.pk, actor=who)
    assert actor_for(user).team_ids == {team.pk}
    for _ in range(2):
        actions.remove_member(team_id=team.pk, user_id=user.pk, actor=who)
    assert actor_for(user).team_ids == frozenset()
    payload = {"user_id": user.pk, "team_id": team.pk}
    assert events() == [
        ("membership.changed", {**payload, "is_member": True}),
        ("membership.changed", {**payload, "is_member": False}),
    ]


def test_a_supervisor_changes_nothing_in_other_teams_and_an_agent_nothing_at_all(
    supervisor, agent, team, other_team, actor
):
    Membership.objects.create(user=agent, team=other_team)
    for who, where in [(supervisor, other_team), (agent, team)]:
        with pytest.raises(NotAllowed):
            actions.add_member(team_id=where.pk, user_id=who.pk, actor=actor(who))
        with pytest.raises(NotAllowed):
            actions.remove_member(team_id=where.pk, user_id=agent.pk, actor=actor(who))
    assert Membership.objects.count() == 3
    assert events() == []


def test_a_retired_team_and_a_deactivated_person_take_no_part(admin, agent, other_team, actor):
    who = actor(admin)
    other_team.is_active = False
    other_team.save()
    with pytest.raises(Conflict):
        actions.add_member(team_id=other_team.pk, user_id=agent.pk, actor=who)
    Team.objects.update(is_active=True)
    User.objects.filter(pk=agent.pk).update(is_active=False)
    with pytest.raises(Conflict):
        actions.add_member(team_id=other_team.pk, user_id=agent.pk, actor=who)
    for team_id, user_id in [(other_team.pk, 987654), (987654, agent.pk)]:
        with pytest.raises(NotFound):
            actions.add_member(team_id=team_id, user_id=user_id, actor=who)
    assert events() == []


@pytest.mark.django_db(transaction=True)
def test_a_change_of_membership_pokes_the_users_sockets_after_the_commit(settings):
    from redis import Redis

    admin = User.objects.create_user("ada@desk.test", None, name="Ada", role="admin")
    team = Team.objects.create(name="Returns")
    listener = Redis.from_url(settings.VALKEY_URL).pubsub(ignore_subscribe_messages=True)
    prefix = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]
    listener.subscribe(f"{prefix}__group__user.{admin.pk}")
    listener.get_message(timeout=1)
    actions.add_member(team_id=team.pk, user_id=admin.pk, actor=actor_for(admin))
    heard = None
    for _ in range(20):
        heard = heard or listener.get_message(timeout=0.1)
    listener.close()
    assert heard is not None
    assert b"rights" in heard["data"]


def test_an_address_is_one_user_whatever_its_case(agent):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="MINH@desk.test", name="Twin")


def test_the_actor_knows_role_and_teams_of_this_moment(agent, team, other_team, as_user):
    who = actor_for(agent)
    assert (who.kind, who.id, who.role, who.team_ids) == ("user", agent.pk, "agent", {team.pk})
    Membership.objects.create(user=agent, team=other_team)
    assert actor_for(agent).team_ids == {team.pk, other_team.pk}
