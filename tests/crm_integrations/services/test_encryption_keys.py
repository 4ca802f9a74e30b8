"""Rotation of encryption keys (crm_integrations.services.encryption_keys and its command)."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from crm_integrations.models import Authentication, AuthorizationRequest, IntakeKey
from crm_integrations.services import encryption_keys
from crm_integrations.services.encryption_keys import encrypted_columns
from crm_integrations.services.intake_keys import create_key
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def secrets(settings):
    """A row for every column that holds secrets, under the old key; then the new key comes first."""
    settings.ENCRYPTION_KEYS = [OLD]
    configuration = make_configuration()
    _key, secret = create_key(configuration=configuration, kind="signing", label="K", actor=None, now=timezone.now())
    AuthorizationRequest.objects.create(
        state_hash="s", session_hash="s", verifier="v", provider="memory", address="acme", name="A",
        created_by=make_user(), expires_at=timezone.now(),
    )  # fmt: skip
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    return secret


def rotate():
    out = StringIO()
    call_command("rotate_encryption_keys", stdout=out)
    return out.getvalue()


def test_every_encrypted_column_is_found():
    assert {f"{model.__name__}.{name}" for model, name in encrypted_columns()} == {
        "Authentication.access_token",
        "Authentication.refresh_token",
        "AuthorizationRequest.verifier",
        "IntakeKey.secret",
    }


def test_after_the_rotation_the_new_key_alone_opens_every_secret(secrets, settings):
    assert rotate().endswith("4 secrets rewritten; the first key now opens all of them.\n")
    settings.ENCRYPTION_KEYS = [NEW]
    authentication = Authentication.objects.get()
    assert (authentication.access_token, authentication.refresh_token) == ("access-0", "refresh-0")
    assert AuthorizationRequest.objects.get().verifier == "v"
    assert IntakeKey.objects.get().secret == secrets


def test_running_it_twice_is_harmless(secrets, settings):
    rotate()
    rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    assert Authentication.objects.get().access_token == "access-0"


def test_a_secret_that_no_key_opens_is_counted_and_left_alone(secrets, settings):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_integrations_authentication SET access_token = 'v1:lost'")
    with pytest.raises(CommandError, match="3 secrets rewritten, 1 not"):
        rotate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM crm_integrations_authentication")
        assert cursor.fetchone() == ("v1:lost",)


def test_a_token_renewed_meanwhile_is_not_overwritten(secrets, settings, monkeypatch):
    original, renewals = encryption_keys.reencrypt_text, []

    def renew_first(stored):
        if not renewals:
            renewals.append(1)
            Authentication.objects.update(access_token="access-1")
        return original(stored)

    monkeypatch.setattr(encryption_keys, "reencrypt_text", renew_first)
    encryption_keys.rotate_column(model=Authentication, name="access_token")
    settings.ENCRYPTION_KEYS = [NEW]
    assert Authentication.objects.values_list("access_token", flat=True).get() == "access-1"
