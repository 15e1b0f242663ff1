"""Values of a payload as they are meant, whatever was sent in their place, pure."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

MAX_ID = 1000  # characters; the longest ids WhatsApp gives are about a hundred


def mapping(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [one for one in items(value) if isinstance(one, dict)]


def words(value: Any) -> str:
    """What somebody wrote, NFC; empty where it is no text."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else ""


def identifier(value: Any) -> str:
    """An id as a string, also where it came as a number; empty where it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**40 else ""
    return value.strip()[:MAX_ID] if isinstance(value, str) else ""


def number(value: Any) -> int:
    """A whole number, 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def degrees(value: Any) -> float | None:
    """A coordinate; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -180 <= value <= 180 else None


def moment(value: Any, latest: datetime) -> datetime:
    """Seconds since 1970, mostly as a string; never later than `latest`, which also stands for what cannot be read."""
    text = identifier(value)
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        return latest
    try:
        return min(datetime.fromtimestamp(int(text), UTC), latest)
    except (ValueError, OverflowError, OSError):
        return latest
