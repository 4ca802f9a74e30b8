"""Removing an authentication (crm_integrations.services.authentication_removal)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crm_integrations import authentication_needs
from crm_integrations.models import AuditEntry, Authentication, AuthorizationRequest, Configuration, CRMAccount
from crm_integrations.providers.errors import CRMUnavailable
from crm_integrations.services.authentication_removal import (
    AuthenticationNeeded,
    find_removal_obstacles,
    remove_authentication,
)
from crm_integrations.services.configurations import StateChanged, create_draft, select_authentication
from crm_integrations.services.tokens import COOL_DOWN_LEASE
from tests.factories import make_authentication, make_configuration, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def authentication():
    found = make_authentication(name="Old")
    MemoryProvider.accounts["acme"].access_tokens.add("access-0")
    return found


def refusal(authentication) -> list[str]:
    with pytest.raises(AuthenticationNeeded) as needed:
        remove_authentication(authentication=authentication, actor=None, now=NOW)
    assert Authentication.objects.filter(pk=authentication.pk).exists() and not AuditEntry.objects.exists()
    return needed.value.reasons


def test_what_nothing_needs_is_deleted_ended_at_the_crm_and_audited(authentication):
    other, person = make_authentication(name="Other"), make_user(username="alex")
    AuthorizationRequest.objects.create(
        state_hash="s", session_hash="s", verifier="v", provider="memory", address="acme", name="Old",
        authentication=authentication, created_by=person, expires_at=NOW,
    )  # fmt: skip
    assert remove_authentication(authentication=authentication, actor=person, now=NOW)
    assert list(Authentication.objects.all()) == [other] and CRMAccount.objects.exists()
    assert MemoryProvider.accounts["acme"].access_tokens == set()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("authentication_removed", "Old", person)
    assert entry.details == {"account": "memory:acme", "system_user_id": "900"}


def test_what_configurations_use_stays_and_each_is_named(authentication):
    make_configuration(name="Sales", authentication=authentication, state="inactive")
    make_configuration(name="Support", authentication=authentication)
    expected = ["The configuration “Sales” uses it.", "The configuration “Support” uses it."]
    assert refusal(authentication) == expected
    assert MemoryProvider.accounts["acme"].access_tokens == {"access-0"}


def test_what_a_deleted_configuration_would_need_stays_while_that_can_be_restored(authentication):
    deleted = make_configuration(
        name="Sales", authentication=authentication, state="deleted", deleted_at=NOW - timedelta(days=29)
    )
    assert "The deleted configuration “Sales” can be restored until" in refusal(authentication)[0]
    Configuration.objects.update(deleted_at=NOW - timedelta(days=30))
    assert find_removal_obstacles(authentication=authentication, now=NOW) == []
    remove_authentication(authentication=authentication, actor=None, now=NOW)
    deleted.refresh_from_db()
    assert deleted.authentication is None


def test_what_a_floor_above_needs_stays(authentication, monkeypatch):
    needs = {"one": lambda asked: f"{asked.name} is needed.", "another": lambda asked: ""}
    monkeypatch.setattr(authentication_needs, "_needs", needs)
    assert refusal(authentication) == ["Old is needed."]


def test_while_its_token_is_renewed_it_stays_so_that_the_new_one_is_not_left_behind(authentication):
    Authentication.objects.update(refresh_lease_until=NOW + timedelta(seconds=1))
    assert refusal(authentication) == ["Its token is being renewed just now. Try again in a minute."]
    Authentication.objects.update(refresh_lease_until=NOW)
    assert remove_authentication(authentication=authentication, actor=None, now=NOW)


def test_while_renewals_rest_it_can_be_removed(authentication):
    Authentication.objects.update(refresh_lease=COOL_DOWN_LEASE, refresh_lease_until=NOW + timedelta(hours=1))
    assert remove_authentication(authentication=authentication, actor=None, now=NOW)


def test_a_crm_that_does_not_answer_keeps_nothing_here(authentication):
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("away", may_have_applied=False))
    assert not remove_authentication(authentication=authentication, actor=None, now=NOW)
    assert not Authentication.objects.exists()


def test_a_token_that_was_renewed_after_the_page_was_read_is_the_one_that_is_ended(authentication):
    Authentication.objects.update(access_token="access-1")
    MemoryProvider.accounts["acme"].access_tokens = {"access-1"}
    assert remove_authentication(authentication=authentication, actor=None, now=NOW)
    assert MemoryProvider.accounts["acme"].access_tokens == set()


def test_tokens_that_no_key_opens_stand_in_no_way(authentication):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_integrations_authentication SET access_token = 'v1:lost', refresh_token = 'v1:lost'")
    unread = Authentication.objects.defer("access_token", "refresh_token").get()
    assert not remove_authentication(authentication=unread, actor=None, now=NOW)
    assert not Authentication.objects.exists()


def test_one_that_was_removed_meanwhile_is_not_given_to_a_draft(authentication):
    draft = create_draft(integration_type="memory", name="Support", description="", actor=None)
    remove_authentication(authentication=Authentication.objects.get(), actor=None, now=NOW)
    with pytest.raises(StateChanged):
        select_authentication(configuration=draft, authentication=authentication, actor=None)
