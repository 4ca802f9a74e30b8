"""The names of what lookup fields point to: requester, assignee, organization, group, and the account's own lookups.

What Zendesk puts beside the records (side-loading) costs nothing; each other record type costs one call.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from threading import Lock

from zendesk_client import FieldDefinition, Forbidden, NotFound, Record, ZendeskClient

SYSTEM_LOOKUPS: Mapping[str, Mapping[str, str]] = {
    "ticket": {
        "requester_id": "user",
        "assignee_id": "user",
        "organization_id": "organization",
        "group_id": "group",
    },
    "user": {"organization_id": "organization"},
}
TARGET_PREFIX = "zen:"
MOST_NAMED = 100  # records that one call shows
KEPT_S = 600.0  # what a lookup field points to hardly ever changes, and lists of fields are scarce

Names = dict[tuple[str, str], str]
"""(record type, id) → name."""
FieldReader = Callable[[str], Iterable[FieldDefinition]]


class LookupTargets:
    """What the lookup fields of an account's record types point to, kept for ten minutes; for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}
        self._lock = Lock()

    def find(self, account: str, entity_type: str, read: FieldReader) -> Mapping[str, str]:
        """Lookup field → record type; asks at most once while it is kept."""
        key = (account, entity_type)
        with self._lock:
            kept_until, targets = self._known.get(key, (0.0, {}))
        if self._clock() < kept_until:
            return targets
        targets = {
            definition.key: definition.relationship_target.removeprefix(TARGET_PREFIX)
            for definition in read(entity_type)
            if definition.relationship_target
        }
        with self._lock:
            self._known[key] = (self._clock() + KEPT_S, targets)
        return targets


def read_named(
    client: ZendeskClient,
    entity_type: str,
    ids: Sequence[str],
    named: Collection[str],
    fields: Mapping[str, FieldDefinition],
    find_targets: Callable[[], Mapping[str, str]],
) -> tuple[list[Record], dict[str, dict[str, str]]]:
    """The records, and for each id the names of what the fields of `named` point to, as far as they are known."""
    system = SYSTEM_LOOKUPS.get(entity_type, {})
    include = {system[name] for name in named if name in system}
    records, names = client.show_many_named(entity_type, ids, include, fields=fields)
    own = [name for name in named if name not in system]
    targets = {**system, **(find_targets() if own and records else {})}
    for target, wanted in _group_missing(records, own, targets, names).items():
        names |= _read_names(client, target, wanted)
    return records, {record.id: _names_of(record, named, targets, names) for record in records}


def _group_missing(
    records: Sequence[Record], fields: Collection[str], targets: Mapping[str, str], names: Names
) -> dict[str, list[str]]:
    """Record type → the ids that no name is known of yet."""
    missing: dict[str, dict[str, None]] = {}
    for record in records:
        for field in fields:
            target, value = targets.get(field, ""), record.values.get(field)
            if target and value and (target, str(value)) not in names:
                missing.setdefault(target, {})[str(value)] = None
    return {target: list(ids)[:MOST_NAMED] for target, ids in missing.items()}


def _read_names(client: ZendeskClient, target: str, ids: Sequence[str]) -> Names:
    """Names are a courtesy: what may not be read, or is no record type, stays unnamed."""
    try:
        return {(target, record.id): record.title for record in client.show_many(target, ids)}
    except (Forbidden, NotFound, ValueError):
        return {}


def _names_of(record: Record, named: Collection[str], targets: Mapping[str, str], names: Names) -> dict[str, str]:
    found = {field: names.get((targets.get(field, ""), str(record.values.get(field)))) for field in named}
    return {field: name for field, name in found.items() if name}
