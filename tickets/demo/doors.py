"""The demo's social channels: one of each kind, in front of the simulated provider of that kind."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from channels_app import kinds
from channels_app.models import Channel
from helpdesk.accounts.models import Team

NAMES = {
    "messenger": "Messenger — Hoa Lư",
    "instagram": "Instagram — hoaluvn",
    "whatsapp": "WhatsApp",
    "zalo": "Zalo OA Hoa Lư",
    "telegram": "Telegram",
    "line": "LINE",
    "viber": "Viber",
    "sms": "SMS",
    "open_api": "Ứng dụng Hoa Lư",
}


def open_all(*, team: Team) -> dict[str, Any]:
    """Every kind that is simulated, with the keys its provider made up and its address as the base of our calls.

    Returns the simulated providers by kind: none where nothing is simulated.
    """
    if not settings.SIMULATORS_PORT:
        return {}
    simulated: dict[str, Any] = import_string(f"{settings.SIMULATORS}.__main__.providers")(settings.SITE_URL)
    for kind, provider in sorted(simulated.items()):
        config = dict(provider.CONFIG)
        secrets: Any = dict(provider.SECRETS)  # the field's type is what the database sees: text
        here = provider.base_url = f"http://127.0.0.1:{settings.SIMULATORS_PORT}/{kind}"
        known = kinds.KEYS[kind][0]
        config |= {base: here for base in (*kinds.BASES, "callback_url") if base in known}
        Channel.objects.create(
            id=provider.channel_id,
            kind=kind,
            name=NAMES.get(kind, kind),
            address=kinds.address_of(kind, "", config),
            team=team,
            config=config,
            secrets=secrets,
        )
    return simulated
