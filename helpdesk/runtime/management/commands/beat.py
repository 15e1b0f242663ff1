"""`manage.py beat`: one role alone, as containers run it."""

from helpdesk.runtime.rolecommand import RoleCommand


class Command(RoleCommand):
    help = "Ask regularly whether anything was missed; one beats, others wait."
    role = "beat"
