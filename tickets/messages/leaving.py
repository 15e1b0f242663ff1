"""How an answer leaves: by which way, whether it may, and in what envelope. Everything here comes before writing."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from channels_app import abilities, reply_tokens, templates_kept
from channels_app.contracts import OutboundEnvelope, OutboundFile
from channels_app.models import Channel, Delivery, Media, Thread
from helpdesk.accounts.models import User
from helpdesk.core import crypto
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Invalid
from tickets.enums import Direction, Visibility
from tickets.lifecycle.queries import family
from tickets.messages import compose
from tickets.messages.reach import COMMENT, PRIVATE, Reach, channels_for
from tickets.messages.refusals import (
    AnsweredPrivately,
    ChannelBlocked,
    FileTooLarge,
    TemplateNeeded,
    Unreachable,
    WindowClosed,
    others,
)
from tickets.models import Message, Ticket

MAX_VALUE = 500  # characters that go into one place of a template


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody wants to say, and how. `mode` None leaves it to the way that is chosen."""

    text: str
    mode: str | None = None
    template: dict[str, Any] | None = None  # {name, language, parameters[]}
    choices: tuple[str, ...] = ()
    quotes: int | str | None = None  # id of a message of the ticket


@dataclass(slots=True)
class Leave:
    """An answer that may leave: all that its message and its envelope need."""

    way: Reach
    text: str
    template: dict[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    quoted: str = ""  # external id of the message it answers, as we keep it
    quotes: str = ""  # as the provider knows it
    past_window: bool = False

    @property
    def details(self) -> dict[str, Any]:
        """What the message keeps beside its text."""
        kept = {"mode": self.way.mode, "template": self.template, "choices": list(self.choices)}
        return {name: value for name, value in kept.items() if value}


def checked(
    ticket: Ticket, said: Said, channel_id: UUID | str | None, address: str, files: list[Media], actor: Actor
) -> Leave:
    """The way it goes and what of it; raises the refusals of this package, and Invalid for what makes no sense."""
    ways = channels_for(ticket)
    way = _chosen(ways, channel_id, address, said.mode)
    ensure(way, ways, person=actor.is_user, template=bool(said.template))
    channel = Channel.objects.get(pk=way.channel_id)
    text, template = _words(channel, way, said, files)
    _ensure_choices(way, said, text)
    _ensure_files(way, files)
    if way.mode == PRIVATE and len(abilities.pieces(text, way.ability.text_limit, in_bytes=way.ability.in_bytes)) > 1:
        raise Invalid(_("A private answer to a comment is one short message."), fields={"text": "too_long"})
    leave = Leave(way=way, text=text, template=template, choices=said.choices, quoted=way.quotes, quotes=way.quotes)
    if said.quotes:
        leave.quoted, leave.quotes = _quoted(ticket, way, said.quotes)
    leave.past_window = way.window.state == "human" and not template
    return leave


def ensure(way: Reach, ways: list[Reach], *, person: bool, template: bool = False) -> None:
    """Raises ChannelBlocked, Unreachable or WindowClosed, with the other ways, when nothing goes through there now."""
    if way.carries(person=person, template=template):
        return
    closes_at = way.window.closes_at
    fields: dict[str, Any] = {
        "channel": str(way.channel_id),
        "closes_at": closes_at.isoformat() if closes_at else None,
        "others": others(ways, way, person=person),
    }
    if way.blocked:
        raise ChannelBlocked(fields=fields | {"reason": way.blocked})
    if way.window.state == "unreachable":
        raise Unreachable(fields=fields)
    if way.mode == PRIVATE and way.window.left == 0:
        raise AnsweredPrivately(fields=fields)
    raise (TemplateNeeded if way.window.state == "template" else WindowClosed)(fields=fields)


def _chosen(ways: list[Reach], channel_id: UUID | str | None, address: str, mode: str | None) -> Reach:
    found = [
        way
        for way in ways
        if (channel_id is None or str(way.channel_id) == str(channel_id))
        and (not address or way.address == address)
        and (mode is None or way.mode == mode)
    ]
    if not found:
        raise Invalid(_("This customer cannot be reached on that channel."), fields={"channel": "unreachable"})
    return found[0]


def _words(channel: Channel, way: Reach, said: Said, files: list[Media]) -> tuple[str, dict[str, Any]]:
    """The text as the customer reads it, and the template it is made of."""
    if not said.template:
        return said.text, {}
    if not way.ability.templates or way.mode:
        raise Invalid(_("This channel has no templates."), fields={"template": "unsupported"})
    name, language = str(said.template.get("name", "")), str(said.template.get("language", ""))
    kept = templates_kept.templates_of(channel)
    found = next((one for one in kept if one.name == name and language in ("", one.language)), None)
    if found is None:
        raise Invalid(_("This template is not among those approved for the channel."), fields={"template": "unknown"})
    if said.text.strip() or files or said.choices:
        raise Invalid(_("A template goes alone, without further words or files."), fields={"template": "alone"})
    values = [str(value)[: MAX_VALUE + 1] for value in said.template.get("parameters", ())]
    try:
        text, held = templates_kept.filled(found, values)
    except ValueError:
        text, held = "", {}
    if not text or any(len(value) > MAX_VALUE for value in values):
        raise Invalid(_("Fill in everything that the template leaves open."), fields={"template": "parameters"})
    return text, held


def _ensure_choices(way: Reach, said: Said, text: str) -> None:
    choices, most = said.choices, 0 if way.mode == COMMENT else way.ability.choices
    if not choices:
        return
    if len(choices) > most:
        words = _("This channel shows at most {count} quick replies.").format(count=most)
        raise Invalid(words, fields={"choices": "too_many" if most else "unsupported"})
    fits = all(choice.strip() and len(choice) <= way.ability.choice_length for choice in choices)
    if not fits or len(set(choices)) < len(choices):
        words = _("Each quick reply is another one, of at most {count} characters.")
        raise Invalid(words.format(count=way.ability.choice_length), fields={"choices": "invalid"})
    if not text.strip():
        raise Invalid(_("Quick replies stand under a text."), fields={"choices": "without_text"})


def _ensure_files(way: Reach, files: list[Media]) -> None:
    """Every file within the channel's limit; none under a public comment and none beside a private answer to one."""
    if not files:
        return
    wrong = []
    for file in files:
        limit = 0 if way.mode else abilities.file_limit(way.kind, file.content_type)
        if limit is not None and file.size > limit:
            wrong.append({"id": str(file.pk), "filename": file.filename, "size": file.size, "limit": limit})
    if not wrong:
        return
    largest = max(int(str(one["limit"])) for one in wrong) // abilities.MB
    names = ", ".join(str(one["filename"]) for one in wrong)
    if largest:
        words = _("Too large for this channel, which takes {size} MB: {names}").format(size=largest, names=names)
    else:
        words = _("This channel does not carry such files: {names}").format(names=names)
    raise FileTooLarge(words, fields={"attachments": wrong})


def _quoted(ticket: Ticket, way: Reach, message_id: int | str) -> tuple[str, str]:
    """The message it answers: the id we keep of it, and the provider's. Only one of the same line can be pointed at."""
    told = Message.objects.filter(ticket__in=family(ticket.pk), visibility=Visibility.PUBLIC).exclude(external_id="")
    message = told.filter(pk=int(message_id)).first() if str(message_id).isdecimal() else None
    if message is None:
        raise Invalid(_("The message it answers is not in this conversation."), fields={"quotes": "unknown"})
    if message.thread_id != way.thread_id or not (way.ability.quotes or (way.mode and message.kind == "comment")):
        raise Invalid(_("On this channel an answer cannot point at that message."), fields={"quotes": "unsupported"})
    if message.direction == Direction.IN:
        return message.external_id, message.external_id
    sent = Delivery.objects.filter(message_id=message.pk, outcome__in=("sent", "delivered", "read")).order_by("part")
    first = sent.values_list("provider_id", flat=True).first() or message.external_id
    return message.external_id, first


def thread_of(channel: Channel, way: Reach) -> Thread:
    """The line of a way; made by the first word to an address nobody has written from."""
    if way.thread_id is not None:
        return Thread.objects.get(pk=way.thread_id)
    defaults = {"address": way.address}
    return Thread.objects.get_or_create(channel=channel, key=way.address, defaults=defaults)[0]


def envelope(
    ticket: Ticket, message: Message, channel: Channel, leave: Leave, files: list[Media], actor: Actor
) -> OutboundEnvelope:
    """What leaves: the threading headers of mail, the signed reply address, the writer's name and signature."""
    outgoing = tuple(OutboundFile(filename=f.filename, content_type=f.content_type, path=f.path) for f in files)
    way = leave.way
    assert message.thread is not None
    common: dict[str, Any] = {
        "to": way.address,
        "to_name": message.thread.name,
        "files": outgoing,
        "from_name": actor.name,
    }
    common |= {"thread_key": message.thread.key, "auto": message.auto}
    if way.kind != "email":
        return OutboundEnvelope(
            idempotency_key="",
            text=message.text,
            message_id=uuid.uuid4().hex,
            quotes=leave.quotes,
            choices=leave.choices,
            template=leave.template,
            mode=way.mode,
            past_window=leave.past_window,
            **common,
        )
    chain = list(
        Message.objects.filter(ticket__in=family(ticket.pk), channel_kind="email", visibility=Visibility.PUBLIC)
        .exclude(external_id="")
        .order_by("occurred_at", "pk")
        .values_list("external_id", "direction", "subject")
    )
    incoming = [row for row in chain if row[1] == Direction.IN]
    answers = incoming[-1][0] if incoming else ""
    token = reply_tokens.make(ticket.pk, crypto.key("reply tokens"))
    return OutboundEnvelope(
        idempotency_key="",
        text=compose.with_signature(message.text, _signature(actor)),
        subject=compose.reply_subject(incoming[-1][2] if incoming else ticket.subject, ticket.number),
        message_id=compose.message_id(ticket.pk, uuid.uuid4().hex, channel.address.rpartition("@")[2]),
        in_reply_to=answers,
        references=compose.references([row[0] for row in chain], answers),
        reply_to=reply_tokens.address(channel.address, token),
        **common,
    )


def _signature(actor: Actor) -> str:
    if not actor.is_user:
        return ""
    return User.objects.filter(pk=actor.user_id).values_list("signature", flat=True).first() or ""
