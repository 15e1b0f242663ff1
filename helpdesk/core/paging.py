"""Keyset pages: a cursor over any ordering of one or more columns, so that page 1,000 costs what page 1 costs."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Q, QuerySet
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

LIMIT, MOST = 50, 200


class BadCursor(ValueError):
    """Not a cursor of ours, or one of another ordering."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursors of what lies beyond them on either side (None: nothing)."""

    rows: list[Any]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of an ordering: its path, its direction, how to read a value back, whether it can be empty."""

    path: str
    down: bool
    field: "Field[Any, Any]"
    nullable: bool


def page(queryset: QuerySet[Any], *, ordering: Sequence[str], cursor: str = "", limit: int = LIMIT) -> Page:
    """At most `limit` rows before or after the cursor, in this ordering; its last column must be unique.

    Columns may be empty, annotated, or reached by `__`. Rows that come or go meanwhile never make another row
    appear twice or be skipped. Costs one query. Raises BadCursor.
    """
    columns = [_column(queryset, name) for name in ordering]
    backwards, position = _read(cursor, ordering, columns) if cursor else (False, None)
    rows = queryset.order_by(*[f"{'-' if c.down != backwards else ''}{c.path}" for c in columns])
    if position is not None:
        rows = rows.filter(_beyond(columns, position, backwards))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    has_next = more if not backwards else True
    has_previous = more if backwards else position is not None
    return Page(
        rows=found,
        next=_write("n", ordering, columns, found[-1]) if has_next else None,
        previous=_write("p", ordering, columns, found[0]) if has_previous else None,
    )


def _column(queryset: QuerySet[Any], name: str) -> _Column:
    path = name.removeprefix("-")
    annotation = queryset.query.annotations.get(path)
    if annotation is not None:
        return _Column(path, name.startswith("-"), annotation.output_field, nullable=True)
    model, nullable, field = queryset.model, False, None
    for step in path.split("__"):
        field = model._meta.pk if step == "pk" else model._meta.get_field(step)
        nullable = nullable or bool(field.null)
        model = field.related_model or model
    if field is None or not isinstance(field, Field):
        raise FieldDoesNotExist(path)
    return _Column(path, name.startswith("-"), getattr(field, "target_field", field), nullable)


def _beyond(columns: list[_Column], position: list[Any], backwards: bool) -> Q:
    """Everything after the position, as PostgreSQL sorts it: empty values last going up, first going down."""
    column, value = columns[0], position[0]
    here, down = column.path, column.down != backwards
    nulls_last = not down
    tie = _beyond(columns[1:], position[1:], backwards) if len(columns) > 1 else None
    if value is None:
        same = Q(**{f"{here}__isnull": True})
        after = None if nulls_last else Q(**{f"{here}__isnull": False})
    else:
        same = Q(**{here: value})
        after = Q(**{f"{here}__{'lt' if down else 'gt'}": value})
        if column.nullable and nulls_last:
            after |= Q(**{f"{here}__isnull": True})
    if tie is None:
        return after if after is not None else Q(pk__in=[])
    if after is None:
        return same & tie
    if value is None or (column.nullable and nulls_last):
        return after | (same & tie)
    # The first half alone is what an index can be entered with.
    return Q(**{f"{here}__{'lte' if down else 'gte'}": value}) & (after | tie)


def _write(direction: str, ordering: Sequence[str], columns: list[_Column], row: Any) -> str:
    values = [_value(row, column.path) for column in columns]
    raw = json.dumps([direction, ",".join(ordering), values], default=_text, separators=(",", ":"))
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _value(row: Any, path: str) -> Any:
    if isinstance(row, Mapping):
        return row[path]
    for step in path.split("__"):
        row = getattr(row, step, None)
    return getattr(row, "pk", row)


def _read(cursor: str, ordering: Sequence[str], columns: list[_Column]) -> tuple[bool, list[Any]]:
    """Whether the cursor goes backwards, and the values it stands at."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        direction, order, values = json.loads(raw)
        if direction not in ("n", "p") or order != ",".join(ordering) or len(values) != len(columns):
            raise BadCursor
        return direction == "p", [_parsed(column, value) for column, value in zip(columns, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError, RecursionError, ValidationError):
        raise BadCursor(cursor) from None


def _parsed(column: _Column, value: Any) -> Any:
    if value is None:
        if not column.nullable:
            raise BadCursor
        return None
    if isinstance(value, (list, dict)) or (isinstance(value, str) and "\x00" in value):
        raise BadCursor
    parsed = column.field.to_python(value)
    if parsed is None or (isinstance(parsed, datetime) and not is_aware(parsed)):
        raise BadCursor
    return parsed


class KeysetPagination(BasePagination):
    """`?cursor&limit` → {"results", "next", "previous"} with absolute addresses; limit 50, at most 200.

    The ordering is that of the query set, else the view's `ordering`, else newest `updated_at` first; `pk` is added
    where the last column would not be unique.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of the page asked for. A query set only; 400 for a bad limit or cursor."""
        limit = self._limit(request)
        ordering: list[str] = list(queryset.query.order_by) or list(
            getattr(view, "ordering", ()) or ("-updated_at", "-id")
        )
        if ordering[-1].lstrip("-") not in {"id", "pk"}:
            ordering.append("-id" if ordering[-1].startswith("-") else "id")
        try:
            self._page = page(queryset, ordering=ordering, cursor=request.query_params.get("cursor", ""), limit=limit)
        except BadCursor:
            raise exceptions.ValidationError({"cursor": [_("This is no cursor of this list.")]}) from None
        self._request = request
        return self._page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"results": data, "next": self._link(self._page.next), "previous": self._link(self._page.previous)}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": "limit", "in": "query", "required": False, "schema": limit},
        ]

    def _limit(self, request: Request) -> int:
        given = request.query_params.get("limit", "")
        if not given:
            return LIMIT
        if not (given.isascii() and given.isdecimal() and len(given) < 6 and 1 <= int(given) <= MOST):
            raise exceptions.ValidationError({"limit": [_("A whole number from 1 to 200.")]})
        return int(given)

    def _link(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        address = remove_query_param(self._request.build_absolute_uri(), "cursor")
        linked: str = replace_query_param(address, "cursor", cursor)
        return linked
