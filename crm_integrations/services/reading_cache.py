"""What the cache keeps for cards: readings of records, who is asking for new ones, when to leave the CRM alone.

Entries belong to one authentication, since another system user may see less, and to the fields that are shown. They
hold what the card shows and nothing else, for ten minutes at most. Losing them costs calls.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import fields as parts_of
from typing import Any, TypeVar

from django.core.cache import cache

from crm_integrations.contact_links import RecordReference
from crm_integrations.database_clock import Clock
from crm_integrations.failure_pauses import FailurePause
from crm_integrations.providers.base import CRMField, CRMRecord

logger = logging.getLogger(__name__)

T = TypeVar("T")
KEPT_S = 600  # how long a last known reading may stand in
ASKING_S = 30  # how long others are served what is known while one of them asks
RECORD_PARTS = tuple(part.name for part in parts_of(CRMRecord))
WHOLE_ACCOUNT = ""  # in place of an entity type
QUIET_AFTER_FAILURE_S = 5.0  # a card asks the cache several times, each of which would wait for one that is silent

_pause = FailurePause(QUIET_AFTER_FAILURE_S)

ShownFields = Mapping[str, Sequence[CRMField]]


@dataclass(frozen=True, slots=True)
class RecordReading:
    """What is known of a record. `record` None: it is gone, or (with a problem) was never read.

    `problem`: why it could not be read anew, a key of record_readings.PROBLEMS; "" = it is as fresh as can be.
    """

    record: CRMRecord | None
    age_s: float = 0.0
    problem: str = ""

    @property
    def is_gone(self) -> bool:
        """Whether the CRM said that there is no such record."""
        return self.record is None and not self.problem


class ReadingCache:
    """The entries of one authentication."""

    def __init__(self, *, authentication_id: int, fields: ShownFields, clock: Clock) -> None:
        self._authentication_id = authentication_id
        self._fields = fields
        self._clock = clock
        self._asking: set[str] = set()

    def load(self, references: Iterable[RecordReference]) -> dict[RecordReference, RecordReading]:
        """What is known, whatever its age."""
        keys = {self._record_key(each): each for each in references}
        now = self._clock().timestamp()
        stored: dict[str, Any] = _tolerant(lambda: cache.get_many(keys), {})
        return {
            keys[key]: RecordReading(
                CRMRecord(**entry["record"]) if entry["record"] else None, max(now - entry["at"], 0.0)
            )
            for key, entry in stored.items()
        }

    def store(self, records: Mapping[RecordReference, CRMRecord | None]) -> dict[RecordReference, RecordReading]:
        """Keep what is shown of records that were just read; None = the CRM has no such record."""
        at = self._clock().timestamp()
        shown = {each: self._shown_part(record) if record else None for each, record in records.items()}
        entries = {
            self._record_key(each): {"at": at, "record": asdict(record) if record else None}
            for each, record in shown.items()
        }
        _tolerant(lambda: cache.set_many(entries, timeout=KEPT_S), [])
        return {each: RecordReading(record) for each, record in shown.items()}

    def is_asked_by_me(self, entity_type: str) -> bool:
        """Take the right to ask for known records of this type anew; one at a time has it."""
        is_mine = _tolerant(lambda: cache.add(self._key("asking", entity_type), 1, timeout=ASKING_S), True)
        self._asking |= {entity_type} if is_mine else set()
        return is_mine

    def end_asking(self) -> None:
        """Give back the rights that are mine."""
        if self._asking:
            keys = [self._key("asking", entity_type) for entity_type in self._asking]
            self._asking.clear()
            _tolerant(lambda: cache.delete_many(keys), None)

    def rest(self, entity_type: str, *, problem: str, seconds: float) -> None:
        """Leave the CRM alone for a moment, for this type or for the WHOLE_ACCOUNT."""
        _tolerant(lambda: cache.set(self._key("rest", entity_type), problem, timeout=seconds), None)

    def resting_problems(self, entity_types: Iterable[str]) -> dict[str, str]:
        """Why the CRM is left alone, by type; "" = it may be asked."""
        keys = {entity_type: self._key("rest", entity_type) for entity_type in (*entity_types, WHOLE_ACCOUNT)}
        stored: dict[str, str] = _tolerant(lambda: cache.get_many(keys.values()), {})
        whole = stored.get(keys.pop(WHOLE_ACCOUNT), "")
        return {entity_type: stored.get(key, whole) for entity_type, key in keys.items()}

    def _shown_part(self, record: CRMRecord) -> CRMRecord:
        keys = [field.key for field in self._fields.get(record.entity_type, ()) if field.key in record.values]
        return CRMRecord(
            record.entity_type,
            record.id,
            record.title,
            {key: record.values[key] for key in keys},
            is_closed=record.is_closed,
            names={key: record.names[key] for key in keys if key in record.names},
        )

    def _record_key(self, reference: RecordReference) -> str:
        fields = self._fields.get(reference.entity_type, ())
        shape = [RECORD_PARTS, *((field.key, field.type.value) for field in fields)]  # versions keep their own
        return self._key("record", reference.entity_type, reference.record_id, shape)

    def _key(self, kind: str, *parts: object) -> str:
        text = repr((self._authentication_id, *parts))
        return f"card-{kind}:{hashlib.sha256(text.encode()).hexdigest()}"


def _tolerant(act: Callable[[], T], otherwise: T) -> T:
    """The cache is a saving: while it is away, the CRM is asked each time, and the cache once in a while."""
    if _pause.is_quiet():
        return otherwise
    try:
        found = act()
    except Exception:
        if _pause.note_failure():
            logger.warning("The cache of record readings cannot be reached.", exc_info=True)
        return otherwise
    _pause.note_success()
    return found
