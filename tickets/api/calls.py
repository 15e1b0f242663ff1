"""Telephone calls and walk-ins, written down by hand."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.core.api import ApiView, Flag, Given, Id, Moment, Text, Whole
from tickets.api.shapes import MessageOut
from tickets.enums import CallOutcome, Direction
from tickets.messages import calls
from tickets.models import Message


class CallIn(Given):
    """A call or a walk-in of a ticket's customer. Who was spoken with counts as answered, at the time of the call."""

    direction = serializers.ChoiceField(Direction.choices, help_text="in: they called, or came; out: we called.")
    outcome = serializers.ChoiceField(CallOutcome.choices)
    seconds = Whole(required=False, default=0, min_value=0, max_value=calls.LONGEST)
    text = Text(
        required=False, allow_blank=True, default="", max_length=calls.MAX_TEXT, help_text="Notes; for colleagues only."
    )
    occurred_at = Moment(required=False, allow_null=True, default=None, help_text="Now when left out; never ahead.")


class NewCallIn(CallIn):
    """A call that no ticket is known for: by customer, by telephone number, or by name alone."""

    customer = Id(required=False, allow_null=True, default=None)
    phone = Text(required=False, allow_blank=True, default="", max_length=60)
    name = Text(required=False, allow_blank=True, default="", max_length=200)
    new_ticket = Flag(required=False, default=False, help_text="Open another ticket even if one of theirs is open.")


class CallView(ApiView):
    """Calls become messages of kind `call` with `details.call`; customers do not see them."""

    serializer_class = MessageOut
    queryset = Message.objects.none()

    @extend_schema(
        operation_id="log_call",
        summary="Log a call or a walk-in on a ticket",
        request=CallIn,
        responses={201: MessageOut},
        filters=False,
    )
    def log(self, request: Request, pk: str) -> Response:
        message = calls.log(ticket_id=pk, actor=self.actor, **_call(self.given(CallIn)))
        return Response(self.shown(MessageOut, message), status=201)

    @extend_schema(
        operation_id="log_new_call",
        summary="Log a call of somebody, on their open ticket or a new one",
        request=NewCallIn,
        responses={201: MessageOut},
        filters=False,
    )
    def log_anew(self, request: Request) -> Response:
        given = self.given(NewCallIn)
        who: dict[str, Any] = {"customer_id": given["customer"], "phone": given["phone"], "name": given["name"]}
        message = calls.log_anew(actor=self.actor, is_new=given["new_ticket"], **who, **_call(given))
        return Response(self.shown(MessageOut, message), status=201)


def _call(given: dict[str, Any]) -> dict[str, Any]:
    call = calls.Call(direction=given["direction"], outcome=given["outcome"], seconds=given["seconds"])
    return {"call": call, "text": given["text"], "at": given["occurred_at"]}
