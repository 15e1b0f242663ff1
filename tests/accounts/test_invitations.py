"""The only way in: invitations, and the first admin of an empty desk."""

import re
import threading

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from helpdesk.accounts import actions
from helpdesk.accounts.models import Invitation, Team, User
from helpdesk.core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from helpdesk.core.models import EventLog
from tests.accounts.conftest import PASSWORD

NEW = "new@desk.test"


def invite(actor, **changes):
    return actions.invite(**{"email": NEW, "role": "agent", "team_ids": [], "actor": actor, **changes})


def nothing_happened() -> bool:
    return not Invitation.objects.exists() and not EventLog.objects.exists() and mail.outbox == []


def test_an_admin_invites_and_the_mail_leads_in(admin, actor, team, settings):
    settings.SITE_URL = "https://desk.example"
    made = invite(actor(admin), email=" New@Desk.Test ", role="supervisor", team_ids=[team.pk], language="en")
    [letter] = mail.outbox
    assert letter.to == [NEW]
    assert f"https://desk.example/accounts/invitation/{made.token}/" in letter.body
    assert "Ada invites you" in letter.body
    assert 6.9 < (made.expires_at - timezone.now()).total_seconds() / 86400 <= 7
    [event] = EventLog.objects.all()
    assert (event.topic, event.actor_id) == ("user.invited", admin.pk)
    assert event.payload == {"invitation_id": made.pk, "role": "supervisor", "team_ids": [team.pk]}


def test_the_token_is_not_kept(admin, actor):
    made = invite(actor(admin))
    assert len(made.token) >= 43
    kept = Invitation.objects.values().get()
    assert made.token not in str(kept)


def test_the_mail_speaks_the_invitees_language(admin, actor):
    invite(actor(admin), language="vi")
    with translation.override("vi"):
        assert mail.outbox[0].subject == translation.gettext("You are invited to the support desk")


def test_a_supervisor_invites_agents_into_own_teams(supervisor, actor, team):
    made = invite(actor(supervisor), team_ids=[team.pk])
    assert list(made.teams.all()) == [team]


def test_a_supervisor_can_invite_neither_higher_roles_nor_into_other_teams_nor_into_none(
    supervisor, actor, team, other_team
):
    who = actor(supervisor)
    for changes, refusal in [
        ({"role": "admin", "team_ids": [team.pk]}, NotAllowed),
        ({"role": "supervisor", "team_ids": [team.pk]}, NotAllowed),
        ({"team_ids": [other_team.pk]}, NotAllowed),
        ({"team_ids": [team.pk, other_team.pk]}, NotAllowed),
        ({}, Invalid),
    ]:
        with pytest.raises(refusal):
            invite(who, **changes)
    assert nothing_happened()


