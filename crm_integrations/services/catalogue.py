"""The catalogue of CRM fields: read through one snapshot per account and entity type, never twice at a time.

A snapshot is fresh for 15 minutes. Whoever finds it older takes its lease and asks the CRM; everybody else is served
the old one meanwhile. When the CRM is unavailable or limited, or the account must be re-authenticated, the old one is
served on, with its age and the reason.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone, translation

from crm_integrations.definitions import entity_type_as_json, entity_type_from_json, field_as_json, field_from_json
from crm_integrations.models import Authentication, CatalogueSnapshot
from crm_integrations.providers.base import CRMConnection, CRMField, EntityType
from crm_integrations.providers.errors import CRMError, CRMUnavailable, GrantEnded, Reauthenticate, RetryLater
from crm_integrations.services.call_places import PlacesTaken, places
from crm_integrations.services.connections import run_on_connection

FRESH_FOR = timedelta(minutes=15)
LEASE = timedelta(
    seconds=150
)  # longer than one act on a connection may take, so that nobody asks beside a reader at work
RETRY_AFTER = timedelta(seconds=30)  # how long an old snapshot is served before the CRM is asked again
LONGEST_RETRY = timedelta(minutes=5)
WAIT_S = 20.0  # how long a second reader waits for the first one when there is nothing to serve yet
WAIT_STEP_S = 0.2
ENTITY_TYPES = ""  # the snapshot that lists the entity types themselves
CATALOGUE_LANGUAGE = "en"  # titles of the product's own are stored in it and translated when shown
PASSING_ERRORS = (CRMUnavailable, RetryLater, Reauthenticate, GrantEnded)
"""What says nothing about the fields themselves, so that an old snapshot may stand in."""
PROBLEM_LIMIT = 300  # characters, as CatalogueSnapshot.problem
pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Reading:
    """Stored definitions with the time the CRM gave them; `problem` says in the CRM's words why they are old."""

    definitions: list[dict[str, Any]]
    fetched_at: datetime
    problem: str = ""

    @property
    def fields(self) -> list[CRMField]:
        """The fields, in the CRM's order."""
        return [field_from_json(stored) for stored in self.definitions]

    @property
    def entity_types(self) -> list[EntityType]:
        """The entity types, standard ones first."""
        return [entity_type_from_json(stored) for stored in self.definitions]


def read_entity_types(*, authentication: Authentication, refresh: bool = False) -> list[EntityType]:
    """The record types of the account. Raises the port's errors."""
    return read_catalogue(authentication=authentication, refresh=refresh).entity_types


def read_fields(*, authentication: Authentication, entity_type: str, refresh: bool = False) -> list[CRMField]:
    """The fields of one record type, in the CRM's order. Raises the port's errors."""
    return read_catalogue(authentication=authentication, entity_type=entity_type, refresh=refresh).fields


def read_catalogue(
    *,
    authentication: Authentication,
    entity_type: str = ENTITY_TYPES,
    refresh: bool = False,
    now: datetime | None = None,
) -> Reading:
    """What `read_fields` (or, without entity type, `read_entity_types`) reads, with its age. Call it outside atomic().

    `refresh` asks the CRM whatever the age; even then an old snapshot is served when the CRM cannot answer now.
    """
    now = now or timezone.now()
    key: dict[str, Any] = {"account_id": authentication.account_id, "entity_type": entity_type}
    snapshot = CatalogueSnapshot.objects.filter(**key).first()
    if snapshot and not refresh and not _is_due(snapshot, now):
        return _served(snapshot)
    snapshot = snapshot or CatalogueSnapshot.objects.get_or_create(**key)[0]
    if _take_lease(snapshot, now):
        return _read_anew(snapshot, authentication, now)
    snapshot.refresh_from_db()
    return _served(snapshot) if snapshot.fetched_at else _await_reader(snapshot)


def _is_due(snapshot: CatalogueSnapshot, now: datetime) -> bool:
    if snapshot.fetched_at is None:
        return True
    is_fresh = snapshot.fetched_at + FRESH_FOR > now
    return not is_fresh and not (snapshot.retry_at and snapshot.retry_at > now)


def _take_lease(snapshot: CatalogueSnapshot, now: datetime) -> bool:
    """One reader wins; whoever comes after a reading that this snapshot does not show yet has lost too."""
    free = Q(reading_until=None) | Q(reading_until__lte=now)
    unchanged = Q(pk=snapshot.pk, fetched_at=snapshot.fetched_at)
    return CatalogueSnapshot.objects.filter(free & unchanged).update(reading_until=now + LEASE) == 1


def _read_anew(snapshot: CatalogueSnapshot, authentication: Authentication, now: datetime) -> Reading:
    try:
        definitions = _ask(authentication, snapshot.entity_type)
    except PlacesTaken:  # the process was busy; of the account that says nothing
        _release(snapshot, problem=snapshot.problem, retry_at=snapshot.retry_at)
        if snapshot.fetched_at is None:
            raise
        return _served(snapshot)
    except PASSING_ERRORS as error:
        _release(snapshot, problem=error.message, retry_at=now + _retry_after(error))
        if snapshot.fetched_at is None:
            raise
        return _served(snapshot)
    except BaseException as error:
        _release(snapshot, problem=error.message if isinstance(error, CRMError) else "", retry_at=None)
        raise
    snapshot.definitions, snapshot.fetched_at = definitions, now
    _release(snapshot, problem="", retry_at=None, definitions=definitions, fetched_at=now)
    return _served(snapshot)


def _ask(authentication: Authentication, entity_type: str) -> list[dict[str, Any]]:
    with translation.override(CATALOGUE_LANGUAGE):
        return run_on_connection(authentication=authentication, act=lambda connection: _list(connection, entity_type))


def _list(connection: CRMConnection, entity_type: str) -> list[dict[str, Any]]:
    if entity_type == ENTITY_TYPES:
        return [entity_type_as_json(found) for found in connection.list_entity_types()]
    return [field_as_json(found) for found in connection.list_fields(entity_type)]


def _release(snapshot: CatalogueSnapshot, *, problem: str, retry_at: datetime | None, **columns: Any) -> None:
    snapshot.problem, snapshot.retry_at = problem[:PROBLEM_LIMIT], retry_at
    CatalogueSnapshot.objects.filter(pk=snapshot.pk).update(
        reading_until=None, problem=snapshot.problem, retry_at=retry_at, **columns
    )


def _retry_after(error: CRMError) -> timedelta:
    wanted = timedelta(seconds=getattr(error, "retry_after_s", None) or 0)
    return min(max(wanted, RETRY_AFTER), LONGEST_RETRY)


def _served(snapshot: CatalogueSnapshot) -> Reading:
    if snapshot.fetched_at is None:
        raise CRMUnavailable(snapshot.problem, may_have_applied=False)
    return Reading(snapshot.definitions, snapshot.fetched_at, snapshot.problem)


def _await_reader(snapshot: CatalogueSnapshot) -> Reading:
    """Nothing to serve and somebody else is asking: wait a little for the answer instead of asking twice.

    Who waits takes a place like who asks, as either keeps a thread. Raises PlacesTaken.
    """
    with places.taking():
        for _step in range(int(WAIT_S / WAIT_STEP_S)):
            pause(WAIT_STEP_S)
            snapshot.refresh_from_db()
            if snapshot.fetched_at or snapshot.reading_until is None:
                break
    return _served(snapshot)
