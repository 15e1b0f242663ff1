"""How an answer leaves by Messenger or Instagram: as a message, as a comment, or privately to who wrote a comment."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters import graph
from channels_app.adapters.meta.comments import line_key
from channels_app.adapters.meta.content import ident
from channels_app.adapters.meta.events import our_key
from channels_app.contracts import ChannelRef, OutboundEnvelope, SendResult
from helpdesk.core.errors import GiveUp

TITLE_LIMIT = 20  # characters of a quick reply
# (code, subcode) or code: what an agent is told. The first that fits counts.
REFUSALS: dict[tuple[int, int] | int, str] = {
    (10, 2018278): gettext_noop("the time in which this customer may be answered here is over"),
    (10, 2534022): gettext_noop("the time in which this customer may be answered here is over"),
    (10, 2018300): gettext_noop("another application has taken over this conversation"),
    (100, 2018001): gettext_noop("this customer can no longer be reached here"),
    (100, 2534014): gettext_noop("this customer can no longer be reached here"),
    (100, 2018109): gettext_noop("the file is too large for this channel"),
    (100, 2018047): gettext_noop("the provider does not take files of this type"),
    (100, 2534015): gettext_noop("the provider does not take files of this type"),
    (200, 1545041): gettext_noop("this customer cannot be reached: the account is closed or has blocked the page"),
    (100, 33): gettext_noop("what this answers has been deleted meanwhile"),
    551: gettext_noop("this customer cannot be reached: the account is closed or has blocked the page"),
    368: gettext_noop("the provider has blocked this page from sending for a while: see its page quality"),
    10900: gettext_noop("this comment has had its one private answer already"),
    10903: gettext_noop("this comment can no longer be answered privately"),
}


def message(
    channel: ChannelRef,
    envelope: OutboundEnvelope,
    *,
    base: str,
    always_typed: bool,
    attachment: dict[str, Any] | None,
) -> SendResult:
    """Send one message, to the customer or privately to who wrote the comment that is quoted. Raises as Adapter.send.

    always_typed: whether an answer inside the window says that it is one.
    """
    said: dict[str, Any] = {"attachment": attachment} if attachment else {"text": envelope.text}
    if envelope.choices and not attachment:
        said["quick_replies"] = [_choice(choice) for choice in envelope.choices]
    said["metadata"] = our_key(channel.id, envelope.idempotency_key)
    body: dict[str, Any] = {"recipient": _recipient(envelope), "message": said}
    if envelope.mode == "private":
        body["message"].pop("quick_replies", None)
    elif envelope.past_window:
        if envelope.auto:
            raise GiveUp(gettext_noop("the reply window is over, and only a person may still write"))
        body |= {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    elif always_typed:
        body["messaging_type"] = "RESPONSE"
    answer = _call(channel, "POST", "me/messages", base=base, json=body)
    return SendResult(provider_id=ident(answer.get("message_id")))


def comment(channel: ChannelRef, envelope: OutboundEnvelope, edge: str, *, base: str, **given: Any) -> SendResult:
    """Answer in public, under the comment that is quoted. Raises as Adapter.send."""
    if not envelope.quotes:
        raise GiveUp(gettext_noop("there is no comment to answer"))
    if envelope.text:
        given["data"] = {"message": envelope.text}
    answer = _call(channel, "POST", f"{_safe(envelope.quotes)}/{edge}", base=base, **given)
    return SendResult(provider_id=ident(answer.get("id")))


def explained(refused: graph.Refused) -> GiveUp:
    """The refusal in words for an agent."""
    words = REFUSALS.get((refused.code, refused.subcode)) or REFUSALS.get(refused.code)
    return GiveUp(words) if words else refused


def _call(channel: ChannelRef, method: str, path: str, **given: Any) -> dict[str, Any]:
    try:
        return graph.call(channel, method, path, **given)
    except graph.Refused as refused:
        raise explained(refused) from refused


def _recipient(envelope: OutboundEnvelope) -> dict[str, str]:
    if envelope.mode != "private":
        if not envelope.to:
            raise GiveUp(gettext_noop("there is nobody to answer"))
        return {"id": envelope.to}
    if not envelope.quotes:
        raise GiveUp(gettext_noop("there is no comment to answer"))
    # What a visitor put on the wall is a post, and is its own line.
    is_post = envelope.thread_key.startswith(line_key(envelope.quotes, ""))
    return {"post_id" if is_post else "comment_id": envelope.quotes}


def _choice(choice: str) -> dict[str, str]:
    return {"content_type": "text", "title": choice[:TITLE_LIMIT], "payload": choice[:1000]}


def _safe(object_id: str) -> str:
    """An id as a part of the address: nothing that leads elsewhere."""
    if not all(character.isalnum() or character in "_-" for character in object_id) or not object_id.isascii():
        raise GiveUp(gettext_noop("there is no comment to answer"))
    return object_id
