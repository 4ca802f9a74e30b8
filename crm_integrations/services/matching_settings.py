"""The settings of record matching, changed as one: whoever saves must have seen what stands there."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from crm_integrations.models import Configuration, User
from crm_integrations.services.configurations import change_configuration

MATCHING_COLUMNS = (
    *("uses_linked_records", "uses_record_variables", "record_variables", "uses_written_records", "searches_records"),
    *("searches_by_phone", "phone_country", "email_variable", "external_id_variable", "case_age_hours"),
    *("creates_cases", "creates_people", "closed_case_policy", "checks_caller"),
)


class MatchingChanged(Exception):
    """Somebody else changed the rules since they were shown."""


def matching_version(configuration: Configuration) -> str:
    """Changes whenever one of the settings does."""
    values = {name: getattr(configuration, name) for name in MATCHING_COLUMNS}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@transaction.atomic
def change_matching(
    *, configuration: Configuration, changes: Mapping[str, Any], seen: str, actor: User | None
) -> list[str]:
    """Write what differs and answer the names. Raises MatchingChanged, or StateChanged when it was deleted."""
    stored = Configuration.objects.select_for_update().get(pk=configuration.pk)
    if matching_version(stored) != seen:
        raise MatchingChanged
    return change_configuration(configuration=stored, changes=changes, actor=actor)
