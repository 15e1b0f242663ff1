"""One part of an answer as a method of the Bot API."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.picking import ident, part
from channels_app.adapters.telegram import api
from channels_app.adapters.telegram.lines import Line, line, number
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile, SendResult
from channels_app.media import path_of
from helpdesk.core.errors import GiveUp, Retry

LONGEST_CAPTION = 1024
LARGEST_PHOTO = 10 * 1024 * 1024  # bytes; a larger one goes as a document
# How a file of this type is shown best. Everything else, and what Telegram cannot show, goes as a document.
_SHOWN = {
    "image/jpeg": ("sendPhoto", "photo"),
    "image/png": ("sendPhoto", "photo"),
    "image/webp": ("sendPhoto", "photo"),
    "image/gif": ("sendAnimation", "animation"),
    "video/mp4": ("sendVideo", "video"),
    "audio/mpeg": ("sendAudio", "audio"),
    "audio/mp4": ("sendAudio", "audio"),
    "audio/ogg": ("sendVoice", "voice"),
}
_DOCUMENT = ("sendDocument", "document")


def send(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """Send a text or a file to a line. A group that has got a new id is answered there.

    Raises Retry, Uncertain, Reauthorise or GiveUp.
    """
    to = line(envelope.thread_key or envelope.to)
    try:
        return _sent(channel, envelope, to)
    except api.Moved as moved:
        try:
            return _sent(channel, envelope, Line(chat=moved.chat, business=to.business))
        except api.Moved as again:
            raise Retry(str(again)) from None


def _sent(channel: ChannelRef, envelope: OutboundEnvelope, to: Line) -> SendResult:
    given = _around(envelope, to)
    if envelope.files:
        result = _file(channel, envelope.files[0], given | ({"caption": _caption(envelope)} if envelope.text else {}))
    elif envelope.text:
        result = api.call(channel, "sendMessage", given | {"text": envelope.text})
    else:
        raise GiveUp(gettext_noop("there is nothing to send"))
    sent = ident(part(result).get("message_id"))
    return SendResult(provider_id=to.message(sent) if sent else "")


def _around(envelope: OutboundEnvelope, to: Line) -> dict[str, Any]:
    """Where it goes, what it answers, and the buttons under it."""
    given: dict[str, Any] = {"chat_id": to.chat}
    if to.business:
        given["business_connection_id"] = to.business
    answered = number(envelope.quotes)
    if answered is not None:
        given["reply_parameters"] = {"message_id": answered, "allow_sending_without_reply": True}
    if envelope.choices:
        # What comes back is at most 64 bytes: its place in the list. The words stand on the button.
        rows = [[{"text": title, "callback_data": f"choice-{place}"}] for place, title in enumerate(envelope.choices)]
        given["reply_markup"] = {"inline_keyboard": rows}
    return given


def _caption(envelope: OutboundEnvelope) -> str:
    return envelope.text[:LONGEST_CAPTION]


def _file(channel: ChannelRef, file: OutboundFile, given: dict[str, Any]) -> Any:
    try:
        content = path_of(file.path).read_bytes()
    except OSError as error:
        raise GiveUp(gettext_noop("the file is no longer here")) from error
    method, field = _SHOWN.get(file.content_type, _DOCUMENT)
    if field == "photo" and len(content) > LARGEST_PHOTO:
        method, field = _DOCUMENT
    named = (file.filename, content, file.content_type)
    try:
        return api.call(channel, method, given, file=(field, named))
    except api.Refused as refused:
        if (method, field) == _DOCUMENT or not _is_about_the_file(refused.said):
            raise
        # Nothing was sent: a picture of odd dimensions, a film in an odd format. As a document it goes.
        return api.call(channel, _DOCUMENT[0], given, file=(_DOCUMENT[1], named))


def _is_about_the_file(said: str) -> bool:
    folded = said.lower()
    return any(one in folded for one in ("photo", "image", "video", "audio", "voice", "file", "media", "animation"))
