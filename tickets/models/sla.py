"""The clocks of a ticket."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from tickets.enums import ClockState, Metric
from tickets.models.ticket import Ticket


class SlaClock(models.Model):
    """One promise about time: a row per ticket and metric."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, db_index=False, related_name="clocks")
    metric = models.CharField(max_length=12, choices=Metric)
    state = models.CharField(max_length=8, choices=ClockState, default=ClockState.RUNNING)
    target_seconds = models.PositiveIntegerField()
    policy_version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    warn_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # The next moment the clock loop must look at it: warn_at, then due_at, then never.
    look_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)  # kept when it is met afterwards: late is late
    met_at = models.DateTimeField(null=True)
    met_by = models.BigIntegerField(null=True)  # the message that met it: if that one never arrives, it runs on
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "metric"], name="clock_once")]
        indexes = [models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="clock_look")]
