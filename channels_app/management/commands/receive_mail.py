"""`manage.py receive_mail --channel ADDRESS < message.eml`: the pipe of a mail server."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.utils.timezone import now

from channels_app import mail


class Command(BaseCommand):
    """Exit status as mail servers read it (sysexits): 0 only when the mail is on disk."""

    help = "Keep one mail from standard input for a mail channel. Exit 0 when it is stored, 67 unknown address, 69 too large, 75 try again."  # noqa: E501

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", required=True, metavar="ADDRESS", help="address of the channel")
        parser.add_argument("--from", dest="sender", default=None, help="envelope sender, empty for a report")

    def handle(self, *args: Any, channel: str, sender: str | None, **options: Any) -> None:
        raw = sys.stdin.buffer.read(settings.MAIL_MAX_BYTES + 1)
        if not raw.strip():
            raise CommandError("no mail on standard input", returncode=os.EX_DATAERR)
        if len(raw) > settings.MAIL_MAX_BYTES:
            raise CommandError("the mail is larger than 25 MB", returncode=os.EX_UNAVAILABLE)
        meta: dict[str, Any] = {"rcpt_to": [channel.strip().lower()], "received": now().isoformat()}
        if sender is not None:
            meta["mail_from"] = sender.strip("<>")
        try:
            box = mail.box_for(channel)
            if box is None:
                raise CommandError(f"no active mail channel has the address {channel}", returncode=os.EX_NOUSER)
            fresh = mail.keep(box.channel_id, raw, meta)
        except (DatabaseError, OSError) as error:
            raise CommandError(f"not stored, try again: {error}", returncode=os.EX_TEMPFAIL) from error
        self.stdout.write("stored" if fresh else "known already")
