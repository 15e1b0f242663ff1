"""What the API says of tickets, messages and customers: every field always there."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from channels_app.models import Media
from helpdesk.core.api import ChoiceOrNull, Id, Moment, OrNull, Shape
from tickets.enums import (
    ClockState,
    Controller,
    DeliveryState,
    Direction,
    Kind,
    Metric,
    MomentOfTruth,
    Mood,
    Priority,
    SlaState,
    Status,
    Visibility,
)
from tickets.models import Attachment, Customer, Message, Ticket

PRIORITIES = [(priority.word, priority.label) for priority in Priority]
DELIVERY_STATES = [(state.value, state.label) for state in DeliveryState if state.value]
SLA_STATES = [(state.value, state.label) for state in SlaState if state.value]


class TicketOut(Shape):
    """One piece of work for one customer, across channels."""

    id = Id(source="pk", read_only=True)
    number = serializers.CharField(read_only=True, help_text="What people quote.")
    subject = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(Status.choices, read_only=True)
    priority = serializers.SerializerMethodField()
    snoozed_until = Moment(read_only=True, allow_null=True)
    team = OrNull(source="team_id", help_text="Id of the team whose queue it is in.")
    team_name = serializers.SerializerMethodField()
    assignee = OrNull(source="assignee_id", help_text="Id of the user who holds it.")
    assignee_name = serializers.SerializerMethodField()
    customer = Id(source="customer_id", read_only=True)
    customer_name = serializers.CharField(read_only=True)
    channel = OrNull(source="channel_id", help_text="Id of the channel the customer last wrote on.")
    channel_kind = OrNull()
    language = OrNull()
    mood = ChoiceOrNull(Mood.choices)
    topic = OrNull()
    moment = ChoiceOrNull(MomentOfTruth.choices, help_text="The moment of truth this is about.")
    controller = serializers.ChoiceField(Controller.choices, read_only=True)
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)
    snippet = serializers.CharField(read_only=True)
    message_count = serializers.IntegerField(read_only=True)
    unread = serializers.BooleanField(read_only=True)
    waiting_since = Moment(read_only=True, allow_null=True, help_text="The customer's oldest unanswered words.")
    next_due_at = Moment(read_only=True, allow_null=True)
    sla_state = ChoiceOrNull(SLA_STATES)
    merged_into = OrNull(source="merged_into_id", help_text="Id of the ticket this conversation went on in.")
    created_at = Moment(read_only=True)
    updated_at = Moment(read_only=True)
    version = serializers.IntegerField(read_only=True)

    @extend_schema_field(serializers.ChoiceField(PRIORITIES))
    def get_priority(self, ticket: Ticket) -> str:
        return Priority(ticket.priority).word

    def get_team_name(self, ticket: Ticket) -> str | None:
        return ticket.team.name if ticket.team else None

    def get_assignee_name(self, ticket: Ticket) -> str | None:
        return ticket.assignee.name if ticket.assignee else None


class FileOut(Shape):
    """A file, to be fetched at `url` with the same rights."""

    id = Id(source="pk", read_only=True)
    filename = serializers.CharField(read_only=True)
    content_type = serializers.CharField(read_only=True)
    size = serializers.IntegerField(read_only=True, help_text="Bytes.")
    state = serializers.SerializerMethodField(
        help_text="coming: it lies with the provider and is being fetched; lost: it cannot be had any more."
    )
    url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(Media.State.choices))
    def get_state(self, file: Any) -> str:
        return str((file.media if isinstance(file, Attachment) else file).state)

    @extend_schema_field(serializers.URLField())
    def get_url(self, file: Attachment) -> str:
        path = f"/api/v1/attachments/{file.pk}/"
        request = self.context.get("request")
        return request.build_absolute_uri(path) if request else path


class UploadOut(FileOut):
    """A file not sent yet: its id goes into a reply's `attachments`."""

    id = serializers.UUIDField(source="pk", read_only=True)  # type: ignore[assignment]


class SenderOut(Shape):
    """Who said it. `verified`: the channel vouches for the address."""

    name = serializers.CharField(read_only=True, source="sender_name")
    address = serializers.CharField(read_only=True, source="sender_address")
    verified = serializers.BooleanField(read_only=True, source="sender_verified")


class DeliveryOut(Shape):
    """What became of something we sent."""

    state = serializers.ChoiceField(DELIVERY_STATES, read_only=True, source="delivery_state")
    reason = serializers.CharField(read_only=True, source="delivery_reason")


