"""A subscriber whose effect is a row: what it was called for, and how often that was kept."""

from django.db import connection

from helpdesk.core.events import Recorded


def note(event: Recorded) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO chaos_effects (event) VALUES (%s)", [event.id])
