"""Interactions whose records have to be looked for in the CRM: which are due, who looks, what is stored of it.

The time at which an interaction is due is the whole queue. Whoever takes one moves that time to the end of a lease, so
one whose worker died comes back by itself; what an earlier holder stores afterwards counts for nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from crm_integrations.models import Authentication, Configuration
from crm_integrations.row_sql import Selection, read_values, selection
from memorialization.models import Contact, Interaction
from memorialization.services.claims import lease_length_s
from memorialization.services.contact_folding import fold_contacts
from memorialization.services.frozen_targets import target_as_json
from memorialization.services.working_configurations import get_working_configuration
from memorialization.targeting import Target

LEASES = 2  # the questions for one record type are more than the calls of a write
LOOKED_AT = 10  # interactions of one look
LOOKED_FOR = ("id", "contact_id", "configuration_id", "match_due_at")
LOOK = f"""
SELECT configuration.authentication_id, {{columns}} FROM {Interaction._meta.db_table} looked_for
JOIN {Configuration._meta.db_table} configuration ON configuration.id = looked_for.configuration_id
JOIN {Authentication._meta.db_table} authentication ON authentication.id = configuration.authentication_id
WHERE authentication.account_id = %s AND looked_for.match_due_at IS NOT NULL
  AND configuration.state = 'active' AND authentication.state = 'active'
ORDER BY looked_for.match_due_at LIMIT {LOOKED_AT}
"""  # noqa: S608 - names of our own models


class MatchLost(Exception):
    """The interaction belongs to somebody else now; what was found for it counts for nothing."""


@dataclass(frozen=True, slots=True)
class MatchHold:
    """An interaction in somebody's hands."""

    interaction_id: int
    contact_pk: int
    configuration_id: UUID
    authentication_id: int
    lease: UUID


@dataclass(frozen=True, slots=True)
class MatchWait:
    """When it is looked at again, and why: `backoff_s` of it counts as failing."""

    due_at: datetime
    reason: str
    backoff_s: float = 0.0


class MatchRow(NamedTuple):
    """An interaction that waits to be looked for, as a look found it."""

    authentication_id: int
    interaction_id: int
    contact_pk: int
    configuration_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class MatchLook:
    """One look at an account's interactions: those that are due, and when the next one will be."""

    due: tuple[MatchRow, ...]
    next_at: datetime | None


def unheld_matches() -> QuerySet[Interaction]:
    """Interactions that are looked for, while somebody may ask the CRM for them."""
    return Interaction.objects.filter(
        match_due_at__isnull=False,
        configuration__state=Configuration.State.ACTIVE,
        configuration__authentication__state=Authentication.State.ACTIVE,
    )


def look_for_matches(*, account_id: int, now: datetime) -> MatchLook:
    """What is due on an account, the longest first, by one look at an index of just those interactions."""
    columns: Selection[Interaction] = selection(Interaction, connection.vendor, "looked_for", LOOKED_FOR)
    rows = read_values(LOOK.format(columns=columns.names), [account_id])
    found = [MatchRow(authentication_id, *columns.read(values)) for authentication_id, *values in rows]
    due = tuple(row for row in found if row.due_at <= now)
    return MatchLook(due, next((row.due_at for row in found if row.due_at > now), None))


def claim_match(*, row: MatchRow, now: datetime) -> MatchHold | None:
    """Take one that a look found; None when somebody was faster."""
    lease, until = uuid.uuid4(), _lease_end(now)
    as_seen = Interaction.objects.filter(pk=row.interaction_id, match_due_at=row.due_at)
    if not as_seen.update(match_due_at=until, match_lease=lease):
        return None
    return MatchHold(row.interaction_id, row.contact_pk, row.configuration_id, row.authentication_id, lease)


def renew_match(*, hold: MatchHold, now: datetime) -> None:
    """Have the lease last for one more record type. Raises MatchLost."""
    row = Interaction.objects.filter(pk=hold.interaction_id, match_lease=hold.lease)
    if not row.update(match_due_at=_lease_end(now)):
        raise MatchLost


def postpone_match(*, hold: MatchHold, wait: MatchWait) -> None:
    """Give it back for later; no-op when it was taken from us."""
    row = Interaction.objects.filter(pk=hold.interaction_id, match_lease=hold.lease)
    row.update(**_waiting_columns(hold, wait))


@transaction.atomic
def store_match(*, hold: MatchHold, found: Mapping[str, Target], now: datetime, wait: MatchWait | None = None) -> bool:
    """Freeze what was found and plan the interaction by folding its contact again; False when it was taken from us.

    What was settled meanwhile, by a link that came late for example, stays. With a `wait` the rest is looked for later.
    """
    contact = Contact.objects.select_for_update().get(pk=hold.contact_pk)
    row = Interaction.objects.filter(pk=hold.interaction_id, match_lease=hold.lease)
    settled = row.values_list("targets", flat=True).first()
    if settled is None:
        return False
    targets = {entity_type: target_as_json(target) for entity_type, target in found.items()} | settled
    done = {"match_due_at": None, "match_lease": None, "match_tries": 0, "match_backoff_s": 0, "match_reason": ""}
    row.update(targets=targets, updated_at=now, **(_waiting_columns(hold, wait) if wait else done))
    configuration = get_working_configuration(hold.configuration_id)
    fold_contacts(configuration=configuration, contacts=[contact], now=now)
    return True


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASES * lease_length_s())


def _waiting_columns(hold: MatchHold, wait: MatchWait) -> dict[str, Any]:
    spent = Interaction.objects.filter(pk=hold.interaction_id).values_list("match_tries", "match_backoff_s").first()
    tries, backoff_s = spent or (0, 0)
    columns: dict[str, Any] = {"match_due_at": wait.due_at, "match_lease": None, "match_reason": wait.reason}
    if wait.backoff_s:
        columns |= {"match_tries": tries + 1, "match_backoff_s": backoff_s + round(wait.backoff_s)}
    return columns
