"""One part of an answer as a message of Viber; files go as an address that Viber fetches."""

import json
from typing import Any

from django.utils.translation import gettext_noop

from channels_app import handed_out
from channels_app.adapters.picking import ident
from channels_app.adapters.viber import api
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile, SendResult
from channels_app.media import path_of
from helpdesk.core.errors import GiveUp

LONGEST_CAPTION = 512
MB = 1024 * 1024
PICTURE, VIDEO, FILE = 1 * MB, 26 * MB, 50 * MB  # bytes
_PICTURES = {"image/jpeg", "image/png"}
_COLUMNS = 6  # the width of a row of buttons
_LONGEST_TRACKING = 2000


def send(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """Send a text or a file. Raises Retry, Uncertain, Reauthorise or GiveUp."""
    given: dict[str, Any] = {
        "receiver": envelope.thread_key or envelope.to,
        "sender": {"name": str(channel.config.get("bot_name") or channel.name)[:28]},
        "min_api_version": 1,
    }
    if envelope.files:
        given |= _file(envelope.files[0], envelope.text)
    elif envelope.text:
        given |= {"type": "text", "text": envelope.text}
    else:
        raise GiveUp(gettext_noop("there is nothing to send"))
    if envelope.choices:
        given |= _buttons(envelope.choices)
    return SendResult(provider_id=ident(api.call(channel, "send_message", given).get("message_token")))


def _buttons(choices: tuple[str, ...]) -> dict[str, Any]:
    """A keyboard that stays until one is pressed; the choices come back with the answer, so that it is known as one."""
    buttons = [
        {"Columns": _COLUMNS, "Rows": 1, "ActionType": "reply", "ActionBody": title, "Text": title} for title in choices
    ]
    keyboard = {"Type": "keyboard", "DefaultHeight": False, "InputFieldState": "regular", "Buttons": buttons}
    tracking = json.dumps({"choices": choices}, ensure_ascii=False)
    found: dict[str, Any] = {"keyboard": keyboard, "min_api_version": 4}
    return found | ({"tracking_data": tracking} if len(tracking) <= _LONGEST_TRACKING else {})


def _file(file: OutboundFile, caption: str) -> dict[str, Any]:
    try:
        size = path_of(file.path).stat().st_size
    except OSError as error:
        raise GiveUp(gettext_noop("the file is no longer here")) from error
    url = handed_out.url_for(file)
    if file.content_type in _PICTURES and size <= PICTURE:
        return {"type": "picture", "text": caption[:LONGEST_CAPTION], "media": url}
    if file.content_type == "video/mp4" and size <= VIDEO:
        return {"type": "video", "media": url, "size": size}
    if size > FILE:
        raise GiveUp(gettext_noop("this file is larger than Viber takes"))
    return {"type": "file", "media": url, "size": size, "file_name": file.filename[-256:]}
