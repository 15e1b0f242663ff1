"""Template words of the desk: initials of a name, a moment as machine and person read it, a size in bytes."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from helpdesk.core import reasons

register = template.Library()


@register.filter
def initials(name: Any) -> str:
    """At most two letters: of the last two words, since a Vietnamese given name stands last."""
    words = str(name or "").replace(".", " ").split()
    return "".join(word[0] for word in words[-2:]).upper() or "?"


@register.filter
def reason(stored: Any) -> str:
    """Why something went wrong, noted by a worker in English, in the reader's language."""
    return reasons.reason(str(stored or ""))


@register.filter
def moment(value: datetime | None, style: str = "short") -> SafeString | str:
    """A `<time>` in the reader's zone: today the hour, this year the day, else the date.

    The title holds it in full; `live.js` turns the words of style `ago` into "5 min".
    """
    if value is None:
        return ""
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        value.isoformat(timespec="seconds"),
        formats.date_format(local, "DATETIME_FORMAT"),
        SafeString(" data-ago") if style == "ago" else "",
        short_moment(local) if style != "hour" else local.strftime("%H:%M"),
    )


def short_moment(local: datetime) -> str:
    """How somebody would name this moment now: 14:05, 3 Nov, 3 Nov 2024."""
    today = timezone.localdate()
    if local.date() == today:
        return local.strftime("%H:%M")
    if local.year == today.year:
        return formats.date_format(local, "j/n" if _is_vietnamese() else "j M")
    return formats.date_format(local, "j/n/Y" if _is_vietnamese() else "j M Y")


def _is_vietnamese() -> bool:
    from django.utils.translation import get_language

    return (get_language() or "").startswith("vi")
