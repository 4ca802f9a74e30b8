"""What any mapping must say, whatever its rows are."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from django.utils.translation import gettext as _

from crm_integrations.mapping_pages.account_fields import DESCRIPTION_LIMIT, NAME_LIMIT, AccountFields
from crm_integrations.mapping_pages.contents import Contents, EntityRows
from crm_integrations.problems import Problem

R = TypeVar("R")
RowsCheck = Callable[[EntityRows[R], AccountFields], Iterator[Problem]]


def check_mapping(
    draft: Contents[R], fields: AccountFields, *, field_of: Callable[[R], str], check_rows: RowsCheck[R]
) -> list[Problem]:
    """All that is wrong with a draft. `field_of`: the key of a row's CRM field; `check_rows`: what the kind adds."""
    problems = [*_check_head(draft)]
    seen: set[str] = set()
    for number, entity in enumerate(draft.entities):
        if entity.entity_type in seen:
            sentence = _("This mapping already has this entity type. Add its fields there.")
            problems.append(Problem(("entities", number, "entityType"), sentence))
            continue
        seen.add(entity.entity_type)
        found = _check_entity(entity, fields, field_of, check_rows)
        problems += [problem.under("entities", number) for problem in found]
    return problems


def _check_head(draft: Contents[R]) -> Iterator[Problem]:
    """A name, texts that fit, and at least one entity."""
    name, description = draft.name, draft.description
    if not name:
        yield Problem(("name",), _("Give the mapping a name."))
    if len(name) > NAME_LIMIT:
        yield Problem(("name",), _("Use at most %(limit)s characters.") % {"limit": NAME_LIMIT})
    if len(description) > DESCRIPTION_LIMIT:
        yield Problem(("description",), _("Use at most %(limit)s characters.") % {"limit": DESCRIPTION_LIMIT})
    if not draft.entities:
        yield Problem(("entities",), _("Add at least one entity with one field."))


def _check_entity(
    entity: EntityRows[R], fields: AccountFields, field_of: Callable[[R], str], check_rows: RowsCheck[R]
) -> Iterator[Problem]:
    kept = [row for row in entity.rows if (entity.entity_type, field_of(row)) in fields.kept]
    if entity.entity_type in fields.unreadable:
        if not kept or len(kept) < len(entity.rows):
            yield Problem(("entityType",), fields.unreadable[entity.entity_type])
    elif entity.entity_type not in fields.by_type and not kept:
        yield Problem(("entityType",), _("The CRM account has no such entity type."))
        return
    if not entity.rows:
        yield Problem(("fields",), _("Add at least one field, or remove this entity."))
    yield from check_rows(entity, fields)
