"""The work; at start-up it plugs its handlers into the doors."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        from channels_app import ports
        from tickets.intake import pipeline, visitors

        pipeline.plug_in()
        ports.plug_desk(visitors)
