"""The one way JSON comes in."""

import json
import re
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, parsers

from helpdesk.core.errors import TooLarge

MAX_DEPTH = 30
_SURROGATE = re.compile("[\ud800-\udfff]")


class StrictJSONParser(parsers.JSONParser):
    """JSON in UTF-8, neither too large nor too deep, without half characters that no database can keep."""

    longest: ClassVar[int] = settings.API_JSON_MAX_BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = stream.read(self.longest + 1)
        if len(raw) > self.longest:
            raise TooLarge
        try:
            data = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise exceptions.ParseError(_("This is not valid JSON.")) from None
        _ensure_sane(data)
        return data


class FilesInJSONParser(StrictJSONParser):
    """The same with room for one file of the largest size, which base64 makes a third longer."""

    longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _ensure_sane(data: Any) -> None:
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise exceptions.ParseError(_("This JSON is nested too deeply."))
        if isinstance(value, str) and _SURROGATE.search(value):
            raise exceptions.ParseError(_("This text holds half a character."))
        if isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, dict):
            waiting += [(inner, depth + 1) for pair in value.items() for inner in pair]
