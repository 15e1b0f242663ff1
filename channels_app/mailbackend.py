"""Mail of the desk itself (invitations, resets, codes) leaves through the one outbox."""

from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from channels_app import outbound
from channels_app.contracts import OutboundEnvelope


class OutboxBackend(BaseEmailBackend):
    """Django's mail backend: a delivery a recipient, sent by the workers, never by the request."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        with transaction.atomic():
            return sum(_enqueue(message) for message in email_messages)


def _enqueue(message: EmailMessage) -> int:
    html = next((part[0] for part in getattr(message, "alternatives", []) if part[1] == "text/html"), "")
    recipients: list[Any] = message.recipients()
    for recipient in recipients:
        envelope = OutboundEnvelope(
            idempotency_key="",
            to=recipient,
            subject=str(message.subject),
            text=str(message.body),
            html=str(html),
            auto=True,
        )
        outbound.enqueue(channel_id=None, message_id=None, envelope=envelope)
    return len(recipients)
