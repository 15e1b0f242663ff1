"""The sample shop."""

from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client
from django.test.utils import override_settings

from tests.builders import a_chat
from tests.channels_app.webchat.visitors import Visitor

pytestmark = pytest.mark.django_db


def test_it_is_there_for_a_demo_only() -> None:
    with override_settings(ENV=replace(settings.ENV, demo=False)):
        assert Client().get("/demo/").status_code == 404
    with override_settings(ENV=replace(settings.ENV, demo=True)):
        page = Client().get("/demo/?lang=en")
    assert page.status_code == 200
    assert "No chat channel is open yet" in page.content.decode()


@override_settings(ENV=replace(settings.ENV, demo=True))
def test_it_holds_the_chat_and_signs_for_its_people_within_the_strict_policy() -> None:
    chat = a_chat()
    guest = Client().get("/demo/?lang=vi").content.decode()
    assert f'data-channel="{chat.pk}"' in guest
    assert "data-proof" not in guest
    answer = Client().get("/demo/?lang=en&as=james")
    page = answer.content.decode()
    assert 'lang="en"' in page
    for forbidden in ("style=", "onclick", "<style", "javascript:"):
        assert forbidden not in page
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    proof = page.partition('data-proof="')[2].partition('"')[0]
    user = {"id": "KH-1187", "email": "j.carter@post.test"}
    assert Visitor(chat, begin=False).post("session", {"user": user, "proof": proof}).status_code == 200
    assert "data-proof" not in Client().get("/demo/?as=nobody").content.decode()
