"""`manage.py clock`: one role alone, as containers run it."""

from helpdesk.runtime.rolecommand import RoleCommand


class Command(RoleCommand):
    help = "Find what is due: SLA clocks, snoozes, timers."
    role = "clock"
