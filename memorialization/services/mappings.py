"""Saving data memorialization mappings: checked against the account, then one transaction per save.

The configuration's row is locked while names and rows of other mappings are compared, so two people who save at the
same time cannot both take a row. Every save that changes something counts the version up and keeps its contents.
"""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title
from crm_integrations.mapping_pages.account_fields import Kept
from crm_integrations.models import Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.services.account_fields import read_account_catalogue
from crm_integrations.services.audit import record_audit
from crm_integrations.services.mapping_saving import MappingChanged as MappingChanged
from crm_integrations.services.mapping_saving import MappingGone as MappingGone
from crm_integrations.services.mapping_saving import MappingRefused as MappingRefused
from crm_integrations.services.mapping_saving import find_free_name, lock_configuration
from memorialization.mappings.checks import RowKey, check_draft, find_taken_rows
from memorialization.mappings.contents import MappingContents
from memorialization.mappings.drafts import MappingDraft, draft_from_contents
from memorialization.models import MappedField, MemorializationMapping
from memorialization.services.mapping_storage import (
    current_version,
    describe_rows,
    store_next_version,
    store_rows,
    store_version,
    stored_definitions,
)


def create_mapping(*, configuration: Configuration, draft: MappingDraft, actor: User | None) -> MemorializationMapping:
    """Save a new mapping as version 1. Raises MappingRefused, MappingGone."""
    contents = _check(configuration, draft, kept={})
    with transaction.atomic():
        lock_configuration(configuration)
        return store_new_mapping(configuration=configuration, contents=contents, actor=actor)


def store_new_mapping(
    *, configuration: Configuration, contents: MappingContents, actor: User | None
) -> MemorializationMapping:
    """Write checked contents as a new mapping, inside the caller's transaction. Raises MappingRefused."""
    _refuse_conflicts(configuration, contents, except_mapping=None)
    mapping = MemorializationMapping.objects.create(
        configuration=configuration,
        name=contents.name,
        description=contents.description,
        is_active=contents.is_active,
    )
    store_rows(mapping, contents)
    store_version(mapping, contents, actor)
    _audit(mapping, "mapping_created", actor, {"version": mapping.version})
    return mapping


def update_mapping(
    *, mapping: MemorializationMapping, draft: MappingDraft, base_version: int, actor: User | None
) -> MemorializationMapping:
    """Save changes made on top of `base_version`. Raises MappingRefused, MappingChanged, MappingGone.

    A draft that says what the mapping says already changes nothing, so a save sent twice is harmless.
    """
    contents = _check(mapping.configuration, draft, kept=stored_definitions(mapping))
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        mapping = _present(mapping)
        current = current_version(mapping)
        if MappingContents.from_json(current.contents) == contents:
            return mapping
        if mapping.version != base_version:
            raise MappingChanged(version=current.number, changed_by=current.created_by, changed_at=current.created_at)
        _refuse_conflicts(mapping.configuration, contents, except_mapping=mapping)
        store_next_version(mapping, contents, actor)
        mapping.entities.all().delete()
        store_rows(mapping, contents)
        _audit(mapping, "mapping_changed", actor, {"version": mapping.version})
    return mapping


def set_mapping_active(*, mapping: MemorializationMapping, is_active: bool, actor: User | None) -> bool:
    """Switch a mapping on or off; whether that changed anything. Raises MappingRefused, MappingGone."""
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        mapping = _present(mapping)
        if mapping.is_active == is_active:
            return False
        stored = MappingContents.from_json(current_version(mapping).contents)
        contents = MappingContents(stored.name, stored.description, is_active, stored.entities)
        _refuse_conflicts(mapping.configuration, contents, except_mapping=mapping)
        store_next_version(mapping, contents, actor)
        action = "mapping_activated" if is_active else "mapping_deactivated"
        _audit(mapping, action, actor, {"version": mapping.version})
    return True


def delete_mapping(*, mapping: MemorializationMapping, actor: User | None) -> None:
    """Delete a mapping with its versions; the audit trail keeps what it said last. Deliveries keep their values."""
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        try:
            mapping = _present(mapping)
        except MappingGone:
            return
        details = {"version": mapping.version, "contents": describe_rows(current_version(mapping))}
        _audit(mapping, "mapping_deleted", actor, details)
        mapping.delete()


def duplicate_mapping(*, mapping: MemorializationMapping, actor: User | None) -> MemorializationMapping:
    """An inactive copy under a free name: switched on, it would write the same fields twice. Raises MappingGone."""
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        stored = MappingContents.from_json(current_version(_present(mapping)).contents)
        names = mapping.configuration.memorializationmappings.values_list("name", flat=True)
        contents = MappingContents(find_free_name(mapping.name, names), stored.description, False, stored.entities)
        return store_new_mapping(configuration=mapping.configuration, contents=contents, actor=actor)


def _check(configuration: Configuration, draft: MappingDraft, *, kept: Kept) -> MappingContents:
    """Everything that can be checked before the transaction: the CRM may have to be asked."""
    catalogue = read_account_catalogue(authentication=configuration.authentication, entity_types=draft.entity_types)
    contents, problems = check_draft(draft, catalogue.as_fields(kept))
    if contents is None:
        raise MappingRefused(problems)
    return contents


def _present(mapping: MemorializationMapping) -> MemorializationMapping:
    try:
        return MemorializationMapping.objects.select_related("configuration").get(pk=mapping.pk)
    except MemorializationMapping.DoesNotExist as error:
        raise MappingGone from error


def _refuse_conflicts(
    configuration: Configuration, contents: MappingContents, *, except_mapping: MemorializationMapping | None
) -> None:
    others = MemorializationMapping.objects.filter(configuration=configuration)
    others = others.exclude(pk=except_mapping.pk) if except_mapping else others
    problems = []
    if others.filter(name__iexact=contents.name).exists():
        problems.append(Problem(("name",), _("Another mapping has this name already.")))
    if contents.is_active:
        taken = _taken_rows(others.filter(is_active=True))
        titles = {
            (entity.entity_type, row.field.key): display_title(row.field)
            for entity in contents.entities
            for row in entity.rows
        }
        problems += find_taken_rows(draft_from_contents(contents), taken, titles)
    if problems:
        raise MappingRefused(problems)


def _taken_rows(mappings: Iterable[MemorializationMapping]) -> dict[RowKey, str]:
    rows = MappedField.objects.filter(entity__mapping__in=mappings)
    columns = rows.values_list("entity__entity_type", "crm_field", "channel", "entity__mapping__name")
    return {(entity_type, key, channel): name for entity_type, key, channel, name in columns}


def _audit(mapping: MemorializationMapping, action: str, actor: User | None, details: dict[str, object]) -> None:
    record_audit(actor=actor, action=action, subject=mapping.name, configuration=mapping.configuration, details=details)
