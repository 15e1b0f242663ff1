"""`manage.py up`: the whole desk on this machine until Ctrl-C."""

import os
import signal
import sys
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from helpdesk.core import catalog
from helpdesk.runtime.children import say
from helpdesk.runtime.privileges import die_with_parent
from helpdesk.runtime.supervisor import Supervisor


class Command(BaseCommand):
    help = "Start the whole desk: PostgreSQL and Valkey (unless their addresses are given), web, worker, clock, mail."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--end-with-parent", action="store_true", help="stop when the calling process ends (Linux)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["end_with_parent"]:
            die_with_parent(signal.SIGTERM, os.getppid())
        Supervisor(settings.ENV, settings.VAR_DIR.resolve(), announcement, prepare).run()


def prepare() -> None:
    """The texts and the database as this version wants them, and the demo workspace on the first start.

    Runs in a child.
    """
    try:
        catalog.compile_stale(settings.BASE_DIR)
    except OSError as error:
        say("up", [f"the translations could not be compiled, so screens are in English: {error}"])
    try:
        connection.ensure_connection()
    except OperationalError as error:
        sys.exit(f"The database does not answer: {' '.join(str(error).split())}")
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("up", [f"bringing the database up to date: {len(plan)} migrations"])
        call_command("migrate", interactive=False, verbosity=0)
    if settings.ENV.demo and not get_user_model().objects.exists():
        say("up", ["filling the demo workspace"])
        call_command("seed_demo")


def announcement() -> str:
    """What a newcomer wants to know once everything answers."""
    env = settings.ENV
    lines = [
        f"The desk is at {settings.SITE_URL}",
        f"Mail is taken at {env.host}:{env.mail_port} (SMTP); API at {settings.SITE_URL}/api/docs/",
    ]
    if env.demo:
        lines.append(f"A sample shop with the chat widget: {settings.SITE_URL}/demo/")
        lines.append(f"Customers' phones (Zalo, Messenger, WhatsApp …): {settings.SITE_URL}/demo/phones/")
        names = ", ".join(str(account[0]) for account in settings.DEMO_ACCOUNTS)
        lines.append(f"Demo sign-ins: {names}; password: {env.demo_password}")
        lines.append("Write to support@demo.test to see a mail arrive. Ctrl-C stops everything.")
    else:
        lines.append("Without users yet, its first page makes the first administrator. Ctrl-C stops everything.")
    width = max(map(len, lines))
    return "\n".join(["", "─" * width, *lines, "─" * width, ""]) + "\n"
