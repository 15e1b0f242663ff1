"""One part on its way to a Zalo user: text, a picture, a file, or an approved template."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop

from channels_app import media
from channels_app.abilities import MB
from channels_app.adapters.zalo.calls import TEMPLATES, call
from channels_app.adapters.zalo.parse import OURS
from channels_app.adapters.zalo.reading import ANONYMOUS, ident, part
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile, SendResult
from helpdesk.core.errors import GiveUp, Retry, Uncertain

TEXT_LIMIT = 2000
# What Zalo takes at which address: content type -> (last part of the path, most bytes, its limit in words).
_IMAGE = ("image", 1 * MB, gettext_noop("Zalo takes pictures of at most 1 MB: make it smaller, or send it as a PDF"))
_GIF = ("gif", 5 * MB, gettext_noop("Zalo takes moving pictures (GIF) of at most 5 MB"))
_FILE = ("file", 5 * MB, gettext_noop("Zalo takes files of at most 5 MB: send a link, or use another channel"))
_UPLOADS = {"image/jpeg": _IMAGE, "image/png": _IMAGE, "image/gif": _GIF}
_NO_PICTURE = gettext_noop("Zalo takes JPEG, PNG and GIF pictures only")


def send(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """Raises Retry, Uncertain, KeyRefused, or GiveUp in words for the agent."""
    if envelope.template:
        return _send_template(channel, envelope)
    message = _message(channel, envelope)
    if envelope.quotes:
        message["quote_message_id"] = envelope.quotes
    anonymous = envelope.to.startswith(ANONYMOUS)
    path = "/v2.0/oa/message" if anonymous else "/v3.0/oa/message/cs"
    data = call(channel, "POST", path, json={"recipient": _recipient(envelope), "message": message})
    return SendResult(provider_id=ident(data.get("message_id")), quota=_quota(data.get("quota")))


def _recipient(envelope: OutboundEnvelope) -> dict[str, str]:
    if not envelope.to.startswith(ANONYMOUS):
        return {"user_id": envelope.to}
    person = envelope.to.removeprefix(ANONYMOUS)
    talk = envelope.thread_key.removeprefix(f"{envelope.to}:")
    return {"anonymous_id": person, "conversation_id": talk}


def _message(channel: ChannelRef, envelope: OutboundEnvelope) -> dict[str, Any]:
    if len(envelope.text) > TEXT_LIMIT:
        raise GiveUp(gettext_noop("Zalo takes texts of at most 2000 characters"))
    if not envelope.files:
        return {"text": envelope.text}
    file = envelope.files[0]
    address, data = _upload(channel, file)
    if address == "file":
        return {"attachment": {"type": "file", "payload": {"token": str(data.get("token", ""))}}}
    element = {"media_type": address, "attachment_id": str(data.get("attachment_id", ""))}
    payload = {"template_type": "media", "elements": [element]}
    words = {"text": envelope.text} if envelope.text else {}
    return words | {"attachment": {"type": "template", "payload": payload}}


def _upload(channel: ChannelRef, file: OutboundFile) -> tuple[str, dict[str, Any]]:
    """Where it was put, and what Zalo calls it. Too large a file is refused before anything leaves the house."""
    if file.content_type.startswith("image/") and file.content_type not in _UPLOADS:
        raise GiveUp(_NO_PICTURE)
    address, longest, words = _UPLOADS.get(file.content_type, _FILE)
    place = media.path_of(file.path)
    try:
        if place.stat().st_size > longest:
            raise GiveUp(words)
        content = place.read_bytes()
    except OSError as error:
        raise GiveUp(gettext_noop("the file is no longer here")) from error
    given = {"file": (file.filename, content, file.content_type)}
    try:
        return address, call(channel, "POST", f"/v2.0/oa/upload/{address}", files=given, repeatable=True)
    except Uncertain as error:
        raise Retry(gettext_noop("Zalo's answer to an upload could not be read")) from error


def _send_template(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """An approved template (ZNS): by the user's id, or by a phone number where that is the address."""
    body: dict[str, Any] = {
        "template_id": str(envelope.template.get("name", "")),
        "template_data": _values(envelope.template),
        "tracking_id": f"{OURS}{envelope.idempotency_key}",
    }
    if envelope.to.startswith("+"):
        body["phone"] = envelope.to.removeprefix("+")
    elif envelope.to.startswith(ANONYMOUS):
        raise GiveUp(gettext_noop("templates reach Zalo users only, not guests of the account's page"))
    else:
        body["user_id"] = envelope.to
    data = call(channel, "POST", "/message/template", base=TEMPLATES, json=body)
    return SendResult(provider_id=ident(data.get("msg_id")))


def _values(template: dict[str, object]) -> dict[str, str]:
    """A template's blanks by name; numbered from 1 where no names came with the values."""
    values, names = template.get("parameters"), template.get("names")
    given = [str(one) for one in values] if isinstance(values, list | tuple) else []
    named = [str(one) for one in names] if isinstance(names, list | tuple) else []
    return dict(zip(named or [str(number + 1) for number in range(len(given))], given, strict=False))


def _quota(given: Any) -> dict[str, object]:
    """What is left, as the line keeps it: remain, total, type, expires_at; only what Zalo says."""
    found: dict[str, object] = {}
    for key in ("remain", "total"):
        value = part(given, key)
        if isinstance(value, str) and value.isdecimal() and len(value) < 12:
            found[key] = int(value)
    if kind := ident(part(given, "quota_type")):
        found["type"] = kind
    if until := _moment(part(given, "expired_date")):
        found["expires_at"] = until
    return found


def _moment(value: Any) -> str:
    """ISO 8601 in UTC for milliseconds, day/month/year (its end, in Việt Nam) or ISO; empty for anything else."""
    if not isinstance(value, str):
        return ""
    try:
        if value.isdecimal() and len(value) in (10, 13):
            at = datetime.fromtimestamp(int(value) / (1000 if len(value) == 13 else 1), UTC)
        elif "/" in value:
            at = datetime.strptime(f"{value} 23:59:59 +0700", "%d/%m/%Y %H:%M:%S %z").astimezone(UTC)
        else:
            at = datetime.fromisoformat(value)
            at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return ""
    return at.isoformat()
