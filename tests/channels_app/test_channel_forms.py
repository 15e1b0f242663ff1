"""Setting up social channels on the page: every kind's form, what it hides, and what it says."""

import pytest
from django.test import Client

from channels_app import kinds
from channels_app.models import Channel
from channels_app.social_forms import ALL_FORMS, FLAGS, LABELS
from tests.builders import a_user

pytestmark = pytest.mark.django_db
SOCIAL = [kind for kind in ALL_FORMS if kind not in ("email", "webchat")]
VALUES = {"number": "+84901234567", "callback_url": "https://shop.test/answers"}


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(a_user(role))
    return client


def filled(kind: str) -> dict[str, str]:
    config, secret = kinds.KEYS[kind]
    asked = [key for key in (*config, *secret) if key not in kinds.BASES and key not in FLAGS]
    return {"name": f"Our {kind}"} | {key: VALUES.get(key, "123456") for key in asked}


def test_every_key_of_every_kind_is_explained() -> None:
    for kind in SOCIAL:
        for key in (*kinds.KEYS[kind][0], *kinds.KEYS[kind][1]):
            assert all(map(str, LABELS[key])), key


@pytest.mark.parametrize("kind", SOCIAL)
def test_a_channel_is_set_up_by_its_form_and_shows_no_secret(kind: str) -> None:
    client = signed_in("supervisor")
    assert client.get(f"/control/channels/new/{kind}/").status_code == 200
    answer = client.post(f"/control/channels/new/{kind}/", filled(kind))
    assert answer.status_code == 302, answer.content.decode()
    channel = Channel.objects.get()
    assert not kinds.missing(kind, channel.config, channel.secrets)
    secrets = dict.fromkeys(kinds.KEYS[kind][1], "654321-secret")
    assert client.post(answer["Location"], filled(kind) | secrets).status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert "654321-secret" not in page
    assert str(channel.pk) in page  # the address to enter at the provider
    channel.refresh_from_db()
    assert all(channel.secrets[key] == "654321-secret" for key in secrets)


@pytest.mark.parametrize("kind", ["messenger", "zalo", "line"])
def test_where_the_calls_go_is_an_admins_to_say(kind: str) -> None:
    supervisor, admin = signed_in("supervisor"), signed_in("admin")
    assert "api_base" not in supervisor.get(f"/control/channels/new/{kind}/").content.decode()
    assert 'name="api_base"' in admin.get(f"/control/channels/new/{kind}/").content.decode()
    supervisor.post(f"/control/channels/new/{kind}/", filled(kind) | {"api_base": "https://evil.test"})
    assert "api_base" not in Channel.objects.get().config


def test_a_private_address_is_refused_even_to_an_admin() -> None:
    for base in ("http://127.0.0.1:5432", "http://graph.facebook.com", "https://u:p@x.test", "ftp://x.test"):
        answer = signed_in("admin").post("/control/channels/new/messenger/", filled("messenger") | {"api_base": base})
        assert answer.status_code == 422, base
    assert not Channel.objects.exists()


def test_an_agent_sees_none_of_it() -> None:
    client = signed_in("agent")
    for address in ("/control/channels/", "/control/channels/new/zalo/"):
        assert client.get(address).status_code == 403
