"""Channels, the customers' lines on them, raw receipts, deliveries, files and chat lines."""

import uuid

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import Team
from helpdesk.core.crypto import EncryptedJSON
from helpdesk.core.jobs import LeasedJob


class Channel(models.Model):
    """One door: a mailbox, a chat widget, a page. Retired, never deleted."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        WEBCHAT = "webchat", _("Web chat")
        MESSENGER = "messenger", "Messenger"
        INSTAGRAM = "instagram", "Instagram"
        WHATSAPP = "whatsapp", "WhatsApp"
        ZALO = "zalo", "Zalo"
        TELEGRAM = "telegram", "Telegram"
        LINE = "line", "LINE"
        VIBER = "viber", "Viber"
        SMS = "sms", "SMS"
        OPEN_API = "open_api", _("Own system")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=254, blank=True)  # normalized; what the outside knows it by
    config = models.JSONField(default=dict)
    secrets = EncryptedJSON(blank=True, default=dict)
    state = models.JSONField(default=dict)  # what the transport must remember: the IMAP cursor
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True)  # where its new tickets go
    is_active = models.BooleanField(default=True)
    problem = models.CharField(max_length=300, blank=True)  # what is wrong with it now, in words; empty is healthy
    problem_kind = models.CharField(max_length=12, blank=True)  # auth: nothing can be sent; silent; other
    problem_since = models.DateTimeField(null=True)
    keys_expire_at = models.DateTimeField(null=True)  # when the present access key ends, where the provider says so
    probe_at = models.DateTimeField(null=True)  # when its provider is to be asked next whether the keys work
    last_inbound_at = models.DateTimeField(null=True)
    gaps = models.JSONField(default=dict)  # {day: the longest silence in it, in seconds}, of the last two weeks
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "address"],
                condition=models.Q(is_active=True) & ~models.Q(address=""),
                name="channel_address_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Thread(models.Model):
    """A customer's line on a channel: the address we answer to. Knows no ticket."""

    channel = models.ForeignKey(Channel, models.PROTECT, db_constraint=False, db_index=False)
    key = models.CharField(max_length=255)
    address = models.CharField(max_length=255)
    name = models.CharField(max_length=200, blank=True)
    last_inbound_at = models.DateTimeField(null=True)
    sent_since = models.PositiveIntegerField(default=0)  # parts sent since the customer last wrote
    quota = models.JSONField(default=dict)  # what the provider last said is left: {remain, total, expires_at, type}
    unreachable = models.CharField(max_length=12, blank=True)  # blocked, opted_out, unfollowed; empty: can be reached
    profile_asked_at = models.DateTimeField(null=True)  # name and picture are asked for once
    last_seq = models.BigIntegerField(default=0)  # of its chat lines
    seen_at = models.DateTimeField(null=True)  # when the visitor's screen was last connected
    created_at = models.DateTimeField(default=now)

    is_fresh: bool = False  # made by the very statement that found it: threads.line

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "key"], name="thread_once"),
            models.CheckConstraint(condition=~models.Q(key=""), name="thread_key_not_empty"),
        ]


class InboundEvent(LeasedJob):
    """One accepted item of a provider's callback or one mail. The unique key is the dedupe."""

    QUEUE = "inbound"

    # Channels are retired, never deleted: no foreign key check, which would lock the one channel row for every mail.
    channel = models.ForeignKey(Channel, models.PROTECT, db_constraint=False, db_index=False)
    external_id = models.CharField(max_length=255)
    meta = models.JSONField(default=dict)

    body: bytes | None = None  # set where a drain has read the bytes of a whole batch

    class Meta(LeasedJob.Meta):
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_id"], name="inbound_once"),
            models.CheckConstraint(condition=~models.Q(external_id=""), name="inbound_id_not_empty"),
        ]
        indexes = [
            *LeasedJob.Meta.indexes,
            models.Index(fields=["-id"], condition=models.Q(state="failed"), name="inbound_failed"),
        ]


class InboundRaw(models.Model):
    """The bytes as they came, beside the job so that claiming does not carry them."""

    event = models.OneToOneField(InboundEvent, models.CASCADE, primary_key=True, db_constraint=False)
    body = models.BinaryField()


