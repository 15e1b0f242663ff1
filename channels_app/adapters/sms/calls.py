"""Speaking to Twilio: sending, fetching pictures, asking how the account is."""

from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop

from channels_app import handed_out
from channels_app.adapters.sms.refusals import refused
from channels_app.contracts import ChannelRef, OutboundEnvelope, OutboundFile, SendResult
from channels_app.media import path_of
from helpdesk.core import net
from helpdesk.core.errors import GiveUp

API = "https://api.twilio.com"
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif"})
PICTURE = 5 * 1024 * 1024  # bytes
WITH_PICTURES = "+1"  # the numbers that carry pictures begin so: the United States and Canada
STATES = {"delivered": "delivered", "read": "read"}


def send(channel: ChannelRef, envelope: OutboundEnvelope) -> SendResult:
    """One SMS. Twilio knows no key of ours, so a lost answer is a doubt, which a status callback ends: its address
    names the delivery. Raises Retry, Uncertain, Reauthorise, GiveUp."""
    to, sender = envelope.thread_key or envelope.to, str(channel.config.get("number", "")).replace(" ", "")
    body = {
        "To": to,
        "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
        "StatusCallback": f"{settings.SITE_URL}/hooks/{channel.id}/?delivery={quote(envelope.idempotency_key)}",
    }
    body |= _file(envelope.files[0], sender, to) if envelope.files else {"Body": envelope.text}
    reply = _call(channel, "POST", "/Messages.json", data=body)
    if not reply.ok:
        raise refused(reply, sending=True)
    return SendResult(
        provider_id=str(reply.json.get("sid", ""))[:255], state=STATES.get(str(reply.json.get("status")), "sent")
    )


def fetch(channel: ChannelRef, url: str) -> net.File:
    """A picture of a message; the keys go along to Twilio's own address alone. Raises Retry, GiveUp."""
    if urlsplit(url).netloc != urlsplit(_base(channel)).netloc:
        if not url.startswith("https://"):
            raise GiveUp(gettext_noop("this address may not be reached from here"))
        return net.fetch(url)
    return net.fetch(url, auth=_keys(channel))


def account(channel: ChannelRef) -> dict[str, Any]:
    """How the account is: {friendly_name, status}. Raises Retry, Reauthorise, GiveUp."""
    reply = _call(channel, "GET", ".json", repeatable=True)
    if not reply.ok:
        raise refused(reply)
    return reply.json


def _file(file: OutboundFile, sender: str, to: str) -> dict[str, str]:
    """A picture where both numbers carry them and it is within reach; else an address to tap, good for a day."""
    url = handed_out.url_for(file)
    carried = sender.startswith(WITH_PICTURES) and to.startswith(WITH_PICTURES) and url.startswith("https://")
    if carried and file.content_type in PICTURES and path_of(file.path).stat().st_size <= PICTURE:
        return {"MediaUrl": url}
    return {"Body": f"{file.filename}\n{url}"}


def _call(channel: ChannelRef, method: str, path: str, **given: Any) -> net.Reply:
    account_sid = quote(str(channel.config.get("account_sid", "")), safe="")
    url = f"{_base(channel)}/2010-04-01/Accounts/{account_sid}{path}"
    return net.call(method, url, auth=_keys(channel), **given)


def _keys(channel: ChannelRef) -> tuple[str, str]:
    return str(channel.config.get("account_sid", "")), str(channel.secrets.get("auth_token", ""))


def _base(channel: ChannelRef) -> str:
    return str(channel.config.get("api_base") or API).rstrip("/")
