"""Every table of the work."""

from tickets.models.customer import BlockedSender, Customer, Identity, IdentityClaim, MergeSuggestion
from tickets.models.message import Attachment, Draft, Message
from tickets.models.sla import SlaClock
from tickets.models.ticket import Ticket, TicketLink, TicketViewing, UndoStep

__all__ = [
    "Attachment",
    "BlockedSender",
    "Customer",
    "Draft",
    "Identity",
    "IdentityClaim",
    "MergeSuggestion",
    "Message",
    "SlaClock",
    "Ticket",
    "TicketLink",
    "TicketViewing",
    "UndoStep",
]
