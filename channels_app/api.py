"""Channels in the API: set up, changed, retired; and what failed at the door."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import actions, kinds, queries
from channels_app.models import Channel, InboundEvent
from helpdesk.core.api import ApiView, Given, Id, Moment, OrNull, Shape, Text

CHANNEL_KINDS = [(kind, kind) for kind in kinds.KINDS]


class HealthOut(Shape):
    """How the channel is: `problem` says in words what is wrong with it now."""

    state = serializers.SerializerMethodField()
    problem = serializers.CharField(read_only=True)
    problem_kind = serializers.CharField(read_only=True, help_text="auth, silent, other; empty is healthy")
    since = Moment(read_only=True, allow_null=True, source="problem_since")
    last_inbound_at = Moment(read_only=True, allow_null=True)

    def get_state(self, channel: Channel) -> str:
        if not channel.is_active:
            return "retired"
        return "problem" if channel.problem else "ok"


class ChannelOut(Shape):
    """One door. Secrets never come back: `secrets_set` names those that are there."""

    id = serializers.UUIDField(read_only=True)
    kind = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    address = serializers.CharField(read_only=True)
    config = serializers.DictField(read_only=True)
    secrets_set = serializers.SerializerMethodField()
    team = OrNull(source="team_id", help_text="Id of the team its new tickets go to.")
    is_active = serializers.BooleanField(read_only=True)
    webhook_url = serializers.SerializerMethodField()
    health = HealthOut(source="*", read_only=True)
    created_at = Moment(read_only=True)
    updated_at = Moment(read_only=True)

    def get_secrets_set(self, channel: Channel) -> list[str]:
        return sorted(key for key in channel.secrets if key in kinds.KEYS.get(channel.kind, ({}, {}))[1])

    def get_webhook_url(self, channel: Channel) -> str:
        return f"{settings.SITE_URL}/hooks/{channel.pk}/"


class ProbeOut(Shape):
    """What the provider says of our keys. `account` is its own name for the account."""

    ok = serializers.BooleanField(read_only=True)
    problem = serializers.CharField(read_only=True)
    account = serializers.CharField(read_only=True)


class ChannelChange(Given):
    """Any of these; what is left out stays."""

    name = Text(required=False, max_length=120)
    address = Text(required=False, allow_blank=True, max_length=254)
    config = serializers.DictField(required=False, help_text="The whole of it; keys depend on the kind.")
    secrets = serializers.DictField(required=False, help_text="Those named are set, null removes one. Write-only.")
    team = Id(required=False, allow_null=True)


class ChannelIn(Given):
    """A new door."""

    kind = serializers.ChoiceField(CHANNEL_KINDS)
    name = Text(max_length=120)
    address = Text(required=False, allow_blank=True, max_length=254, default="")
    config = serializers.DictField(required=False, default=dict, help_text="Keys depend on the kind.")
    secrets = serializers.DictField(required=False, default=dict, help_text="Write-only; keys depend on the kind.")
    team = Id(required=False, allow_null=True, default=None)


class InboundFailureOut(Shape):
    """Something that came in and could not be read. Its bytes are kept."""

    id = Id(source="pk", read_only=True)
    channel = serializers.UUIDField(source="channel_id", read_only=True)
    channel_name = serializers.CharField(source="channel.name", read_only=True)
    external_id = serializers.CharField(read_only=True)
    reason = serializers.CharField(source="last_error", read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    received_at = Moment(source="created_at", read_only=True)


class ChannelView(ApiView):
    """The doors of the desk, oldest first. Supervisors and admins only."""

    serializer_class = ChannelOut
    ordering = ("created_at", "id")
    queryset = Channel.objects.none()

    def get_queryset(self) -> QuerySet[Channel]:
        return queries.channels(self.actor)

    @extend_schema(operation_id="list_channels", summary="List channels")
    def list(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.shown(ChannelOut, rows, many=True))

    @extend_schema(operation_id="read_channel", summary="Read a channel")
    def retrieve(self, request: Request, pk: Any) -> Response:
        return Response(self.shown(ChannelOut, queries.channel_for(self.actor, pk)))

    @extend_schema(
        operation_id="create_channel", summary="Set up a channel", request=ChannelIn, responses={201: ChannelOut}
    )
    def create(self, request: Request) -> Response:
        given = _named(self.given(ChannelIn))
        return Response(self.shown(ChannelOut, actions.create(actor=self.actor, **given)), status=201)

    @extend_schema(
        operation_id="change_channel", summary="Change a channel", request=ChannelChange, responses={200: ChannelOut}
    )
    def partial_update(self, request: Request, pk: Any) -> Response:
        given = _named(self.given(ChannelChange))
        return Response(self.shown(ChannelOut, actions.change(channel_id=pk, actor=self.actor, **given)))

    @extend_schema(operation_id="retire_channel", summary="Retire a channel", responses={204: None})
    def destroy(self, request: Request, pk: Any) -> Response:
        actions.retire(channel_id=pk, actor=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="test_channel",
        summary="Ask its provider whether it works",
        request=None,
        responses={200: ProbeOut},
    )
    def test(self, request: Request, pk: Any) -> Response:
        return Response(self.shown(ProbeOut, actions.probe(channel_id=pk, actor=self.actor)))


class InboundFailureView(ApiView):
    """What came in and was given up on, latest first. Supervisors and admins only."""

    serializer_class = InboundFailureOut
    ordering = ("-id",)
    queryset = InboundEvent.objects.none()

    def get_queryset(self) -> QuerySet[InboundEvent]:
        return queries.failed_inbound(self.actor)

    @extend_schema(operation_id="list_inbound_failures", summary="List what could not be read")
    def list(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.shown(InboundFailureOut, rows, many=True))

    @extend_schema(operation_id="retry_inbound", summary="Read it again", request=None, responses={202: None})
    def retry(self, request: Request, pk: str) -> Response:
        actions.retry_inbound(event_id=pk, actor=self.actor)
        return Response(status=202)


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """The action speaks of a team's id."""
    if "team" in given:
        given["team_id"] = given.pop("team")
    return given
