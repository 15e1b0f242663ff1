"""The ground everything stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "helpdesk.core"
    label = "core"

    def ready(self) -> None:
        from helpdesk.core import checks  # noqa: F401 - registers the check of the subscription table
