"""The work; at start-up it plugs its handlers into the doors."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        from tickets.intake import pipeline

        pipeline.plug_in()
