"""Reading clocks: the figures an operator watches."""

from django.db.models import Count, Q
from django.utils.timezone import now

from tickets.enums import ClockState
from tickets.models import SlaClock


def figures() -> dict[str, float]:
    """Clocks that run, that are late and unanswered, and by how much the loop is behind."""
    at = now()
    open_clocks = SlaClock.objects.filter(met_at__isnull=True).exclude(state=ClockState.PAUSED)
    found = open_clocks.aggregate(
        running=Count("pk", filter=Q(breached_at__isnull=True)), late=Count("pk", filter=Q(breached_at__isnull=False))
    )
    first = SlaClock.objects.filter(look_at__lte=at).order_by("look_at").values_list("look_at", flat=True).first()
    return {
        "helpdesk_clocks_running": found["running"],
        "helpdesk_clocks_late": found["late"],
        "helpdesk_clock_loop_behind_seconds": (at - first).total_seconds() if first else 0.0,
    }
