"""What is said on a ticket: messages, replies, notes, sending again and taking back."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.windows import STATES
from helpdesk.core.api import ApiView, Given, Moment, Ordering, Shape, Text, Whole
from helpdesk.core.errors import NotFound, StaleVersion
from tickets.api.shapes import MessageOut
from tickets.api.tickets import MOST_VERSION, told
from tickets.enums import Status
from tickets.lifecycle import queries as lifecycle
from tickets.messages import actions, queries
from tickets.messages.reach import Reach
from tickets.models import Message

AFTERWARDS = [(status.value, status.label) for status in (Status.OPEN, Status.PENDING, Status.SOLVED)]


class Words(Given):
    """Something to say. Without files the text must not be empty."""

    text = Text(allow_blank=True, max_length=actions.MAX_TEXT, trim_whitespace=False)
    attachments = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        default=list,
        max_length=actions.MAX_FILES,
        help_text="Ids of your own uploads.",
    )


class TemplateIn(Given):
    """An approved template of the channel, with a value for each of its holes."""

    name = Text(max_length=200)
    language = Text(max_length=20, required=False, default="", allow_blank=True)
    parameters = serializers.ListField(child=Text(max_length=500), required=False, default=list, max_length=40)


class ReplyIn(Words):
    """An answer to the customer, on the best channel when none is named.

    Refused with 409 `window_closed`, `channel_blocked` or `unreachable` and the channels that would reach the
    customer, or 422 `file_too_large`, before anything is written.
    """

    channel = serializers.UUIDField(required=False, allow_null=True, default=None)
    address = Text(
        required=False, default="", allow_blank=True, max_length=255, help_text="One of the channel's ways, by address."
    )
    mode = serializers.ChoiceField(
        [("", ""), ("comment", "comment"), ("private", "private")],
        required=False,
        allow_null=True,
        default=None,
        help_text="For comments: in public under the post, or a private message. Without it the first of the ways.",
    )
    template = TemplateIn(required=False, allow_null=True, default=None, help_text="In place of text.")
    choices = serializers.ListField(
        child=Text(max_length=100), required=False, default=list, max_length=20, help_text="Quick replies."
    )
    quotes = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=20, help_text="Id of the message this answers."
    )
    expected_version = Whole(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=MOST_VERSION,
        help_text="The ticket's version you saw: refused with stale_version and what is new if it has moved.",
    )
    status = serializers.ChoiceField(AFTERWARDS, required=False, default="", help_text="The ticket's status after it.")


class NoteIn(Words):
    """For colleagues only."""


class WindowOut(Shape):
    """Until when, and how often, the customer may be answered there."""

    state = serializers.ChoiceField(
        [(state, state) for state in STATES],
        read_only=True,
        help_text="human: only what a person types; charged: it costs; template: only an approved template.",
    )
    closes_at = Moment(read_only=True, allow_null=True, help_text="When this state ends, or when it was last open.")
    left = serializers.IntegerField(read_only=True, allow_null=True, help_text="Messages left in this state.")
    total = serializers.IntegerField(read_only=True, allow_null=True)


class WayOut(Shape):
    """One way to answer the customer now."""

    channel = serializers.UUIDField(read_only=True, source="channel_id")
    kind = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    address = serializers.CharField(read_only=True)
    mode = serializers.ChoiceField([("", ""), ("comment", "comment"), ("private", "private")], read_only=True)
    window = WindowOut(read_only=True)
    blocked = serializers.CharField(read_only=True, help_text="Why nothing can be sent on the channel; empty: it can.")
    is_last = serializers.BooleanField(read_only=True, help_text="The line the customer wrote on last.")
    is_preferred = serializers.BooleanField(read_only=True, help_text="The kind of channel the customer asked for.")
    text_limit = serializers.SerializerMethodField(help_text="Of one part; longer texts leave in several. 0: none.")
    in_bytes = serializers.SerializerMethodField(help_text="The limit counts UTF-8 bytes.")
    choices = serializers.SerializerMethodField(help_text="How many quick replies it shows.")
    templates = serializers.SerializerMethodField(help_text="Approved templates can be sent.")

    def get_text_limit(self, way: Reach) -> int:
        return way.ability.text_limit

    def get_in_bytes(self, way: Reach) -> bool:
        return way.ability.in_bytes

    def get_choices(self, way: Reach) -> int:
        return way.ability.choices

    def get_templates(self, way: Reach) -> bool:
        return way.ability.templates


class ConversationView(ApiView):
    """One ticket's messages, those of tickets merged into it too."""

    serializer_class = MessageOut
    filter_backends = (Ordering,)
    ordering_fields = ("occurred_at", "id")
    ordering = ("occurred_at", "id")
    queryset = Message.objects.none()

    def get_queryset(self) -> QuerySet[Message]:
        ticket = lifecycle.ticket_for(self.actor, self.kwargs["pk"])
        return queries.messages(ticket, self.actor).order_by()

    @extend_schema(operation_id="list_messages", summary="List a ticket's messages, oldest first")
    def list(self, request: Request, pk: str) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        queries.mark_sending(rows)
        return self.get_paginated_response(self.shown(MessageOut, rows, many=True))

    @extend_schema(operation_id="read_message", summary="Read a message", filters=False)
    def retrieve(self, request: Request, pk: str, message_id: str) -> Response:
        return self._answer(self._message(message_id))

    @extend_schema(
        operation_id="reply", summary="Answer the customer", request=ReplyIn, responses={201: MessageOut}, filters=False
    )
    def reply(self, request: Request, pk: str) -> Response:
        given = self.given(ReplyIn)
        try:
            message = actions.reply(
                ticket_id=pk,
                text=given["text"],
                actor=self.actor,
                channel_id=given["channel"],
                address=given["address"],
                mode=given["mode"],
                template=given["template"],
                choices=tuple(given["choices"]),
                quotes=given["quotes"],
                media_ids=tuple(given["attachments"]),
                expected_version=given["expected_version"],
                status=given["status"],
            )
        except StaleVersion as stale:
            raise told(self, pk, stale) from None
        return self._answer(message, status=201)

    @extend_schema(
        operation_id="list_ticket_channels",
        summary="List the ways to answer the customer, best first",
        responses={200: WayOut(many=True)},
        filters=False,
    )
    def ways(self, request: Request, pk: str) -> Response:
        """Every way and how it stands now. They are few: there is never a second page."""
        ticket = lifecycle.survivor(lifecycle.ticket_for(self.actor, pk))
        rows = self.shown(WayOut, queries.channels_for(ticket), many=True)
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(
        operation_id="note",
        summary="Write something for colleagues only",
        request=NoteIn,
        responses={201: MessageOut},
        filters=False,
    )
    def note(self, request: Request, pk: str) -> Response:
        given = self.given(NoteIn)
        media_ids = tuple(given["attachments"])
        message = actions.note(ticket_id=pk, text=given["text"], actor=self.actor, media_ids=media_ids)
        return self._answer(message, status=201)

    @extend_schema(
        operation_id="retry_message",
        summary="Send the parts of a message that failed once more",
        request=None,
        responses={200: MessageOut},
        filters=False,
    )
    def retry(self, request: Request, pk: str, message_id: str) -> Response:
        return self._answer(actions.retry(message_id=self._message(message_id).pk, actor=self.actor))

    @extend_schema(
        operation_id="take_back_message",
        summary="Take back your own reply while it is held",
        request=None,
        responses={200: MessageOut},
        filters=False,
    )
    def take_back(self, request: Request, pk: str, message_id: str) -> Response:
        return self._answer(actions.take_back(message_id=self._message(message_id).pk, actor=self.actor))

    def _message(self, message_id: str) -> Message:
        found: Message | None = self.get_queryset().filter(pk=int(message_id)).first()
        if found is None:
            raise NotFound
        return found

    def _answer(self, message: Any, status: int = 200) -> Response:
        queries.mark_sending([message])
        return Response(self.shown(MessageOut, message), status=status)
