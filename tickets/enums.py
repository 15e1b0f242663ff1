"""The fixed vocabularies of the work."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Status(TextChoices):
    OPEN = "open", pgettext_lazy("status", "Open")  # "Open" alone is the act of opening
    PENDING = "pending", _("Waiting for the customer")
    ON_HOLD = "on_hold", _("On hold")
    SOLVED = "solved", _("Solved")
    CLOSED = "closed", _("Closed")
    SPAM = "spam", _("Spam")


ACTIVE = (Status.OPEN, Status.PENDING, Status.ON_HOLD)


class Priority(IntegerChoices):
    LOW = 0, _("Low")
    NORMAL = 1, _("Normal")
    HIGH = 2, _("High")
    URGENT = 3, _("Urgent")

    @property
    def word(self) -> str:
        """As the API says it: low, normal, high, urgent."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Priority":
        """The priority of an API word; raises KeyError for any other."""
        return cls[word.upper()]


class Controller(TextChoices):
    BOT = "bot", _("Bot")
    AGENT = "agent", _("Agent")
    NONE = "none", _("Nobody")


class Mood(TextChoices):
    NEGATIVE = "negative", _("Negative")
    NEUTRAL = "neutral", _("Neutral")
    POSITIVE = "positive", _("Positive")


class MomentOfTruth(TextChoices):
    """Where in the customer's journey a ticket stands."""

    STIMULUS = "stimulus", _("Stimulus")
    ZERO = "zero", _("Zero moment")
    FIRST = "first", _("First moment")
    SECOND = "second", _("Second moment")
    WAITING = "waiting", _("Waiting")
    ULTIMATE = "ultimate", _("Ultimate moment")


class Direction(TextChoices):
    IN = "in", _("From the customer")
    OUT = "out", _("To the customer")


class Kind(TextChoices):
    MESSAGE = "message", _("Message")
    NOTE = "note", _("Note")
    COMMENT = "comment", _("Comment")
    CALL = "call", _("Call")
    EVENT = "event", _("Event")


class CallOutcome(TextChoices):
    """What came of a call; a walk-in is a customer who stood in the shop."""

    REACHED = "reached", _("Spoke with the customer")
    NO_ANSWER = "no_answer", _("Nobody answered")
    VOICEMAIL = "voicemail", _("Left a message")
    CALLBACK = "callback", _("To be called back")
    WALK_IN = "walk_in", _("Came in person")


SPOKEN = (CallOutcome.REACHED, CallOutcome.WALK_IN)  # the customer has been answered by word of mouth


class Visibility(TextChoices):
    PUBLIC = "public", _("Public")
    INTERNAL = "internal", _("Internal")


class DeliveryState(TextChoices):
    NONE = "", ""
    QUEUED = "queued", _("Queued")
    HELD = "held", _("Held")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    READ = "read", _("Read")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    TAKEN_BACK = "taken_back", _("Taken back")


class Metric(TextChoices):
    FIRST_REPLY = "first_reply", _("First reply")
    NEXT_REPLY = "next_reply", _("Next reply")
    RESOLUTION = "resolution", _("Resolution")


class ClockState(TextChoices):
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    MET = "met", _("Met")
    BREACHED = "breached", _("Breached")


class SlaState(TextChoices):
    """What the list shows of a ticket's most urgent clock."""

    NONE = "", ""
    OK = "ok", _("On time")
    WARNED = "warned", _("Due soon")
    BREACHED = "breached", _("Late")
