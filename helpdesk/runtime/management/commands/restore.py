"""`manage.py restore PATH`: put a backup in place of an empty desk, or of this one."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from helpdesk.core import relay
from helpdesk.runtime import archive
from helpdesk.runtime.errors import CannotStart
from helpdesk.runtime.servers import database_running, server_version


class Command(BaseCommand):
    help = "Read a backup back. Refused when the database is not empty, unless --replace says that it may go."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--replace", action="store_true", help="what is in the database now is lost")

    def handle(self, *args: Any, **options: Any) -> None:
        desk = archive.Desk(connection.settings_dict, Path(settings.MEDIA_ROOT), settings.SECRET_KEY)
        with database_running(), archive.opened(options["path"], settings.VAR_DIR) as folder:
            if connection.introspection.table_names() and not options["replace"]:
                raise CannotStart("The database is not empty: --replace gives up what is in it.")
            version = server_version()
            connection.close()
            archive.read_back(desk, folder, version)
            call_command("migrate", interactive=False, verbosity=0)  # the backup may be older than this version
            relay.reset_after_restore()
            restart = self._keep_key((folder / archive.KEY).read_text())
        self.stdout.write("Restored." + (" Restart the desk: it has another secret key now." if restart else ""))

    def _keep_key(self, key: str) -> bool:
        """The backup's key becomes the desk's; whether that is another one."""
        if key == settings.SECRET_KEY:
            return False
        if settings.ENV.secret_key:
            self.stderr.write("SECRET_KEY is not the one of the backup: without that one its channel secrets are lost.")
            return False
        path = Path(settings.VAR_DIR) / "secret.key"
        fresh = path.with_name("secret.key.restored")
        fresh.touch(mode=0o600)
        fresh.write_text(key)
        fresh.replace(path)
        return True
