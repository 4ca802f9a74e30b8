"""Which mapping versions an interaction is planned with: those active when it fell due, kept from then on.

A change of a mapping alone plans nothing (semantics §3.12): later data of the interaction use the same versions.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from django.utils.functional import cached_property

from crm_integrations.models import Configuration
from crm_integrations.row_sql import as_uuid, places_for, read_values, table_of
from memorialization.deliveries.plan import Rows, merge_rows
from memorialization.mappings.contents import MappingContents
from memorialization.models import MappingVersion, MemorializationMapping

CACHED_VERSIONS = 500  # of all configurations, in each process
# The newest version of a mapping is the one that its row counts.
CURRENT_VERSIONS = f"""
SELECT version.id, version.number, version.contents, version.created_at
FROM {table_of(MemorializationMapping)} mapping
JOIN {table_of(MappingVersion)} version ON version.mapping_id = mapping.id AND version.number = mapping.version
WHERE mapping.configuration_id = %s ORDER BY mapping.id
"""  # noqa: S608 - our own words only
CHOSEN_VERSIONS = f"SELECT id, number, contents FROM {table_of(MappingVersion)} WHERE id IN ({{places}})"  # noqa: S608


class FrozenMappings:
    """Versions of one configuration's mappings, each read once for all interactions of a transaction.

    What a process keeps longer is found by the text of the contents, so that it can never be out of date.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._texts: dict[int, tuple[int, str]] = {}
        self._active: dict[datetime | None, list[int]] = {}

    def active_ids(self, *, at: datetime | None) -> list[int]:
        """The versions that were active at a past moment; None is now."""
        current, changed_at = self._current
        if at is not None and changed_at is not None and at >= changed_at:
            at = None  # nothing was changed since
        if at not in self._active:
            found = current if at is None else self._find_past(at)
            present = [pk for pk in found if pk in self._texts]  # a mapping may be deleted between two looks
            self._active[at] = [pk for pk in present if _read_contents(self._texts[pk][1]).is_active]
        return self._active[at]

    def rows(self, version_ids: Iterable[int], *, channel: str) -> Rows:
        """The rows of these versions for one channel; versions of deleted mappings are gone."""
        wanted = list(version_ids)
        self._load(wanted)
        return _merge(tuple(self._texts[pk] for pk in wanted if pk in self._texts), channel)

    @cached_property
    def _current(self) -> tuple[list[int], datetime | None]:
        """The newest versions, and when the last of them was made."""
        found = read_values(CURRENT_VERSIONS, [as_uuid(self._configuration.pk)])
        self._texts |= {pk: (number, text) for pk, number, text, _made_at in found}
        made_at = [each if each.tzinfo else each.replace(tzinfo=UTC) for *_rest, each in found]  # SQLite knows no zone
        return [pk for pk, *_rest in found], max(made_at, default=None)

    def _find_past(self, at: datetime) -> list[int]:
        versions = MappingVersion.objects.filter(mapping__configuration=self._configuration, created_at__lte=at)
        newest: dict[int, tuple[int, int]] = {}
        for pk, mapping_id, number in versions.values_list("pk", "mapping_id", "number"):
            newest[mapping_id] = max(newest.get(mapping_id, (0, 0)), (number, pk))
        in_order = [pk for _mapping_id, (_number, pk) in sorted(newest.items())]
        self._load(in_order)
        return in_order

    def _load(self, version_ids: Iterable[int]) -> None:
        missing = [pk for pk in version_ids if pk not in self._texts]
        if missing:
            found = read_values(CHOSEN_VERSIONS.format(places=places_for(missing)), missing)
            self._texts |= {pk: (number, text) for pk, number, text in found}


@lru_cache(maxsize=CACHED_VERSIONS)
def _read_contents(text: str) -> MappingContents:
    return MappingContents.from_json(json.loads(text))


@lru_cache(maxsize=CACHED_VERSIONS)
def _merge(versions: tuple[tuple[int, str], ...], channel: str) -> Rows:
    """The rows as planning wants them; nobody changes them."""
    return merge_rows([(number, _read_contents(text)) for number, text in versions], channel=channel)
