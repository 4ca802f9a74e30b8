"""Who sent a call (crm_integrations.services.senders, webhook_signatures)."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crm_integrations.models import Configuration, IntakeKey
from crm_integrations.services.intake_keys import IntakeKeyEnded, create_key, revoke_key, rotate_key
from crm_integrations.services.senders import find_bearer, find_holder, find_signer
from crm_integrations.services.webhook_signatures import sign_body
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db
NOW = timezone.now()
BODY = b'{"eventId": "1"}'


@pytest.fixture
def configuration():
    return make_configuration()


def make_key(configuration, kind="bearer", **columns):
    return create_key(configuration=configuration, kind=kind, label="Studio", actor=None, now=NOW, **columns)


def find(configuration, text, now=NOW):
    sender = find_bearer(configuration_id=configuration.pk, key=text, now=now)
    return sender and sender.configuration


def headers(secret, *, body=BODY, at=NOW, message_id="msg_1"):
    timestamp = int(at.timestamp())
    signature = sign_body(secret=secret, message_id=message_id, timestamp=timestamp, body=body)
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def verify(configuration, sent, *, body=BODY, now=NOW):
    sender = find_signer(configuration_id=configuration.pk, headers=sent, body=body, now=now)
    return sender and sender.configuration


def test_a_bearer_key_opens_its_configuration_and_comes_with_its_account(configuration, django_assert_num_queries):
    _key, text = make_key(configuration)
    found = find(configuration, text)
    assert found == configuration
    with django_assert_num_queries(0):
        assert found.authentication.account_id == configuration.authentication.account_id
        assert not found.authentication.is_held


@pytest.mark.parametrize("text", ["", "ai_", "ai_wrong", "whsec_x"])
def test_another_key_opens_nothing(configuration, text):
    make_key(configuration)
    assert find(configuration, text) is None


def test_a_key_opens_only_its_own_configuration(configuration):
    _key, text = make_key(configuration)
    assert find(make_configuration(), text) is None
    assert find_bearer(configuration_id=uuid.uuid4(), key=text, now=NOW) is None


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


def test_a_secret_that_cannot_be_read_shuts_out_its_holder_alone(configuration, django_assert_num_queries):
    _key, secret = make_key(configuration, "signing")
    lost, lost_secret = make_key(configuration, "signing")
    with connection.cursor() as cursor:  # under a key of ENCRYPTION_KEYS that is gone
        cursor.execute("UPDATE crm_integrations_intakekey SET secret = 'v1:lost' WHERE id = %s", [lost.pk])
    assert verify(configuration, headers(secret)) == configuration
    with django_assert_num_queries(1):
        assert verify(configuration, headers(secret)) == configuration
    assert verify(configuration, headers(lost_secret)) is None
    assert verify(configuration, {}) is None


def test_a_bearer_key_cannot_sign_and_a_signing_secret_is_no_bearer_key(configuration):
    _key, bearer = make_key(configuration)
    _key, secret = make_key(configuration, "signing")
    assert find(configuration, secret) is None
    assert verify(configuration, {**headers(secret), "webhook-signature": bearer}) is None


def test_a_sender_names_its_key(configuration):
    key, text = make_key(configuration)
    signing, secret = make_key(configuration, "signing")
    sent = {"headers": headers(secret), "body": BODY}
    assert find_bearer(configuration_id=configuration.pk, key=text, now=NOW).key_id == key.pk
    assert find_signer(configuration_id=configuration.pk, now=NOW, **sent).key_id == signing.pk


def hold(configuration, key, now=NOW):
    return find_holder(configuration_id=configuration.pk, key_id=key.pk, now=now)


@pytest.mark.parametrize("kind", ["bearer", "signing"])
def test_who_holds_something_of_a_key_is_let_in_by_it_in_one_statement(configuration, kind, django_assert_num_queries):
    key, _text = make_key(configuration, kind)
    with django_assert_num_queries(1):
        found = hold(configuration, key)
        assert (found, found.authentication.is_held) == (configuration, False)


def test_what_a_key_opened_is_shut_as_soon_as_the_key_is_revoked_replaced_or_gone(configuration):
    (revoked, _), (replaced, _), (deleted, _) = (make_key(configuration) for _number in range(3))
    successor, _text = rotate_key(key=replaced, overlap=timedelta(hours=1), actor=None, now=NOW)
    assert hold(configuration, replaced) and hold(configuration, successor)
    revoke_key(key=revoked, actor=None, now=NOW)
    with pytest.raises(IntakeKeyEnded):
        hold(configuration, revoked)
    with pytest.raises(IntakeKeyEnded):
        hold(configuration, replaced, NOW + timedelta(hours=1))
    gone = IntakeKey(pk=deleted.pk)
    deleted.delete()
    with pytest.raises(IntakeKeyEnded):
        hold(configuration, gone)


def test_a_key_of_another_configuration_holds_nothing(configuration):
    key, _text = make_key(make_configuration())
    with pytest.raises(IntakeKeyEnded):
        hold(configuration, key)


def test_of_a_deleted_configuration_nobody_holds_anything(configuration):
    key, _text = make_key(configuration)
    Configuration.objects.update(state="deleted", deleted_at=NOW)
    assert hold(configuration, key) is None


def test_a_configuration_without_an_account_is_found_too():
    draft = make_configuration(state="draft")
    Configuration.objects.update(authentication=None)
    key, text = make_key(draft)
    assert find(draft, text).authentication is None
