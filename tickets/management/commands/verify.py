"""`manage.py verify`: recomputes what tickets and clocks say from their records; exit status 1 on any drift."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tickets.lifecycle import drift
from tickets.models import Ticket


class Command(BaseCommand):
    help = "Recompute list fields and clocks from their records and report drift (exit status 1 on any)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--ticket", type=int, help="only this ticket")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options.get("ticket")
        ticket = Ticket.objects.filter(pk=chosen).first() if chosen else None
        if chosen and ticket is None:
            self.stderr.write(f"there is no ticket {chosen}")
            sys.exit(1)
        count = 0
        # A ticket that changes while it is looked at is no drift: what is found is looked at once more.
        for first in drift.of(ticket) if ticket else drift.everywhere():
            for found in drift.of(Ticket.objects.get(pk=first.ticket_id)):
                if found.field == first.field:
                    count += 1
                    self.stdout.write(str(found))
        tickets = 1 if ticket else Ticket.objects.count()
        self.stdout.write(f"{tickets} tickets looked at, {count} fields drifted")
        if count:
            sys.exit(1)
