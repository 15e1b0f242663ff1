"""Tickets as the inbox lists them, what links them, and what can be taken back."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from helpdesk.accounts.models import Team, User
from tickets.enums import ACTIVE, Controller, Priority, SlaState, Status
from tickets.models.customer import Customer


class Ticket(models.Model):
    """One piece of work for one customer, across channels. Carries all that a list row shows."""

    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False, related_name="tickets")
    customer_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=250, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NORMAL)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, db_index=False)
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, db_index=False, related_name="+")
    channel_id = models.UUIDField(null=True)  # of the last inbound message
    channel_kind = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=5, blank=True)
    mood = models.CharField(max_length=8, blank=True)
    topic = models.CharField(max_length=60, blank=True)
    moment = models.CharField(max_length=10, blank=True)
    controller = models.CharField(max_length=5, choices=Controller, default=Controller.NONE)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    participants = ArrayField(models.CharField(max_length=254), default=list, blank=True)  # addresses seen on it

    snippet = models.CharField(max_length=160, blank=True)
    last_direction = models.CharField(max_length=3, blank=True)
    last_message_at = models.DateTimeField(default=now)
    message_count = models.PositiveIntegerField(default=0)
    unread = models.BooleanField(default=True)
    waiting_since = models.DateTimeField(null=True)  # the customer's oldest unanswered message
    next_due_at = models.DateTimeField(null=True)  # of its most urgent running clock
    sla_state = models.CharField(max_length=8, choices=SlaState, blank=True)
    snoozed_until = models.DateTimeField(null=True)
    snoozed_by = models.ForeignKey(User, models.SET_NULL, null=True, db_index=False, related_name="+")

    merged_into = models.ForeignKey("self", models.PROTECT, null=True, db_index=False, related_name="merged")
    merged_at = models.DateTimeField(null=True)
    first_replied_at = models.DateTimeField(null=True)
    solved_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)  # what was asked before was settled by solving; kept when reopened
    reopened_count = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    talked_version = models.PositiveIntegerField(default=1)  # at which the conversation itself last moved
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [
            models.Index(fields=["-updated_at", "-id"], name="ticket_updated"),
            # The list of waiting customers: oldest first, within what is open.
            models.Index(fields=["status", "-last_message_at", "-id"], name="ticket_status"),
            models.Index(fields=["team", "status", "-last_message_at", "-id"], name="ticket_team"),
            models.Index(
                fields=["assignee", "status", "-last_message_at", "-id"],
                condition=Q(assignee__isnull=False),
                name="ticket_assignee",
            ),
            models.Index(fields=["waiting_since", "id"], condition=Q(status__in=ACTIVE), name="ticket_waiting"),
            # Lists that hold most tickets (all, solved) are walked from the newest word on, whatever the teams.
            models.Index(
                fields=["-last_message_at", "-id"], condition=Q(merged_into__isnull=True), name="ticket_latest"
            ),
            models.Index(
                fields=["-last_message_at", "-id"],
                condition=Q(status__in=(Status.SOLVED, Status.CLOSED), merged_into__isnull=True),
                name="ticket_done",
            ),
            # Counted on every page.
            models.Index(
                fields=["team"],
                condition=Q(
                    status__in=ACTIVE, assignee__isnull=True, snoozed_until__isnull=True, merged_into__isnull=True
                ),
                name="ticket_unassigned",
            ),
            models.Index(fields=["customer", "-last_message_at"], name="ticket_customer"),
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="ticket_merged"),
            models.Index(fields=["snoozed_until"], condition=Q(snoozed_until__isnull=False), name="ticket_snoozed"),
            GinIndex(fields=["tags"], name="ticket_tags"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"

    @property
    def number(self) -> str:
        """What people quote."""
        return str(self.pk)

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def family(self) -> list[int]:
        """The ticket and everything merged into it, directly or not."""
        found, frontier = [self.pk], [self.pk]
        while frontier:
            frontier = list(Ticket.objects.filter(merged_into__in=frontier).values_list("pk", flat=True))
            found += frontier
        return found


class TicketLink(models.Model):
    """Two tickets that have to do with each other, and why."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="links")
    other = models.ForeignKey(Ticket, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=40)  # follow_up, stranger, split
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "other"], name="link_once")]


class UndoStep(models.Model):
    """What somebody did to a ticket and how it was before."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="undo_steps")
    user = models.ForeignKey(User, models.CASCADE, null=True, db_index=False)
    verb = models.CharField(max_length=20)
    before = models.JSONField()
    after = models.JSONField()
    created_at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True)


class TicketViewing(models.Model):
    """A ticket lay open on somebody's screen: handling time is reckoned from it."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="viewings")
    user = models.ForeignKey(User, models.CASCADE, db_index=False)
    opened_at = models.DateTimeField(default=now)
    left_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user"], condition=Q(left_at__isnull=True), name="viewing_open")]
