"""Stores how a person likes the pages."""

from crm_integrations.models import User


def store_preferences(*, user: User, choices: dict[str, str]) -> None:
    """Write the chosen `language` and `theme` on the account."""
    User.objects.filter(pk=user.pk).update(**choices)
