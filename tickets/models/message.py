"""What was said on a ticket, with its files and unfinished answers."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from channels_app.models import Channel, Media, Thread
from helpdesk.accounts.models import User
from tickets.enums import DeliveryState, Direction, Kind, Visibility
from tickets.models.customer import Customer
from tickets.models.ticket import Ticket


class Message(models.Model):
    """One message, note, comment or call on a ticket's timeline."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, db_index=False, related_name="messages")
    thread = models.ForeignKey(Thread, models.PROTECT, null=True, db_index=False)
    # No foreign key check: it would lock the one channel row for every message.
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, db_index=False, db_constraint=False)
    channel_kind = models.CharField(max_length=20, blank=True)
    external_id = models.CharField(max_length=255, blank=True)  # for mail the Message-ID without brackets
    content_hash = models.CharField(max_length=64, blank=True)
    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.MESSAGE)
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PUBLIC)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, db_index=False)
    author = models.ForeignKey(User, models.PROTECT, null=True, db_index=False)
    sender_name = models.CharField(max_length=200, blank=True)
    sender_address = models.CharField(max_length=255, blank=True)
    sender_verified = models.BooleanField(default=False)
    recipients = ArrayField(models.CharField(max_length=254), default=list, blank=True)
    subject = models.CharField(max_length=250, blank=True)
    text = models.TextField(blank=True)
    text_full = models.TextField(blank=True)  # empty where it is the same as text
    html = models.TextField(blank=True)  # sanitised
    details = models.JSONField(default=dict)  # what text cannot hold: channels_app.contracts.NewMessage.details, call
    quotes = models.CharField(max_length=255, blank=True)  # external id of the message on its line that it answers
    reactions = models.JSONField(default=dict)  # {who: emoji}; who is a sender's address
    edited_at = models.DateTimeField(null=True)
    unsent_at = models.DateTimeField(null=True)  # taken back by who wrote it: the text is gone
    auto = models.BooleanField(default=False)
    bounce = models.BooleanField(default=False)
    delivery_state = models.CharField(max_length=10, choices=DeliveryState, blank=True)
    delivery_reason = models.CharField(max_length=500, blank=True)
    held_until = models.DateTimeField(null=True)
    evidence = models.JSONField(default=dict)  # why it stands on this ticket
    event_id = models.BigIntegerField(null=True)  # the kept receipt it came from
    occurred_at = models.DateTimeField(default=now)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "external_id"], condition=~Q(external_id=""), name="message_once")
        ]
        indexes = [
            models.Index(fields=["ticket", "occurred_at", "id"], name="message_timeline"),
            models.Index(fields=["external_id"], condition=~Q(external_id=""), name="message_reference"),
        ]


class Attachment(models.Model):
    """A file on a message."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    media = models.ForeignKey(Media, models.PROTECT)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.BigIntegerField()
    content_id = models.CharField(max_length=255, blank=True)


class Draft(models.Model):
    """What somebody has begun to write on a ticket."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, db_index=False)
    user = models.ForeignKey(User, models.CASCADE, db_index=False)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.MESSAGE)
    channel_id = models.UUIDField(null=True)
    way = models.JSONField(default=dict)  # how it is to go: {address, mode, template, choices, quotes}
    text = models.TextField(blank=True)
    media_ids = models.JSONField(default=list)
    seen_version = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="draft_once")]
