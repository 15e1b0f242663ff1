"""Calls of the Bot API, and what its refusals mean. The token is in the address: it leaves this module nowhere else."""

import json
import re
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_noop

from channels_app.adapters.picking import ident, part, words
from channels_app.contracts import ChannelRef, Fetched
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise, Retry, Uncertain

BASE = "https://api.telegram.org"
LONGEST_WAIT = 3600.0  # seconds
_TOKEN = re.compile(r"[A-Za-z0-9:_.~-]{1,200}")  # it becomes part of an address: nothing that could change that
_REFUSED = gettext_noop("Telegram no longer accepts this bot's token: enter the new one")
# What Telegram says of a chat it does not let us write to, by words of its own text, and what that means.
_UNREACHABLE = {
    "blocked by the user": gettext_noop("the customer has blocked the bot"),
    "user is deactivated": gettext_noop("this Telegram account no longer exists"),
    "can't initiate conversation": gettext_noop("the customer has not started a chat with the bot yet"),
    "kicked": gettext_noop("the bot was removed from this group"),
    "not a member": gettext_noop("the bot was removed from this group"),
    "not enough rights": gettext_noop("the bot may not write in this group"),
    "no rights to send": gettext_noop("the bot may not write in this group"),
    "write_forbidden": gettext_noop("the bot may not write in this group"),
    "business_connection": gettext_noop("the business account no longer lets the bot write"),
    "business connection": gettext_noop("the business account no longer lets the bot write"),
    "chat not found": gettext_noop("Telegram does not know this chat"),
    "peer_id_invalid": gettext_noop("Telegram does not know this chat"),
    "file is too big": gettext_noop("larger than 20 MB: Telegram does not hand such files to bots"),
    "entity too large": gettext_noop("this file is larger than Telegram takes from bots"),
    "secret token": gettext_noop("Telegram does not take this secret: use letters A-Z, digits, _ and -, 256 at most"),
    "message is too long": gettext_noop("this text is longer than Telegram takes"),
}


class Refused(GiveUp):
    """Telegram said no and will say no again. `said` is its own text."""

    def __init__(self, reason: str, said: str) -> None:
        super().__init__(reason)
        self.said = said


class Moved(GiveUp):
    """The group has become a supergroup and is called otherwise now; nothing was sent."""

    def __init__(self, chat: str) -> None:
        super().__init__(gettext_noop("the group has another id now"))
        self.chat = chat


def call(
    channel: ChannelRef,
    method: str,
    given: dict[str, Any],
    *,
    file: tuple[str, tuple[str, bytes, str]] | None = None,
    repeatable: bool = False,
) -> Any:
    """The result of one method. `file` is (field, (name, content, type)); the rest of `given` goes as JSON then too.

    Raises Retry, Uncertain, Reauthorise, Refused, or Moved where a group has got a new id.
    """
    url = f"{_address(channel, 'bot')}/{method}"
    if file:
        flat = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        files, timeout = {file[0]: file[1]}, net.FILE_TIMEOUT
        reply = net.call("POST", url, data=flat, files=files, repeatable=repeatable, timeout=timeout)
    else:
        reply = net.call("POST", url, json=given, repeatable=repeatable)
    if reply.ok and reply.json.get("ok") is True:
        return reply.json.get("result")
    raise refusal(reply, repeatable=repeatable)


def refusal(reply: net.Reply, *, repeatable: bool = False) -> Exception:
    """What an answer other than "ok" means for us. Not raised: the caller does that."""
    said, status = words(reply.json.get("description"))[:300], reply.status
    more = part(reply.json, "parameters")
    if status == 429:
        return Retry(
            gettext_noop("Telegram asks to wait"), after=_seconds(more.get("retry_after")) or reply.retry_after or 1.0
        )
    if moved := ident(more.get("migrate_to_chat_id")):
        return Moved(moved)
    if status == 401 or (status == 404 and said in ("Not Found", "")):
        return Reauthorise(_REFUSED)
    if status >= 500 and (repeatable or status not in (502, 504) or reply.json.get("ok") is False):
        return Retry(f"Telegram: HTTP {status}", after=reply.retry_after)
    if reply.ok or status in (502, 504):  # somebody between us and Telegram broke off, or half an answer came
        if repeatable:
            return Retry(gettext_noop("Telegram's answer could not be read"))
        return Uncertain(gettext_noop("Telegram's answer could not be read, it may have reached the customer"))
    folded = said.lower()
    for words_of_theirs, reason in _UNREACHABLE.items():
        if words_of_theirs in folded:
            return Refused(reason, said)
    if status == 409:
        return Refused(gettext_noop("another program reads this bot's messages: end it, then connect again"), said)
    return Refused(said or f"HTTP {status}", said)


def download(channel: ChannelRef, file_id: str) -> Fetched:
    """The file behind an id, at most 20 MB. Raises Retry, Reauthorise or GiveUp, none of which names the address."""
    found = call(channel, "getFile", {"file_id": file_id}, repeatable=True)
    path = words(part(found).get("file_path"))
    if not path or ".." in path:
        raise GiveUp(gettext_noop("Telegram no longer has this file"))
    file = net.fetch(f"{_address(channel, 'file/bot')}/{quote(path)}")
    # What the file server says of the type is the same for all: the message knew better.
    told = "" if file.content_type.startswith("application/octet-stream") else file.content_type
    return Fetched(content=file.content, content_type=told, filename=file.filename)


def _address(channel: ChannelRef, before: str) -> str:
    """Where this bot's methods or files are; raises Reauthorise where the token cannot be one."""
    token = str(channel.secrets.get("token", ""))
    if not _TOKEN.fullmatch(token):
        raise Reauthorise(_REFUSED)
    base = str(channel.config.get("api_base") or BASE).rstrip("/")
    return f"{base}/{before}{token}"


def _seconds(value: Any) -> float | None:
    return min(float(value), LONGEST_WAIT) if type(value) in (int, float) and value > 0 else None
