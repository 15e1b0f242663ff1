"""What happens to tickets: ids and small facts, never text or addresses."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from helpdesk.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent(Event):
    ticket_id: int

    @property
    def subject(self) -> str:
        return f"ticket:{self.ticket_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened(TicketEvent):
    topic: ClassVar[str] = "ticket.opened"
    channel_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReopened(TicketEvent):
    topic: ClassVar[str] = "ticket.reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChanged(TicketEvent):
    """`changes` is {field: [before, after]}."""

    topic: ClassVar[str] = "ticket.changed"
    changes: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMerged(TicketEvent):
    """Seen from the survivor; `other_id` is the loser."""

    topic: ClassVar[str] = "ticket.merged"
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketUnmerged(TicketEvent):
    topic: ClassVar[str] = "ticket.unmerged"
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSplit(TicketEvent):
    """Seen from the ticket that was split; `other_id` is the new one."""

    topic: ClassVar[str] = "ticket.split"
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMoved(TicketEvent):
    """Seen from the ticket the message left; `other_id` is where it went."""

    topic: ClassVar[str] = "message.moved"
    message_id: int
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUndone(TicketEvent):
    topic: ClassVar[str] = "ticket.undone"
    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded(TicketEvent):
    topic: ClassVar[str] = "message.added"
    message_id: int
    direction: str
    visibility: str
    kind: str
    channel_kind: str = ""
    auto: bool = False
    version: int = 0  # the ticket's, once the message stood on it


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTakenBack(TicketEvent):
    topic: ClassVar[str] = "message.taken_back"
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited(TicketEvent):
    """Who wrote it changed it, at their end."""

    topic: ClassVar[str] = "message.edited"
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnsent(TicketEvent):
    """Who wrote it took it back, at their end: nobody knows any more what it said."""

    topic: ClassVar[str] = "message.unsent"
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReacted(TicketEvent):
    topic: ClassVar[str] = "message.reacted"
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelivered(TicketEvent):
    """What became of a message: sent, delivered, read, failed, unknown."""

    topic: ClassVar[str] = "message.delivered"
    message_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMailed(TicketEvent):
    """Chat answers that the visitor did not come back to read went to them by mail."""

    topic: ClassVar[str] = "ticket.chat_mailed"
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSwitched(TicketEvent):
    """A hand-over from one channel to another within one ticket.

    direction: in, the customer went on elsewhere; out, an answer went elsewhere than where they wrote.
    """

    topic: ClassVar[str] = "ticket.channel_switched"
    before: str
    after: str
    direction: str = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(TicketEvent):
    """Whether the customer can be reached on the line they wrote on; `what` as in the contract's ContactChange."""

    topic: ClassVar[str] = "ticket.contact_changed"
    what: str
    channel_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHandedOver(TicketEvent):
    """From one agent or team (ids) or the bot to another. From channel to channel: ChannelSwitched.

    kind: agent, team, bot. undone: the hand-over before and after name was taken back.
    """

    topic: ClassVar[str] = "ticket.handed_over"
    kind: str
    before: str
    after: str
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaEvent(TicketEvent):
    clock_id: int
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaWarned(SlaEvent):
    topic: ClassVar[str] = "sla.warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaBreached(SlaEvent):
    topic: ClassVar[str] = "sla.breached"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaMet(SlaEvent):
    topic: ClassVar[str] = "sla.met"
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent(Event):
    customer_id: int

    @property
    def subject(self) -> str:
        return f"customer:{self.customer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(CustomerEvent):
    topic: ClassVar[str] = "customer.changed"
    fields: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersMerged(CustomerEvent):
    """Seen from the survivor; `evidence` says why they are one person."""

    topic: ClassVar[str] = "customer.merged"
    other_id: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersUnmerged(CustomerEvent):
    topic: ClassVar[str] = "customer.unmerged"
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMergedAway(CustomerEvent):
    """The same merge seen from who was merged away; `other_id` is the survivor."""

    topic: ClassVar[str] = "customer.merged_away"
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerParted(CustomerEvent):
    """The merge taken back, seen from who stands alone again; `other_id` is the former survivor."""

    topic: ClassVar[str] = "customer.parted"
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSuggested(CustomerEvent):
    """Two customers may be one person; `reason` as MergeSuggestion has it."""

    topic: ClassVar[str] = "customer.merge_suggested"
    other_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeDecided(CustomerEvent):
    """Somebody has answered a suggestion, or asked it anew: `state` as MergeSuggestion has it."""

    topic: ClassVar[str] = "customer.merge_decided"
    other_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSent(CustomerEvent):
    """A code to prove an address went out, by e-mail or SMS."""

    topic: ClassVar[str] = "customer.code_sent"
    claim_id: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityVerified(CustomerEvent):
    topic: ClassVar[str] = "customer.identity_verified"
    identity_id: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderBlocked(CustomerEvent):
    topic: ClassVar[str] = "customer.blocked"
    blocked_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderUnblocked(CustomerEvent):
    topic: ClassVar[str] = "customer.unblocked"
