"""Making, rotating and ending intake keys (crm_integrations.services.intake_keys)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_integrations.models import AuditEntry, IntakeKey
from crm_integrations.services.intake_keys import IntakeKeyEnded, create_key, revoke_key, rotate_key
from crm_integrations.services.senders import find_bearer
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def configuration():
    return make_configuration()


def make_key(configuration, kind="bearer"):
    return create_key(configuration=configuration, kind=kind, label="Studio", actor=None, now=NOW)


def test_a_bearer_key_has_256_random_bits_and_is_stored_only_as_a_hash(configuration):
    key, text = make_key(configuration)
    assert text.startswith("ai_") and len(text) >= 3 + 43
    stored = IntakeKey.objects.values().get(pk=key.pk)
    assert text not in str(stored)
    assert stored["secret"] == "" and len(stored["key_hash"]) == 64 and text.endswith(stored["hint"])


def test_a_signing_secret_is_stored_encrypted(configuration):
    from django.db import connection

    key, text = make_key(configuration, "signing")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM crm_integrations_intakekey WHERE id = %s", [key.pk])
        (stored,) = cursor.fetchone()
    assert text.startswith("whsec_") and stored.startswith("v1:") and text not in stored


def test_a_key_is_rotated_only_once(configuration):
    key, _text = make_key(configuration)
    rotate_key(key=key, overlap=timedelta(hours=1), actor=None, now=NOW)
    with pytest.raises(IntakeKeyEnded):
        rotate_key(key=key, overlap=timedelta(days=7), actor=None, now=NOW)
    assert IntakeKey.objects.count() == 2


def test_a_revoked_key_opens_nothing_and_is_revoked_once(configuration):
    key, text = make_key(configuration)
    assert revoke_key(key=key, actor=None, now=NOW) is True
    assert revoke_key(key=key, actor=None, now=NOW) is False
    assert find_bearer(configuration_id=configuration.pk, key=text, now=NOW) is None
    with pytest.raises(IntakeKeyEnded):
        rotate_key(key=key, overlap=timedelta(0), actor=None, now=NOW)


def test_every_change_of_a_key_is_audited_without_the_key(configuration):
    user = make_user()
    key, text = create_key(configuration=configuration, kind="bearer", label="Studio", actor=user, now=NOW)
    _successor, new = rotate_key(key=key, overlap=timedelta(0), actor=user, now=NOW)
    revoke_key(key=key, actor=user, now=NOW)
    entries = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert entries == ["intake_key_created", "intake_key_rotated", "intake_key_created", "intake_key_revoked"]
    everything = str(list(AuditEntry.objects.values()))
    assert text not in everything and new not in everything
