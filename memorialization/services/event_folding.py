"""Folding what intake stored: waiting events get their contacts, and these their interactions and deliveries.

A worker's turn on an account begins with it, the sweep does it for everybody, and whoever asks for one contact has its
events folded at once. It may be cut off anywhere, run twice or at the same time: each transaction takes events that
nobody has locked, and a fold is of all events that a contact has by then.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from crm_integrations.database_clock import Clock
from crm_integrations.models import Authentication, Configuration
from crm_integrations.new_rows import new_row
from crm_integrations.row_inserts import insert_missing
from crm_integrations.row_sql import (
    Selection,
    as_time,
    as_uuid,
    change_rows,
    places_for,
    read_rows,
    read_values,
    row_lock,
    selection,
)
from crm_integrations.row_updates import update_rows
from memorialization.deliveries.failpoints import visit_failpoint
from memorialization.erased_text import bare_event
from memorialization.events.schema import ParsedEvent
from memorialization.models import Contact, InteractionEvent
from memorialization.services.contact_folding import FreshEvents, fold_contacts, read_stored
from memorialization.services.heartbeats import FOLD, note_heartbeat
from memorialization.services.hints import wake_on_commit
from memorialization.services.working_configurations import get_working_configuration
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

LONGEST_WAIT_MS = 2_000  # of whoever asks for a contact; a fold takes a fraction of a second
LOCK_NOT_AVAILABLE = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
EVENTS_PER_TRANSACTION = 50  # short transactions: on SQLite they keep intake waiting
FOLD_AGAIN_AFTER = timedelta(minutes=5)  # for what cannot be folded: a fault of ours, so it may be mended
STORED_COLUMNS = ("pk", "source_contact_id", "event_id", "body", "ordered_at", "flags", "received_at")
FOLDED_COLUMNS = ("contact_id", "fold_after")
WORK_NOTED_EVERY_S = 10.0  # by each process
DATABASE_TROUBLES = (OperationalError, InterfaceError)  # say nothing of what is folded

WITH_EVENTS = f"""
SELECT {{id}} FROM {Configuration._meta.db_table} present
WHERE NOT (present.state = 'deleted') AND EXISTS (
  SELECT 1 FROM {InteractionEvent._meta.db_table} event
  WHERE event.configuration_id = present.id AND event.contact_id IS NULL
    AND (event.fold_after IS NULL OR event.fold_after <= %s))
