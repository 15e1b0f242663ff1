"""Finding things by words."""

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.core.api import ApiView, Given, Shape, Text
from tickets.api.shapes import FoundOut
from tickets.lifecycle import queries, search
from tickets.models import Ticket

PLACES = ("articles", "tickets")
LIMIT, MOST = 20, 100


class Asked(Given):
    """What to look for, and where."""

    q = Text(max_length=200)
    places = Text(required=False, default=",".join(PLACES))
    lang = serializers.ChoiceField([code for code, _name in settings.LANGUAGES], required=False)
    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MOST)

    def validate_places(self, value: str) -> list[str]:
        found = value.split(",")
        if not set(found) <= set(PLACES):
            raise serializers.ValidationError(["Any of: " + ", ".join(PLACES)])
        return found


class SearchView(ApiView):
    """Best matches first, without regard to diacritics."""

    serializer_class: type[Shape] = FoundOut
    pagination_class = None  # type: ignore[assignment]
    queryset = Ticket.objects.none()

    def get_queryset(self) -> QuerySet[Ticket]:
        return queries.inbox(self.actor)

    @extend_schema(
        operation_id="search",
        summary="Find tickets by words, a number or an address",
        parameters=[
            OpenApiParameter("q", {"type": "string", "minLength": 1, "maxLength": 200}, required=True),
            OpenApiParameter("in", str, description="articles, tickets, or both with a comma; both by default."),
            OpenApiParameter("lang", str, enum=[code for code, _name in settings.LANGUAGES]),
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}),
        ],
        responses={200: FoundOut(many=True)},
    )
    def list(self, request: Request) -> Response:
        typed = {
            "places" if name == "in" else name: request.query_params[name]
            for name in ("q", "in", "lang", "limit")
            if name in request.query_params
        }
        asked = Asked(data=typed)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        found = []
        if "tickets" in wanted["places"]:
            found = [_found(ticket) for ticket in search.ranked(self.get_queryset(), wanted["q"], wanted["limit"])]
        return Response(self.shown(FoundOut, found, many=True))


def _found(ticket: Ticket) -> dict[str, object]:
    return {
        "type": "ticket",
        "id": str(ticket.pk),
        "external_id": None,
        "title": ticket.subject or f"#{ticket.number}",
        "url": f"{settings.SITE_URL}/inbox/{ticket.pk}/",
        "snippet": ticket.snippet,
        "score": round(ticket.score, 4),  # type: ignore[attr-defined]
    }
