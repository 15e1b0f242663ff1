"""The API's own document: the shape of errors, the idempotency header and tags on every operation."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from helpdesk.core.api import Given

_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_REFUSALS = {
    "400": "The request is malformed; `fields` names what is wrong.",
    "401": "No valid token or session.",
    "403": "Your role does not allow this.",
    "404": "It is not there, or it is not yours.",
    "409": "Something has changed meanwhile.",
    "413": "Too large.",
    "415": "This kind of content is not taken here.",
    "422": "Well formed, but it makes no sense; `fields` says where.",
    "429": "Too many requests; `Retry-After` says when to come back.",
}

_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    type={"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    description="The same key within a day runs once; a repetition gets the first answer.",
)


class ErrorBody(serializers.Serializer[Any]):
    """Why something was refused. `code` is for programs, `message` for people, `request_id` for the log."""

    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField()  # type: ignore[assignment]
    request_id = serializers.CharField()


class Error(serializers.Serializer[Any]):
    """The one shape of every refusal."""

    error = ErrorBody()


class DeskSchema(AutoSchema):
    """Spectacular's reading of a view, with what all our addresses have in common."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        found = list(super().get_override_parameters())
        if self.method in _WRITES:
            found.append(_KEY)
        return found

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        found: dict[str, Any] = super()._get_response_bodies(direction)
        error: ResolvedComponent = self.resolve_serializer(Error(), direction)
        refusals = dict(_REFUSALS)
        if self.method not in _WRITES:
            for status in ("409", "413", "415", "422"):
                del refusals[status]
        for status, said in refusals.items():
            content = {"application/json": {"schema": error.ref}}
            found.setdefault(status, {"description": said, "content": content})
        return found

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)
        if isinstance(serializer, Given):
            schema["additionalProperties"] = False
        return schema
