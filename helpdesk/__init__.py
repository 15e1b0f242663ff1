"""The house: how the parts are put together and run. No business rules."""

from helpdesk.celery import app as celery_app

__all__ = ["celery_app"]
