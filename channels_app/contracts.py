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
class RemoteFile:
    """A file that lies with the provider until a job of its own fetches it; the message shows before it is here.

    `source` is what the adapter's `fetch` needs to find it, and is stored: never a token.
    """

    source: dict[str, str]
    kind: str = "file"  # image, video, audio, sticker, file
    filename: str = ""
    content_type: str = ""
    size: int = 0  # bytes, as the provider says; 0 is unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """Words of a customer. Text is NFC, HTML is as it came (the work sanitises it).

    `details`, all optional: location {latitude, longitude, name, address}; contacts [{name, phones[], emails[]}];
    choice {title, payload} (a button or a quick reply was pressed); referral {source, ref, title, url};
    sticker {id}; post {id, url, text, parent} (what a public comment stands under); story {url}; forwarded true;
    unsupported true; voice true (spoken, not a song); product {id}; order {catalog, items[{id, quantity, price,
    currency}]}; group {id} (said in a group, not to us alone).
    """

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
    remote: tuple[RemoteFile, ...] = ()
    details: dict[str, object] = field(default_factory=dict)
    quotes: str = ""  # external id of the message on this line that it answers
    is_comment: bool = False  # everybody can read it: it stands under a post


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """Something that was sent from our side of the line: by us, or by somebody in the provider's own app.

    our_key: the idempotency key we gave the provider when sending, where it comes back.
    """

    external_id: str
    thread_key: str
    to: Address
    occurred_at: datetime
    text: str = ""
    remote: tuple[RemoteFile, ...] = ()
    details: dict[str, object] = field(default_factory=dict)
    quotes: str = ""
    our_key: str = ""
    author: str = ""  # who typed it, where the provider says so
    is_comment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A message on this line now reads otherwise. `number` grows with every edit, where the provider counts."""

    external_id: str
    thread_key: str
    occurred_at: datetime
    text: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsend:
    """A message on this line was taken back by who wrote it: what it said is to be forgotten."""

    external_id: str
    thread_key: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """The customer reacted to a message on this line; an empty emoji takes the reaction back."""

    external_id: str  # of the message reacted to
    thread_key: str
    sender: Address
    occurred_at: datetime
    emoji: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    """Whether this customer can be reached on this line has changed.

    what: followed, unfollowed, blocked, unblocked, opted_out, opted_in, moved (they are `now` at another address).
    """

    thread_key: str
    sender: Address
    occurred_at: datetime
    what: str
    now: Address | None = None
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of something we sent. `reference` is its provider id or Message-ID.

    Some providers name no message but say "everything up to then": thread_key and up_to, with an empty reference.
    """

    reference: str
    state: str  # sent, delivered, read, failed
    reason: str = ""
    recipient: str = ""
    occurred_at: datetime | None = None
    our_key: str = ""  # the idempotency key we gave when sending, where it comes back
    thread_key: str = ""
    up_to: datetime | None = None
    stops_channel: bool = False  # failed, and so will all others until somebody puts the account right: see `reason`


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Something the adapter does not know: kept, shown as a placeholder, never in the way."""

    external_id: str
    thread_key: str
    sender: Address
    occurred_at: datetime
    what: str


InboundItem = NewMessage | Echo | Edit | Unsend | Reaction | ContactChange | Receipt | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who somebody is by the provider's word, asked for once."""

    name: str = ""
    language: str = ""
    picture: RemoteFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLearned:
    """What the provider told of the person on a line, for those who know the person."""

    thread_id: int
    name: str = ""
    language: str = ""
    picture_id: UUID | None = None  # of a Media that is kept or coming


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A provider's call at our hook, as it came. Header names are lower case; url is the address we gave out."""

    method: str
    url: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider is told."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of the several things a call may bring. `external_id` is its dedupe key and unique on the channel.

    account: the page, number or account it is for, where one address of ours gets the calls of several.
    """

    external_id: str
    raw: bytes
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file as the provider gave it out."""

    content: bytes
    content_type: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How the provider finds our keys. `account` is what it calls the account: a name to show."""

    ok: bool
    problem: str = ""  # in words, English, gettext_noop
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text the provider has approved for writing first, or when a window has closed.

    `body` holds its places as {{1}} or {{name}}; `names` are these names in the order of `parameters`, empty where
    the places are numbered.
    """

    name: str
    language: str  # as the provider writes it: vi, en_US
    category: str  # utility, marketing
    body: str
    parameters: int = 0  # how many values it wants
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """New keys of a channel. `secrets` holds every key that changed, by its name in kinds; all are stored together."""

    secrets: dict[str, str] = field(repr=False)
    expires_at: datetime | None = None  # of the access key; None: the provider does not say, it is not asked again


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
    quotes: str = ""  # provider's id of the message it answers
    choices: tuple[str, ...] = ()  # quick replies shown under the text
    # An approved template in place of text: {name, language, parameters[], names[]}; the text is what it reads like.
    template: dict[str, object] = field(default_factory=dict)
    mode: str = ""  # "", comment (in public, under the post), private (to who wrote the comment in `quotes`)
    past_window: bool = False  # the usual window is over and a person wrote it: the human-agent tag applies
    client: dict[str, object] = field(default_factory=dict)  # what this channel's own screen shows beside the text


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The provider took it. `state` is what is known now: sent, or delivered where it says so at once."""

    provider_id: str = ""
    state: str = "sent"
    quota: dict[str, object] = field(default_factory=dict)  # what the provider says is left, kept on the line


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
