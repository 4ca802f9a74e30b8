"""What a version of a mapping changed, in words. No database."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title, title_of_key
from memorialization.mappings.contents import MappingContents, Row
from memorialization.models.mappings import RowChannel
from memorialization.source_fields import BY_KEY

Titles = Mapping[str, str]
RowsByPlace = dict[tuple[str, str, str], Row]
"""(entity type, CRM field, channel) → row: there is one at most."""


def describe_difference(before: MappingContents | None, after: MappingContents, titles: Titles) -> list[str]:
    """One sentence per change; a first version says so."""
    if before is None:
        return [_("First version.")]
    found = [*_head(before, after), *_entities(before, after, titles), *_rows(before, after, titles)]
    if found:
        return found
    is_reordered = _places(before) != _places(after)
    return [_("The order of the fields changed.") if is_reordered else _("The CRM changed the definition of fields.")]


def describe_row(row: Row) -> str:
    """“Subject ← Voice Call Contact · Skill Name”."""
    known = None if row.channel == RowChannel.SCRIPT_VARIABLE else BY_KEY.get(row.source)
    words = {
        "field": display_title(row.field),
        "channel": RowChannel(row.channel).label,
        "source": known.label if known else row.source,
    }
    return _("%(field)s ← %(channel)s · %(source)s") % words


def _head(before: MappingContents, after: MappingContents) -> Iterator[str]:
    if before.name != after.name:
        yield _("Renamed from “%(before)s” to “%(after)s”.") % {"before": before.name, "after": after.name}
    if before.description != after.description:
        yield _("The description changed.")
    if before.is_active != after.is_active:
        yield _("Activated.") if after.is_active else _("Deactivated.")


def _entities(before: MappingContents, after: MappingContents, titles: Titles) -> Iterator[str]:
    earlier = [entity.entity_type for entity in before.entities]
    later = [entity.entity_type for entity in after.entities]
    for entity_type in later:
        if entity_type not in earlier:
            yield _("Entity added: %(entity)s.") % {"entity": titles.get(entity_type) or title_of_key(entity_type)}
    for entity_type in earlier:
        if entity_type not in later:
            yield _("Entity removed: %(entity)s.") % {"entity": titles.get(entity_type) or title_of_key(entity_type)}


def _rows(before: MappingContents, after: MappingContents, titles: Titles) -> Iterator[str]:
    earlier, later = _by_place(before), _by_place(after)
    for place, row in later.items():
        words = {"entity": titles.get(place[0]) or title_of_key(place[0]), "row": describe_row(row)}
        if place not in earlier:
            yield _("%(entity)s: added %(row)s") % words
        elif earlier[place].source != row.source:
            yield _("%(entity)s: now %(row)s") % words
    for place, row in earlier.items():
        if place not in later:
            yield _("%(entity)s: removed %(row)s") % {
                "entity": titles.get(place[0]) or title_of_key(place[0]),
                "row": describe_row(row),
            }


def _by_place(contents: MappingContents) -> RowsByPlace:
    return {
        (entity.entity_type, row.field.key, row.channel): row for entity in contents.entities for row in entity.rows
    }


def _places(contents: MappingContents) -> list[tuple[str, str, str]]:
    return list(_by_place(contents))
