"""The rules of record matching in a configuration file: `settings.recordMatching`, of which the usual is left out."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm_integrations.file_reading import FileObject
from crm_integrations.models import ClosedCasePolicy, Configuration
from crm_integrations.models.configurations import validate_country
from crm_integrations.providers.base import CRMProvider
from crm_integrations.providers.registry import UnknownProvider, get_provider

VARIABLE_LIMIT = 200  # characters, as the columns
AGE_HOURS = (1, 8760)
FLAGS = {
    "linkedRecords": "uses_linked_records",
    "scriptVariables": "uses_record_variables",
    "writtenRecords": "uses_written_records",
    "searchRecords": "searches_records",
    "searchByPhone": "searches_by_phone",
    "createCases": "creates_cases",
    "createPeople": "creates_people",
    "checkCaller": "checks_caller",
}
NAMES = {"emailVariable": "email_variable", "externalIdVariable": "external_id_variable"}
ALWAYS = ("linkedRecords", "scriptVariables", "variables")  # stand in every file that says anything of matching
KEYS = (*FLAGS, *NAMES, "variables", "phoneCountry", "caseAgeHours", "closedCases")


def export_matching(configuration: Configuration) -> dict[str, Any]:
    """What differs from the usual, and with it the keys that files always had; nothing when all is as usual."""
    matching = {
        **{key: getattr(configuration, column) for key, column in (FLAGS | NAMES).items()},
        "variables": dict(sorted(configuration.record_variables.items())),
        "phoneCountry": configuration.phone_country,
        "caseAgeHours": configuration.case_age_hours,
        "closedCases": configuration.closed_case_policy,
    }
    usual = _usual(configuration)
    if matching == usual:
        return {}
    return {key: value for key, value in matching.items() if key in ALWAYS or value != usual[key]}


def check_matching(matching: FileObject, provider: CRMProvider | None) -> dict[str, Any]:
    """The columns that a file gives; what it does not say is as usual."""
    matching.allow(*KEYS)
    low, high = AGE_HOURS
    flags = {column: matching.flag(key, default=_default(column)) for key, column in FLAGS.items()}
    names = {column: matching.text(key, default="", limit=VARIABLE_LIMIT).lower() for key, column in NAMES.items()}
    if flags["searches_records"] and not (flags["searches_by_phone"] or any(names.values())):
        matching.refuse("searchRecords", _("Search by ANI, or name a script variable to search by."))
    return {
        **flags,
        **names,
        "record_variables": _check_variables(matching, provider),
        "phone_country": _check_country(matching),
        "case_age_hours": matching.whole("caseAgeHours", default=_default("case_age_hours"), low=low, high=high),
        "closed_case_policy": _check_policy(matching),
    }


def _usual(configuration: Configuration) -> dict[str, Any]:
    return {
        **{key: _default(column) for key, column in (FLAGS | NAMES).items()},
        "variables": _usual_variables(configuration),
        "phoneCountry": _default("phone_country"),
        "caseAgeHours": _default("case_age_hours"),
        "closedCases": _default("closed_case_policy"),
    }


def _usual_variables(configuration: Configuration) -> dict[str, str]:
    try:
        return dict(get_provider(configuration.integration_type).default_record_variables)
    except UnknownProvider:
        return {}


def _default(column: str) -> Any:
    field: Any = Configuration._meta.get_field(column)
    return field.get_default()


def _check_variables(matching: FileObject, provider: CRMProvider | None) -> dict[str, str]:
    if "variables" not in matching.values:
        return dict(provider.default_record_variables) if provider else {}
    variables = matching.child("variables")
    return {key: variables.text(key, limit=VARIABLE_LIMIT).lower() for key in variables.values}


def _check_country(matching: FileObject) -> str:
    code = matching.text("phoneCountry", default=_default("phone_country")).upper()
    try:
        validate_country(code)
    except ValidationError as error:
        matching.refuse("phoneCountry", error.messages[0])
    return code


def _check_policy(matching: FileObject) -> str:
    policy = matching.text("closedCases", default=_default("closed_case_policy"))
    if policy not in ClosedCasePolicy.values:
        choices = ", ".join(ClosedCasePolicy.values)
        matching.refuse("closedCases", _("Send one of: %(choices)s.") % {"choices": choices})
    return policy
