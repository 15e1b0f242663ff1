"""Which adapter speaks for a kind of channel, and channels as values."""

import time
from functools import cache
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from channels_app.adapters.base import Adapter, Probed
from channels_app.contracts import ChannelRef
from channels_app.models import Channel
from helpdesk.core.errors import NotFound

_ADAPTERS = {
    "email": "channels_app.adapters.email.adapter.EmailAdapter",
    "webchat": "channels_app.adapters.webchat.WebChatAdapter",
    "messenger": "channels_app.adapters.messenger.adapter.MessengerAdapter",
    "instagram": "channels_app.adapters.instagram.adapter.InstagramAdapter",
    "whatsapp": "channels_app.adapters.whatsapp.adapter.WhatsAppAdapter",
    "zalo": "channels_app.adapters.zalo.adapter.ZaloAdapter",
    "telegram": "channels_app.adapters.telegram.adapter.TelegramAdapter",
    "line": "channels_app.adapters.line.adapter.LineAdapter",
    "viber": "channels_app.adapters.viber.adapter.ViberAdapter",
    "sms": "channels_app.adapters.sms.adapter.SmsAdapter",
    "open_api": "channels_app.adapters.open_api.adapter.OpenApiAdapter",
}
KINDS = tuple(_ADAPTERS)

# Channels hardly ever change; a change is seen by every process within this time.
_KEEP_SECONDS = 2.0
_known: dict[UUID, tuple[float, ChannelRef]] = {}
_own: tuple[float, frozenset[str]] = (0.0, frozenset())


@cache
def adapter(kind: str) -> Adapter:
    """The adapter of a kind of channel; raises NotFound for a kind we do not speak."""
    if kind not in _ADAPTERS:
        raise NotFound
    return import_string(_ADAPTERS[kind])()


@cache
def probed_kinds() -> tuple[str, ...]:
    """The kinds whose provider can be asked how a channel is."""
    return tuple(kind for kind in KINDS if isinstance(adapter(kind), Probed))


def channel(channel_id: UUID) -> ChannelRef:
    """The channel as a value, at most two seconds old; raises NotFound."""
    kept = _known.get(channel_id)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    row = Channel.objects.filter(pk=channel_id).first()
    if row is None:
        raise NotFound
    found = reference(row)
    _known[channel_id] = (time.monotonic() + _KEEP_SECONDS, found)
    return found


def channel_at(kind: str, address: str) -> ChannelRef | None:
    """The channel in use with this address, None when there is none. Not kept: hooks of shared addresses ask for it."""
    row = Channel.objects.filter(kind=kind, address=address, is_active=True).first() if address else None
    return reference(row) if row else None


def reference(row: Channel) -> ChannelRef:
    """A channel row as a value."""
    return ChannelRef(
        id=row.pk,
        kind=row.kind,
        name=row.name,
        address=row.address,
        team_id=row.team_id,
        is_active=row.is_active,
        config=row.config,
        secrets=row.secrets,
    )


def own_addresses() -> frozenset[str]:
    """The addresses of all our mail channels: mail from them is ours come back."""
    global _own
    if _own[0] < time.monotonic():
        found = Channel.objects.filter(kind=Channel.Kind.EMAIL, is_active=True).values_list("address", flat=True)
        _own = (time.monotonic() + _KEEP_SECONDS, frozenset(found))
    return _own[1]


def first_mailbox() -> ChannelRef:
    """The mailbox that mail of the desk itself leaves through; a bare one when none is set up."""
    row = Channel.objects.filter(kind=Channel.Kind.EMAIL, is_active=True).order_by("created_at").first()
    if row is not None:
        return reference(row)
    address = settings.DEFAULT_FROM_EMAIL
    return ChannelRef(id=UUID(int=0), kind="email", name="Helpdesk", address=address, team_id=None, is_active=True)


def forget() -> None:
    """Drop what is kept in this process; called where a channel changes."""
    global _own
    _known.clear()
    _own = (0.0, frozenset())
