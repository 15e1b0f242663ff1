"""What the API's document says in words, and the names of its vocabularies."""

DESCRIPTION = """
Everything the screens of the desk can do, for programs. See docs/api.md for a conversation with it.

Sign in with `Authorization: Bearer TOKEN`. Ids are strings. Times are RFC 3339 in UTC. Lists come in pages
(`?cursor&limit`). Every write takes an `Idempotency-Key`. Every refusal has one shape, and what is not yours is 404.
"""
TAGS = {
    "tickets": "The work: list, read, change, and the conversation on each ticket.",
    "customers": "Who writes to us, by which addresses.",
    "attachments": "Files: uploaded before they are sent, downloaded through the ticket's gate.",
    "calls": "Telephone calls and walk-ins, written down by hand.",
    "blocked": "Addresses we no longer listen to.",
    "channels": "The doors of the desk. Supervisors only.",
    "inbound-failures": "What came in and could not be read. Supervisors only.",
    "search": "Find by words.",
    "me": "Who am I.",
    "users": "Colleagues.",
    "teams": "People who share a queue.",
}
# Spectacular would call them by the fields they first appear in.
ENUMS = {
    "TicketStatus": "tickets.enums.Status",
    "StatusAfterReply": "tickets.api.conversation.AFTERWARDS",
    "TicketPriority": "tickets.api.shapes.PRIORITIES",
    "FileState": "channels_app.models.Media.State",
    "DeliveryState": "tickets.api.shapes.DELIVERY_STATES",
    "ClockState": "tickets.enums.ClockState",
    "SlaState": "tickets.api.shapes.SLA_STATES",
    "MessageKind": "tickets.enums.Kind",
    "ChannelKind": "channels_app.api.CHANNEL_KINDS",
    "AddedAddressKind": "tickets.api.customers.ADDRESS_KINDS",
    "BlockedAddressKind": "tickets.api.customers.BLOCKABLE",
}

ID = {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}
