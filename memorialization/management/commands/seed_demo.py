"""`manage.py seed_demo`: a configuration against the demo CRM, ready to receive events; safe to run again."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from memorialization.services.demo_seed import SeedRefused, seed_demo

DEFAULT_SUBDOMAIN = "acme"


class Command(BaseCommand):
    """Door to `services.demo_seed.seed_demo`."""

    help = "Make the demo configuration against the demo CRM on this machine, and the contact centre's private file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--output and --subdomain."""
        default = Path(settings.VAR_DIR) / "demo" / "target.json"
        parser.add_argument("--output", type=Path, default=default, metavar="FILE", help="for the contact centre")
        parser.add_argument("--subdomain", default=DEFAULT_SUBDOMAIN, help="an account of the demo CRM")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed and say what happened."""
        try:
            demo = seed_demo(subdomain=options["subdomain"], output=options["output"], now=timezone.now())
        except SeedRefused as refusal:
            raise CommandError(f"Nothing was seeded. {refusal}") from refusal
        except OSError as error:
            raise CommandError(f"The file {options['output']} cannot be written: {error.strerror}") from error
        word = "created" if demo.is_new else "kept"
        key = "a new intake key" if demo.has_new_key else "its intake key"
        state = demo.configuration.get_state_display()
        self.stdout.write(f"{demo.configuration.name} ({state}): {word}, with {key} in {options['output']}.")
