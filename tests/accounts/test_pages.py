"""The pages of one's account and of the people: who may open them, what they do, what they cost."""

import re
from zoneinfo import ZoneInfo

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from helpdesk.accounts import actions
from helpdesk.accounts.middleware import PreferencesMiddleware
from helpdesk.accounts.models import Invitation, Membership, Team, User
from helpdesk.core.models import EventLog


def test_strangers_are_led_to_the_sign_in_and_back(db):
    assert Client().get("/accounts/profile/")["Location"] == "/accounts/login/?next=/accounts/profile/"
    fragment = Client().get(
        "/control/people/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://testserver/inbox/7/"
    )
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/accounts/login/?next=%2Finbox%2F7%2F")


def test_agents_cannot_open_the_people_page_or_its_acts(agent, as_user, team):
    client = as_user(agent)
    assert client.get("/control/people/").status_code == 403
    for path in ("invite/", "teams/", f"teams/{team.pk}/retire/", f"users/{agent.pk}/role/", "second-factor/"):
        assert client.post(f"/control/people/{path}", {"role": "admin", "name": "x"}).status_code == 403, path
    assert not EventLog.objects.exists()


def test_acts_need_a_post(admin, as_user, team):
    for path in ("invite/", "teams/", f"teams/{team.pk}/retire/", f"users/{admin.pk}/role/", "second-factor/"):
        assert as_user(admin).get(f"/control/people/{path}").status_code == 405


def test_the_people_page_costs_the_same_however_many_people(admin, as_user, make_user, django_assert_num_queries):
    team = Team.objects.create(name="Returns")
    client = as_user(admin)
    client.get("/control/people/")

    def cost() -> None:
        # Session, user with rights; users, their teams; teams, their members; teams to invite into (the form);
        # strict roles; invitations, their teams when there are any.
        with django_assert_num_queries(10):
            client.get("/control/people/")

    actions.invite(email="a@x.test", role="agent", team_ids=[team.pk], actor=_system_admin(admin))
    cost()
    for number in range(12):
        make_user(f"u{number}", teams=(team,))
        actions.invite(email=f"b{number}@x.test", role="agent", team_ids=[team.pk], actor=_system_admin(admin))
    cost()


def _system_admin(admin):
    from helpdesk.accounts.queries import actor_for

    return actor_for(admin)


def test_an_admin_does_everything_on_the_page(admin, agent, as_user):
    client = as_user(admin)

    def do(path: str, **form):
        answer = client.post(f"/control/people/{path}", form, follow=True)
        assert answer.status_code == 200
        return answer.content.decode()

    do("teams/", name="Đơn hàng")
    team = Team.objects.get(name="Đơn hàng")
    do(f"teams/{team.pk}/add/", user=agent.pk)
    assert list(team.members.all()) == [agent]
    do(f"teams/{team.pk}/rename/", name="Orders")
    do(f"teams/{team.pk}/remove/", user=agent.pk)
    do(f"teams/{team.pk}/retire/")
    team.refresh_from_db()
    assert (team.name, team.is_active, team.members.count()) == ("Orders", False, 0)
    do(f"users/{agent.pk}/role/", role="supervisor")
    do(f"users/{agent.pk}/deactivate/")
    agent.refresh_from_db()
    assert (agent.role, agent.is_active) == ("supervisor", False)
    do(f"users/{agent.pk}/reactivate/")
    do("second-factor/", roles=["supervisor"])
    assert re.search(r'value="supervisor" checked', client.get("/control/people/").content.decode())
    do("invite/", email="new@desk.test", role="agent", language="vi")
    invitation = Invitation.objects.get()
    do(f"invitations/{invitation.pk}/resend/")
    do(f"invitations/{invitation.pk}/revoke/")
    assert Invitation.objects.get().revoked_at is not None


def test_what_an_action_refuses_is_said_in_words_on_the_page(admin, as_user, team):
    client = as_user(admin)
    page = client.post(f"/control/people/users/{admin.pk}/deactivate/", follow=True)
    assert b"This is the last admin." in page.content
    page = client.post("/control/people/teams/", {"name": team.name})
    assert (page.status_code, b"Taken." in page.content) == (422, True)
    page = client.post("/control/people/invite/", {"email": "x", "role": "agent", "language": "vi"})
    assert (page.status_code, b"Enter a valid email address." in page.content) == (422, True)


def test_ids_that_are_not_there_or_no_numbers_are_404(admin, as_user, team):
    client = as_user(admin)
    for path in ("users/999999999999999999/role/", f"teams/{team.pk}/add/", "invitations/5/revoke/", "users/x/role/"):
        assert client.post(f"/control/people/{path}", {"role": "agent", "user": "9" * 30}).status_code == 404, path


def test_a_supervisor_sees_only_what_a_supervisor_may_do(supervisor, agent, make_user, as_user, team, other_team):
    make_user("lan")
    client = as_user(supervisor)
    page = client.get("/control/people/").content.decode()
    assert f"/control/people/teams/{team.pk}/add/" in page
    assert f"/control/people/teams/{other_team.pk}/add/" not in page
    for act in ("/role/", "/deactivate/", "/retire/", "/rename/", "second-factor"):
        assert act not in page, act
    offered = re.search(r'<select name="role".*?</select>', page, re.DOTALL)[0]
    assert re.findall(r'value="(\w+)"', offered) == ["agent"]
    assert re.findall(r'name="teams" value="(\d+)"', page) == [str(team.pk)]
    form = {"email": "n@desk.test", "role": "admin", "language": "vi", "teams": [team.pk]}
    assert client.post("/control/people/invite/", form).status_code == 422
    form |= {"role": "agent", "teams": [other_team.pk]}
    assert client.post("/control/people/invite/", form).status_code == 422
    assert not Invitation.objects.exists()
    assert client.post("/control/people/invite/", form | {"teams": [team.pk]}).status_code == 200


