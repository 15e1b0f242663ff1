"""Task shells: a Celery task says which queue to drain, or sweeps for queues nobody woke."""

from collections.abc import Callable

from celery import shared_task
from django.apps import apps
from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.core import idempotency, jobs, relay, waker


def _drain(queue: str, path: str) -> None:
    def run() -> None:
        waker.begin(queue)
        work: Callable[[], object] = import_string(path)
        work()

    run.__name__ = f"drain_{queue}"
    shared_task(name=f"drain.{queue}")(run)


for _queue, _path in settings.DRAINS.items():
    _drain(_queue, _path)


@shared_task(name="core.sweep")
def sweep() -> None:
    """Wake each queue that has overdue rows: what makes a lost wake cost one sweep only."""
    for model in apps.get_models():
        if issubclass(model, jobs.LeasedJob) and jobs.overdue(model):
            waker.wake(model.QUEUE)
    if relay.behind():
        waker.wake("relay")
    idempotency.forget_old_keys()
