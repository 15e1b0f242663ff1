"""`manage.py backup PATH`: everything of the desk in one file, beside a running desk."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from helpdesk.runtime import archive
from helpdesk.runtime.servers import database_running, server_version


class Command(BaseCommand):
    help = "Write database, media and secret key to one file (keep it secret). The desk may be running."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["path"].absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        desk = archive.Desk(connection.settings_dict, Path(settings.MEDIA_ROOT), settings.SECRET_KEY)
        with database_running():
            size = archive.write(desk, target, server_version())
        self.stdout.write(f"{target}: {size} bytes. It holds the secret key: keep it safe.")
