"""`manage.py worker`: one role alone, as containers run it."""

from helpdesk.runtime.rolecommand import RoleCommand


class Command(RoleCommand):
    help = "Work the queues (Celery, WORKERS processes)."
    role = "worker"
