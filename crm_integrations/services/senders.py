"""Recognises who sent a call, by an intake key.

It is asked with every event and every look at a card, so that a revoked key stops at once; therefore it is one
statement, written out, since Django builds it ten times slower.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from crm_integrations.models import Authentication, Configuration, IntakeKey
from crm_integrations.row_sql import as_time, as_uuid, read_values, selection, table_of
from crm_integrations.services.intake_keys import IntakeKeyEnded, hash_key
from crm_integrations.services.webhook_signatures import is_signature_valid

USE_NOTED_EVERY = timedelta(minutes=1)  # the column is for people; a write per event would be waste
SENDER_QUERY = f"""
SELECT held.id, COALESCE(held.last_used_at > %s, FALSE), {{configuration}}, {{authentication}}
FROM {table_of(Configuration)} configuration
{{joined}} {table_of(IntakeKey)} held ON held.configuration_id = configuration.id AND {{key}}
  AND held.revoked_at IS NULL AND (held.expires_at IS NULL OR held.expires_at > %s)
LEFT JOIN {table_of(Authentication)} authentication ON authentication.id = configuration.authentication_id
WHERE configuration.id = %s AND configuration.state <> 'deleted'
"""  # noqa: S608 - our own words only
OF_AUTHENTICATION = ("id", "account_id", "state", "options")  # never tokens


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a call: the configuration that its key opens, with its authentication, and the key's id."""

    configuration: Configuration
    key_id: int


def find_bearer(*, configuration_id: UUID, key: str, now: datetime) -> Sender | None:
    """The configuration that `key` opens, whatever its state but deleted; None for any other key or id.

    The hash is looked up, not the key, so that the time the search takes tells nothing about stored keys.
    """
    found = _find_sender("JOIN", "held.kind = 'bearer' AND held.key_hash = %s", hash_key(key), configuration_id, now)
    if found is None:
        return None
    key_id, is_noted, configuration = found
    if not is_noted:
        _note_use(key_id, now)
    return Sender(configuration, key_id)


def find_holder(*, configuration_id: UUID, key_id: int, now: datetime) -> Configuration | None:
    """The configuration, for whoever holds what a key of it was used for once; None when it is deleted or unknown.

    Raises IntakeKeyEnded once the key is revoked, has ended, or is gone.
    """
    found = _find_sender("LEFT JOIN", "held.id = %s", key_id, configuration_id, now)
    if found is None:
        return None
    valid_id, _is_noted, configuration = found
    if valid_id is None:
        raise IntakeKeyEnded
    return configuration


def find_signer(*, configuration_id: UUID, headers: Mapping[str, str], body: bytes, now: datetime) -> Sender | None:
    """The configuration whose signing secret made the Standard Webhooks headers for `body`; None when none did.

    `headers` are looked up by lower-case names; Django's `request.headers` takes any case.
    """
    for stored in _valid_keys(configuration_id, IntakeKey.Kind.SIGNING, now):
        if is_signature_valid(secret=stored.secret, headers=headers, body=body, now=now):
            if stored.last_used_at is None or stored.last_used_at <= now - USE_NOTED_EVERY:
                _note_use(stored.pk, now)
            return Sender(stored.configuration, stored.pk)
    return None


def _find_sender(
    joined: str, key: str, value: str | int, configuration_id: UUID, now: datetime
) -> tuple[Any, bool, Configuration] | None:
    """Id of the key, whether its use was noted just now, and configuration; by a condition with one parameter.

    With a LEFT JOIN the configuration also comes without a valid key, whose id is then None.
    """
    columns = selection(Configuration, connection.vendor, "configuration")
    tokenless = selection(Authentication, connection.vendor, "authentication", OF_AUTHENTICATION)
    statement = SENDER_QUERY.format(joined=joined, key=key, configuration=columns.names, authentication=tokenless.names)
    parameters = [as_time(now - USE_NOTED_EVERY), value, as_time(now), as_uuid(configuration_id)]
    found = read_values(statement, parameters)
    if not found:
        return None
    pk, is_noted, *values = found[0]
    configuration: Configuration = columns.build(values[: len(columns)])
    if configuration.authentication_id is not None:
        configuration.authentication = tokenless.build(values[len(columns) :])
    return pk, bool(is_noted), configuration


def _valid_keys(configuration_id: UUID, kind: str, now: datetime) -> QuerySet[IntakeKey]:
    still_valid = Q(expires_at=None) | Q(expires_at__gt=now)
    return (
        IntakeKey.objects.filter(still_valid, configuration_id=configuration_id, kind=kind, revoked_at=None)
        .exclude(configuration__state=Configuration.State.DELETED)
        .select_related("configuration__authentication__account")
        .defer("configuration__authentication__access_token", "configuration__authentication__refresh_token")
        .order_by("-id")
    )


def _note_use(pk: int, now: datetime) -> None:
    earlier = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    IntakeKey.objects.filter(earlier, pk=pk).update(last_used_at=now)
