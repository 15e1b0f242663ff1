"""Signing in: the page, its limits, what a closed account meets."""

from django.conf import settings
from django.test import Client

from tests.accounts.conftest import PASSWORD


def sign_in(client: Client, login: str, password: str = PASSWORD, **more):
    return client.post("/accounts/login/", {"login": login, "password": password, **more})


def test_the_sign_in_page_has_the_fields_login_and_password(db, agent):
    page = Client().get("/accounts/login/")
    assert page.status_code == 200
    assert b'name="login"' in page.content
    assert b'name="password"' in page.content


def test_the_right_password_lets_in(agent):
    client = Client()
    answer = sign_in(client, "Minh@Desk.Test")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(agent.pk)