class MessageOut(Shape):
    """One thing said on a ticket."""

    id = Id(source="pk", read_only=True)
    ticket = Id(source="ticket_id", read_only=True)
    channel = OrNull(source="channel_id")
    channel_kind = OrNull()
    external_id = serializers.CharField(read_only=True)
    direction = serializers.ChoiceField(Direction.choices, read_only=True)
    kind = serializers.ChoiceField(Kind.choices, read_only=True)
    visibility = serializers.ChoiceField(Visibility.choices, read_only=True)
    author = OrNull(source="author_id", help_text="Id of the user who wrote it; null for customers and machines.")
    sender = SenderOut(source="*", read_only=True)
    subject = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True, help_text="Without quoted history.")
    text_full = serializers.SerializerMethodField(help_text="With quoted history.")
    html = serializers.CharField(read_only=True, help_text="Sanitised; remote images are held back.")
    details = serializers.SerializerMethodField(
        help_text="What text cannot hold: location, contacts, choice, referral, sticker, post, story, forwarded,"
        " unsupported; history [{at, text}] of an edited message; echo: typed in the provider's own app."
    )
    quotes = serializers.CharField(read_only=True, help_text="external_id of the message on its line it answers.")
    reactions = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="Emoji by the address of who reacted."
    )
    edited_at = Moment(read_only=True, allow_null=True)
    unsent_at = Moment(read_only=True, allow_null=True, help_text="Taken back by who wrote it: the text is gone.")
    attachments = FileOut(many=True, read_only=True)
    delivery = serializers.SerializerMethodField()
    auto = serializers.BooleanField(read_only=True, help_text="A machine wrote it.")
    bounce = serializers.BooleanField(read_only=True)
    occurred_at = Moment(read_only=True)

    def get_text_full(self, message: Message) -> str:
        return message.text_full or message.text

    @extend_schema_field(serializers.DictField())
    def get_details(self, message: Message) -> dict[str, Any]:
        return {key: value for key, value in message.details.items() if key not in ("number", "reacted")}

    @extend_schema_field(DeliveryOut(allow_null=True))
    def get_delivery(self, message: Message) -> Any:
        return DeliveryOut(message).data if message.delivery_state else None


class ClockOut(Shape):
    """One promise about time."""

    id = Id(source="pk", read_only=True)
    metric = serializers.ChoiceField(Metric.choices, read_only=True)
    state = serializers.ChoiceField(ClockState.choices, read_only=True)
    target_seconds = serializers.IntegerField(read_only=True)
    policy_version = serializers.IntegerField(read_only=True)
    started_at = Moment(read_only=True)
    warn_at = Moment(read_only=True)
    due_at = Moment(read_only=True)
    warned_at = Moment(read_only=True, allow_null=True)
    breached_at = Moment(read_only=True, allow_null=True, help_text="Kept when it is met afterwards: late is late.")
    met_at = Moment(read_only=True, allow_null=True)


class IdentityOut(Shape):
    """One address of a customer."""

    id = Id(source="pk", read_only=True)
    kind = serializers.CharField(read_only=True)
    value = serializers.CharField(read_only=True)
    verified = serializers.SerializerMethodField()

    def get_verified(self, identity: Any) -> bool:
        return identity.verified_at is not None


class MoneyOut(Shape):
    """Minor units of a currency; đồng has none."""

    amount = serializers.IntegerField(read_only=True)
    currency = serializers.CharField(read_only=True)


class CustomerOut(Shape):
    """One person. `canonical` is set when they were merged into somebody."""

    id = Id(source="pk", read_only=True)
    name = serializers.CharField(read_only=True)
    language = serializers.CharField(read_only=True)
    form_of_address = serializers.CharField(read_only=True)
    tier = serializers.CharField(read_only=True)
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)
    notes = serializers.CharField(read_only=True)
    preferred_channel = OrNull(help_text="The kind of channel they asked to be answered by.")
    identities = serializers.SerializerMethodField(help_text="Also those that came by merging.")
    value = serializers.SerializerMethodField(
        "get_worth", help_text="What they bought so far; null while no shop is connected."
    )
    canonical = OrNull(source="canonical_id")
    created_at = Moment(read_only=True)
    updated_at = Moment(read_only=True)

    @extend_schema_field(IdentityOut(many=True))
    def get_identities(self, customer: Customer) -> Any:
        return IdentityOut(self.context["identities"].get(customer.pk, []), many=True).data

    @extend_schema_field(MoneyOut(allow_null=True))
    def get_worth(self, customer: Customer) -> None:
        return None


class BlockedOut(Shape):
    """An address whose messages go to spam."""

    id = Id(source="pk", read_only=True)
    kind = serializers.CharField(read_only=True)
    value = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    blocked_by = OrNull(source="blocked_by_id")
    created_at = Moment(read_only=True)


class FoundOut(Shape):
    """One thing found by words."""

    type = serializers.ChoiceField([("ticket", "ticket"), ("article", "article")], read_only=True)
    id = serializers.CharField(read_only=True)
    external_id = serializers.CharField(read_only=True, allow_null=True)
    title = serializers.CharField(read_only=True)
    url = serializers.URLField(read_only=True)
    snippet = serializers.CharField(read_only=True)
    score = serializers.FloatField(read_only=True)
