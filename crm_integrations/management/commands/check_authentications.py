"""`manage.py check_authentications`: does every authentication still work? Exit code 1 when one needs a person."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_integrations.services.authentication_checks import AuthenticationCheck, check_all_authentications


class Command(BaseCommand):
    """Door to `services.authentication_checks`."""

    help = "Ask every CRM account who we act as and what that user may do; renew tokens that end soon."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check them one by one; held ones end in exit code 1."""
        results = []
        for result in check_all_authentications():
            self.stdout.write(f"{result.name}: {self._describe(result)}")
            results.append(result)
        held = sum(result.is_held for result in results)
        unclear = sum(bool(result.trouble) for result in results)
        summary = f"{len(results)} authentications checked: {held} held, {unclear} could not be checked now."
        if held or unclear:
            raise CommandError(summary)
        self.stdout.write(self.style.SUCCESS(summary))

    def _describe(self, result: AuthenticationCheck) -> str:
        if result.is_held:
            return f"held, {result.state_reason}"
        return f"could not be checked, {result.trouble}" if result.trouble else "works"
