"""Calling a system of the shop's own back, signed."""

from typing import Any

import httpx
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import handed_out
from channels_app.adapters.base import dumped
from channels_app.adapters.open_api import signing
from channels_app.contracts import ChannelRef, OutboundEnvelope, SendResult
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise, Retry

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
NOT_TAKEN = frozenset({400, 405, 413, 415, 422})  # the same body will not be taken the next time either


def answer(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """Give the answer to the own system. Where it is not called back it reads the answer by the API: that is sent."""
    ours = f"open_api:{envelope.idempotency_key}"
    if not channel.config.get("callback_url"):
        return SendResult(provider_id=ours)
    reply = post(channel, envelope.idempotency_key, _body(envelope))
    theirs, state = reply.json.get("id"), reply.json.get("state")
    return SendResult(
        provider_id=theirs[:255] if isinstance(theirs, str) and theirs else ours,
        state=state if state in ("delivered", "read") else "sent",
    )


def post(channel: ChannelRef, call_id: str, body: dict[str, Any]) -> net.Reply:
    """A signed call that was taken. Raises Retry, Reauthorise (nobody can send here until somebody looks), GiveUp.

    The receiver tells a repeat by its webhook-id, so a lost answer is no doubt: it is called again.
    """
    secret = str(channel.secrets.get("signing_secret", ""))
    if not secret:
        raise Reauthorise(gettext_noop("this channel has a callback address but no signing secret: set one"))
    content = dumped(body)
    signed = signing.headers(secret, call_id=call_id, at=now(), body=content)
    reply = net.call(
        "POST",
        str(channel.config["callback_url"]),
        headers={"Content-Type": "application/json", **signed},
        content=content,
        repeatable=True,
        timeout=TIMEOUT,
    )
    if not reply.ok:
        raise _refused(reply)
    return reply


def _refused(reply: net.Reply) -> Exception:
    """What a status means. Not raised: the caller does that."""
    if reply.status == 410:
        return Reauthorise(gettext_noop("the own system says that it no longer takes answers at this address"))
    if reply.status in (401, 403):
        return Reauthorise(gettext_noop("the own system refuses our signature: compare the signing secrets"))
    if reply.status in NOT_TAKEN:
        return GiveUp(gettext_noop("the own system does not take this answer"))
    if 300 <= reply.status < 400:
        return GiveUp(gettext_noop("the callback address leads elsewhere: enter the address it leads to"))
    return Retry(f"HTTP {reply.status}", after=reply.retry_after)


def _body(envelope: OutboundEnvelope) -> dict[str, Any]:
    return {
        "type": "reply",
        "id": envelope.idempotency_key,
        "to": {"id": envelope.to, "name": envelope.to_name},
        "author": envelope.from_name,
        "text": envelope.text,
        "attachments": [
            {"filename": file.filename, "content_type": file.content_type, "url": handed_out.url_for(file)}
            for file in envelope.files
        ],
        "choices": list(envelope.choices),
        "quotes": envelope.quotes or None,
        "auto": envelope.auto,
    }
