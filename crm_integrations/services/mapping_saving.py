"""What every save of a data mapping needs: one at a time per configuration, a free name, and refusals in words."""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from crm_integrations.mapping_pages.account_fields import NAME_LIMIT
from crm_integrations.models import Configuration, User
from crm_integrations.problems import Problem


class MappingRefused(Exception):
    """The draft breaks rules; nothing was changed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class MappingChanged(Exception):
    """Somebody else saved the mapping after this editor was opened; nothing was changed."""

    def __init__(self, *, version: int, changed_by: User | None, changed_at: datetime) -> None:
        super().__init__(f"version {version}")
        self.version, self.changed_at = version, changed_at
        self.changed_by = changed_by.get_username() if changed_by else _("somebody")


class MappingGone(Exception):
    """The mapping was deleted meanwhile, or its configuration was."""


def lock_configuration(configuration: Configuration) -> None:
    """Hold the configuration's row until the transaction ends, so that saves follow each other. Raises MappingGone."""
    locked = Configuration.objects.select_for_update().filter(pk=configuration.pk)
    if locked.values_list("state", flat=True).first() in {None, Configuration.State.DELETED}:
        raise MappingGone


def find_free_name(name: str, taken: Collection[str]) -> str:
    """What a copy of the mapping is called."""
    lowered = {each.lower() for each in taken}
    number = 1
    while True:
        copy = _("copy") if number == 1 else _("copy %(number)s") % {"number": number}
        suffix = f" ({copy})"
        candidate = name[: NAME_LIMIT - len(suffix)] + suffix
        if candidate.lower() not in lowered:
            return candidate
        number += 1
