"""What every address of the API is made of: strict fields, and the base of its views."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, filters, serializers, viewsets
from rest_framework.request import Request

from helpdesk.core.actor import Actor
from helpdesk.core.idempotency import IdempotentWrites
from helpdesk.core.paging import KeysetPagination

ID = "[1-9][0-9]{0,17}"


class IdConverter:
    """An id in an address; anything that cannot be one is a 404 before any view is asked."""

    regex = ID

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


class Text(serializers.CharField):
    """Text as text: a number is not one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Id(serializers.RegexField):
    """An id, a string of digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"^{ID}$", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> str:
        return str(value)


class Whole(serializers.IntegerField):
    """A whole number as JSON writes it: neither text nor true."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false, not a word for it."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """A moment in RFC 3339: comes with an offset, leaves in UTC with Z."""

    default_error_messages = {"naive": _("Say the offset from UTC, as in 2026-01-31T09:00:00Z.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339")
        if not re.search(r"(Z|[+-]\d\d:?\d\d)$", value, re.IGNORECASE):
            self.fail("naive")
        return super().to_internal_value(value)


class OrNull(serializers.CharField):
    """A word, null where it is not known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return str(value) if value else None


class ChoiceOrNull(serializers.ChoiceField):
    """One of a few words, null where it is not known."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return value or None


class Shape(serializers.Serializer[Any]):
    """An answer of the API: every field is always present."""


class Given(serializers.Serializer[Any]):
    """What a caller sends. A field that does not exist is refused, so that a slip of the pen is no silent loss."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {field.field_name for field in self._writable_fields}
            if unknown := sorted(set(data) - known):
                raise exceptions.ValidationError({name: [_("There is no such field.")] for name in unknown[:20]})
        return super().to_internal_value(data)


class ApiView(IdempotentWrites, viewsets.GenericViewSet[Any]):
    """Parse, call an action, serialize. `get_queryset` is a gate; `ordering_fields` are what ?ordering may name."""

    pagination_class = KeysetPagination
    filter_backends: Any = ()
    queryset: QuerySet[Any] | None = None
    ordering_fields: tuple[str, ...] = ()

    @property
    def actor(self) -> Actor:
        """Who asks."""
        actor: Actor = self.request._request.actor  # type: ignore[attr-defined]
        return actor

    def given(self, shape: type[Given], **options: Any) -> dict[str, Any]:
        """What was sent, checked against its shape; raises ValidationError."""
        serializer = shape(data=self.request.data, context=self.get_serializer_context(), **options)
        serializer.is_valid(raise_exception=True)
        checked: dict[str, Any] = serializer.validated_data
        return checked

    def shown(self, shape: type[Shape], what: Any, **options: Any) -> Any:
        """The answer's data in its shape."""
        return shape(what, context=self.get_serializer_context(), **options).data


class Ordering(filters.BaseFilterBackend):
    """`?ordering=-updated_at,id` by the view's `ordering_fields`; anything else is refused."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        typed = request.query_params.get("ordering", "")
        if not typed:
            return queryset
        names = typed.split(",")
        columns = [name.removeprefix("-") for name in names]
        if not set(columns) <= set(view.ordering_fields) or len(set(columns)) < len(columns):
            known = ", ".join(view.ordering_fields)
            raise exceptions.ValidationError({"ordering": [_("Any of: %(known)s.") % {"known": known}]})
        return queryset.order_by(*names)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        name = "|".join(f"-?{column}" for column in view.ordering_fields)
        schema = {"type": "string", "pattern": f"^({name})(,({name}))*$"}
        said = "Columns to sort by, most important first; a minus sorts downwards."
        return [{"name": "ordering", "in": "query", "required": False, "description": said, "schema": schema}]
