"""People who write to us, by which addresses, and whom we no longer listen to."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.timezone import now

from channels_app.models import Media
from helpdesk.accounts.models import User


class Customer(models.Model):
    """One person. A merge leaves both rows: the loser points at the survivor and can be taken back."""

    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=5, blank=True)
    form_of_address = models.CharField(max_length=20, blank=True)  # anh, chị, em, Mr, Ms
    tier = models.CharField(max_length=20, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    notes = models.TextField(blank=True)
    preferred_channel = models.CharField(max_length=20, blank=True)  # the kind they asked to be answered on
    picture = models.ForeignKey(Media, models.SET_NULL, null=True, db_index=False, related_name="+")
    canonical = models.ForeignKey("self", models.PROTECT, null=True, related_name="aliases")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    is_fresh: bool = False  # made in this very transaction: nothing can be theirs yet
    writer_id: int | None = None  # whose address wrote, where that one was merged into this one: customers.resolve

    class Meta:
        indexes = [
            models.Index(fields=["-updated_at", "-id"], name="customer_recent"),
            GinIndex(fields=["tags"], name="customer_tags"),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"

    @property
    def own_id(self) -> int:
        """Whose words these are, merges aside: they stay theirs when a merge is taken back."""
        return self.writer_id or self.pk


class Identity(models.Model):
    """One address of one customer. The value is normalized and never rewritten."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="identities")
    kind = models.CharField(max_length=20)
    scope = models.CharField(max_length=80, blank=True)
    value = models.CharField(max_length=255)
    name = models.CharField(max_length=200, blank=True)
    verified_at = models.DateTimeField(null=True)
    evidence = models.CharField(max_length=60, blank=True)  # why it counts as verified
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "scope", "value"], name="identity_once"),
            models.CheckConstraint(condition=~models.Q(value=""), name="identity_value_not_empty"),
        ]
        # Namesakes on one line: asked about with every new social address.
        indexes = [models.Index(fields=["kind", "scope", "name"], condition=~models.Q(name=""), name="identity_name")]


class IdentityClaim(models.Model):
    """An address somebody says is theirs. Proves nothing until a code sent to it comes back."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="claims")
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=255)
    code_digest = models.CharField(max_length=64, blank=True)
    code_expires_at = models.DateTimeField(null=True)
    code_sent_at = models.DateTimeField(null=True)
    codes_sent = models.PositiveSmallIntegerField(default=0)  # in the present window
    tries = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "kind", "value"], name="claim_once")]
        indexes = [models.Index(fields=["kind", "value"], name="claim_value")]

    @property
    def awaits_code(self) -> bool:
        """Whether a code is on its way that is still good."""
        return bool(self.code_digest and self.code_expires_at and self.code_expires_at > now())


class MergeSuggestion(models.Model):
    """Two customers who may be one person, for an agent to decide. Asked once for each pair."""

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DECLINED = "declined"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="suggestions")  # the lower id of the two
    other = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=30)  # same_phone, same_email, same_name, claimed
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False)
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "other"], name="suggestion_once")]
        indexes = [models.Index(fields=["other"], name="suggestion_other")]


class BlockedSender(models.Model):
    """Mail and chat from this address goes to spam, quietly."""

    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=255)
    reason = models.CharField(max_length=200, blank=True)
    blocked_by = models.ForeignKey(User, models.PROTECT, null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="blocked_once")]
