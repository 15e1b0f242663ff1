"""Why an answer does not leave: said before anything is written or sent, with what would reach the customer."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from helpdesk.core.errors import Conflict, Invalid
from tickets.messages.reach import Reach


class WindowClosed(Conflict):
    """The provider takes no such answer now. fields: {channel, closes_at, others: [{channel, kind, name}]}."""

    code, message = "window_closed", _("The time to answer on this channel is over. Choose another channel.")


class TemplateNeeded(WindowClosed):
    message = _("The time to answer freely on this channel is over. Choose a template or another channel.")


class AnsweredPrivately(WindowClosed):
    message = _("This comment has had its one private message. Answer in public, or on another channel.")


class ChannelBlocked(Conflict):
    """Nothing can be sent on the channel until somebody renews its keys. fields as of WindowClosed, and reason."""

    code, message = "channel_blocked", _("This channel must be connected again before anything can be sent on it.")


class Unreachable(Conflict):
    """The customer blocked us or opted out on that line. fields as of WindowClosed."""

    code, message = "unreachable", _("The customer cannot be reached there any more. Choose another channel.")


class FileTooLarge(Invalid):
    """The channel does not carry such a file. fields: {attachments: [{id, filename, size, limit}]}; limit 0: none."""

    code, message = "file_too_large", _("This channel does not carry such a file.")


def others(ways: Iterable[Reach], not_on: Reach | None, *, person: bool) -> list[dict[str, Any]]:
    """The ways that would reach the customer instead, best first."""
    return [
        {"channel": str(way.channel_id), "kind": way.kind, "name": way.name, "address": way.address, "mode": way.mode}
        for way in ways
        if way != not_on and way.carries(person=person)
    ]
