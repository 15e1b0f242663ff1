"""The event log, one cursor per subscriber, and the events a subscriber could not digest."""

from django.db import models
from django.db.models import Func
from django.utils.timezone import now

from helpdesk.core.jobs import LeasedJob


class _Xid(Func):
    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()


class EventLog(models.Model):
    """Append-only. (xid, id) is the order of delivery; the same row is the audit trail."""

    xid = models.BigIntegerField(db_default=_Xid())
    topic = models.CharField(max_length=60)
    subject = models.CharField(max_length=60, blank=True)
    payload = models.JSONField()
    actor_kind = models.CharField(max_length=12, default="system")
    actor_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [
            models.Index(fields=["xid", "id"], name="event_order"),
            models.Index(fields=["subject", "id"], condition=~models.Q(subject=""), name="event_subject"),
            # Few of many: hand-overs are counted by time. Named here because an index must name them.
            models.Index(
                fields=["created_at"],
                condition=models.Q(topic__in=("ticket.handed_over", "ticket.channel_switched")),
                name="event_handover",
            ),
        ]


class Cursor(models.Model):
    """How far one subscriber has come."""

    subscriber = models.CharField(max_length=160, primary_key=True)
    xid = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)


class Leftover(LeasedJob):
    """One event one subscriber failed on: retried by itself, so the cursor can move on."""

    QUEUE = "leftovers"

    event = models.ForeignKey(EventLog, models.CASCADE, db_index=False)
    subscriber = models.CharField(max_length=160)

    class Meta(LeasedJob.Meta):
        constraints = [models.UniqueConstraint(fields=["event", "subscriber"], name="leftover_once")]


class IdempotencyKey(models.Model):
    """A write of a program that must happen once: what was asked, and what was answered."""

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=200)
    where = models.CharField(max_length=500)  # method and address
    digest = models.CharField(max_length=64)  # of what was sent
    status = models.PositiveSmallIntegerField(default=0)  # of the answer; 0 while it runs
    response = models.TextField(blank=True)  # JSON as it was sent: jsonb would sort its keys
    created_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_key_once")]
