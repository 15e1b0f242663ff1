"""An admin signs in at Zalo: PKCE, a state that belongs to the session, both keys in one commit."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from channels_app import registry
from channels_app.adapters.zalo import oauth
from channels_app.models import Channel
from channels_app.simulators.zalo import Zalo
from helpdesk.core import net
from helpdesk.core.models import EventLog
from tests.builders import a_user
from tests.channels_app.zalo.conftest import a_zalo

pytestmark = pytest.mark.django_db


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(a_user(role, language="en"), backend="helpdesk.accounts.backends.DeskBackend")
    return client


def a_bare(zalo: Zalo, **config: str) -> Channel:
    """Set up but for its keys."""
    given = {key: zalo.SECRETS[key] for key in ("app_secret", "oa_secret")}
    return a_zalo(zalo, secrets=given)


def agreed(client: Client, channel: Channel) -> str:
    """What the provider's page leads back to, path and query."""
    away = client.get(f"/control/channels/{channel.pk}/connect/")
    assert away.status_code == 302
    reply = net.call("GET", away["Location"])
    assert reply.status == 302, reply.json
    back = urlsplit(reply.headers["location"])
    return f"{back.path}?{back.query}"


def said(client: Client, address: str) -> list[str]:
    return [str(one) for one in client.get(address).context["messages"]]


@pytest.mark.parametrize("role", ["supervisor", "admin"])
def test_whoever_runs_the_desk_connects_the_account(zalo: Zalo, role: str) -> None:
    channel = a_bare(zalo)
    Channel.objects.update(problem="tot", problem_kind="auth")
    client = signed_in(role)
    back = client.get(agreed(client, channel))
    assert back["Location"] == f"/control/channels/{channel.pk}/"
    channel.refresh_from_db()
    opened: Any = channel.secrets
    assert opened["access_token"] == zalo.account["access_token"]
    assert opened["refresh_token"] == zalo.account["refresh_token"]
    assert channel.keys_expire_at is not None
    assert (channel.problem, channel.problem_kind) == ("", "")
    assert EventLog.objects.filter(topic="channel.changed", payload__change="connected").count() == 1
    assert registry.adapter("zalo").probe(registry.reference(channel)).account == "Hoa Lư"  # type: ignore[attr-defined]


def test_an_agent_and_a_stranger_connect_nothing(zalo: Zalo) -> None:
    channel = a_bare(zalo)
    for path in ("connect/", "connect/callback/?code=x&state=y"):
        assert signed_in("agent").get(f"/control/channels/{channel.pk}/{path}").status_code == 403
        assert "/accounts/login/" in Client().get(f"/control/channels/{channel.pk}/{path}")["Location"]
    assert not zalo.calls


def test_a_return_counts_once_and_only_in_the_session_that_left(zalo: Zalo) -> None:
    channel, other = a_bare(zalo), signed_in("admin")
    client = signed_in("admin")
    back = agreed(client, channel)
    other.get(back)
    changed = back.replace("state=", "state=x")
    client.get(changed)  # a wrong state uses the departure up
    client.get(back)
    channel.refresh_from_db()
    assert "access_token" not in channel.secrets
    assert not [call for call in zalo.calls if call.path == "/v4/oa/access_token"]


def test_a_return_for_another_channel_or_account_is_refused(zalo: Zalo) -> None:
    channel = a_bare(zalo)
    client = signed_in("admin")
    second = Channel.objects.create(
        kind="zalo", name="Zwei", address="1", config=channel.config, secrets=channel.secrets
    )
    client.get(agreed(client, channel).replace(str(channel.pk), str(second.pk)))
    client.get(agreed(client, channel).replace(zalo.CONFIG["oa_id"], "99"))
    for row in (channel, second):
        row.refresh_from_db()
        assert "access_token" not in row.secrets


def test_what_the_provider_refuses_is_said(zalo: Zalo) -> None:
    channel = a_bare(zalo)
    client = signed_in("admin")
    back = agreed(client, channel)
    zalo.advance(601)
    assert client.get(back).status_code == 302
    (word,) = said(client, "/control/channels/")
    assert "gave no keys" in word
    client.get(f"/control/channels/{channel.pk}/connect/callback/?error=denied")
    (word,) = said(client, "/control/channels/")
    assert "not completed" in word


def test_a_channel_without_its_app_secret_says_what_is_missing(zalo: Zalo) -> None:
    channel = a_zalo(zalo, secrets={})
    client = signed_in("admin")
    assert client.get(f"/control/channels/{channel.pk}/connect/")["Location"] == f"/control/channels/{channel.pk}/"
    assert not zalo.calls


def test_the_address_holds_the_challenge_and_never_the_verifier(zalo: Zalo) -> None:
    channel = registry.reference(a_bare(zalo))
    address = oauth.authorise_url(channel, "https://desk.test/back", "v" * 43, "s")
    query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
    wanted = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    assert (query["code_challenge"], query["state"], query["app_id"]) == (wanted, "s", zalo.CONFIG["app_id"])
    assert "v" * 43 not in address
