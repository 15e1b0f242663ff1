"""Tickets: list, read, change, and what joins and parts them."""

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.core.api import ApiView, Flag, Given, Id, Moment, Ordering, Text, Whole
from helpdesk.core.errors import NotFound, StaleVersion
from tickets.api.shapes import PRIORITIES, ClockOut, MessageOut, TicketOut
from tickets.enums import Status
from tickets.lifecycle import actions, editing, joining, queries
from tickets.lifecycle.filters import TicketFilter
from tickets.messages import queries as messages
from tickets.models import Ticket

MOST_VERSION = 2**31 - 1
MOST_MESSAGES = 500


class TicketChange(Given):
    """Any of these; what is left out stays. All of them happen, or none."""

    status = serializers.ChoiceField(Status.choices, required=False)
    priority = serializers.ChoiceField(PRIORITIES, required=False)
    team = Id(required=False, allow_null=True)
    assignee = Id(required=False, allow_null=True)
    tags = serializers.ListField(
        child=Text(max_length=60), required=False, max_length=actions.MAX_TAGS, help_text="The whole list."
    )
    subject = Text(required=False, max_length=250)
    snoozed_until = Moment(required=False, allow_null=True, help_text="null brings it back now.")
    expected_version = Whole(
        required=False, min_value=1, max_value=MOST_VERSION, help_text="Refused with stale_version if it has changed."
    )


class MergeTicket(Given):
    """The ticket that becomes part of this one."""

    ticket = Id()


class SplitTicket(Given):
    """The messages that become a ticket of their own."""

    messages = serializers.ListField(child=Id(), min_length=1, max_length=MOST_MESSAGES)
    subject = Text(required=False, max_length=250, default="")


class MoveMessage(Given):
    """A message of this ticket, and the ticket it belongs on."""

    message = Id()
    ticket = Id()


class ReadState(Given):
    """Nothing needs to be said."""

    unread = Flag(required=False, default=False, help_text="Only false: it has been looked at.")

    def validate_unread(self, value: bool) -> bool:
        if value:
            raise serializers.ValidationError(["A ticket becomes unread by what the customer writes."])
        return value


class TicketView(ApiView):
    """The tickets of your teams and those without a team; all of them for admins."""

    serializer_class = TicketOut
    filter_backends = (DjangoFilterBackend, Ordering)
    filterset_class = TicketFilter
    ordering_fields = ("updated_at", "created_at", "last_message_at", "waiting_since", "next_due_at", "priority", "id")
    queryset = Ticket.objects.none()

    def get_queryset(self) -> QuerySet[Ticket]:
        return queries.inbox(self.actor).select_related("team", "assignee")

    @extend_schema(operation_id="list_tickets", summary="List tickets, newest change first")
    def list(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.shown(TicketOut, rows, many=True))

    @extend_schema(operation_id="read_ticket", summary="Read a ticket")
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(queries.ticket_for(self.actor, pk))

    @extend_schema(
        operation_id="change_ticket", summary="Change a ticket", request=TicketChange, responses={200: TicketOut}
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        changes = self.given(TicketChange)
        try:
            return self._answer(editing.edit(ticket_id=pk, actor=self.actor, **changes))
        except StaleVersion as stale:
            raise told(self, pk, stale) from None

    @extend_schema(
        operation_id="merge_ticket",
        summary="Merge another ticket into this one",
        request=MergeTicket,
        responses={200: TicketOut},
    )
    def merge(self, request: Request, pk: str) -> Response:
        loser = self.given(MergeTicket)["ticket"]
        return self._answer(joining.merge(survivor_id=pk, loser_id=loser, actor=self.actor))

    @extend_schema(
        operation_id="split_ticket",
        summary="Make a new ticket of some messages",
        request=SplitTicket,
        responses={201: TicketOut},
    )
    def split(self, request: Request, pk: str) -> Response:
        given = self.given(SplitTicket)
        chosen = [int(message_id) for message_id in given["messages"]]
        fresh = joining.split(ticket_id=pk, message_ids=chosen, subject=given["subject"], actor=self.actor)
        return self._answer(fresh, status=201)

    @extend_schema(
        operation_id="move_message",
        summary="Move a message to another ticket",
        request=MoveMessage,
        responses={200: MessageOut},
    )
    def move(self, request: Request, pk: str) -> Response:
        given = self.given(MoveMessage)
        queries.ticket_for(self.actor, pk)
        if messages.message_for(self.actor, given["message"]).ticket_id != int(pk):
            raise NotFound
        moved = joining.move(message_id=given["message"], to_ticket_id=given["ticket"], actor=self.actor)
        return Response(self.shown(MessageOut, moved))

    @extend_schema(
        operation_id="undo_ticket",
        summary="Take back your own last step on this ticket",
        request=None,
        responses={200: TicketOut},
    )
    def undo(self, request: Request, pk: str) -> Response:
        return self._answer(joining.undo(ticket_id=pk, actor=self.actor))

    @extend_schema(
        operation_id="read_state", summary="Mark a ticket as read", request=ReadState, responses={200: TicketOut}
    )
    def read(self, request: Request, pk: str) -> Response:
        self.given(ReadState)
        actions.mark_read(ticket_id=pk, actor=self.actor)
        return self._answer(queries.ticket_for(self.actor, pk))

    @extend_schema(
        operation_id="list_clocks",
        summary="List a ticket's clocks",
        responses={200: ClockOut(many=True)},
        filters=False,
    )
    def clocks(self, request: Request, pk: str) -> Response:
        ticket = queries.ticket_for(self.actor, pk)
        self.ordering = ("id",)
        rows = self.paginate_queryset(queries.clocks(ticket))
        return self.get_paginated_response(self.shown(ClockOut, rows, many=True))

    def _answer(self, ticket: Ticket, status: int = 200) -> Response:
        return Response(self.shown(TicketOut, ticket), status=status)


def told(view: ApiView, ticket_id: str, stale: StaleVersion) -> StaleVersion:
    """The refusal with the messages the reader has not seen."""
    ticket = queries.survivor(queries.ticket_for(view.actor, ticket_id))
    seen = stale.fields.get("expected_version", ticket.version)
    found = messages.new_since_version(ticket, seen, view.actor)
    new: list[Any] = view.shown(MessageOut, found, many=True)
    return StaleVersion(fields={**stale.fields, "messages": new})
