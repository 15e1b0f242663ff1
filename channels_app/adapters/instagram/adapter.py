"""Instagram: direct messages and the comments under an account's posts."""

from datetime import timedelta
from typing import Any, ClassVar

from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import handed_out
from channels_app.abilities import file_kind
from channels_app.adapters import graph
from channels_app.adapters.base import digest, loaded
from channels_app.adapters.meta import ask, events, send
from channels_app.adapters.meta.content import obj
from channels_app.adapters.meta.split import key, split
from channels_app.contracts import (
    Answer,
    Arrival,
    Call,
    ChannelRef,
    Fetched,
    InboundItem,
    Item,
    OutboundEnvelope,
    Probe,
    Profile,
    Refreshed,
    SendResult,
)
from helpdesk.core.errors import GiveUp

BASE = "https://graph.instagram.com"


class InstagramAdapter:
    """A professional account, its id the channel's address. Its key comes from one of two log-ins: Facebook's (of the
    page that is linked to the account, without an end) or Instagram's own (60 days, to be renewed)."""

    kind: ClassVar[str] = "instagram"
    idempotent: ClassVar[bool] = False  # a repeated send arrives twice; the echo brings our key back
    refresh_ahead: ClassVar[timedelta] = timedelta(days=53)  # of 60: weekly, so that a week of outage is no matter

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        return graph.greet(channel, call)

    def verify(self, channel: ChannelRef, call: Call) -> None:
        graph.verify(channel, call)

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        return split(call.body, "instagram")

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        return Answer(body=b"EVENT_RECEIVED")

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        try:
            return key(obj(loaded(raw))) or digest(raw)
        except ValueError:
            return digest(raw)

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        return events.parse(arrival, self.kind)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        if envelope.mode == "comment":
            if envelope.files:
                raise GiveUp(gettext_noop("no file can stand under a comment: send it in a private message"))
            return send.comment(channel, envelope, "replies", base=_base(channel))
        attachment: dict[str, Any] | None = None
        if envelope.files:
            # Only an address is taken for every type of file and with both log-ins.
            file = envelope.files[0]
            attachment = {"type": file_kind(file.content_type), "payload": {"url": handed_out.url_for(file)}}
        return send.message(channel, envelope, base=_base(channel), always_typed=False, attachment=attachment)

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        return ask.fetch(source)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        return ask.profile(channel, address, "name,username,profile_pic", base=_base(channel))

    def probe(self, channel: ChannelRef) -> Probe:
        if is_own_login(channel):
            return ask.probe(channel, "user_id,username", "user_id", base=BASE)[1]
        fields = "id,name,instagram_business_account{id,username}"
        return ask.probe(channel, fields, "instagram_business_account.id", base=graph.BASE)[1]

    def refresh(self, channel: ChannelRef) -> Refreshed:
        """A key of Instagram's own log-in for 60 more days; it must be a day old. A key of a page has no end."""
        if not is_own_login(channel):
            return Refreshed(secrets={})
        asked = {"grant_type": "ig_refresh_token", "access_token": str(channel.secrets.get("access_token", ""))}
        try:  # the present key goes on working, so asking twice does no harm
            told = graph.call(
                channel, "GET", "refresh_access_token", base=BASE, version="", params=asked, repeatable=True
            )
        except graph.Refused:  # it is not a day old yet (one that has ended is KeyRefused): ask again tomorrow
            return Refreshed(secrets={}, expires_at=now() + self.refresh_ahead + timedelta(days=1))
        fresh, seconds = told.get("access_token"), told.get("expires_in")
        if not isinstance(fresh, str) or not fresh:
            raise GiveUp(gettext_noop("the provider gave no new key"))
        lasting = timedelta(seconds=seconds) if type(seconds) is int and 0 < seconds < 10**9 else timedelta(days=60)
        return Refreshed(secrets={"access_token": fresh}, expires_at=now() + lasting)


def is_own_login(channel: ChannelRef) -> bool:
    """Whether the key is of Instagram's own log-in; such keys begin otherwise than a page's."""
    return str(channel.secrets.get("access_token", "")).startswith("IG")


def _base(channel: ChannelRef) -> str:
    return BASE if is_own_login(channel) else graph.BASE
