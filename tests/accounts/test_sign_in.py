"""Signing in: the page, its limits, what a closed account meets, and a dead Valkey."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from helpdesk.accounts import actions
from helpdesk.core.actor import Actor
from tests.accounts.conftest import PASSWORD


def sign_in(client: Client, login: str, password: str = PASSWORD, **more):
    return client.post("/accounts/login/", {"login": login, "password": password, **more})


def test_the_sign_in_page_has_the_fields_login_and_password(agent):
    page = Client().get("/accounts/login/")
    assert page.status_code == 200
    assert b'name="login"' in page.content
    assert b'name="password"' in page.content


def test_the_right_password_lets_in_whatever_the_case_of_the_address(agent):
    client = Client()
    answer = sign_in(client, "Minh@Desk.Test")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(agent.pk)


def test_a_wrong_password_and_an_unknown_address_look_the_same(agent):
    wrong = sign_in(Client(), agent.email, "not the password")
    unknown = sign_in(Client(), "nobody@desk.test", "not the password")
    assert b"The e-mail address or the password is not right." in wrong.content
    errors = re.compile(rb'<ul class="errorlist.*?</ul>', re.DOTALL)
    assert errors.findall(wrong.content) == errors.findall(unknown.content) != []


def test_a_deactivated_user_cannot_sign_in(agent):
    actions.deactivate(user_id=agent.pk, actor=Actor.system())
    client = Client()
    answer = sign_in(client, agent.email)
    assert answer["Location"] == "/accounts/inactive/"
    assert "_auth_user_id" not in client.session
    assert client.get("/accounts/inactive/").status_code == 200


def test_after_sign_in_one_is_led_on_but_never_to_another_site(agent):
    assert sign_in(Client(), agent.email, next="/inbox/7/")["Location"] == "/inbox/7/"
    assert sign_in(Client(), agent.email, next="https://evil.example/")["Location"] == "/"


def test_a_post_without_the_csrf_token_is_refused_in_words(agent):
    answer = sign_in(Client(enforce_csrf_checks=True), agent.email)
    assert answer.status_code == 403
    assert b"This page is out of date" in answer.content


def test_sign_up_is_closed(agent):
    for method in ("get", "post"):
        assert getattr(Client(), method)("/accounts/signup/").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["email/", "confirm-email/", "login/code/", "login/code/confirm/", "signup/passkey/", "2fa/webauthn/", "3rdparty/"],
)
def test_pages_of_the_library_nobody_needs_are_not_there(agent, as_user, path):
    assert as_user(agent).get(f"/accounts/{path}").status_code == 404


def test_after_five_wrong_passwords_the_address_is_closed_for_a_while_also_to_the_right_one(agent, admin):
    for _ in range(5):
        sign_in(Client(), agent.email, "wrong")
    assert b"Too many failed attempts" in sign_in(Client(), agent.email).content
    assert sign_in(Client(), admin.email).status_code == 302  # others are not locked out


def test_one_address_of_the_net_can_try_ten_times_a_minute_over_all_users(make_user):
    for number in range(10):
        sign_in(Client(REMOTE_ADDR="192.0.2.7"), f"guess{number}@desk.test", "wrong")
    somebody = make_user("lan")
    assert b"Too many failed attempts" in sign_in(Client(REMOTE_ADDR="192.0.2.7"), somebody.email).content
    assert sign_in(Client(REMOTE_ADDR="192.0.2.8"), somebody.email).status_code == 302


@pytest.fixture
def dead_valkey(settings, tmp_path):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    yield
    cache.clear()


def test_signing_in_works_while_valkey_is_dead_and_is_still_limited(agent, admin, dead_valkey):
    assert sign_in(Client(), agent.email).status_code == 302
    for _ in range(5):
        assert sign_in(Client(), agent.email, "wrong").status_code == 200
    assert b"Too many failed attempts" in sign_in(Client(), agent.email).content
    assert sign_in(Client(), admin.email).status_code == 302


def test_a_forgotten_password_is_replaced_by_a_link_made_from_the_sites_address(agent, settings):
    settings.SITE_URL = "https://desk.example"
    answer = Client(HTTP_HOST="evil.example").post("/accounts/password/reset/", {"email": agent.email})
    assert answer["Location"] == "/accounts/password/reset/done/"
    [letter] = mail.outbox
    assert letter.to == [agent.email]
    link = re.search(r"https://desk\.example(/accounts/\S+)", letter.body)
    assert link, letter.body
    client = Client()
    page = client.get(link[1], follow=True)
    assert b"Choose a new password" in page.content
    where = page.redirect_chain[-1][0]
    client.post(where, {"password1": "an even longer phrase", "password2": "an even longer phrase"})
    assert sign_in(Client(), agent.email, "an even longer phrase").status_code == 302
    assert b"no longer good" in Client().get(link[1], follow=True).content


def test_the_mail_speaks_the_users_language(make_user):
    user = make_user("hoa", language="vi")
    Client(HTTP_ACCEPT_LANGUAGE="en").post("/accounts/password/reset/", {"email": user.email})
    with translation.override("vi"):
        subject = translation.gettext("Choose a new password for the support desk")
    assert mail.outbox[0].subject == subject


def test_a_stranger_and_a_deactivated_user_get_no_mail(agent):
    actions.deactivate(user_id=agent.pk, actor=Actor.system())
    for email in ("stranger@elsewhere.test", agent.email):
        answer = Client().post("/accounts/password/reset/", {"email": email})
        assert answer["Location"] == "/accounts/password/reset/done/"
    assert mail.outbox == []


def test_changing_the_password_ends_the_other_sessions(agent):
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client, agent.email)
    new = "an even longer phrase"
    answer = here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer.status_code == 302
    assert here.get("/accounts/profile/").status_code == 200
    assert there.get("/accounts/profile/").status_code == 302


def test_the_session_list_shows_both_sessions_and_ends_the_others(agent):
    here, there = Client(HTTP_USER_AGENT="Firefox"), Client(HTTP_USER_AGENT="Phone")
    for client in (here, there):
        sign_in(client, agent.email)
    page = here.get("/accounts/sessions/").content
    assert b"Firefox" in page and b"Phone" in page
    here.post("/accounts/sessions/")
    assert here.get("/accounts/profile/").status_code == 200
    assert there.get("/accounts/profile/").status_code == 302


def test_a_session_writes_that_it_was_seen_at_most_once_in_five_minutes(agent, django_assert_num_queries):
    client = Client()
    sign_in(client, agent.email)
    client.get("/accounts/2fa/")
    # Session, user with rights; the page's own two (authenticators).
    with django_assert_num_queries(4) as seen:
        client.get("/accounts/2fa/")
    assert not [query for query in seen if query["sql"].startswith(("UPDATE", "INSERT"))]


def test_signing_out_needs_a_post(agent, as_user):
    client = as_user(agent)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/accounts/profile/").status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert client.get("/accounts/profile/").status_code == 302


def test_every_page_of_signing_in_is_ours_and_without_inline_script_or_style(agent, as_user):
    anonymous, client = Client(), as_user(agent)
    sign_in(client, agent.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    names = ["account_login", "account_inactive", "account_reset_password", "account_reset_password_done"]
    names += ["account_reset_password_from_key_done"]
    own = ["account_logout", "account_reauthenticate", "account_change_password", "mfa_index", "mfa_activate_totp"]
    own += ["usersessions_list", "accounts:profile"]
    for browser, name in [(anonymous, name) for name in names] + [(client, name) for name in own]:
        page = browser.get(reverse(name))
        assert page.status_code == 200, name
        html = page.content.decode()
        assert "tokens.css" in html, name  # extends our base
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", html), name
        assert "placeholder=" not in html or "shell.css" in html, name  # the library's words, which nobody translates


def test_a_sensitive_act_asks_for_the_password_again_when_the_sign_in_is_a_while_ago(agent):
    client = Client()
    sign_in(client, agent.email)
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        answer = client.get("/accounts/2fa/totp/activate/")
        assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
        assert b"The password is not right" in client.post(answer["Location"], {"password": "wrong"}).content
        client.post(answer["Location"], {"password": PASSWORD})
        assert client.get("/accounts/2fa/totp/activate/").status_code == 200


def test_home_leads_each_where_they_belong(agent, as_user):
    assert Client().get("/")["Location"] == "/accounts/login/"
    assert as_user(agent).get("/")["Location"] == "/inbox/"


def test_the_time_of_the_reset_link_is_not_for_ever(agent, settings):
    Client().post("/accounts/password/reset/", {"email": agent.email})
    path = urlsplit(re.search(r"http\S+", mail.outbox[0].body)[0]).path
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        assert b"no longer good" in Client().get(path, follow=True).content
