"""`manage.py mail`: one role alone, as containers run it."""

from helpdesk.runtime.rolecommand import RoleCommand


class Command(RoleCommand):
    help = "Take mail by SMTP on MAIL_PORT and fetch mailboxes."
    role = "mail"
