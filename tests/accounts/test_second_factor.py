"""The second factor: set up, asked for, required, reset; kept encrypted."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from helpdesk.accounts import actions
from helpdesk.accounts.models import Role
from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotAllowed
from helpdesk.core.models import EventLog
from tests.accounts.conftest import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sign_in(client: Client, user, **more):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **more})


@pytest.fixture
def strict_agents(admin, actor):
    return actions.require_second_factor(role="agent", required=True, actor=actor(admin))


def test_setting_it_up_shows_a_code_to_scan_and_gives_recovery_codes(agent):
    client = Client()
    sign_in(client, agent)
    page = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert b'src="data:image/svg+xml;base64,' in page.content
    secret = client.session["mfa.totp.secret"]
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    codes = Authenticator.objects.get(user=agent, type="recovery_codes").wrap().get_unused_codes()
    assert len(codes) == 10
    assert codes[0].encode() in client.get("/accounts/2fa/recovery-codes/").content
    assert client.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes


def test_its_secrets_are_not_readable_in_the_database(agent):
    TOTP.activate(agent, SECRET)
    RecoveryCodes.activate(agent)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in kept
    assert kept.count("gAAAA") == 2


def test_after_a_change_of_the_secret_key_no_code_opens(agent, settings):
    from helpdesk.core import crypto

    TOTP.activate(agent, SECRET)
    settings.SECRET_KEY = "another one altogether, long enough"
    crypto.fernet.cache_clear()
    try:
        factor = Authenticator.objects.get(user=agent).wrap()
        assert not factor.validate_code(code_of(SECRET))
        assert not factor.validate_code(code_of(""))
    finally:
        crypto.fernet.cache_clear()


def test_signing_in_asks_for_the_code_and_only_then_lets_in(agent):
    TOTP.activate(agent, SECRET)
    client = Client()
    assert sign_in(client, agent)["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/accounts/profile/").status_code == 302
    assert b"The code is not right" in client.post("/accounts/2fa/authenticate/", {"code": "000000"}).content
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(SECRET)})["Location"] == "/"
    assert client.get("/accounts/profile/").status_code == 200


def test_a_recovery_code_opens_once(agent):
    TOTP.activate(agent, SECRET)
    code = RecoveryCodes.activate(agent).get_unused_codes()[0]
    for expected in (302, 200):
        client = Client()
        sign_in(client, agent)
        assert client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == expected


def test_a_role_that_needs_it_is_led_to_set_it_up_and_can_do_nothing_else(agent, as_user, strict_agents):
    client = as_user(agent)
    for path in ("/", "/accounts/profile/", "/accounts/sessions/", "/control/people/"):
        assert client.get(path)["Location"] == "/accounts/2fa/totp/activate/", path
    assert client.post("/accounts/profile/tokens/", {"name": "x"})["Location"] == "/accounts/2fa/totp/activate/"
    assert not agent.api_tokens.exists()
    fragment = client.get("/accounts/profile/", HTTP_HX_REQUEST="true")
    assert (fragment.status_code, fragment["HX-Redirect"]) == (403, "/accounts/2fa/totp/activate/")
    api = client.get("/api/v1/me/")
    assert (api.status_code, api.json()["error"]["code"]) == (403, "second_factor_required")


def test_who_has_set_it_up_goes_on(agent, strict_agents):
    client = Client()
    sign_in(client, agent)
    client.get("/accounts/2fa/totp/activate/", follow=True)
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(client.session["mfa.totp.secret"])})
    assert client.get("/accounts/profile/").status_code == 200


def test_other_roles_and_api_tokens_are_not_asked(supervisor, agent, as_user, strict_agents):
    assert as_user(supervisor).get("/accounts/profile/").status_code == 200
    token = actions.create_api_token(user_id=agent.pk, name="x", actor=Actor.system()).token
    assert Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 200


def test_a_made_up_token_beside_a_session_does_not_get_around_it(agent, as_user, strict_agents):
    answer = as_user(agent).get("/api/v1/me/", HTTP_AUTHORIZATION="Bearer nonsense")
    assert answer.status_code == 401


def test_who_must_have_it_cannot_turn_it_off(agent, strict_agents):
    TOTP.activate(agent, SECRET)
    client = Client()
    sign_in(client, agent)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(SECRET)})
    client.post("/accounts/2fa/reauthenticate/", {"code": code_of(SECRET)})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.post("/accounts/2fa/totp/deactivate/")
    assert b"cannot be turned off" in page.content
    assert Authenticator.objects.filter(user=agent).exists()


def test_an_admin_resets_it_for_a_lost_phone_and_the_sessions_end(agent, admin, actor):
    TOTP.activate(agent, SECRET)
    client = Client()
    sign_in(client, agent)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(SECRET)})
    actions.reset_second_factor(user_id=agent.pk, actor=actor(admin))
    assert not Authenticator.objects.filter(user=agent).exists()
    assert client.get("/accounts/profile/").status_code == 302
    event = EventLog.objects.get(topic="user.changed")
    assert event.payload == {"user_id": agent.pk, "changes": {"second_factor": [True, False]}}


@pytest.mark.parametrize("who", ["supervisor", "agent"])
def test_only_admins_say_which_role_needs_it_and_reset_it(request, who, actor, agent):
    TOTP.activate(agent, SECRET)
    refused = actor(request.getfixturevalue(who))
    with pytest.raises(NotAllowed):
        actions.require_second_factor(role="agent", required=True, actor=refused)
    with pytest.raises(NotAllowed):
        actions.reset_second_factor(user_id=agent.pk, actor=refused)
    assert Authenticator.objects.count() == 1
    assert not EventLog.objects.exists()


def test_requiring_it_is_recorded_once(admin, actor):
    for _ in range(2):
        actions.require_second_factor(role=Role.ADMIN, required=True, actor=actor(admin))
    [event] = EventLog.objects.all()
    assert (event.topic, event.payload) == ("role_policy.changed", {"role": "admin", "mfa_required": True})
    assert event.actor_id == admin.pk
