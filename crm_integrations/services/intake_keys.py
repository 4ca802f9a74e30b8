"""Intake keys: making, rotating and ending them, and recognising the sender of an event.

A bearer key travels with the request and is stored hashed. A signing secret never travels; it follows Standard
Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). While a key is
rotated the old one and the new one are both valid.
"""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from crm_integrations.models import Authentication, Configuration, IntakeKey, User
from crm_integrations.row_sql import as_time, as_uuid, read_values, selection, table_of
from crm_integrations.services.audit import record_audit
from crm_integrations.services.webhook_signatures import SECRET_PREFIX, is_signature_valid

BEARER_PREFIX = "ai_"
KEY_BYTES = 32  # 256 bits of randomness
HINT_LENGTH = 4  # characters shown to tell keys apart
USE_NOTED_EVERY = timedelta(minutes=1)  # the column is for people; a write per event would be waste
# Asked with every event, so that a revoked key stops at once; written out, since Django builds it ten times slower.
BEARER_QUERY = f"""
SELECT held.id, COALESCE(held.last_used_at > %s, FALSE), {{configuration}}, {{authentication}}
FROM {table_of(IntakeKey)} held
JOIN {table_of(Configuration)} configuration ON configuration.id = held.configuration_id
LEFT JOIN {table_of(Authentication)} authentication ON authentication.id = configuration.authentication_id
WHERE held.configuration_id = %s AND held.kind = 'bearer' AND held.key_hash = %s AND held.revoked_at IS NULL
  AND (held.expires_at IS NULL OR held.expires_at > %s) AND configuration.state <> 'deleted'
ORDER BY held.id DESC LIMIT 1
"""  # noqa: S608 - our own words only


class IntakeKeyEnded(Exception):
    """The key has an end already, so there is nothing to rotate."""


def create_key(
    *, configuration: Configuration, kind: str, label: str, actor: User | None, now: datetime
) -> tuple[IntakeKey, str]:
    """A new key and its text, which nobody can read again later."""
    text = _new_text(kind)
    with transaction.atomic():
        key = IntakeKey.objects.create(
            configuration=configuration,
            kind=kind,
            label=label,
            hint=text[-HINT_LENGTH:],
            key_hash=_hash_key(text) if kind == IntakeKey.Kind.BEARER else "",
            secret=text if kind == IntakeKey.Kind.SIGNING else "",
            created_by=actor,
        )
        _record(key, "intake_key_created", actor)
    return key, text


def rotate_key(*, key: IntakeKey, overlap: timedelta, actor: User | None, now: datetime) -> tuple[IntakeKey, str]:
    """A successor of the same kind and label; the old key ends after `overlap`. Raises IntakeKeyEnded."""
    with transaction.atomic():
        ended = IntakeKey.objects.filter(pk=key.pk, revoked_at=None, expires_at=None).update(expires_at=now + overlap)
        if not ended:
            raise IntakeKeyEnded
        _record(key, "intake_key_rotated", actor)
        return create_key(configuration=key.configuration, kind=key.kind, label=key.label, actor=actor, now=now)


def revoke_key(*, key: IntakeKey, actor: User | None, now: datetime) -> bool:
    """End a key at once; False when it was revoked before."""
    with transaction.atomic():
        if not IntakeKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            return False
        _record(key, "intake_key_revoked", actor)
    return True


def find_configuration_for_bearer(*, configuration_id: UUID, key: str, now: datetime) -> Configuration | None:
    """The configuration that `key` opens, whatever its state but deleted; None for any other key or id.

    The hash is looked up, not the key, so that the time the search takes tells nothing about stored keys.
    """
    columns = selection(Configuration, connection.vendor, "configuration")
    tokenless = selection(Authentication, connection.vendor, "authentication", ("id", "account_id", "state", "options"))
    statement = BEARER_QUERY.format(configuration=columns.names, authentication=tokenless.names)
    found = read_values(
        statement, [as_time(now - USE_NOTED_EVERY), as_uuid(configuration_id), _hash_key(key), as_time(now)]
    )
    if not found:
        return None
    pk, is_noted, *values = found[0]
    configuration: Configuration = columns.build(values[: len(columns)])
    if configuration.authentication_id is not None:
        configuration.authentication = tokenless.build(values[len(columns) :])
    if not is_noted:
        _note_use(pk, now)
    return configuration


def verify_signature(
    *, configuration_id: UUID, headers: Mapping[str, str], body: bytes, now: datetime
) -> Configuration | None:
    """The configuration whose signing secret made the Standard Webhooks headers for `body`; None when none did.

    `headers` are looked up by lower-case names; Django's `request.headers` takes any case.
    """
    for stored in _valid_keys(configuration_id, IntakeKey.Kind.SIGNING, now):
        if is_signature_valid(secret=stored.secret, headers=headers, body=body, now=now):
            return _accept(stored, now)
    return None


def _valid_keys(configuration_id: UUID, kind: str, now: datetime) -> QuerySet[IntakeKey]:
    still_valid = Q(expires_at=None) | Q(expires_at__gt=now)
    return (
        IntakeKey.objects.filter(still_valid, configuration_id=configuration_id, kind=kind, revoked_at=None)
        .exclude(configuration__state=Configuration.State.DELETED)
        .select_related("configuration__authentication__account")
        .defer("configuration__authentication__access_token", "configuration__authentication__refresh_token")
        .order_by("-id")
    )


def _accept(stored: IntakeKey, now: datetime) -> Configuration:
    if stored.last_used_at is None or stored.last_used_at <= now - USE_NOTED_EVERY:
        _note_use(stored.pk, now)
    return stored.configuration


def _note_use(pk: int, now: datetime) -> None:
    earlier = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    IntakeKey.objects.filter(earlier, pk=pk).update(last_used_at=now)


def _new_text(kind: str) -> str:
    if kind == IntakeKey.Kind.SIGNING:
        return SECRET_PREFIX + b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return BEARER_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def _hash_key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _record(key: IntakeKey, action: str, actor: User | None) -> None:
    details = {"kind": key.kind, "ends_with": key.hint}
    record_audit(actor=actor, action=action, subject=key.label, configuration=key.configuration, details=details)
