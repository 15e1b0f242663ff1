"""`manage.py web`: one role alone, as containers run it."""

from helpdesk.runtime.rolecommand import RoleCommand


class Command(RoleCommand):
    help = "Serve pages, API and sockets (uvicorn on HOST and PORT)."
    role = "web"