def test_an_agent_invites_nobody(agent, actor, team):
    with pytest.raises(NotAllowed):
        invite(actor(agent), team_ids=[team.pk])
    assert nothing_happened()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"role": "king"}, "role"),
        ({"team_ids": [987654]}, "teams"),
        ({"language": "xx"}, "language"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused(admin, actor, changes, field):
    with pytest.raises(Invalid) as refused:
        invite(actor(admin), **changes)
    assert list(refused.value.fields) == [field]
    assert nothing_happened()


def test_who_works_here_cannot_be_invited(admin, agent, actor):
    with pytest.raises(Conflict):
        invite(actor(admin), email=agent.email.upper())
    assert nothing_happened()


def test_accepting_makes_the_user_with_role_and_teams_and_signs_in(admin, actor, team):
    made = invite(actor(admin), team_ids=[team.pk], language="vi", role="supervisor")
    client = Client()
    assert client.get(f"/accounts/invitation/{made.token}/").status_code == 200
    answer = client.post(f"/accounts/invitation/{made.token}/", {"name": "Mai  Lan", "password": PASSWORD})
    assert answer["Location"] == "/"
    user = User.objects.get(email=NEW)
    assert (user.name, user.role, user.language, list(user.teams.all())) == ("Mai Lan", "supervisor", "vi", [team])
    assert user.check_password(PASSWORD)
    assert client.session["_auth_user_id"] == str(user.pk)
    event = EventLog.objects.get(topic="user.joined")
    assert event.payload == {"user_id": user.pk, "role": "supervisor", "invitation_id": made.pk}
    assert event.actor_id == user.pk


def test_a_team_retired_meanwhile_is_left_out(admin, actor, team):
    made = invite(actor(admin), team_ids=[team.pk])
    actions.retire_team(team_id=team.pk, actor=actor(admin))
    assert not actions.accept(token=made.token, name="Mai", password=PASSWORD).teams.exists()


def test_a_token_works_once_and_not_when_revoked_expired_or_made_up(admin, actor):
    used = invite(actor(admin))
    actions.accept(token=used.token, name="Mai", password=PASSWORD)
    revoked = invite(actor(admin), email="a@desk.test")
    actions.revoke(invitation_id=revoked.pk, actor=actor(admin))
    old = invite(actor(admin), email="b@desk.test")
    count = User.objects.count()
    with time_machine.travel(timezone.now() + timezone.timedelta(days=7, minutes=1)):
        for token in (used.token, revoked.token, old.token, "nonsense", "x" * 500):
            with pytest.raises(NotFound):
                actions.accept(token=token, name="Mai", password=PASSWORD)
            page = Client().post(f"/accounts/invitation/{token}/", {"name": "Mai", "password": PASSWORD})
            assert page.status_code == 404
            assert b"no longer good" in page.content
    assert User.objects.count() == count


def test_a_weak_password_is_refused_beside_its_field_and_the_invitation_stays(admin, actor):
    made = invite(actor(admin))
    page = Client().post(f"/accounts/invitation/{made.token}/", {"name": "Mai", "password": "short"})
    assert page.status_code == 422
    assert b"at least 10 characters" in page.content
    actions.accept(token=made.token, name="Mai", password=PASSWORD)


def test_sending_again_renews_the_token_and_kills_the_old(admin, actor):
    made = invite(actor(admin))
    with time_machine.travel(timezone.now() + timezone.timedelta(days=8)):
        again = actions.resend(invitation_id=made.pk, actor=actor(admin))
        assert again.token != made.token
        with pytest.raises(NotFound):
            actions.accept(token=made.token, name="Mai", password=PASSWORD)
        actions.accept(token=again.token, name="Mai", password=PASSWORD)
    assert len(mail.outbox) == 2
    assert EventLog.objects.get(topic="invitation.changed").payload == {"invitation_id": made.pk, "state": "resent"}


def test_inviting_again_takes_the_older_invitation_back(admin, actor):
    first = invite(actor(admin))
    invite(actor(admin))
    with pytest.raises(NotFound):
        actions.accept(token=first.token, name="Mai", password=PASSWORD)
    assert Invitation.objects.filter(revoked_at=None).count() == 1


def test_a_supervisor_touches_only_own_invitations(admin, supervisor, actor):
    made = invite(actor(admin))
    for act in (actions.resend, actions.revoke):
        with pytest.raises(NotFound):
            act(invitation_id=made.pk, actor=actor(supervisor))
    assert Invitation.objects.get().revoked_at is None
    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_leave_leaves_no_invitation(admin, actor, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    with pytest.raises(OSError):
        invite(actor(admin))
    assert nothing_happened()


def test_an_empty_desk_leads_to_the_first_admin_page_which_then_is_gone(db):
    client = Client()
    assert client.get("/")["Location"] == "/accounts/first/"
    assert client.get("/accounts/first/").status_code == 200
    answer = client.post("/accounts/first/", {"name": "Ada", "email": "Ada@desk.test", "password": PASSWORD})
    assert answer["Location"] == "/"
    user = User.objects.get()
    assert (user.email, user.role) == ("ada@desk.test", "admin")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert Client().get("/accounts/first/").status_code == 404
    assert (
        Client().post("/accounts/first/", {"name": "B", "email": "b@x.test", "password": PASSWORD}).status_code == 404
    )
    assert EventLog.objects.get().payload == {"user_id": user.pk, "role": "admin", "invitation_id": None}


def test_the_first_admins_page_says_what_is_wrong(db):
    page = Client().post("/accounts/first/", {"name": "Ada", "email": "ada@desk.test", "password": "password123"})
    assert page.status_code == 422
    assert b"too common" in page.content
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_first_admins_at_once_make_one(db):
    gate, won, lost = threading.Barrier(4), [], []

    def run(number: int) -> None:
        gate.wait()
        try:
            won.append(actions.create_first_admin(email=f"a{number}@desk.test", name="A", password=PASSWORD))
        except DomainError as error:
            lost.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (len(won), len(lost), User.objects.count()) == (1, 3, 1)


@pytest.mark.django_db(transaction=True)
def test_an_invitation_accepted_twice_at_once_makes_one_user():
    admin = User.objects.create_user("ada@desk.test", PASSWORD, name="Ada", role="admin")
    Team.objects.create(name="Returns")
    from helpdesk.accounts.queries import actor_for

    made = invite(actor_for(admin))
    gate, won, lost = threading.Barrier(4), [], []

    def run() -> None:
        gate.wait()
        try:
            won.append(actions.accept(token=made.token, name="Mai", password=PASSWORD))
        except DomainError as error:
            lost.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (len(won), len(lost)) == (1, 3)
    assert User.objects.filter(email=NEW).count() == 1


def test_the_page_shows_the_link_once(admin, as_user, team):
    client = as_user(admin)
    form = {"email": NEW, "role": "agent", "language": "en", "teams": [team.pk]}
    page = client.post("/control/people/invite/", form).content.decode()
    link = re.search(r"/accounts/invitation/([\w-]{43})/", page)
    assert link
    assert link[1] not in client.get("/control/people/").content.decode()
