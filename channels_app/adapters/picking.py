"""Reading what a provider sent without trusting its shape: every value is what is asked for, or empty. Pure."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any


def part(value: Any, *names: str) -> dict[str, Any]:
    """The object found by going down these names; empty where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def parts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty where there is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def words(value: Any) -> str:
    """A text in NFC; empty for anything else."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else ""


def ident(value: Any) -> str:
    """An id as a string, exact to its last digit, whether it came as a number or a string; else empty."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if type(value) is int and value.bit_length() < 200 else ""


def whole(value: Any) -> int:
    """A whole number that is not negative; 0 for anything else."""
    return value if type(value) is int and 0 <= value < 2**62 else 0


def real(value: Any) -> float | None:
    """A number; None for anything else."""
    return float(value) if type(value) in (int, float) and abs(value) < 1e15 else None


def moment(value: Any, *, latest: datetime, per_second: int = 1) -> datetime:
    """A Unix time in seconds (or per_second-ths) as a moment; `latest` where there is none or it lies in the future."""
    count = whole(value)
    if not count:
        return latest
    try:
        return min(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=count / per_second), latest)
    except OverflowError:
        return latest
