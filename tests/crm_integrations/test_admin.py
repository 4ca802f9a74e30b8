"""The raw tables at /admin/ (crm_integrations.admin)."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from crm_integrations.admin import ReadOnlyAdmin, secret_columns
from crm_integrations.models import AuditEntry, AuthorizationRequest, CallBudget, CallMinute, CatalogueSnapshot, User
from crm_integrations.services.intake_keys import create_key
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db
SHOWN = [model for model in admin.site._registry if model._meta.app_label == "crm_integrations" and model is not User]


@pytest.fixture
def rows():
    """One row of each table, secrets that would show if they could."""
    user = User.objects.create_superuser("root", password="right horse battery")
    configuration = make_configuration()
    _key, secret = create_key(configuration=configuration, kind="signing", label="K", actor=user, now=timezone.now())
    AuthorizationRequest.objects.create(
        state_hash="hash-of-state", session_hash="hash-of-session", verifier="the-verifier", provider="memory",
        address="acme", name="A", created_by=user, expires_at=timezone.now(),
    )  # fmt: skip
    account = configuration.authentication.account
    CallBudget.objects.create(account=account, limit_class="account", window_s=60)
    CallMinute.objects.create(account=account, limit_class="account", minute=timezone.now())
    CatalogueSnapshot.objects.create(account=account, entity_type="ticket", fetched_at=timezone.now())
    return [secret, "access-0", "refresh-0", "the-verifier", "hash-of-state", "hash-of-session"]


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_operators_see_rows_without_secrets_and_cannot_change_them(client, rows, model):
    client.force_login(User.objects.get(username="root"))
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model.objects.order_by("pk").first()
    change = reverse(f"{name}_change", args=[row.pk])
    pages = [client.get(reverse(f"{name}_changelist")), client.get(change)]
    assert [page.status_code for page in pages] == [200, 200]
    for secret in rows:
        assert all(secret not in page.content.decode() for page in pages)
    assert client.post(change, {}).status_code == 403
    assert client.get(reverse(f"{name}_add")).status_code == 403
    assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_every_table_but_users_is_read_only():
    assert SHOWN
    for model in SHOWN:
        assert isinstance(admin.site._registry[model], ReadOnlyAdmin)
        assert secret_columns(model)


def test_users_can_be_edited(client, rows):
    client.force_login(User.objects.get(username="root"))
    person = make_user()
    page = client.get(reverse("admin:crm_integrations_user_change", args=[person.pk]))
    assert page.status_code == 200 and 'name="language"' in page.content.decode()


def test_people_who_are_no_operators_do_not_get_in(client, rows):
    client.force_login(make_user("crm_integrations.view_configuration"))
    assert client.get(reverse("admin:crm_integrations_auditentry_changelist")).status_code in {302, 403}
    assert AuditEntry.objects.exists()
