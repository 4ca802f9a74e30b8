"""A configuration as the engine works with it: with its authentication, and without tokens.

Tokens are read by the connection that needs them; where no key opens them, everything else goes on.
"""

from uuid import UUID

from django.db.models import QuerySet

from crm_integrations.models import Configuration

TOKENS = ("authentication__access_token", "authentication__refresh_token")


def working_configurations() -> QuerySet[Configuration]:
    """All configurations, in this shape."""
    return Configuration.objects.select_related("authentication").defer(*TOKENS)


def get_working_configuration(pk: UUID) -> Configuration:
    """One of them. Raises Configuration.DoesNotExist."""
    return working_configurations().get(pk=pk)
