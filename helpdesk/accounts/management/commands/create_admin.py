"""Make an admin from the command line; the password is asked for, or read from standard input."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.accounts import actions
from helpdesk.core.errors import DomainError


class Command(BaseCommand):
    help = "Makes an admin, also when others exist. The password is asked for; without a terminal, one line is read."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            user = actions.create_admin(email=email, name=name or email.partition("@")[0], password=password)
        except DomainError as error:
            words = [str(word) for words in error.fields.values() for word in words]
            raise CommandError(" ".join(words) or str(error)) from None
        self.stdout.write(f"{user.email} is an admin now.")
