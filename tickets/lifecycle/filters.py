"""One filter for the inbox form, saved views and the API: a view is a query string."""

from typing import Any

import django_filters as filters
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet

from tickets.enums import Controller, Mood, Priority, Status
from tickets.lifecycle.search import matching
from tickets.models import Ticket

_ID = RegexValidator("^[0-9]{1,18}$")
_ID_OR_NONE = RegexValidator("^(none|[0-9]{1,18})$")


class TicketFilter(filters.FilterSet):
    """Filters of the ticket list; unknown values are refused with the field's name."""

    status = filters.MultipleChoiceFilter(choices=Status.choices)
    priority = filters.MultipleChoiceFilter(
        choices=[(priority.word, priority.label) for priority in Priority], method="by_priority"
    )
    team = filters.CharFilter(method="by_reference", validators=[_ID_OR_NONE])
    assignee = filters.CharFilter(method="by_reference", validators=[_ID_OR_NONE])
    customer = filters.CharFilter(method="by_reference", validators=[_ID])
    channel = filters.UUIDFilter(field_name="channel_id")
    channel_kind = filters.CharFilter()
    topic = filters.CharFilter()
    mood = filters.ChoiceFilter(choices=Mood.choices)
    controller = filters.ChoiceFilter(choices=Controller.choices)
    tag = filters.CharFilter(method="by_tag")
    due_before = filters.IsoDateTimeFilter(field_name="next_due_at", lookup_expr="lt")
    q = filters.CharFilter(method="by_words")

    def by_priority(self, tickets: QuerySet[Ticket], name: str, words: list[str]) -> QuerySet[Ticket]:
        return tickets.filter(priority__in=[Priority.of(word) for word in words]) if words else tickets

    def by_reference(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        """An id, or `none` for those without."""
        if value == "none":
            return tickets.filter(**{f"{name}__isnull": True})
        return tickets.filter(**{f"{name}_id": int(value)})

    def by_tag(self, tickets: QuerySet[Ticket], name: str, value: Any) -> QuerySet[Ticket]:
        return tickets.filter(tags__contains=[str(value).lower()])

    def by_words(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        words: Q = matching(value)
        return tickets.filter(words)
