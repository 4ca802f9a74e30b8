"""Recognises who sent a call, by an intake key.

It is asked with every event and every look at a card, so that a revoked key stops at once; therefore it is one
statement, written out, since Django builds it ten times slower.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeGuard
from uuid import UUID

from django.db import connection
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from crm_integrations.encryption import UnreadableSecret, decrypt_text
from crm_integrations.models import Authentication, Configuration, IntakeKey
from crm_integrations.row_sql import as_uuid, read_values, selection, table_of
from crm_integrations.services.intake_keys import IntakeKeyEnded, hash_key
from crm_integrations.services.webhook_signatures import is_signature_valid

logger = logging.getLogger(__name__)

USE_NOTED_EVERY = timedelta(minutes=1)  # the column is for people; a write per event would be waste
SENDER_QUERY = f"""
SELECT {{key}}, {{configuration}}, {{authentication}}
FROM {table_of(Configuration)} configuration
LEFT JOIN {table_of(IntakeKey)} held ON held.configuration_id = configuration.id AND {{condition}}
LEFT JOIN {table_of(Authentication)} authentication ON authentication.id = configuration.authentication_id
WHERE configuration.id = %s
"""  # noqa: S608 - our own words only
OF_KEY = ("id", "last_used_at", "expires_at", "revoked_at")  # never secrets
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
    found = _find_sender("held.key_hash = %s", hash_key(key), configuration_id)
    if found is None:
        return None
    stored, configuration = found
    if not _is_valid(stored, now):
        return None
    _note_use(stored, now)
    return Sender(configuration, stored.pk)


def find_holder(*, configuration_id: UUID, key_id: int, now: datetime) -> Configuration | None:
    """The configuration, for whoever holds what a key of it was used for once; None when it is deleted or unknown.

    Raises IntakeKeyEnded once the key is revoked, has ended, or is gone.
    """
    found = _find_sender("held.id = %s", key_id, configuration_id)
    if found is None:
        return None
    stored, configuration = found
    if not _is_valid(stored, now):
        raise IntakeKeyEnded
    return configuration


def find_signer(*, configuration_id: UUID, headers: Mapping[str, str], body: bytes, now: datetime) -> Sender | None:
    """The configuration whose signing secret made the Standard Webhooks headers for `body`; None when none did.

    `headers` are looked up by lower-case names; Django's `request.headers` takes any case.
    """
    for stored, secret in _signing_keys(configuration_id, now):
        if is_signature_valid(secret=secret, headers=headers, body=body, now=now):
            _note_use(stored, now)
            return Sender(stored.configuration, stored.pk)
    return None


def _find_sender(
    condition: str, value: str | int, configuration_id: UUID
) -> tuple[IntakeKey | None, Configuration] | None:
    """The configuration unless it is deleted, and its key under a condition with one parameter, valid or not.

    Whether the key is valid is not asked here: PostgreSQL plans each statement anew, the longer the more it says.
    """
    columns = selection(Configuration, connection.vendor, "configuration")
    of_key = selection(IntakeKey, connection.vendor, "held", OF_KEY)
    tokenless = selection(Authentication, connection.vendor, "authentication", OF_AUTHENTICATION)
    statement = SENDER_QUERY.format(
        condition=condition, key=of_key.names, configuration=columns.names, authentication=tokenless.names
    )
    found = read_values(statement, [value, as_uuid(configuration_id)])
    if not found:
        return None
    of_configuration, end = len(of_key), len(of_key) + len(columns)
    configuration: Configuration = columns.build(found[0][of_configuration:end])
    if configuration.state == Configuration.State.DELETED:
        return None
    if configuration.authentication_id is not None:
        configuration.authentication = tokenless.build(found[0][end:])
    key = of_key.build(found[0][:of_configuration])
    return (key if key.pk is not None else None), configuration


def _is_valid(key: IntakeKey | None, now: datetime) -> TypeGuard[IntakeKey]:
    return key is not None and key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _signing_keys(configuration_id: UUID, now: datetime) -> Iterator[tuple[IntakeKey, str]]:
    """The valid ones with their secrets. One that no key of ENCRYPTION_KEYS opens shuts out nobody but its holder.

    Secrets are read as they are stored and opened one by one: opened by their column, one would end the reading of all.
    """
    still_valid = Q(expires_at=None) | Q(expires_at__gt=now)
    tokens = ("configuration__authentication__access_token", "configuration__authentication__refresh_token")
    keys = IntakeKey.objects.filter(still_valid, configuration_id=configuration_id, revoked_at=None)
    keys = keys.filter(kind=IntakeKey.Kind.SIGNING).exclude(configuration__state=Configuration.State.DELETED)
    keys = keys.select_related("configuration__authentication__account").defer("secret", *tokens)
    for key in keys.annotate(stored_secret=Cast("secret", TextField())).order_by("-id"):
        try:
            yield key, decrypt_text(key.stored_secret)
        except UnreadableSecret:
            logger.warning("The secret of intake key %s cannot be read with the present ENCRYPTION_KEYS.", key.pk)


def _note_use(key: IntakeKey, now: datetime) -> None:
    if key.last_used_at is None or key.last_used_at <= now - USE_NOTED_EVERY:
        earlier = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
        IntakeKey.objects.filter(earlier, pk=key.pk).update(last_used_at=now)