"""  # noqa: S608 - names of our own models
OF_ACCOUNT = f"AND present.authentication_id IN (SELECT id FROM {Authentication._meta.db_table} WHERE account_id = %s) "  # noqa: S608

_noted_at: list[float] = []  # the monotonic time when this process last noted its work


def fold_account_events(*, account_id: int, clock: Clock, most_s: float) -> bool:
    """Fold what waits for one account's configurations, for about `most_s` seconds; whether more waits.

    What others have in hand is theirs: who finds nothing else does not ask again and again until they are done.
    """
    ends_at = time.monotonic() + most_s
    while configuration_ids := _find_configurations(clock(), of_account=account_id):
        folded = 0
        for configuration_id in configuration_ids:
            if time.monotonic() >= ends_at:
                return True
            folded += _fold_next(configuration_id, clock())
        if not folded:
            return False
    return False


def fold_all_events(*, clock: Clock, most_s: float) -> int:
    """Fold what waits for all configurations, in turn, for about `most_s` seconds; how many events."""
    folded, ends_at = 0, time.monotonic() + most_s
    while time.monotonic() < ends_at and (configuration_ids := _find_configurations(clock())):
        newly = sum(_fold_next(each, clock()) for each in configuration_ids)
        folded += newly
        if not newly:
            break
    return folded


def fold_contact_events(*, configuration: Configuration, contact_id: str, now: datetime) -> None:
    """Fold what waits for one contact, named as its source names it, for somebody who is about to look at it."""
    waits = not connection.in_atomic_block  # what a worker folds just now is awaited, but by nobody who holds a lock
    progress = _fold_contact(configuration.pk, contact_id, now, waits=waits)
    if progress.folded and configuration.authentication is not None:
        wake_on_commit(account_id=configuration.authentication.account_id)  # nobody's turn may have seen these events


def _fold_next(configuration_id: UUID, now: datetime) -> int:
    """Fold the oldest waiting events of a configuration; how many were dealt with.

    When that fails, each contact is tried by itself, so that one of them cannot keep back the others.
    """
    waiting = _waiting(now).filter(configuration=configuration_id)
    try:
        progress = _Progress(folded=_fold_some(configuration_id, waiting, now))
    except DATABASE_TROUBLES:
        raise
    except Exception:  # noqa: BLE001 - each contact is tried by itself, and who fails again is logged
        each = [_fold_contact(configuration_id, contact_id, now) for contact_id in _next_contacts(waiting)]
        progress = _Progress(*map(sum, zip(*each, strict=True)))
    if progress.folded:
        _note_work(now)
    return progress.folded + progress.postponed


class _Progress(NamedTuple):
    """How many events were folded, and how many wait for another day."""

    folded: int = 0
    postponed: int = 0


def _fold_contact(configuration_id: UUID, contact_id: str, now: datetime, *, waits: bool = False) -> _Progress:
    """The same for one contact; events that cannot be folded wait for FOLD_AGAIN_AFTER."""
    waiting = _waiting(now).filter(configuration=configuration_id, source_contact_id=contact_id)
    if not waiting.exists():
        return _Progress()
    try:
        return _Progress(folded=_fold_some(configuration_id, waiting, now, waits=waits))
    except DATABASE_TROUBLES as error:
        if waits and getattr(error.__cause__, "pgcode", "") == LOCK_NOT_AVAILABLE:
            return _Progress()  # whoever folds it stands still
        raise
    except Exception as error:  # noqa: BLE001 - its words may be a customer's: its kind and place are logged
        logger.error("Events of a contact cannot be folded (%s); they are tried again later.", describe_error(error))
        return _Progress(postponed=waiting.update(fold_after=now + FOLD_AGAIN_AFTER))


def _waiting(now: datetime) -> QuerySet[InteractionEvent]:
    """Events that nobody folded yet."""
    return InteractionEvent.objects.filter(Q(fold_after__isnull=True) | Q(fold_after__lte=now), contact__isnull=True)


def _find_configurations(now: datetime, *, of_account: int | None = None) -> list[UUID]:
    """Configurations for which events wait; those of a deleted one wait for its restoration."""
    chosen = "" if of_account is None else OF_ACCOUNT
    parameters = [as_time(now), *([] if of_account is None else [of_account])]
    columns: Selection[Configuration] = selection(Configuration, connection.vendor, "present", ("id",))
    found = read_values(WITH_EVENTS.format(id=columns.names) + chosen + "ORDER BY present.id", parameters)
    return [columns.read(values)[0] for values in found]


def _next_contacts(waiting: QuerySet[InteractionEvent]) -> list[str]:
    names = waiting.order_by("pk").values_list("source_contact_id", flat=True)
    return sorted(set(names[:EVENTS_PER_TRANSACTION]))


@transaction.atomic
def _fold_some(
    configuration_id: UUID, waiting: QuerySet[InteractionEvent], now: datetime, *, waits: bool = False
) -> int:
    """One transaction: the oldest waiting events that nobody has in hand, and everything that follows from them.

    `waits`: what somebody has in hand is awaited for a while, and taken if it still waits then.
    """
    if waits and connection.vendor == "postgresql":
        change_rows(f"SET LOCAL lock_timeout = {LONGEST_WAIT_MS}", [])
    locked = waiting.select_for_update(skip_locked=not waits).order_by("pk")
    stored = list(locked.values_list(*STORED_COLUMNS)[:EVENTS_PER_TRANSACTION])
    if not stored:
        return 0
    configuration = get_working_configuration(configuration_id)
    contacts, new_ids = _lock_contacts(configuration, {name for _pk, name, *_rest in stored})
    events: dict[int, list[ParsedEvent]] = defaultdict(list)
    heard_at: dict[int, datetime] = {}
    for _pk, name, event_id, body, ordered_at, flags, received_at in stored:
        event = read_stored(event_id, body, ordered_at, flags)
        events[contacts[name].pk] += [event] if event is not None else []
        heard_at[contacts[name].pk] = max(heard_at.get(contacts[name].pk, received_at), received_at)
    update_rows(InteractionEvent, {pk: (contacts[name].pk, None) for pk, name, *_rest in stored}, FOLDED_COLUMNS)
    _strip_erased(stored, contacts)
    fresh = FreshEvents(events, frozenset(new_ids), heard_at)
    fold_contacts(configuration=configuration, contacts=list(contacts.values()), now=now, fresh=fresh)
    visit_failpoint("during_fold")
    return len(stored)


def _strip_erased(stored: Sequence[tuple[Any, ...]], contacts: Mapping[str, Contact]) -> None:
    """Take customers' text out of events of erased contacts: they came late, and are known by their ids only."""
    for pk, name, _event_id, body, *_rest in stored:
        if contacts[name].erased_at is not None:
            InteractionEvent.objects.filter(pk=pk).update(body=bare_event(body), ignored_keys=[])


def _note_work(now: datetime) -> None:
    """Leave a sign that workers fold, for readiness; seldom, since a write for each would be waste.

    What is folded because a person looks at a contact proves nothing of the others.
    """
    if not _noted_at or time.monotonic() - _noted_at[0] >= WORK_NOTED_EVERY_S:
        note_heartbeat(name=FOLD, now=now)
        _noted_at[:] = [time.monotonic()]


def _lock_contacts(configuration: Configuration, contact_ids: Collection[str]) -> tuple[dict[str, Contact], set[int]]:
    """The contacts' rows, made where they are missing, locked in the order of their ids; which of them are new.

    One that was there and is gone when its lock is free, since old contacts are deleted, is made in the next round.
    """
    found: dict[str, Contact] = {}
    new_ids: set[int] = set()
    while missing := sorted(set(contact_ids) - found.keys()):
        wanted = [(configuration.pk, contact_id) for contact_id in missing]
        made = insert_missing(Contact, ("configuration_id", "contact_id"), wanted, returning=("id", "contact_id"))
        new_ids |= {pk for pk, _name in made}
        for pk, name in made:
            found[name] = new_row(Contact, id=pk, configuration_id=configuration.pk, contact_id=name)
        if known := [contact_id for contact_id in missing if contact_id not in found]:
            condition = f"configuration_id = %s AND contact_id IN ({places_for(known)}) ORDER BY id{row_lock()}"
            stored = read_rows(Contact, condition, [as_uuid(configuration.pk), *known])
            found |= {contact.contact_id: contact for contact in stored}
    return found, new_ids
