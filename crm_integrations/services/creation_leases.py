"""The rows behind record_creation: who is creating a record now, and what is known of its existence.

The end of a lease is its token: each taking and each extension writes another one, and what a holder stores counts only
while it stands.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from crm_integrations.database_clock import Clock
from crm_integrations.models import Configuration, RecordCreation
from crm_integrations.providers.base import CreationRequest
from crm_integrations.providers.errors import RetryLater
from crm_integrations.services.connections import CALLS_PER_ACT

SLACK_S = 5  # at least this much of a lease is left over when the longest act ends
OWN_ID_LIMIT = 255  # characters, as the model
NO_LIMIT = "creation"  # no limit of the CRM was hit

State = RecordCreation.State


class CreationBusy(RetryLater):
    """Somebody else is creating the record, or it is not known yet whether it exists: come back later."""

    def __init__(self, *, retry_after_s: float) -> None:
        super().__init__("The record is being created.", retry_after_s=retry_after_s, limit_class=NO_LIMIT)


@dataclass(slots=True)
class CreationLease:
    """A leased row, as its holder knows it. `must_look`: a call went out before whose outcome nobody knows.

    `sent_id`: what the record of that call, or else of the next, carries.
    """

    row_id: int
    external_id: str
    own_id: str
    sent_id: str
    began_at: datetime
    until: datetime
    must_look: bool
    is_same_request: bool
    clock: Clock = field(repr=False)

    def extend(self) -> None:
        """Own the row for as long as one more act may take. Raises CreationBusy when it belongs to somebody else."""
        self._move(self.clock() + timedelta(seconds=lease_length_s()))

    def begin_anew(self) -> None:
        """Nothing was made so far. Another request must not be taken for the earlier one, so it has another id."""
        external_id = self.external_id if self.is_same_request else new_external_id()
        until = self.clock() + timedelta(seconds=lease_length_s())
        self._move(until, external_id=external_id, own_id=self.own_id)
        self.external_id, self.sent_id = external_id, self.own_id or external_id

    def settle(self) -> None:
        """Nobody goes on before the CRM has certainly done what it was asked, or never will."""
        self._move(self.clock() + timedelta(seconds=settings.SETTLE_S))

    def give_back(self, *, may_exist: bool) -> None:
        """Let the next caller try at once."""
        self._mine().update(lease_until=None, may_exist=may_exist)

    def refuse(self) -> None:
        """The CRM will not have it as it is."""
        self._mine().update(state=State.REFUSED, lease_until=None, may_exist=False, finished_at=self.clock())

    def finish(self, *, record_id: str) -> str:
        """Store the record; the one that counts, should somebody else have found it first."""
        row = RecordCreation.objects.filter(pk=self.row_id, external_id=self.external_id, state=State.STARTED)
        row.update(
            state=State.CREATED, record_id=record_id, lease_until=None, may_exist=False, finished_at=self.clock()
        )
        stored = RecordCreation.objects.filter(pk=self.row_id).values_list("record_id", flat=True).first()
        return stored or record_id

    def _move(self, until: datetime, **columns: Any) -> None:
        if until == self.until:
            until += timedelta(microseconds=1)
        if not self._mine().update(lease_until=until, **columns):
            raise CreationBusy(retry_after_s=SLACK_S)
        self.until = until

    def _mine(self) -> QuerySet[RecordCreation]:
        return RecordCreation.objects.filter(pk=self.row_id, state=State.STARTED, lease_until=self.until)


def begin_creation(
    *, configuration: Configuration, request: CreationRequest, key: str, contact_id: str
) -> RecordCreation:
    """The row of the occasion, made when there is none."""
    row, _is_new = RecordCreation.objects.get_or_create(
        configuration=configuration,
        entity_type=request.entity_type,
        key=key,
        defaults={"contact_id": contact_id, "external_id": new_external_id()},
    )
    return row


def take_creation(*, row: RecordCreation, request: CreationRequest, clock: Clock) -> CreationLease | None:
    """Lease the row for one act, unless somebody is at it or it is no longer as it was read.

    A refused one begins with another external id, so that the CRM does not repeat its refusal.
    """
    now = clock()
    if row.state == State.CREATED or (row.lease_until is not None and row.lease_until > now):
        return None
    hashed, own_id = _hash_of(request), _own_id_of(request)
    external_id = new_external_id() if row.state == State.REFUSED else row.external_id
    sent_own_id = row.own_id if row.may_exist else own_id
    lease = CreationLease(
        row_id=row.pk,
        external_id=external_id,
        own_id=own_id,
        sent_id=sent_own_id or external_id,
        began_at=row.created_at,
        until=now + timedelta(seconds=lease_length_s()),
        must_look=row.may_exist,
        is_same_request=hashed == row.request_hash,
        clock=clock,
    )
    is_as_read = Q(lease_until=row.lease_until) if row.lease_until else Q(lease_until__isnull=True)
    as_read = RecordCreation.objects.filter(is_as_read, pk=row.pk, state=row.state, external_id=row.external_id)
    taken = as_read.update(
        state=State.STARTED,
        external_id=lease.external_id,
        own_id=sent_own_id,
        request_hash=hashed,
        lease_until=lease.until,
        may_exist=True,
        finished_at=None,
    )
    return lease if taken else None


def find_made_records(*, row_id: int, record_ids: Sequence[str]) -> list[str]:
    """Those of the records that were made on another occasion of the same configuration and type."""
    row = RecordCreation.objects.get(pk=row_id)
    others = RecordCreation.objects.filter(
        configuration=row.configuration_id, entity_type=row.entity_type, record_id__in=record_ids, state=State.CREATED
    )
    return list(others.exclude(pk=row_id).values_list("record_id", flat=True))


def seconds_until_free(row: RecordCreation, *, now: datetime) -> float:
    """When it is worth asking again: somebody at work is done soon, a lost answer settles by then."""
    left = (row.lease_until - now).total_seconds() if row.lease_until else 0.0
    return min(max(left, 1.0), float(SLACK_S))


def lease_length_s() -> float:
    """The longest that one act on a connection can take, and some more: no call may outlive its lease."""
    return CALLS_PER_ACT * settings.CALL_TIMEOUT_S + SLACK_S


def new_external_id() -> str:
    """What a record carries in the CRM until its creation is certain, and from then on."""
    return f"agent-integrations-{uuid.uuid4().hex}"


def _own_id_of(request: CreationRequest) -> str:
    """The id that the script gave the record, as far as it can be kept; one so long is no CRM's."""
    own_id = str(request.values.get("external_id") or "")
    return own_id if len(own_id) <= OWN_ID_LIMIT else ""


def _hash_of(request: CreationRequest) -> str:
    text = json.dumps([request.entity_type, dict(request.values), dict(request.details)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
