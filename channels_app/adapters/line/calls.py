"""Speaking to LINE: answers by push under a retry key, files, profiles, what is left of the month."""

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import handed_out
from channels_app.abilities import pieces
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile, SendResult
from channels_app.media import path_of
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise, Retry

API, DATA = "https://api.line.me", "https://api-data.line.me"
JAPAN = timezone(timedelta(hours=9))  # LINE's months end there
PICTURES = frozenset({"image/jpeg", "image/png"})
PREVIEW = 1024 * 1024  # bytes: what a picture's preview may have; a larger picture goes as a link
MAX_LABEL = 20
MAX_UNITS = 5000  # UTF-16 units of one text
MAX_MESSAGES = 5
KEEP_SECONDS = 60.0
_left: dict[UUID, tuple[float, dict[str, object]]] = {}  # what this process last heard of a channel's month

DEAD_KEY = gettext_noop("LINE no longer accepts this channel's access token: issue a new one")
USED_UP = gettext_noop(
    "this month's LINE messages are used up: answer on another channel, or get more in LINE's own settings"
)


def push(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """One answer to the person, group or room of the line. Raises Retry, Reauthorise, GiveUp.

    The retry key is the same however often this runs, and LINE delivers once for it: by push, since a reply token has
    no such key.
    """
    key = uuid5(NAMESPACE_URL, f"line:{channel.id}:{envelope.idempotency_key}")
    body = {"to": envelope.thread_key or envelope.to, "messages": _messages(envelope)}
    headers = {"X-Line-Retry-Key": str(key)}
    reply = _call(channel, "POST", "/v2/bot/message/push", json=body, headers=headers)
    if not reply.ok and reply.status != 409:  # 409: an earlier attempt was taken
        raise refused(reply)
    sent = reply.json.get("sentMessages")
    first = sent[0] if isinstance(sent, list) and sent and isinstance(sent[0], dict) else {}
    return SendResult(provider_id=str(first.get("id", ""))[:255], quota=_quota(channel))


def content(channel: ChannelRef, message_id: str) -> net.File:
    """The bytes of a picture, film, recording or file. LINE keeps them for a while only. Raises Retry, GiveUp."""
    url = f"{_base(channel, 'data_base', DATA)}/v2/bot/message/{quote(message_id, safe='')}/content"
    return net.fetch(url, headers=_headers(channel))


def profile(channel: ChannelRef, user_id: str) -> dict[str, Any]:
    """Who somebody is; empty where LINE does not say. Raises Retry, Reauthorise."""
    reply = _call(channel, "GET", f"/v2/bot/profile/{quote(user_id, safe='')}")
    if reply.status in (400, 403, 404):
        return {}  # in a group, or not a friend of the account
    if not reply.ok:
        raise refused(reply)
    return reply.json


def account(channel: ChannelRef) -> dict[str, Any]:
    """The account behind the token: {userId, basicId, displayName}. Raises Retry, Reauthorise, GiveUp."""
    reply = _call(channel, "GET", "/v2/bot/info")
    if not reply.ok:
        raise refused(reply)
    return reply.json


def refused(reply: net.Reply) -> Exception:
    """What a refusal means. Not raised: the caller does that."""
    said = str(reply.json.get("message") or f"HTTP {reply.status}")[:300]
    if reply.status == 401:
        return Reauthorise(DEAD_KEY)
    if reply.status == 429 and "limit" in said.lower() and "month" in said.lower():
        return GiveUp(USED_UP)
    if reply.status in (408, 429) or reply.status >= 500:
        return Retry(said, after=reply.retry_after)
    if reply.status == 403:
        return GiveUp(gettext_noop("LINE does not allow this account to send such messages"))
    return GiveUp(f"LINE: {said}")


def _messages(envelope: OutboundEnvelope) -> list[dict[str, Any]]:
    """A part as LINE's messages: words with quick replies under the last of them, a picture, or a file's address."""
    if envelope.files:
        return [_file(envelope.files[0])]
    fits = len(envelope.text.encode("utf-16-le")) // 2 <= MAX_UNITS  # a piece has 5000 characters, some count twice
    texts = [envelope.text] if fits else pieces(envelope.text, MAX_UNITS // 2)
    messages: list[dict[str, Any]] = [{"type": "text", "text": text} for text in texts[:MAX_MESSAGES]]
    if envelope.choices:
        actions = [{"type": "message", "label": one[:MAX_LABEL], "text": one[:300]} for one in envelope.choices]
        messages[-1]["quickReply"] = {"items": [{"type": "action", "action": action} for action in actions]}
    return messages


def _file(file: OutboundFile) -> dict[str, Any]:
    """LINE fetches pictures from https addresses; all else is an address to tap, good for a day."""
    url = handed_out.url_for(file)
    is_small = path_of(file.path).stat().st_size <= PREVIEW
    if file.content_type in PICTURES and is_small and url.startswith("https://"):
        return {"type": "image", "originalContentUrl": url, "previewImageUrl": url}
    return {"type": "text", "text": f"{file.filename}\n{url}"}


def _quota(channel: ChannelRef) -> dict[str, object]:
    """What is left of the month; empty where the plan knows no limit, or LINE is slow to say. At most a minute old."""
    kept = _left.get(channel.id)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    found: dict[str, object] = {}
    try:
        limit = _call(channel, "GET", "/v2/bot/message/quota").json
        used = _call(channel, "GET", "/v2/bot/message/quota/consumption").json.get("totalUsage")
        total = limit.get("value") if limit.get("type") == "limited" else None
        if type(total) is int and type(used) is int:
            found = {"remain": max(total - used, 0), "total": total, "expires_at": _month_end(), "type": "month"}
    except (Retry, GiveUp):
        pass  # the answer is out: what is left is only worth knowing
    _left[channel.id] = (time.monotonic() + KEEP_SECONDS, found)
    return found


def _month_end() -> str:
    today = now().astimezone(JAPAN)
    first = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=JAPAN)
    return first.astimezone(UTC).isoformat()


def _call(channel: ChannelRef, method: str, path: str, **given: Any) -> net.Reply:
    """Every call may be made twice: a push has its key, all others only read."""
    headers = _headers(channel) | given.pop("headers", {})
    return net.call(method, _base(channel, "api_base", API) + path, headers=headers, repeatable=True, **given)


def _headers(channel: ChannelRef) -> dict[str, str]:
    return {"Authorization": f"Bearer {channel.secrets.get('access_token', '')}"}


def _base(channel: ChannelRef, name: str, usual: str) -> str:
    return str(channel.config.get(name) or usual).rstrip("/")
