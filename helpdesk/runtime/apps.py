"""The part that starts the others."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    name = "helpdesk.runtime"
    label = "runtime"

    def ready(self) -> None:
        # Tasks are sent through the current Celery application: every process has it once the apps are ready.
        # Not in helpdesk/__init__.py, which would read the settings on the way to the settings.
        from helpdesk import celery  # noqa: F401
