"""What the commands of the single roles share."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import BaseCommand

from helpdesk.runtime.preflight import refuse_public_demo
from helpdesk.runtime.roles import ROLES


class RoleCommand(BaseCommand):
    """Runs one role in the foreground until SIGTERM."""

    requires_system_checks = []
    role: ClassVar[str]

    def handle(self, *args: Any, **options: Any) -> None:
        if self.role in {"web", "mail"}:
            refuse_public_demo(settings.ENV)
        ROLES[self.role]()
