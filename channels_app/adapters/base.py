"""What every adapter offers: recognise a raw receipt, read it, send; and what those with a hook offer besides."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

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
    Template,
)
from helpdesk.core.errors import DomainError, GiveUp, Reauthorise


class Forged(DomainError):
    """The call is not signed by whom it says it is from."""

    code, status, message = "bad_signature", 401, _("The signature is missing or wrong.")


class KeyRefused(Reauthorise):
    """The access key that was used is refused; a newer one may be there, or may be had. Nothing left the house."""


class Adapter(Protocol):
    """One kind of channel. Adapters do not know each other, and only the registry knows them."""

    kind: ClassVar[str]
    # Whether sending twice with one idempotency key reaches the customer once.
    idempotent: ClassVar[bool]

    def identify(self, raw: bytes, meta: dict[str, object]) -> str:
        """The provider's id of this item; never empty."""

    def parse(self, arrival: Arrival) -> tuple[InboundItem, ...]:
        """What it says. Raises GiveUp only when nothing at all can be shown of it."""

    def send(self, channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
        """Send one part. Raises Retry (nothing left the house), Uncertain (it may have), Reauthorise or GiveUp."""


@runtime_checkable
class Hook(Protocol):
    """An adapter whose provider calls us at /hooks/{channel}/."""

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        """The answer to a GET: the handshake by which a provider checks that the address is ours. Raises Forged."""

    def verify(self, channel: ChannelRef, call: Call) -> None:
        """Pass a call that the provider signed, over its raw bytes; raises Forged for any other."""

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        """One item for each thing the call brings, none for a mere test. A body it cannot read raises ValueError."""

    def answer(self, channel: ChannelRef, call: Call) -> Answer:
        """What the provider is told once everything is kept."""


@runtime_checkable
class Fetcher(Protocol):
    """An adapter that gets files and profiles from its provider, in jobs of their own."""

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        """The file behind a RemoteFile's source. Raises Retry, Reauthorise or GiveUp."""

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        """Who writes from this address, as the provider knows them. Raises Retry, Reauthorise or GiveUp."""


@runtime_checkable
class Probed(Protocol):
    """An adapter that can ask its provider whether our keys work."""

    def probe(self, channel: ChannelRef) -> Probe:
        """Ask without any effect on customers. Raises Retry where the provider cannot be reached."""


@runtime_checkable
class Templated(Protocol):
    """An adapter whose provider approves texts beforehand, which reach a customer when the window is closed."""

    def templates(self, channel: ChannelRef) -> list[Template]:
        """Those that can be sent now, by name. Raises Retry, Reauthorise or GiveUp."""


@runtime_checkable
class Refresher(Protocol):
    """An adapter whose access key ends by itself and is exchanged for a new one before that."""

    refresh_ahead: ClassVar[timedelta]  # how long before its end a key is exchanged

    def refresh(self, channel: ChannelRef) -> Refreshed:
        """New keys for the present ones: one call, made by channels_app.tokens alone, under the channel's lock.

        Raises Retry where nothing was used up and the present keys still stand; Uncertain where the answer is lost
        and the old refresh key may be spent; Reauthorise or GiveUp where the provider refuses.
        """


@runtime_checkable
class SignedIn(Protocol):
    """An adapter whose keys an admin gets by signing in at the provider and agreeing there (OAuth with PKCE)."""

    def authorise_url(self, channel: ChannelRef, redirect: str, verifier: str, state: str) -> str:
        """Where the admin's browser is sent; it comes back to `redirect` with a code and this state."""

    def exchange(self, channel: ChannelRef, code: str, redirect: str, verifier: str) -> Refreshed:
        """The first keys for a code. Raises Retry, Uncertain, Reauthorise or GiveUp."""


@runtime_checkable
class Connected(Protocol):
    """An adapter whose provider is told by us where to call, instead of by a form on the provider's own pages."""

    def connect(self, channel: ChannelRef, hook_url: str) -> None:
        """Have the provider call this public https address from now on; doing it twice does no harm. Raises Retry,
        Reauthorise, or GiveUp in words for whoever sets the channel up."""


def same(given: str, wanted: str) -> bool:
    """Compare two secrets in constant time, whatever was given."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def loaded(raw: bytes) -> Any:
    """JSON as it came, every number that is an id still exact; raises ValueError for anything else."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumped(value: Any) -> bytes:
    """An item's raw bytes: compact JSON. Raises ValueError for what is nested too deeply."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    except RecursionError:
        raise ValueError("nested too deeply") from None


def digest(raw: bytes) -> str:
    """An id for what comes without one: the same bytes are the same thing."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def read(raw: bytes) -> dict[str, Any]:
    """The object an item holds; raises GiveUp when it holds none."""
    try:
        value = loaded(raw)
    except ValueError as error:
        raise GiveUp(gettext_noop("not readable") + f": {error}") from error
    if not isinstance(value, dict):
        raise GiveUp(gettext_noop("not readable: no object"))
    return value
