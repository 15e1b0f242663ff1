"""What crosses the boundary between a channel and the work: frozen values, no Django."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One way to reach a person. `value` is normalized: the same value is the same person."""

    kind: str  # email, webchat, phone, and one per social channel
    value: str
    name: str = ""
    scope: str = ""  # for ids that a provider gives per page or per app
    verified: bool = False  # the channel vouches for it (DMARC-aligned mail, signed host identity)
    evidence: str = ""  # why `verified`, in a word: dmarc, host-signature, code


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that came with a message. `content_id` is set for images the HTML refers to."""

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """Words of a customer. Text is NFC, HTML is as it came (the work sanitises it)."""

    external_id: str  # unique within the thread; for mail the Message-ID without brackets, or a hash
    thread_key: str  # the customer's line on this channel: mail address, visitor id, page-scoped id
    sender: Address
    occurred_at: datetime  # provider's time, never in the future
    subject: str = ""
    text: str = ""  # without quoted history and signature
    text_full: str = ""  # with it
    html: str = ""
    files: tuple[File, ...] = ()
    references: tuple[str, ...] = ()  # message ids this answers, nearest first, without brackets
    reply_tokens: tuple[str, ...] = ()  # signed reply addresses it was sent to
    recipients: tuple[str, ...] = ()  # every To and Cc address, lower case
    also_known: tuple[Address, ...] = ()  # further addresses of the sender, each with its own proof
    auto: bool = False  # a machine wrote it: out-of-office, list, notification
    auto_reason: str = ""
    loop: bool = False  # our own mail come back
    unparsed: str = ""  # why it could not be read; the raw bytes are attached as a file
    content_hash: str = ""  # of the body, to tell a repeated mail from a forged Message-ID
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of something we sent. `reference` is its provider id or Message-ID."""

    reference: str
    state: str  # delivered, read, failed
    reason: str = ""
    recipient: str = ""
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Something the adapter does not know: kept, shown as a placeholder, never in the way."""

    external_id: str
    thread_key: str
    sender: Address
    occurred_at: datetime
    what: str


InboundItem = NewMessage | Receipt | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One raw receipt on its way through an adapter's `parse`."""

    channel_id: UUID
    channel_address: str
    external_id: str
    raw: bytes
    meta: dict[str, object]  # what the transport knew: envelope sender and recipients, INTERNALDATE
    received_at: datetime
    config: dict[str, object] = field(default_factory=dict)
    own_addresses: frozenset[str] = frozenset()  # addresses of all our mail channels


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundFile:
    filename: str
    content_type: str
    path: str  # within the media storage
    content_id: str = ""  # mail: an image the HTML shows as cid:…


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEnvelope:
    """One part to send. `idempotency_key` is the delivery's id and never changes."""

    idempotency_key: str
    to: str
    to_name: str = ""
    text: str = ""
    html: str = ""
    subject: str = ""
    files: tuple[OutboundFile, ...] = ()
    message_id: str = ""  # mail: stored before sending
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    from_name: str = ""
    reply_to: str = ""  # signed reply address
    cc: tuple[str, ...] = ()
    auto: bool = False  # no person wrote it
    thread_key: str = ""
    client: dict[str, object] = field(default_factory=dict)  # what this channel's own screen shows beside the text


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The provider took it. `state` is what is known now: sent, or delivered where it says so at once."""

    provider_id: str = ""
    state: str = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRef:
    """A channel as flows and adapters see it: a value, kept for a few seconds at most."""

    id: UUID
    kind: str
    name: str
    address: str
    team_id: int | None
    is_active: bool
    config: dict[str, object] = field(default_factory=dict)
    secrets: dict[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an inbound item came from: its channel and its kept receipt."""

    channel: ChannelRef
    event_id: int
    received_at: datetime
    own_addresses: frozenset[str] = frozenset()
