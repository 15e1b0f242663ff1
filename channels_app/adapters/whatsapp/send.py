"""One part of an answer as WhatsApp takes it: text, choices, a template, or a file that is uploaded first."""

from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_noop

from channels_app.adapters import graph
from channels_app.adapters.whatsapp import refusals
from channels_app.adapters.whatsapp.people import GROUP, digits
from channels_app.adapters.whatsapp.values import identifier, mappings
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile, SendResult
from channels_app.media import path_of
from helpdesk.core import net
from helpdesk.core.errors import GiveUp

MB = 1024 * 1024
MAX_BUTTONS, MAX_BUTTON_TITLE, MAX_BUTTON_BODY = 3, 20, 1024
MAX_ROWS, MAX_ROW_TITLE, MAX_ROW_WORDS = 10, 24, 72
OPEN_LIST = "Chọn · Choose"  # on the button that opens a list; whose language the customer reads is not known here
# What WhatsApp shows as what it is, up to how many bytes; everything else goes as a document.
SHOWN: dict[str, tuple[frozenset[str], int]] = {
    "image": (frozenset({"image/jpeg", "image/png"}), 5 * MB),
    "video": (frozenset({"video/mp4", "video/3gpp"}), 16 * MB),
    "audio": (frozenset({"audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg"}), 16 * MB),
}
DOCUMENT = 100 * MB
NOTHING = gettext_noop("there is nothing to send")
GONE_FILE = gettext_noop("An attached file is no longer there.")
TOO_LARGE = gettext_noop("this file is larger than WhatsApp takes")


def send(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """Upload what is to be uploaded, then send. Raises Retry, Uncertain, Reauthorise or GiveUp, in words."""
    payload = addressed(envelope) | _what(channel, envelope)
    if envelope.quotes and not envelope.template:
        payload["context"] = {"message_id": envelope.quotes}
    try:
        reply = graph.call(channel, "POST", f"{_number(channel)}/messages", json=payload)
    except graph.Refused as refused:
        raise refusals.meaning(refused.code, str(refused)) from refused
    sent = mappings(reply.get("messages"))
    return SendResult(provider_id=identifier(sent[0].get("id")) if sent else "")


def addressed(envelope: OutboundEnvelope) -> dict[str, Any]:
    """To whom: a group by its line, a number as `to`, a business-scoped user id as `recipient`."""
    base = {"messaging_product": "whatsapp", "biz_opaque_callback_data": envelope.idempotency_key}
    if envelope.thread_key.startswith(GROUP):
        return base | {"recipient_type": "group", "to": envelope.thread_key.removeprefix(GROUP)}
    number = digits(envelope.to)
    return base | {"recipient_type": "individual"} | ({"to": number} if number else {"recipient": envelope.to})


def _what(channel: ChannelRef, envelope: OutboundEnvelope) -> dict[str, Any]:
    if envelope.template:
        return {"type": "template", "template": templated(envelope.template)}
    if envelope.files:
        return _uploaded(channel, envelope.files[0])
    if not envelope.text.strip():
        raise GiveUp(NOTHING)
    if envelope.choices:
        return {"type": "interactive", "interactive": offered(envelope.text, envelope.choices)}
    has_link = "https://" in envelope.text or "http://" in envelope.text
    return {"type": "text", "text": {"body": envelope.text, "preview_url": has_link}}


def offered(text: str, choices: tuple[str, ...]) -> dict[str, Any]:
    """Choices as buttons where they fit on buttons, else as a list. What comes back is the choice itself."""
    unique = list(dict.fromkeys(one.strip() for one in choices if one.strip()))
    fit = len(unique) <= MAX_BUTTONS and len(text) <= MAX_BUTTON_BODY
    if fit and all(len(one) <= MAX_BUTTON_TITLE for one in unique):
        buttons = [{"type": "reply", "reply": {"id": one, "title": one}} for one in unique]
        return {"type": "button", "body": {"text": text}, "action": {"buttons": buttons}}
    rows = [_row(number, one) for number, one in enumerate(unique[:MAX_ROWS], 1)]
    return {
        "type": "list",
        "body": {"text": text},
        "action": {"button": OPEN_LIST, "sections": [{"rows": rows}]},
    }


def _row(number: int, choice: str) -> dict[str, str]:
    """One line of a list; a long choice is shown whole in the smaller words below its title."""
    if len(choice) <= MAX_ROW_TITLE:
        return {"id": choice, "title": choice}
    words = choice if len(choice) <= MAX_ROW_WORDS else choice[: MAX_ROW_WORDS - 1] + "…"
    return {"id": f"{number}:{choice}"[:200], "title": choice[: MAX_ROW_TITLE - 1] + "…", "description": words}


def templated(template: dict[str, object]) -> dict[str, Any]:
    """{name, language, parameters[], names[]}: names only where the template calls its values by name."""
    values, names = template.get("parameters"), template.get("names")
    given = [" ".join(str(one).split()) for one in values] if isinstance(values, list | tuple) else []
    called = [str(one) for one in names] if isinstance(names, list | tuple) else []
    parameters = [{"type": "text", "text": one} for one in given]
    for parameter, name in zip(parameters, called, strict=False):
        parameter["parameter_name"] = name
    found: dict[str, Any] = {
        "name": str(template.get("name", "")),
        "language": {"code": str(template.get("language", ""))},
    }
    if parameters:
        found["components"] = [{"type": "body", "parameters": parameters}]
    return found


def _uploaded(channel: ChannelRef, file: OutboundFile) -> dict[str, Any]:
    """The file, uploaded now: its id is good for thirty days, and uploading twice does no harm."""
    try:
        content = path_of(file.path).read_bytes()
    except FileNotFoundError as error:
        raise GiveUp(GONE_FILE) from error
    kind = shown_as(file.content_type, len(content))
    try:
        reply = graph.call(
            channel,
            "POST",
            f"{_number(channel)}/media",
            repeatable=True,
            timeout=net.FILE_TIMEOUT,
            data={"messaging_product": "whatsapp", "type": file.content_type},
            files={"file": (file.filename, content, file.content_type)},
        )
    except graph.Refused as refused:
        known = refused.code in refusals.GONE or refused.code in refusals.STOPPED or refused.code in refusals.LATER
        raise (refusals.meaning(refused.code) if known else GiveUp(refusals.GONE[131053])) from refused
    media = {"id": identifier(reply.get("id"))}
    return {"type": kind, kind: media | ({"filename": file.filename} if kind == "document" else {})}


def shown_as(content_type: str, size: int) -> str:
    """image, video, audio or document; raises GiveUp for a file that is too large for any."""
    bare = content_type.split(";")[0].strip().lower()
    for kind, (types, limit) in SHOWN.items():
        if bare in types and size <= limit:
            return kind
    if size > DOCUMENT:
        raise GiveUp(TOO_LARGE)
    return "document"


def _number(channel: ChannelRef) -> str:
    return quote(str(channel.config.get("phone_number_id") or channel.address), safe="")
