"""The life of a configuration (crm_integrations.services.configurations)."""

import pytest
from django.utils import timezone

from crm_integrations.models import AuditEntry, Configuration
from crm_integrations.services.configurations import (
    NameTaken,
    StateChanged,
    activate_configuration,
    change_configuration,
    change_draft_type,
    create_draft,
    deactivate_configuration,
    delete_configuration,
    reactivate_configuration,
    select_authentication,
)
from tests.factories import make_authentication, make_configuration, make_user

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def make_draft(name="Support"):
    return create_draft(integration_type="memory", name=name, description="", actor=None)


def actions(configuration):
    return list(AuditEntry.objects.filter(configuration=configuration).order_by("id").values_list("action", flat=True))


def test_a_draft_gets_the_usual_script_variables_of_its_crm():
    draft = make_draft()
    assert (draft.state, draft.record_variables) == (
        "draft",
        {"ticket": "memory_ticket_id", "user": "memory_user_id"},
    )


def test_two_configurations_cannot_have_one_name_whatever_the_case():
    first = make_draft("Support")
    with pytest.raises(NameTaken) as caught:
        make_draft("SUPPORT")
    assert caught.value.existing == first
    assert Configuration.objects.count() == 1


def test_a_deleted_configuration_gives_its_name_away():
    delete_configuration(configuration=make_draft("Support"), actor=None, now=NOW)
    assert make_draft("Support").pk


def test_a_draft_without_an_account_cannot_become_active():
    draft = make_draft()
    with pytest.raises(StateChanged):
        activate_configuration(configuration=draft, actor=None)


def test_a_draft_with_an_account_becomes_active_once():
    draft = make_draft()
    select_authentication(configuration=draft, authentication=make_authentication(), actor=None)
    activate_configuration(configuration=draft, actor=None)
    draft.refresh_from_db()
    assert draft.state == "active"
    with pytest.raises(StateChanged):
        activate_configuration(configuration=draft, actor=None)
    assert actions(draft) == ["configuration_created", "authentication_selected", "configuration_activated"]


def test_an_account_that_is_held_or_of_another_crm_cannot_be_selected():
    draft = make_draft()
    held = make_authentication(state="reauthenticate")
    with pytest.raises(StateChanged):
        select_authentication(configuration=draft, authentication=held, actor=None)
    foreign = make_authentication(address="other")
    foreign.account.provider = "another"
    with pytest.raises(StateChanged):
        select_authentication(configuration=draft, authentication=foreign, actor=None)


def test_the_account_of_an_active_configuration_cannot_be_exchanged():
    configuration = make_configuration()
    with pytest.raises(StateChanged):
        select_authentication(
            configuration=configuration, authentication=make_authentication(address="other"), actor=None
        )


def test_deactivation_and_reactivation_start_from_the_right_state_only():
    configuration = make_configuration()
    with pytest.raises(StateChanged):
        reactivate_configuration(configuration=configuration, actor=None)
    deactivate_configuration(configuration=configuration, actor=None)
    with pytest.raises(StateChanged):
        deactivate_configuration(configuration=configuration, actor=None)
    reactivate_configuration(configuration=configuration, actor=None)
    configuration.refresh_from_db()
    assert configuration.state == "active"


def test_a_configuration_whose_system_user_is_gone_can_be_deactivated():
    configuration = make_configuration(state="system_user_removed")
    deactivate_configuration(configuration=configuration, actor=None)
    configuration.refresh_from_db()
    assert configuration.state == "inactive"


def test_a_deletion_happens_once_and_keeps_the_row():
    configuration = make_configuration()
    delete_configuration(configuration=configuration, actor=None, now=NOW)
    with pytest.raises(StateChanged):
        delete_configuration(configuration=configuration, actor=None, now=NOW)
    configuration.refresh_from_db()
    assert (configuration.state, configuration.deleted_at) == ("deleted", NOW)


def test_a_change_writes_only_what_differs_and_says_so():
    configuration, user = make_configuration(name="A"), make_user()
    changes = {"name": "B", "acw_limit_minutes": 60, "description": "who knows"}
    assert change_configuration(configuration=configuration, changes=changes, actor=user) == ["name", "description"]
    entry = AuditEntry.objects.get(action="configuration_changed")
    assert entry.details == {"changed": {"name": ["A", "B"], "description": "…"}}
    assert entry.actor_name == user.username
    assert change_configuration(configuration=configuration, changes=changes, actor=user) == []


def test_a_deleted_configuration_is_not_changed():
    configuration = make_configuration()
    stale = Configuration.objects.get(pk=configuration.pk)
    delete_configuration(configuration=configuration, actor=None, now=NOW)
    with pytest.raises(StateChanged):
        change_configuration(configuration=stale, changes={"name": "New"}, actor=None)


def test_the_name_of_another_is_refused_on_change_too():
    make_configuration(name="A")
    configuration = make_configuration(name="B")
    with pytest.raises(NameTaken):
        change_configuration(configuration=configuration, changes={"name": "a"}, actor=None)
    configuration.refresh_from_db()
    assert configuration.name == "B"


def test_the_type_of_a_draft_is_fixed_once_it_has_an_account():
    draft = make_draft()
    Configuration.objects.filter(pk=draft.pk).update(integration_type="another")
    draft.refresh_from_db()
    change_draft_type(configuration=draft, integration_type="memory", actor=None)
    select_authentication(configuration=draft, authentication=make_authentication(), actor=None)
    Configuration.objects.filter(pk=draft.pk).update(integration_type="another")
    draft.refresh_from_db()
    with pytest.raises(StateChanged):
        change_draft_type(configuration=draft, integration_type="memory", actor=None)
