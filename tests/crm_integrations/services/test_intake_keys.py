"""Intake keys (crm_integrations.services.intake_keys, webhook_signatures)."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from crm_integrations.models import AuditEntry, Configuration, IntakeKey
from crm_integrations.services.intake_keys import (
    IntakeKeyEnded,
    create_key,
    find_configuration_for_bearer,
    revoke_key,
    rotate_key,
    verify_signature,
)
from crm_integrations.services.webhook_signatures import sign_body
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db
NOW = timezone.now()
BODY = b'{"eventId": "1"}'


@pytest.fixture
def configuration():
    return make_configuration()


def make_key(configuration, kind="bearer", **columns):
    return create_key(configuration=configuration, kind=kind, label="Studio", actor=None, now=NOW, **columns)


def find(configuration, text, now=NOW):
    return find_configuration_for_bearer(configuration_id=configuration.pk, key=text, now=now)


def headers(secret, *, body=BODY, at=NOW, message_id="msg_1"):
    timestamp = int(at.timestamp())
    signature = sign_body(secret=secret, message_id=message_id, timestamp=timestamp, body=body)
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def verify(configuration, sent, *, body=BODY, now=NOW):
    return verify_signature(configuration_id=configuration.pk, headers=sent, body=body, now=now)


def test_a_bearer_key_opens_its_configuration_and_comes_with_its_account(configuration, django_assert_num_queries):
    _key, text = make_key(configuration)
    found = find(configuration, text)
    assert found == configuration
    with django_assert_num_queries(0):
        assert found.authentication.account_id == configuration.authentication.account_id
        assert not found.authentication.is_held


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


@pytest.mark.parametrize("text", ["", "ai_", "ai_wrong", "whsec_x"])
def test_another_key_opens_nothing(configuration, text):
    make_key(configuration)
    assert find(configuration, text) is None


def test_a_key_opens_only_its_own_configuration(configuration):
    _key, text = make_key(configuration)
    assert find(make_configuration(), text) is None
    assert find_configuration_for_bearer(configuration_id=uuid.uuid4(), key=text, now=NOW) is None


def test_a_key_of_a_deleted_configuration_opens_nothing(configuration):
    _key, text = make_key(configuration)
    Configuration.objects.update(state="deleted", deleted_at=NOW)
    assert find(configuration, text) is None


def test_a_key_of_a_deactivated_configuration_is_recognised(configuration):
    _key, text = make_key(configuration)
    Configuration.objects.update(state="inactive")
    assert find(configuration, text).state == "inactive"


def test_while_a_key_is_rotated_both_keys_work_and_then_only_the_new_one(configuration):
    key, old = make_key(configuration)
    successor, new = rotate_key(key=key, overlap=timedelta(hours=1), actor=None, now=NOW)
    assert (successor.label, successor.kind) == (key.label, key.kind)
    assert find(configuration, old) and find(configuration, new)
    later = NOW + timedelta(hours=1)
    assert find(configuration, old, later) is None
    assert find(configuration, new, later)


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
    assert find(configuration, text) is None
    with pytest.raises(IntakeKeyEnded):
        rotate_key(key=key, overlap=timedelta(0), actor=None, now=NOW)


def test_use_is_noted_at_most_once_a_minute(configuration, django_assert_num_queries):
    key, text = make_key(configuration)
    find(configuration, text)
    with django_assert_num_queries(1):
        find(configuration, text, NOW + timedelta(seconds=59))
    key.refresh_from_db()
    assert key.last_used_at == NOW
    find(configuration, text, NOW + timedelta(seconds=60))
    key.refresh_from_db()
    assert key.last_used_at == NOW + timedelta(seconds=60)


def test_every_change_of_a_key_is_audited_without_the_key(configuration):
    user = make_user()
    key, text = create_key(configuration=configuration, kind="bearer", label="Studio", actor=user, now=NOW)
    _successor, new = rotate_key(key=key, overlap=timedelta(0), actor=user, now=NOW)
    revoke_key(key=key, actor=user, now=NOW)
    entries = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert entries == ["intake_key_created", "intake_key_rotated", "intake_key_created", "intake_key_revoked"]
    everything = str(list(AuditEntry.objects.values()))
    assert text not in everything and new not in everything


def test_a_signature_made_with_the_secret_is_accepted(configuration):
    _key, secret = make_key(configuration, "signing")
    assert verify(configuration, headers(secret)) == configuration


def test_the_example_of_the_standard_is_signed_as_in_the_standard():
    # https://github.com/standard-webhooks/standard-webhooks: test vector of its reference libraries
    signature = sign_body(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("seconds", [301, -301])
def test_a_signature_of_another_time_is_refused(configuration, seconds):
    _key, secret = make_key(configuration, "signing")
    sent = headers(secret, at=NOW.replace(microsecond=0) + timedelta(seconds=seconds))
    assert verify(configuration, sent, now=NOW.replace(microsecond=0)) is None


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_signature_of_five_minutes_is_still_accepted(configuration, seconds):
    _key, secret = make_key(configuration, "signing")
    sent = headers(secret, at=NOW.replace(microsecond=0) + timedelta(seconds=seconds))
    assert verify(configuration, sent, now=NOW.replace(microsecond=0)) == configuration


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "9" * 40},
        {"webhook-timestamp": "²"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1a,é"},
    ],
)
def test_tampered_headers_are_refused(configuration, change):
    _key, secret = make_key(configuration, "signing")
    assert verify(configuration, {**headers(secret), **change}) is None


def test_missing_headers_and_another_body_are_refused(configuration):
    _key, secret = make_key(configuration, "signing")
    assert verify(configuration, {}) is None
    assert verify(configuration, headers(secret), body=BODY + b" ") is None


def test_one_of_several_signatures_is_enough(configuration):
    _key, secret = make_key(configuration, "signing")
    sent = headers(secret)
    sent["webhook-signature"] = f"v1,AAAA v2,BBBB {sent['webhook-signature']}"
    assert verify(configuration, sent) == configuration


def test_both_secrets_sign_while_one_is_rotated(configuration):
    key, old = make_key(configuration, "signing")
    _successor, new = rotate_key(key=key, overlap=timedelta(hours=1), actor=None, now=NOW)
    assert verify(configuration, headers(old)) and verify(configuration, headers(new))
    later = NOW + timedelta(hours=1)
    assert verify(configuration, headers(old, at=later), now=later) is None
    assert verify(configuration, headers(new, at=later), now=later)


def test_a_bearer_key_cannot_sign_and_a_signing_secret_is_no_bearer_key(configuration):
    _key, bearer = make_key(configuration)
    _key, secret = make_key(configuration, "signing")
    assert find(configuration, secret) is None
    assert verify(configuration, {**headers(secret), "webhook-signature": bearer}) is None
