"""Fills an empty desk with the demo shop."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from helpdesk.accounts.models import User
from tickets.demo.build import build


class Command(BaseCommand):
    help = "Fills an empty desk with a demo shop: teams, people, doors and a few days of conversations."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            raise CommandError("This desk has people already: the demo is for an empty one.")
        with transaction.atomic():
            build(password=settings.ENV.demo_password, site_url=settings.SITE_URL)
