"""Which mapping versions an interaction is planned with: those active when it fell due, kept from then on.

A change of a mapping alone plans nothing (semantics §3.12): later data of the interaction use the same versions.
"""

from collections.abc import Iterable
from datetime import datetime

from crm_integrations.models import Configuration
from memorialization.deliveries.plan import Rows, merge_rows
from memorialization.mappings.contents import MappingContents
from memorialization.models import MappingVersion


class FrozenMappings:
    """Versions of one configuration's mappings, each read once for all interactions of a transaction."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._contents: dict[int, tuple[int, MappingContents]] = {}
        self._active: dict[datetime | None, list[int]] = {}
        self._rows: dict[tuple[tuple[int, ...], str], Rows] = {}

    def active_ids(self, *, at: datetime | None) -> list[int]:
        """The versions that were active at a past moment; None is now."""
        if at not in self._active:
            self._active[at] = self._find_active(at)
        return self._active[at]

    def rows(self, version_ids: Iterable[int], *, channel: str) -> Rows:
        """The rows of these versions for one channel; versions of deleted mappings are gone."""
        key = (tuple(version_ids), channel)
        if key not in self._rows:
            self._load(key[0])
            known = [self._contents[version_id] for version_id in key[0] if version_id in self._contents]
            self._rows[key] = merge_rows(known, channel=channel)
        return self._rows[key]

    def _find_active(self, at: datetime | None) -> list[int]:
        versions = MappingVersion.objects.filter(mapping__configuration=self._configuration)
        if at is not None:
            versions = versions.filter(created_at__lte=at)
        newest: dict[int, tuple[int, int]] = {}
        for pk, mapping_id, number in versions.values_list("pk", "mapping_id", "number"):
            newest[mapping_id] = max(newest.get(mapping_id, (0, 0)), (number, pk))
        self._load(pk for _number, pk in newest.values())
        in_order = [pk for _mapping_id, (_number, pk) in sorted(newest.items())]
        present = [pk for pk in in_order if pk in self._contents]  # a mapping may be deleted between the two looks
        return [pk for pk in present if self._contents[pk][1].is_active]

    def _load(self, version_ids: Iterable[int]) -> None:
        missing = [pk for pk in version_ids if pk not in self._contents]
        if missing:
            stored = MappingVersion.objects.filter(pk__in=missing).values_list("pk", "number", "contents")
            self._contents |= {pk: (number, MappingContents.from_json(raw)) for pk, number, raw in stored}
