"""The Record matching tab: who may see and change the rules, and what is saved."""

import pytest
from django.urls import reverse

from crm_integrations.models import AuditEntry, Configuration
from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.services.matching_settings import matching_version
from tests.factories import make_configuration, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration(name="Support")


@pytest.fixture
def editor(client):
    client.force_login(make_user(VIEW_CONFIGURATIONS, EDIT_CONFIGURATIONS))
    return client


def address(configuration):
    return reverse("record_matching", args=[configuration.pk])


def posted(configuration, **changes):
    data = {
        "seen": matching_version(configuration),
        "uses_linked_records": "on",
        "uses_record_variables": "on",
        "variable_ticket": "My_Ticket",
        "variable_user": "",
        "searches_records": "on",
        "searches_by_phone": "on",
        "phone_country": "ca",
        "email_variable": " Mail ",
        "case_age_hours": "24",
        "creates_cases": "on",
        "closed_case_policy": "follow_up",
        "checks_caller": "on",
    }
    return {key: value for key, value in {**data, **changes}.items() if value is not None}


def test_the_rules_stand_in_their_order_each_with_its_switch(editor, configuration):
    assert address(configuration) == f"/configurations/{configuration.pk}/record-matching/"
    page = editor.get(address(configuration)).content.decode()
    places = [page.index(f'id="{card}"') for card in (
        "rule-linked", "rule-variable", "rule-written", "rule-search", "rule-create", "rule-none", "closed-cases",
        "caller-check",
    )]  # fmt: skip
    assert places == sorted(places)
    assert 'value="memory_ticket_id"' in page and "Record matching" in page and "record type “Ticket”" in page


def test_the_search_says_what_it_yields_for_each_record_type_and_no_title_stands_twice(editor, configuration):
    page = editor.get(address(configuration)).content.decode()
    assert (
        "For the record type “User” that person is the record; for “Ticket” it is their newest unsolved case." in page
    )
    assert page.count("Closed cases") == 1 and "Data for a closed case" in page


def test_the_rules_are_saved_and_audited(editor, configuration):
    assert editor.post(address(configuration), posted(configuration)).url == address(configuration)
    configuration.refresh_from_db()
    assert configuration.uses_linked_records and not configuration.uses_written_records
    assert configuration.record_variables == {"ticket": "my_ticket"}
    assert (configuration.phone_country, configuration.email_variable) == ("CA", "mail")
    assert (configuration.case_age_hours, configuration.closed_case_policy) == (24, "follow_up")
    entry = AuditEntry.objects.get(action="configuration_changed")
    assert entry.details["changed"]["searches_records"] == [False, True]
    again = editor.post(address(configuration), posted(configuration), follow=True)
    assert "Nothing was changed." in again.content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"phone_country": "XX"},
        {"phone_country": ""},
        {"case_age_hours": "0"},
        {"case_age_hours": "9000"},
        {"closed_case_policy": "reopen"},
        {"searches_by_phone": None, "email_variable": ""},
        {"variable_ticket": "x" * 101},
    ],
)
def test_invalid_rules_change_nothing_and_are_named(editor, configuration, changes):
    response = editor.post(address(configuration), posted(configuration, **changes))
    configuration.refresh_from_db()
    assert response.status_code == 422 and "form-errors" in response.content.decode()
    assert not configuration.searches_records


def test_what_was_changed_in_another_window_is_not_undone(editor, configuration):
    before = posted(configuration)
    Configuration.objects.filter(pk=configuration.pk).update(case_age_hours=48)
    response = editor.post(address(configuration), before)
    configuration.refresh_from_db()
    assert response.status_code == 409 and configuration.case_age_hours == 48
    assert matching_version(configuration) in response.content.decode()
    assert editor.post(address(configuration), {**before, "seen": matching_version(configuration)}).status_code == 302


def test_who_may_only_view_sees_the_rules_and_changes_nothing(client, configuration):
    client.force_login(make_user(VIEW_CONFIGURATIONS))
    page = client.get(address(configuration)).content.decode()
    assert "disabled" in page and 'form="matching"' not in page
    assert client.post(address(configuration), posted(configuration)).status_code == 403


def test_a_stranger_is_refused_and_somebody_anonymous_signs_in_first(client, configuration):
    assert client.get(address(configuration)).url.startswith(reverse("login"))
    client.force_login(make_user())
    assert client.get(address(configuration)).status_code == 403
