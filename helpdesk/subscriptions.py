"""Who reacts to which event, in one table."""

SUBSCRIPTIONS: dict[str, list[str]] = {
    "delivery.sent": ["tickets.messages.delivery.mark_delivery", "channels_app.webchat.receipts.already_read"],
    "delivery.failed": ["tickets.messages.delivery.mark_delivery"],
    "delivery.reported": ["tickets.messages.delivery.mark_delivery"],
    "file.arrived": ["tickets.messages.files.arrived"],
    "channel.troubled": ["channels_app.alarm.tell_supervisors"],
}
