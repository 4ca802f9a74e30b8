"""Deleted configurations come back at rest (crm_integrations.services.restoration)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_integrations.models import AuditEntry, Configuration
from crm_integrations.services import restoration
from crm_integrations.services.authentication_removal import remove_authentication
from crm_integrations.services.configurations import (
    NameTaken,
    StateChanged,
    create_draft,
    deactivate_configuration,
    delete_configuration,
    reactivate_configuration,
    select_authentication,
)
from crm_integrations.services.restoration import restore_configuration
from tests.factories import make_authentication, make_configuration, make_user

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def delete(configuration, at=NOW):
    delete_configuration(configuration=configuration, actor=None, now=at)
    return Configuration.objects.get(pk=configuration.pk)


def restore(configuration, at=NOW, actor=None):
    restore_configuration(configuration=configuration, actor=actor, now=at)
    configuration.refresh_from_db()
    return configuration


@pytest.mark.parametrize("state", ["active", "inactive", "system_user_removed"])
def test_whatever_it_was_it_comes_back_deactivated_with_its_account(state):
    configuration = make_configuration(name="Support", state=state)
    restored = restore(delete(configuration))
    assert (restored.state, restored.name, restored.deleted_at) == ("inactive", "Support", None)
    assert restored.authentication_id == configuration.authentication_id
    assert restored.state_before_deletion == ""
    reactivate_configuration(configuration=restored, actor=None)


def test_a_draft_comes_back_as_a_draft_with_its_account():
    draft = create_draft(integration_type="memory", name="Support", description="", actor=None)
    select_authentication(configuration=draft, authentication=make_authentication(), actor=None)
    restored = restore(delete(draft))
    assert restored.state == "draft" and restored.authentication_id


def test_one_whose_authentication_is_gone_becomes_a_draft_that_can_be_given_another():
    deleted = delete(make_configuration())
    Configuration.objects.update(authentication=None)
    restored = restore(Configuration.objects.get(pk=deleted.pk))
    assert restored.state == "draft"
    select_authentication(configuration=restored, authentication=make_authentication(), actor=None)


def test_the_state_that_counts_is_the_one_at_the_deletion():
    configuration = make_configuration()
    stale = Configuration.objects.get(pk=configuration.pk)
    deactivate_configuration(configuration=configuration, actor=None)
    delete_configuration(configuration=stale, actor=None, now=NOW)
    assert stale.state_before_deletion == "inactive"


def test_it_is_restored_once():
    deleted = delete(make_configuration())
    second = Configuration.objects.get(pk=deleted.pk)
    restore(deleted, actor=make_user())
    with pytest.raises(StateChanged):
        restore_configuration(configuration=second, actor=None, now=NOW)
    assert AuditEntry.objects.filter(action="configuration_restored").count() == 1


def test_it_can_be_restored_for_thirty_days_and_not_a_moment_longer():
    deleted = delete(make_configuration())
    with pytest.raises(StateChanged):
        restore(deleted, at=NOW + timedelta(days=30))
    deleted.refresh_from_db()
    assert deleted.state == "deleted"
    assert restore(deleted, at=NOW + timedelta(days=30, microseconds=-1)).state == "inactive"


def test_a_name_that_was_taken_meanwhile_gets_a_number_whatever_the_case():
    deleted = delete(make_configuration(name="Support"))
    make_configuration(name="SUPPORT")
    user = make_user()
    restored = restore(deleted, actor=user)
    assert restored.name == "Support (2)"
    entry = AuditEntry.objects.get(action="configuration_restored")
    assert (entry.subject, entry.actor_name) == ("Support (2)", user.username)
    assert entry.details == {"changed": {"name": ["Support", "Support (2)"]}}


def test_the_first_number_that_is_free_is_taken():
    deleted = delete(make_configuration(name="Support"))
    make_configuration(name="Support")
    make_configuration(name="support (2)")
    assert restore(deleted).name == "Support (3)"


def test_the_longest_name_is_cut_for_its_number():
    name = "a" * 96 + " bcd"
    deleted = delete(make_configuration(name=name))
    make_configuration(name=name)
    assert restore(deleted).name == "a" * 96 + " (2)"


def test_a_name_that_is_taken_at_the_last_moment_is_passed_over(monkeypatch):
    deleted = delete(make_configuration(name="Support"))
    make_configuration(name="Support")
    monkeypatch.setattr(restoration, "_free_names", lambda name: iter([name, f"{name} (2)"]))
    assert restore(deleted).name == "Support (2)"


def test_when_every_number_is_taken_nothing_changes(monkeypatch):
    deleted = delete(make_configuration(name="Support"))
    existing = make_configuration(name="Support")
    monkeypatch.setattr(restoration, "NUMBERS_TRIED", 1)
    with pytest.raises(NameTaken) as caught:
        restore(deleted)
    deleted.refresh_from_db()
    assert caught.value.existing == existing and deleted.state == "deleted"


def test_an_authentication_that_was_removed_while_this_was_looked_at_is_not_taken_for_present():
    deleted = delete(make_configuration(), at=NOW - timedelta(days=29))
    stale = Configuration.objects.get(pk=deleted.pk)
    remove_authentication(authentication=deleted.authentication, actor=None, now=NOW + timedelta(days=2))
    with pytest.raises(StateChanged):
        restore_configuration(configuration=stale, actor=None, now=NOW)
