"""Saving dynamic data mappings: checked against the account, then one transaction per save.

The configuration's row is locked while names and record types of other mappings are compared, so two people who save
at the same time cannot both take a record type.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title, title_of_key
from crm_integrations.mapping_pages.account_fields import Kept
from crm_integrations.models import Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.services.account_fields import read_account_catalogue
from crm_integrations.services.audit import record_audit
from crm_integrations.services.known_definitions import known_entity_types
from crm_integrations.services.mapping_saving import (
    MappingChanged,
    MappingGone,
    MappingRefused,
    find_free_name,
    lock_configuration,
)
from dynamic_data.mappings.checks import check_draft, find_taken_types
from dynamic_data.mappings.contents import MappingContents, MappingDraft, draft_from_contents
from dynamic_data.models import DynamicDataMapping, ShownEntity
from dynamic_data.services.mapping_storage import (
    describe_fields,
    store_fields,
    store_head,
    stored_contents,
    stored_definitions,
)


def create_mapping(*, configuration: Configuration, draft: MappingDraft, actor: User | None) -> DynamicDataMapping:
    """Save a new mapping as version 1. Raises MappingRefused, MappingGone."""
    contents = _check(configuration, draft, kept={})
    with transaction.atomic():
        lock_configuration(configuration)
        return store_new_mapping(configuration=configuration, contents=contents, actor=actor)


def store_new_mapping(
    *, configuration: Configuration, contents: MappingContents, actor: User | None
) -> DynamicDataMapping:
    """Write checked contents as a new mapping, inside the caller's transaction. Raises MappingRefused."""
    _refuse_conflicts(configuration, contents, except_mapping=None)
    mapping = DynamicDataMapping.objects.create(
        configuration=configuration,
        name=contents.name,
        description=contents.description,
        is_active=contents.is_active,
        changed_by=actor,
    )
    store_fields(mapping, contents)
    _audit(mapping, "dynamic_mapping_created", actor, {"version": mapping.version})
    return mapping


def update_mapping(
    *, mapping: DynamicDataMapping, draft: MappingDraft, base_version: int, actor: User | None
) -> DynamicDataMapping:
    """Save changes made on top of `base_version`. Raises MappingRefused, MappingChanged, MappingGone.

    A draft that says what the mapping says already changes nothing, so a save sent twice is harmless.
    """
    contents = _check(mapping.configuration, draft, kept=stored_definitions(mapping))
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        mapping = _present(mapping)
        if stored_contents(mapping) == contents:
            return mapping
        if mapping.version != base_version:
            raise MappingChanged(version=mapping.version, changed_by=mapping.changed_by, changed_at=mapping.updated_at)
        _refuse_conflicts(mapping.configuration, contents, except_mapping=mapping)
        before = describe_fields(stored_contents(mapping))
        store_head(mapping, contents, actor)
        mapping.entities.all().delete()
        store_fields(mapping, contents)
        _audit(mapping, "dynamic_mapping_changed", actor, {"version": mapping.version, "before": before})
    return mapping


def set_mapping_active(*, mapping: DynamicDataMapping, is_active: bool, actor: User | None) -> bool:
    """Switch a mapping on or off; whether that changed anything. Raises MappingRefused, MappingGone."""
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        mapping = _present(mapping)
        if mapping.is_active == is_active:
            return False
        stored = stored_contents(mapping)
        contents = MappingContents(stored.name, stored.description, is_active, stored.entities)
        _refuse_conflicts(mapping.configuration, contents, except_mapping=mapping)
        store_head(mapping, contents, actor)
        action = "dynamic_mapping_activated" if is_active else "dynamic_mapping_deactivated"
        _audit(mapping, action, actor, {"version": mapping.version})
    return True


def delete_mapping(*, mapping: DynamicDataMapping, actor: User | None) -> None:
    """Delete a mapping; the audit trail keeps what it said last."""
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        try:
            mapping = _present(mapping)
        except MappingGone:
            return
        details = {"version": mapping.version, "contents": describe_fields(stored_contents(mapping))}
        _audit(mapping, "dynamic_mapping_deleted", actor, details)
        mapping.delete()


def duplicate_mapping(*, mapping: DynamicDataMapping, actor: User | None) -> DynamicDataMapping:
    """An inactive copy under a free name: two active ones cannot show the same record type. Raises MappingGone."""
    with transaction.atomic():
        lock_configuration(mapping.configuration)
        stored = stored_contents(_present(mapping))
        names = mapping.configuration.dynamicdatamappings.values_list("name", flat=True)
        contents = MappingContents(find_free_name(mapping.name, names), stored.description, False, stored.entities)
        return store_new_mapping(configuration=mapping.configuration, contents=contents, actor=actor)


def type_titles(configuration: Configuration) -> dict[str, str]:
    """The record types' names as last read from the account."""
    account_id = configuration.authentication.account_id if configuration.authentication else None
    return {key: display_title(found) for key, found in known_entity_types(account_id=account_id).items()}


def _check(configuration: Configuration, draft: MappingDraft, *, kept: Kept) -> MappingContents:
    """Everything that can be checked before the transaction: the CRM may have to be asked."""
    catalogue = read_account_catalogue(authentication=configuration.authentication, entity_types=draft.entity_types)
    contents, problems = check_draft(draft, catalogue.as_fields(kept))
    if contents is None:
        raise MappingRefused(problems)
    return contents


def _present(mapping: DynamicDataMapping) -> DynamicDataMapping:
    try:
        return DynamicDataMapping.objects.select_related("configuration", "changed_by").get(pk=mapping.pk)
    except DynamicDataMapping.DoesNotExist as error:
        raise MappingGone from error


def _refuse_conflicts(
    configuration: Configuration, contents: MappingContents, *, except_mapping: DynamicDataMapping | None
) -> None:
    others = DynamicDataMapping.objects.filter(configuration=configuration)
    others = others.exclude(pk=except_mapping.pk) if except_mapping else others
    problems = []
    if others.filter(name__iexact=contents.name).exists():
        problems.append(Problem(("name",), _("Another mapping has this name already.")))
    if contents.is_active:
        draft = draft_from_contents(contents)
        known = type_titles(configuration)
        titles = {kind: known.get(kind) or title_of_key(kind) for kind in draft.entity_types}
        problems += find_taken_types(draft, _taken_types(others.filter(is_active=True)), titles)
    if problems:
        raise MappingRefused(problems)


def _taken_types(mappings: QuerySet[DynamicDataMapping]) -> dict[str, str]:
    rows = ShownEntity.objects.filter(mapping__in=mappings)
    return dict(rows.values_list("entity_type", "mapping__name"))


def _audit(mapping: DynamicDataMapping, action: str, actor: User | None, details: dict[str, object]) -> None:
    record_audit(actor=actor, action=action, subject=mapping.name, configuration=mapping.configuration, details=details)
