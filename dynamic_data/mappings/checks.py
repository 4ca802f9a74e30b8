"""What a dynamic data mapping may say: every rule that can be told from the draft and the account's fields.

What only the database knows, names and record types of other mappings, is added by `dynamic_data.services.mappings`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.card_fields import FIELDS_LIMIT
from crm_integrations.definitions import display_title
from crm_integrations.mapping_pages.account_fields import AccountFields, find_definition
from crm_integrations.mapping_pages.checks import check_mapping
from crm_integrations.mapping_pages.contents import Contents
from crm_integrations.mapping_pages.editor_acts import say_too_many
from crm_integrations.problems import Problem
from crm_integrations.providers.base import CRMField, FieldType
from dynamic_data.mappings.contents import EntityContents, EntityDraft, MappingContents, MappingDraft


def can_be_shown(field: CRMField) -> bool:
    """Every field can be read but a comment, which is only ever written."""
    return field.type is not FieldType.COMMENT


def check_draft(draft: MappingDraft, fields: AccountFields) -> tuple[MappingContents | None, list[Problem]]:
    """The contents to store, or everything that is wrong with the draft."""
    problems = check_mapping(draft, fields, field_of=str, check_rows=_check_fields)
    return (None if problems else _build_contents(draft, fields)), problems


def find_taken_types(draft: Contents[Any], taken: Mapping[str, str], titles: Mapping[str, str]) -> list[Problem]:
    """Record types that another active mapping shows already; `taken` gives its name, `titles` theirs for people."""
    sentence = _(
        "The active mapping “%(mapping)s” already shows “%(entity)s”. Remove it there, or deactivate one of the two."
    )
    return [
        Problem(
            ("entities", number, "entityType"),
            sentence
            % {"mapping": taken[entity.entity_type], "entity": titles.get(entity.entity_type) or entity.entity_type},
        )
        for number, entity in enumerate(draft.entities)
        if entity.entity_type in taken
    ]


def _check_fields(entity: EntityDraft, fields: AccountFields) -> Iterator[Problem]:
    if len(entity.rows) > FIELDS_LIMIT:
        yield Problem(("fields",), say_too_many(FIELDS_LIMIT))
    seen: dict[str, int] = {}
    for position, key in enumerate(entity.rows):
        first = seen.setdefault(key, position)
        problem = _check_field(entity.entity_type, key, fields)
        if problem is None and first != position:
            problem = _("This field is shown already: row %(row)s.") % {"row": first + 1}
        if problem:
            yield Problem(("fields", position), problem)


def _check_field(entity_type: str, key: str, fields: AccountFields) -> str | None:
    if not key:
        return _("Choose a CRM field.")
    if (entity_type, key) in fields.kept or entity_type in fields.unreadable:
        return None
    found = fields.find(entity_type, key)
    if found is None:
        return _("The CRM has no such field. Choose another.")
    if not can_be_shown(found):
        return _("“%(field)s” cannot be shown. Choose another field.") % {"field": display_title(found)}
    return None


def _build_contents(draft: MappingDraft, fields: AccountFields) -> MappingContents:
    entities = tuple(_build_entity(entity, fields) for entity in draft.entities)
    return MappingContents(draft.name, draft.description, draft.is_active, entities)


def _build_entity(entity: EntityDraft, fields: AccountFields) -> EntityContents:
    found = [find_definition(entity.entity_type, key, fields) for key in entity.rows]
    return EntityContents(entity.entity_type, tuple(definition for definition in found if definition))
