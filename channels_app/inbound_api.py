"""Messages of a system of the shop's own, brought by the API."""

import base64
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import actions
from channels_app.models import InboundEvent
from helpdesk.core.api import ApiView, Flag, Given, Id, Moment, Shape, Text
from helpdesk.core.errors import Invalid, TooLarge
from helpdesk.core.parsers import FilesInJSONParser

MAX_FILES = 20
STATES = [("accepted", "accepted"), ("done", "done"), ("failed", "failed")]


class InboundSenderIn(Given):
    """The customer. The same `id` is the same person."""

    id = Text(max_length=255)
    name = Text(required=False, allow_blank=True, max_length=200, default="")
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254, default="")
    phone = Text(required=False, allow_blank=True, max_length=40, default="")
    verified = Flag(
        required=False,
        default=True,
        help_text="False where your system only heard of the e-mail and the phone: then they join nobody.",
    )


class InboundFileIn(Given):
    """A file: its content in base64, or an address where the desk fetches it."""

    filename = Text(required=False, allow_blank=True, max_length=255, default="")
    content_type = Text(required=False, allow_blank=True, max_length=120, default="")
    content = Text(required=False, allow_blank=True, trim_whitespace=False, default="", help_text="In base64.")
    url = serializers.URLField(required=False, allow_blank=True, max_length=2000, default="")

    def validate_content(self, value: str) -> str:
        """Base64 of no more than the desk keeps."""
        if len(value) // 4 * 3 > settings.ATTACHMENT_MAX_BYTES + 3:
            raise TooLarge
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            raise serializers.ValidationError(_("This is not base64.")) from None
        return value

    def validate_url(self, value: str) -> str:
        """Nothing but the web: the desk fetches it."""
        if value and not value.startswith(("https://", "http://")):
            raise serializers.ValidationError(_("Enter an address that begins with https://"))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the two says where the file is."""
        if bool(attrs["content"]) == bool(attrs["url"]):
            raise serializers.ValidationError(_("Give either its content or its url."))
        return attrs


class InboundIn(Given):
    """One message of a customer. Without files the text must not be empty."""

    external_id = Text(max_length=255, help_text="Your id of it: the same id again changes nothing.")
    sender = InboundSenderIn()
    text = Text(allow_blank=True, trim_whitespace=False)
    subject = Text(required=False, allow_blank=True, max_length=250, default="")
    attachments = serializers.ListField(child=InboundFileIn(), required=False, default=list, max_length=MAX_FILES)
    quotes = Text(
        required=False, allow_blank=True, max_length=255, default="", help_text="Id of the message it answers."
    )
    occurred_at = Moment(required=False, allow_null=True, default=None)


class InboundOut(Shape):
    """What became of it: `accepted` is on disk, `done` is on its ticket, `failed` could not be read."""

    id = Id(source="pk", read_only=True)
    status = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(STATES))
    def get_status(self, receipt: InboundEvent) -> str:
        return receipt.state if receipt.state in ("done", "failed") else "accepted"


class InboundView(ApiView):
    """The door of a channel of kind `open_api`. Supervisors and admins only."""

    serializer_class = InboundOut
    parser_classes = (FilesInJSONParser,)
    queryset = InboundEvent.objects.none()

    @extend_schema(
        operation_id="bring_message",
        summary="Bring a customer's message from an own system",
        request=InboundIn,
        responses={201: InboundOut, 200: InboundOut},
    )
    def create(self, request: Request, pk: Any) -> Response:
        given = self.given(InboundIn)
        if not (given["text"].strip() or given["attachments"]):
            raise Invalid(fields={"text": "empty"})
        if given["occurred_at"]:
            given["occurred_at"] = given["occurred_at"].isoformat()
        receipt, is_new = actions.bring(channel_id=pk, message=given, actor=self.actor)
        return Response(self.shown(InboundOut, receipt), status=201 if is_new else 200)