def test_saving_ones_settings_speaks_the_new_language_and_keeps_it_for_the_sign_in_page(agent, as_user):
    client = as_user(agent)
    form = {"name": "Minh", "language": "vi", "time_zone": "Asia/Tokyo", "theme": "dark", "signature": "Minh, Đổi trả"}
    answer = client.post("/accounts/profile/", form)
    assert answer["Location"] == "/accounts/profile/"
    assert (answer.cookies["django_language"].value, answer.cookies["theme"].value) == ("vi", "dark")
    page = client.get("/accounts/profile/").content.decode()
    assert '<html lang="vi" dir="ltr" data-theme="dark">' in page
    assert "Minh, Đổi trả" in page
    client.post("/accounts/logout/")
    assert '<html lang="vi" dir="ltr" data-theme="dark">' in client.get("/accounts/login/").content.decode()


def test_wrong_settings_stay_in_the_form_with_the_reason(agent, as_user):
    form = {"name": "", "language": "vi", "time_zone": "Mars/Base", "theme": "dark", "signature": "kept"}
    page = as_user(agent).post("/accounts/profile/", form)
    assert page.status_code == 422
    assert b"This field is required." in page.content
    assert b"kept" in page.content
    form["name"] = "Minh"
    page = as_user(agent).post("/accounts/profile/", form)
    assert b"Please check this." in page.content
    agent.refresh_from_db()
    assert agent.language == "en"


def test_a_stranger_chooses_the_language_by_a_post(db):
    client = Client()
    answer = client.post("/accounts/preferences/", {"language": "vi", "theme": "light", "next": "/accounts/login/"})
    assert answer["Location"] == "/accounts/login/"
    assert b'lang="vi"' in client.get("/accounts/login/").content
    assert client.get("/accounts/preferences/").status_code == 405


@pytest.mark.parametrize("form", [{"language": "xx"}, {"theme": "<b>"}, {"time_zone": "Mars/Base"}])
def test_preferences_that_make_no_sense_are_refused(db, form):
    answer = Client().post("/accounts/preferences/", form)
    assert answer.status_code == 422
    assert not answer.cookies


def test_preferences_lead_back_but_never_to_another_site(db):
    for where in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert Client().post("/accounts/preferences/", {"theme": "dark", "next": where})["Location"] == "/"
    answer = Client().post("/accounts/preferences/", {"theme": "dark"}, HTTP_HX_REQUEST="true")
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_a_signed_in_users_preferences_are_kept_with_the_user(agent, as_user):
    as_user(agent).post("/accounts/preferences/", {"theme": "dark", "time_zone": "Asia/Tokyo"})
    agent.refresh_from_db()
    assert (agent.theme, agent.time_zone, agent.language) == ("dark", "Asia/Tokyo", "en")


def _during(user, **cookies):
    seen = {}

    def view(request):
        from django.http import HttpResponse

        seen.update(language=translation.get_language(), zone=timezone.get_current_timezone(), actor=request.actor)
        return HttpResponse()

    request = RequestFactory().get("/", HTTP_ACCEPT_LANGUAGE="en")
    request.COOKIES.update(cookies)
    request.user = user
    PreferencesMiddleware(view)(request)
    return seen


def test_a_request_speaks_the_users_language_in_the_users_time_and_the_next_one_forgets_it(agent):
    from django.contrib.auth.models import AnonymousUser

    agent.language, agent.time_zone = "vi", "Asia/Tokyo"
    seen = _during(agent, django_language="en")
    assert (seen["language"], seen["zone"]) == ("vi", ZoneInfo("Asia/Tokyo"))
    assert timezone.get_current_timezone_name() == "UTC"
    assert _during(AnonymousUser())["language"] == "en"
    assert _during(AnonymousUser(), django_language="vi")["language"] == "vi"
    assert _during(AnonymousUser(), django_language="../x")["language"] == "en"
    assert not _during(AnonymousUser())["actor"].is_user


def test_a_time_zone_that_vanished_does_not_lock_anybody_out(agent):
    agent.time_zone = "Gone/Away"
    assert _during(agent)["zone"] == ZoneInfo("Asia/Ho_Chi_Minh")


def test_a_request_knows_user_role_teams_and_duties_in_two_queries(
    agent, other_team, as_user, django_assert_num_queries
):
    client = as_user(agent)
    client.get("/")
    # Session; user with teams and duties.
    with django_assert_num_queries(2):
        client.get("/control/people/")  # refused: nothing but the actor was asked
    Membership.objects.create(user=agent, team=other_team)
    with django_assert_num_queries(2):
        client.get("/control/people/")


def test_a_page_for_strangers_asks_the_database_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        Client().get("/accounts/login/")


def test_nobody_is_left_unnamed(make_user):
    assert str(make_user("lan")) == "Lan"
    assert str(User(email="x@y.test")) == "x@y.test"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
         "Chrome on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604",
         "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("curl/8.0", "curl/8.0"),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_a_session_is_called_by_its_browser(agent, name):
    from helpdesk.accounts.templatetags.accounts import browser_name

    assert browser_name(agent) == name
