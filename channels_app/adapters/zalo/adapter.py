"""Zalo official accounts: events in, messages out, keys that are exchanged every day."""

import hashlib
import json
from datetime import timedelta
from typing import ClassVar

from django.utils.translation import gettext_noop

from channels_app.adapters.base import Forged, KeyRefused, digest, same
from channels_app.adapters.zalo import oauth, parse, reading, sending, templates
from channels_app.adapters.zalo.calls import call as ask
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
    RemoteFile,
    SendResult,
    Template,
)
from helpdesk.core import net
from helpdesk.core.errors import GiveUp

_ANOTHER = gettext_noop("this event is for another Zalo account: no channel has its id")
# An event that has one of these is about somebody.
_TALKS = ("message", "follower", "sender", "user_id", "info", "data")


class ZaloAdapter:
    """Adapter, Hook, Fetcher, Probed, Templated, Refresher and SignedIn of Zalo. Zalo knows no idempotency key."""

    kind: ClassVar[str] = "zalo"
    idempotent: ClassVar[bool] = False
    # A key lives 25 hours. Six hours are enough for every attempt of a job before it ends.
    refresh_ahead: ClassVar[timedelta] = timedelta(hours=6)

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        """Zalo has no handshake: whoever looks at the address learns that something listens here."""
        return Answer(body=b"ok")

    def verify(self, channel: ChannelRef, call: Call) -> None:
        """`mac=` and the SHA-256 of app id, raw body, its timestamp and the webhook's secret; raises Forged.

        The test that Zalo sends while the address is being set up may come unsigned: it passes when it speaks of
        nobody, and nothing of it is kept.
        """
        given = call.headers.get("x-zevent-signature", "")
        secret = str(channel.secrets.get("oa_secret", ""))
        try:
            event = reading.opened(call.body)
        except ValueError:
            raise Forged from None
        if not given and reading.name_of(event) and not any(event.get(key) for key in _TALKS):
            return
        moment = event.get("timestamp")
        if not secret or not isinstance(moment, str):
            raise Forged
        mac = hashlib.sha256()
        for piece in (str(channel.config.get("app_id", "")), call.body, moment, secret):
            mac.update(piece if isinstance(piece, bytes) else piece.encode("utf-8", "surrogatepass"))
        if not same(given.replace(" ", "").removeprefix("mac=").lower(), mac.hexdigest()):
            raise Forged

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        """The one event of a call; none where it is a test."""
        event = reading.opened(call.body)
        if not call.headers.get("x-zevent-signature") or not (reading.name_of(event) or event.get("message")):
            return []
        key = self.identify(call.body, {})
        return [Item(external_id=key, raw=call.body, account=reading.account_of(event))]

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        """Zalo looks at the status only."""
        return Answer(body=b"ok")

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        """Event and message id; the hash of what has none."""
        try:
            return reading.key_of(reading.opened(raw)) or digest(raw)
        except ValueError:
            return digest(raw)

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        """What the event says. Raises GiveUp for what is no event, or another account's."""
        try:
            event = reading.opened(arrival.raw)
        except ValueError as error:
            raise GiveUp(gettext_noop("not readable") + f": {error}") from error
        account = reading.account_of(event)
        if account and arrival.channel_address and account != arrival.channel_address:
            raise GiveUp(_ANOTHER)
        return parse.parse(event, arrival)

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        """One part to the customer. Raises Retry, Uncertain, KeyRefused or GiveUp."""
        return sending.send(channel, envelope)

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        """A file from the plain address that the event named. Raises Retry or GiveUp."""
        file = net.fetch(source.get("url", ""))
        return Fetched(content=file.content, content_type=file.content_type, filename=file.filename)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        """Name and picture. Raises Retry, KeyRefused or GiveUp."""
        if address.startswith(reading.ANONYMOUS):
            return Profile()
        query = {"data": json.dumps({"user_id": address}, separators=(",", ":"))}
        data = ask(channel, "GET", "/v3.0/oa/user/detail", params=query, repeatable=True)
        picture = parse.web_address(reading.part(data, "avatars", "240") or data.get("avatar"))
        return Profile(
            name=parse.said(data.get("display_name"))[:200],
            picture=RemoteFile(source={"url": picture}, kind="image", filename="avatar.jpg") if picture else None,
        )

    def probe(self, channel: ChannelRef) -> Probe:
        """Whether the keys work, and whose they are. Raises Retry, or KeyRefused: a newer one may be there."""
        try:
            data = ask(channel, "GET", "/v2.0/oa/getoa", repeatable=True)
        except KeyRefused:
            raise
        except GiveUp as error:
            return Probe(ok=False, problem=str(error))
        name = parse.said(data.get("name"))[:120]
        if reading.ident(data.get("oa_id")) not in ("", channel.address):
            problem = gettext_noop("these keys belong to another Zalo account than the id that was given")
            return Probe(ok=False, problem=problem, account=name)
        return Probe(ok=True, account=name)

    def templates(self, channel: ChannelRef) -> list[Template]:
        """The approved templates (ZNS). Raises Retry, KeyRefused or GiveUp."""
        return templates.templates(channel)

    def refresh(self, channel: ChannelRef) -> Refreshed:
        """Both keys for the refresh key, which works once. Raises Retry, Uncertain or Reauthorise."""
        return oauth.refresh(channel)

    def authorise_url(self, channel: ChannelRef, redirect: str, verifier: str, state: str) -> str:
        """Zalo's page on which an admin of the account agrees."""
        return oauth.authorise_url(channel, redirect, verifier, state)

    def exchange(self, channel: ChannelRef, code: str, redirect: str, verifier: str) -> Refreshed:
        """The first keys for a code. Raises Retry, Uncertain or Reauthorise."""
        return oauth.exchange(channel, code, redirect, verifier)
