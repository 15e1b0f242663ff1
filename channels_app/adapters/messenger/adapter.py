"""Facebook Messenger and the comments under a page's posts."""

import json
from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from channels_app.abilities import file_kind
from channels_app.adapters import graph
from channels_app.adapters.base import digest, loaded
from channels_app.adapters.meta import ask, events, send
from channels_app.adapters.meta.content import ident, obj
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
    OutboundFile,
    Probe,
    Profile,
    SendResult,
)
from channels_app.media import path_of
from helpdesk.core import net
from helpdesk.core.errors import GiveUp

PICTURES = ("image/jpeg", "image/png", "image/gif")  # other pictures are taken as files only


class MessengerAdapter:
    """A page's conversations. The channel's address is the page's id, the customer's the id that page knows them by."""

    kind: ClassVar[str] = "messenger"
    idempotent: ClassVar[bool] = False  # a repeated send arrives twice; the echo brings our key back

    def greet(self, channel: ChannelRef, call: Call) -> Answer:
        return graph.greet(channel, call)

    def verify(self, channel: ChannelRef, call: Call) -> None:
        graph.verify(channel, call)

    def split(self, channel: ChannelRef, call: Call) -> list[Item]:
        return split(call.body, "page")

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
        file = envelope.files[0] if envelope.files else None
        if envelope.mode == "comment":
            given = {"files": {"source": _part(_image(file))}, "timeout": net.FILE_TIMEOUT} if file else {}
            return send.comment(channel, envelope, "comments", base=graph.BASE, **given)
        attachment = _uploaded(channel, file) if file else None
        return send.message(channel, envelope, base=graph.BASE, always_typed=True, attachment=attachment)

    def fetch(self, channel: ChannelRef, source: dict[str, str]) -> Fetched:
        return ask.fetch(source)

    def profile(self, channel: ChannelRef, address: str) -> Profile:
        return ask.profile(channel, address, "first_name,last_name,locale,profile_pic", base=graph.BASE)

    def probe(self, channel: ChannelRef) -> Probe:
        _known, found = ask.probe(channel, "id,name", "id", base=graph.BASE)
        if not found.ok:
            return found
        fields = ask.subscribed(channel, base=graph.BASE)
        if fields is not None and "messages" not in fields:
            problem = gettext_noop("The page sends its messages to no application: subscribe yours to the page.")
            return Probe(ok=False, problem=problem, account=found.account)
        return found


def _uploaded(channel: ChannelRef, file: OutboundFile) -> dict[str, Any]:
    """The file's bytes, given to the provider ahead of the message: what fails here has reached nobody."""
    kind = file_kind(file.content_type)
    if kind == "image" and file.content_type not in PICTURES:
        kind = "file"
    described = {"attachment": {"type": kind, "payload": {"is_reusable": False}}}
    try:
        answer = graph.call(
            channel,
            "POST",
            "me/message_attachments",
            repeatable=True,
            data={"message": json.dumps(described)},
            files={"filedata": _part(file)},
            timeout=net.FILE_TIMEOUT,
        )
    except graph.Refused as refused:
        raise send.explained(refused) from refused
    kept = ident(answer.get("attachment_id"))
    if not kept:
        raise GiveUp(gettext_noop("the provider did not take the file"))
    return {"type": kind, "payload": {"attachment_id": kept}}


def _image(file: OutboundFile) -> OutboundFile:
    if file_kind(file.content_type) != "image":
        raise GiveUp(gettext_noop("only a picture can stand under a comment: send it in a private message"))
    return file


def _part(file: OutboundFile) -> tuple[str, bytes, str]:
    try:
        return file.filename, path_of(file.path).read_bytes(), file.content_type
    except FileNotFoundError:
        raise GiveUp(gettext_noop("the file is no longer here")) from None
