"""Configurations as files: written for safe-keeping or another installation, and read back.

An import checks everything against the live account before it writes anything, names every problem with its path, and
changes nothing when there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from crm_integrations.configuration_sections import SECTION_KEYS, SectionRefused, find_section
from crm_integrations.file_reading import FileObject, NotAFile, parse_file
from crm_integrations.models import Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.services.audit import record_audit
from crm_integrations.services.configuration_file_checks import (
    check_authentication,
    check_columns,
    check_provider,
    check_section,
    name_taken,
)
from crm_integrations.services.matching_files import export_matching

FILE_VERSION = 1
KEYS = (
    "version",
    "name",
    "integrationType",
    "description",
    "authentication",
    "externalScreenpopDomain",
    "settings",
    *SECTION_KEYS,
)


class ImportRefused(Exception):
    """The file cannot be taken as it is; nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.json_path}: {problem.message}" for problem in problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class CheckedFile:
    """A file without problems: what it would create."""

    columns: dict[str, Any]
    sections: dict[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """What would be created besides the configuration itself, in words."""
        found = ((find_section(key), contents) for key, contents in self.sections.items())
        return [line for section, contents in found if section for line in section.describe(contents)]


def export_configuration(*, configuration: Configuration) -> dict[str, Any]:
    """The configuration as the file's object; it holds names and rules, never a token or a key."""
    authentication = configuration.authentication
    return {
        "version": FILE_VERSION,
        "name": configuration.name,
        "integrationType": configuration.integration_type,
        "description": configuration.description,
        "authentication": authentication.name if authentication else "",
        "externalScreenpopDomain": configuration.external_domain,
        "settings": _export_settings(configuration),
        **{key: _export_section(key, configuration) for key in SECTION_KEYS},
    }


def check_file(*, text: str, authentication_name: str = "", actor: User | None = None) -> CheckedFile:
    """What the file would create. Raises ImportRefused with everything that is wrong with it.

    `authentication_name` takes the place of the file's own. With an `actor`, that person's permissions count.
    """
    try:
        root = FileObject(parse_file(text))
    except NotAFile as error:
        raise ImportRefused([Problem((), str(error))]) from error
    root.allow(*KEYS)
    root.whole("version", default=None, low=FILE_VERSION, high=FILE_VERSION)
    provider = check_provider(root)
    authentication = check_authentication(root, authentication_name, provider)
    columns = check_columns(root, provider, authentication)
    sections = {key: check_section(root, key, authentication, actor) for key in SECTION_KEYS}
    if root.problems:
        raise ImportRefused(root.problems)
    return CheckedFile(columns, sections)


def import_configuration(*, checked: CheckedFile, actor: User | None) -> Configuration:
    """Create what `check_file` answered, all or nothing. Raises ImportRefused (something changed meanwhile)."""
    try:
        with transaction.atomic():
            configuration = Configuration.objects.create(**checked.columns, created_by=actor)
            for key, contents in checked.sections.items():
                _store_section(key, contents, configuration, actor)
            record_audit(
                actor=actor,
                action="configuration_imported",
                subject=configuration.name,
                configuration=configuration,
                details={key: len(contents) for key, contents in checked.sections.items()},
            )
    except IntegrityError as error:
        raise ImportRefused([Problem(("name",), name_taken())]) from error
    return configuration


def _store_section(key: str, contents: Sequence[Any], configuration: Configuration, actor: User | None) -> None:
    section = find_section(key)
    if section is None:
        return
    try:
        section.store(contents, configuration=configuration, actor=actor)
    except SectionRefused as refused:
        raise ImportRefused([problem.under(key) for problem in refused.problems]) from refused


def _export_settings(configuration: Configuration) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "timeZone": configuration.time_zone,
        "acwLimitMinutes": configuration.acw_limit_minutes,
        "contactEndsFirstVoice": configuration.contact_ends_first_voice,
        "memorializeOnClosed": configuration.memorialize_on_closed,
    }
    matching = export_matching(configuration)
    return {**settings, "recordMatching": matching} if matching else settings


def _export_section(key: str, configuration: Configuration) -> list[dict[str, Any]]:
    section = find_section(key)
    return section.write(configuration) if section else []
