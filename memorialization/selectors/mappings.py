"""Mappings as the configuration's tab lists them, and the versions of one."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Subquery

from crm_integrations.definitions import title_of_key
from crm_integrations.models import Configuration
from crm_integrations.selectors.mappings import entity_titles, mappings_of
from memorialization.mappings.contents import MappingContents
from memorialization.mappings.differences import describe_difference
from memorialization.models import MappingVersion, MemorializationMapping

VERSIONS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One line of the tab."""

    mapping: MemorializationMapping
    entities: list[str]
    row_count: int
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version: who saved it when, and what it changed, in words."""

    number: int
    created_at: datetime
    created_by: str
    differences: list[str]
    contents: MappingContents


def mapping_lines(configuration: Configuration) -> list[MappingLine]:
    """The tab's lines, in a constant number of queries."""
    latest = MappingVersion.objects.filter(mapping=OuterRef("pk")).order_by("-number")
    rows = mappings_of(MemorializationMapping, configuration).annotate(
        row_count=Count("entities__fields"),
        changed_at=Subquery(latest.values("created_at")[:1]),
        changed_by=Subquery(latest.values("created_by__username")[:1]),
    )
    titles = entity_titles(configuration)
    return [
        MappingLine(
            mapping,
            [titles.get(entity.entity_type) or title_of_key(entity.entity_type) for entity in mapping.entities.all()],
            mapping.row_count,
            mapping.changed_at or mapping.updated_at,
            mapping.changed_by or "",
        )
        for mapping in rows.prefetch_related("entities")
    ]


def version_lines(mapping: MemorializationMapping) -> list[VersionLine]:
    """The newest versions first, each with its difference from the one before."""
    stored = list(mapping.versions.select_related("created_by")[: VERSIONS_SHOWN + 1])
    contents = [MappingContents.from_json(version.contents) for version in stored]
    titles = entity_titles(mapping.configuration)
    before: list[MappingContents | None] = [*contents[1:], None]
    lines = [
        VersionLine(
            version.number,
            version.created_at,
            version.created_by.get_username() if version.created_by else "",
            describe_difference(earlier, contents[position], titles),
            contents[position],
        )
        for position, (version, earlier) in enumerate(zip(stored, before, strict=True))
    ]
    return lines[:VERSIONS_SHOWN]
