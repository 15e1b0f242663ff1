"""The Celery application: tasks wake, PostgreSQL decides."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from django.conf import settings

app = Celery("helpdesk")
app.conf.update(settings.CELERY)
app.conf.beat_schedule = {
    "sweep": {
        "task": "core.sweep",
        "schedule": settings.SWEEP_SECONDS,
        "options": {"queue": "house", "expires": settings.SWEEP_SECONDS},
    },
}
app.autodiscover_tasks(["helpdesk.core"])
app.set_default()
