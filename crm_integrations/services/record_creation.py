"""Creates a record of the CRM once per occasion, however often it is asked for and whatever is lost on the way.

A row and its lease are committed before the call. Whoever comes second waits a little and gets the first one's record.
After a lost answer, or a process that died, the record is looked for by its external id before it is asked for again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crm_integrations.contact_links import RecordReference
from crm_integrations.database_clock import Clock, read_database_clock
from crm_integrations.models import Configuration, RecordCreation
from crm_integrations.providers.base import CreationRequest, CRMConnection, CRMRecord, FieldType
from crm_integrations.providers.errors import (
    CRMError,
    CRMUnavailable,
    RecordClosed,
    RecordGone,
    ValueRefused,
)
from crm_integrations.services.connections import INTERACTIVE_PATIENCE_S
from crm_integrations.services.creation_leases import CreationBusy as CreationBusy
from crm_integrations.services.creation_leases import (
    CreationLease,
    begin_creation,
    find_made_records,
    seconds_until_free,
    take_creation,
)

POLL_EVERY_S = 0.2
CLOCKS_DIFFER = timedelta(minutes=5)  # at the most, ours and the CRM's
REFUSALS = (ValueRefused, RecordGone, RecordClosed)  # as data: nothing was made, and the same would be refused again


@dataclass(frozen=True, slots=True)
class Creation:
    """The record of an occasion. `is_new`: made by this very call; `shown`: as the CRM's answer showed it."""

    record: RecordReference
    is_new: bool
    shown: CRMRecord | None = None


def contact_key(contact_id: str) -> str:
    """The occasion of what is created for a contact: one record of each type, whoever creates it."""
    return f"contact:{contact_id}"


def create_once(
    *,
    connection: CRMConnection,
    configuration: Configuration,
    request: CreationRequest,
    key: str,
    contact_id: str = "",
    types: Mapping[str, FieldType] | None = None,
    patience_s: float = INTERACTIVE_PATIENCE_S,
    clock: Clock = read_database_clock,
) -> Creation:
    """The record of (configuration, entity type, `key`), created unless it was created before; never in a transaction.

    `key`: at most 260 characters. A record that was deleted in the CRM meanwhile is not made again.
    Raises CreationBusy (a RetryLater), ValueRefused, RecordGone or RecordClosed (refused: another request begins anew),
    or what else the calls raise; after any of them the same call can be made again.
    """
    row = begin_creation(configuration=configuration, request=request, key=key, contact_id=contact_id)
    gives_up_at = time.monotonic() + patience_s
    while row.state != RecordCreation.State.CREATED:
        lease = take_creation(row=row, request=request, clock=clock)
        if lease is not None:
            return _Work(lease, connection, request, types).run()
        if time.monotonic() >= gives_up_at:
            raise CreationBusy(retry_after_s=seconds_until_free(row, now=clock()))
        time.sleep(POLL_EVERY_S)
        row.refresh_from_db()
    return Creation(RecordReference(row.entity_type, row.record_id), is_new=False)


@dataclass(slots=True)
class _Work:
    """What the holder of the lease does. Each call is preceded by a lease that outlives it."""

    lease: CreationLease
    connection: CRMConnection
    request: CreationRequest
    types: Mapping[str, FieldType] | None

    def run(self) -> Creation:
        """Look for the record if it may exist, else create it."""
        if self.lease.must_look:
            found = self._look_first()
            if found is not None:
                return self._finish(found, is_new=False)
            self.lease.begin_anew()
        return self._create()

    def _look_first(self) -> CRMRecord | None:
        """What an earlier call made after all; while that cannot be known, it may still exist."""
        try:
            return self._find()
        except CRMError:
            self.lease.give_back(may_exist=True)
            raise

    def _create(self) -> Creation:
        """Ask the CRM. A refusal ends the occasion until another request; an unknown outcome is looked into."""
        try:
            answer = self.connection.create_record(self.request, key=self.lease.external_id, types=self.types)
        except REFUSALS:
            self.lease.refuse()
            raise
        except CRMError as error:
            if not error.may_have_applied:
                self.lease.give_back(may_exist=False)
                raise
            return self._look_after(error)
        if answer.record is None:
            return self._look_after(CRMUnavailable("The answer named no record.", may_have_applied=True))
        return self._finish(answer.record, is_new=True)

    def _look_after(self, error: CRMError) -> Creation:
        """Look at once for what the lost answer was about; what is not seen yet may still come, so it settles."""
        self.lease.extend()
        try:
            found = self._find()
        except CRMError:
            found = None
        if found is None:
            self.lease.settle()
            raise error
        return self._finish(found, is_new=True)

    def _find(self) -> CRMRecord | None:
        """The record by the id it carries: ours, or the script's own in its place; of several, the latest."""
        found = self.connection.find_by_external_id(self.request.entity_type, self.lease.sent_id)
        if self.lease.sent_id != self.lease.external_id:
            found = self._without_others(found)
        return max(found, key=lambda record: record.updated_at, default=None)

    def _without_others(self, found: Sequence[CRMRecord]) -> list[CRMRecord]:
        """An id of the script's own may be shared by records that are older, or were made on other occasions."""
        others = set(find_made_records(row_id=self.lease.row_id, record_ids=[record.id for record in found]))
        since = self.lease.began_at - CLOCKS_DIFFER
        return [record for record in found if record.id not in others and not _is_older(record, since)]

    def _finish(self, shown: CRMRecord, *, is_new: bool) -> Creation:
        record = RecordReference(self.request.entity_type, self.lease.finish(record_id=shown.id))
        return Creation(record, is_new, shown if shown.id == record.record_id else None)


def _is_older(record: CRMRecord, since: datetime) -> bool:
    """Whether the record certainly stood before; one that does not tell may be the one."""
    try:
        created_at = datetime.fromisoformat(record.created_at)
    except ValueError:
        return False
    return (created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC)) < since
