"""Texts and their translations: collect, check, compile."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from helpdesk.core import catalog


class Command(BaseCommand):
    help = "Collects the texts to translate into the catalogs, then compiles them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--compile", action="store_true", help="only compile what is translated")
        parser.add_argument("--check", action="store_true", help="exit with 1 when a text is not translated")

    def handle(self, *args: Any, **options: Any) -> None:
        root = settings.BASE_DIR
        if options["check"]:
            missing = [
                f"{language}: {text}" for language in catalog.LANGUAGES for text in catalog.untranslated(root, language)
            ]
            if missing:
                raise CommandError("Not translated:\n" + "\n".join(missing))
            return
        if not options["compile"]:
            for language in catalog.LANGUAGES:
                catalog.update(root, language)
        catalog.compile_all(root)