class Delivery(LeasedJob):
    """One part of one message on its way out. A message of the desk itself (an invitation) has no message_id."""

    QUEUE = "deliver"

    class Outcome(models.TextChoices):
        NONE = ""
        SENT = "sent"
        DELIVERED = "delivered"
        READ = "read"
        FAILED = "failed"
        UNKNOWN = "unknown"
        TAKEN_BACK = "taken_back"

    channel = models.ForeignKey(Channel, models.PROTECT, db_constraint=False, db_index=False, null=True)
    message_id = models.BigIntegerField(null=True)
    part = models.PositiveSmallIntegerField(default=0)
    payload = models.JSONField()  # an OutboundEnvelope
    thread_key = models.CharField(max_length=255, blank=True)  # the line it leaves on, as its envelope says
    provider_id = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    tries = models.PositiveSmallIntegerField(default=1)  # how often somebody pressed retry, plus one

    class Meta(LeasedJob.Meta):
        constraints = [models.UniqueConstraint(fields=["message_id", "part"], name="delivery_once")]
        indexes = [
            *LeasedJob.Meta.indexes,
            models.Index(fields=["provider_id"], condition=~models.Q(provider_id=""), name="delivery_provider"),
            # Providers say "everything on this line up to then", and tell of what left without naming it.
            models.Index(
                fields=["channel", "thread_key", "-id"], condition=~models.Q(thread_key=""), name="delivery_line"
            ),
            models.Index(fields=["-id"], condition=models.Q(state="failed"), name="delivery_failed"),
        ]


class Media(models.Model):
    """A file we keep, stored under the hash of its content."""

    class State(models.TextChoices):
        KEPT = "kept"
        COMING = "coming"  # it lies with the provider; a job fetches it
        LOST = "lost"  # the provider no longer gives it out, or it is too large

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=6, choices=State, default=State.KEPT)
    sha256 = models.CharField(max_length=64, blank=True)  # empty until it is kept
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.BigIntegerField()
    content_id = models.CharField(max_length=255, blank=True)
    owner = models.CharField(max_length=80, blank=True)  # who uploaded it: `user:7`, `thread:12`; empty for mail
    created_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["sha256"], condition=~models.Q(sha256=""), name="media_content")]

    @property
    def path(self) -> str:
        """Where the content lies within the media folder."""
        return f"{self.sha256[:2]}/{self.sha256}"


class Errand(LeasedJob):
    """Something to get from a provider: a file of a message, or who somebody is."""

    QUEUE = "errands"

    class What(models.TextChoices):
        FILE = "file"  # source: what the adapter's fetch needs; media: where it goes
        PROFILE = "profile"  # thread: whose
        PROBE = "probe"  # whether the channel's keys still work
        TOKEN = "token"  # the channel's keys are exchanged for new ones

    channel = models.ForeignKey(Channel, models.PROTECT, db_constraint=False, db_index=False)
    what = models.CharField(max_length=8, choices=What)
    media = models.ForeignKey(Media, models.CASCADE, null=True)
    thread = models.ForeignKey(Thread, models.CASCADE, null=True, db_index=False)
    source = models.JSONField(default=dict)

    class Meta(LeasedJob.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["channel"],
                condition=models.Q(what="token", state__in=("pending", "running")),
                name="errand_token_once",
            )
        ]


class ChatLine(models.Model):
    """One line as the widget shows it, numbered within its thread. The widget reads nothing else."""

    thread = models.ForeignKey(Thread, models.CASCADE, db_index=False)
    seq = models.BigIntegerField()
    client_id = models.CharField(max_length=64)  # the sender's own id of it: a repeat is no second line
    direction = models.CharField(max_length=3)
    author = models.CharField(max_length=120, blank=True)
    text = models.TextField(blank=True)
    files = models.JSONField(default=list)  # [{media, filename, content_type, size}]
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "seq"], name="chat_seq_once"),
            models.UniqueConstraint(fields=["thread", "client_id"], name="chat_client_once"),
        ]


class Visitor(models.Model):
    """Who writes on a chat thread, what they have read, and when unread answers go by mail."""

    thread = models.OneToOneField(Thread, models.CASCADE, primary_key=True, related_name="visitor")
    proved = models.JSONField(default=list)  # [{kind, value}] the host site signed, together
    claimed = models.JSONField(default=list)  # [{kind, value}] somebody only said; joins nobody
    language = models.CharField(max_length=5, blank=True)
    seen_seq = models.BigIntegerField(default=0)  # the last line that stood before the visitor's eyes
    mailed_seq = models.BigIntegerField(default=0)  # the last line that went by mail
    mail_due_at = models.DateTimeField(null=True)  # when somebody looks whether answers must go by mail

    class Meta:
        indexes = [
            models.Index(fields=["mail_due_at"], condition=models.Q(mail_due_at__isnull=False), name="visitor_mail_due")
        ]
