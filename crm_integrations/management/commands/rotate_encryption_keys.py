"""`manage.py rotate_encryption_keys`: rewrite stored secrets under the first of ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_integrations.services.encryption_keys import Rotation, rotate_encryption_keys


class Command(BaseCommand):
    """Safe to run at any time and more than once."""

    help = (
        "Rewrites every stored secret under the first key of ENCRYPTION_KEYS. Add the new key at the end, restart "
        "every process, put it first, restart again, run this, then take the old keys away. The product "
        "can go on working meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rewrite, tell column by column, and fail when a secret was left under an old key."""
        rotations = rotate_encryption_keys(actor=None, report=self._tell)
        rewritten = sum(rotation.rewritten for rotation in rotations)
        left = sum(rotation.unreadable + rotation.missed for rotation in rotations)
        if left:
            raise CommandError(f"{rewritten} secrets rewritten, {left} not: do not take the old keys away yet.")
        self.stdout.write(f"{rewritten} secrets rewritten; the first key now opens all of them.")

    def _tell(self, rotation: Rotation) -> None:
        self.stdout.write(
            f"{rotation.column}: {rotation.rewritten} rewritten, {rotation.unreadable} unreadable, "
            f"{rotation.missed} changed meanwhile"
        )
