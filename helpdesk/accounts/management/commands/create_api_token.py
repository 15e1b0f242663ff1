"""Make an API token for a user; the token stands alone on the last line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.accounts import actions
from helpdesk.accounts.models import User
from helpdesk.core.actor import Actor
from helpdesk.core.errors import DomainError


class Command(BaseCommand):
    help = "Makes an API token that acts as the user with this e-mail address, and prints it alone on the last line."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="address of the user the token acts as")
        parser.add_argument("--name", default="command line", help="what the token is for")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
        if user is None:
            raise CommandError(f"No active user has the address {email}.")
        try:
            made = actions.create_api_token(user_id=user.pk, name=name, actor=Actor.system())
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(made.token)
