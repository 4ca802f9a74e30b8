"""`manage.py create_roles`: the groups administrator, editor and viewer with their permissions; safe to run again."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_integrations.services.roles import create_roles


class Command(BaseCommand):
    """Door to `services.roles.create_roles`."""

    help = "Create the roles administrator, editor and viewer as groups, or bring their permissions up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create or update the roles and say what changed."""
        results = create_roles()
        for result in results:
            state = "created" if result.is_new else "kept"
            self.stdout.write(
                f"{result.role}: {state}, {result.permissions_added} permissions added, "
                f"{result.permissions_removed} removed"
            )
        self.stdout.write(self.style.SUCCESS(f"{len(results)} roles are in place."))
