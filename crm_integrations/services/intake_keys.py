"""Intake keys: making, rotating and ending them; `senders` recognises whoever uses one.

A bearer key travels with the request and is stored hashed. A signing secret never travels; it follows Standard
Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). While a key is
rotated the old one and the new one are both valid.
"""

import hashlib
import secrets
from base64 import b64encode
from datetime import datetime, timedelta

from django.db import transaction

from crm_integrations.models import Configuration, IntakeKey, User
from crm_integrations.services.audit import record_audit
from crm_integrations.services.webhook_signatures import SECRET_PREFIX

BEARER_PREFIX = "ai_"
KEY_BYTES = 32  # 256 bits of randomness
HINT_LENGTH = 4  # characters shown to tell keys apart


class IntakeKeyEnded(Exception):
    """The key has an end already, so there is nothing to rotate, and it opens nothing."""


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
            key_hash=hash_key(text) if kind == IntakeKey.Kind.BEARER else "",
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


def hash_key(text: str) -> str:
    """What is stored of a bearer key, and looked up."""
    return hashlib.sha256(text.encode()).hexdigest()


def _new_text(kind: str) -> str:
    if kind == IntakeKey.Kind.SIGNING:
        return SECRET_PREFIX + b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return BEARER_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def _record(key: IntakeKey, action: str, actor: User | None) -> None:
    details = {"kind": key.kind, "ends_with": key.hint}
    record_audit(actor=actor, action=action, subject=key.label, configuration=key.configuration, details=details)
