"""A typo in the subscription table fails `manage.py check`, not a customer."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, register
from django.utils.module_loading import import_string

from helpdesk.core.events import Event


@register()
def subscriptions(**_: Any) -> list[Error]:
    """Every subscriber can be imported and every topic belongs to an event."""
    problems = []
    topics = {event.topic for event in _all_events(Event)}
    for topic, paths in import_string(settings.SUBSCRIPTIONS).items():
        if topic not in topics:
            problems.append(Error(f"no event has the topic {topic!r}", id="core.E001"))
        for path in paths:
            try:
                import_string(path)
            except ImportError as error:
                problems.append(Error(f"subscriber {path!r} of {topic!r}: {error}", id="core.E002"))
    return problems


def _all_events(base: type[Event]) -> list[type[Event]]:
    found = []
    for event in base.__subclasses__():
        found += ([event] if hasattr(event, "topic") else []) + _all_events(event)
    return found
