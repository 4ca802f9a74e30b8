"""The Data Memorialization tab and what can be done with a mapping (memorialization.views.mappings)."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm_integrations.models import Configuration
from crm_integrations.views import mapping_lists
from memorialization.models import MemorializationMapping
from memorialization.services.mappings import set_mapping_active
from tests.factories import make_authentication, make_configuration, make_mapping, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db

RESOURCE = "memorialization.{}_memorializationmapping"
VIEW = ("crm_integrations.view_configuration", RESOURCE.format("view"))
EDIT_CONFIGURATIONS = "crm_integrations.change_configuration"
SUBJECT = ("subject", "voice", "skillName")


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()


@pytest.fixture
def configuration():
    return make_configuration(name="Support")


@pytest.fixture
def mapping(configuration):
    return make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")


def url(name: str, mapping) -> str:
    return reverse(f"memorialization_mapping_{name}", args=[mapping.configuration_id, mapping.pk])


def list_url(configuration) -> str:
    return reverse("memorialization_mapping_list", args=[configuration.pk])


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def sign_in(client, *actions: str):
    client.force_login(make_user(EDIT_CONFIGURATIONS, *(RESOURCE.format(action) for action in actions)))
    return client


ACTS = [("switch", "change"), ("duplicate", "add"), ("delete", "delete")]


def test_the_tab_lists_active_and_inactive_mappings(client, configuration, mapping):
    rows = {"ticket": [("notes", "voice", "ani")], "user": [("name", "voice", "ani")]}
    make_mapping(configuration, rows, name="Chats", is_active=False, description="Only at night")
    set_mapping_active(mapping=mapping, is_active=False, actor=None)
    set_mapping_active(mapping=mapping, is_active=True, actor=make_user(username="kim"))
    client.force_login(make_user(*VIEW))
    page = text_of(client.get(list_url(configuration)))
    assert re.search(r"Calls</a>.*</svg>Active</span>.*Ticket</td>.*>1</td>.*>3</a>.*kim", page)
    assert re.search(r"Chats</a>.*Only at night.*</svg>Inactive</span>.*Ticket, User</td>.*>2</td>", page)


def test_people_who_may_only_look_see_no_act(client, configuration, mapping):
    client.force_login(make_user(*VIEW))
    page = text_of(client.get(list_url(configuration)))
    assert "New Data Mapping" not in page
    assert url("versions", mapping) in page
    assert all(f'"{url(name, mapping)}"' not in page for name in ("edit", "switch", "duplicate", "delete"))


def test_people_who_may_do_everything_see_every_act(client, configuration, mapping):
    page = text_of(sign_in(client, "add", "change", "delete").get(list_url(configuration)))
    assert "New Data Mapping" in page
    assert all(f'"{url(name, mapping)}"' in page for name in ("edit", "switch", "duplicate", "delete"))


def test_an_empty_tab_says_what_a_mapping_does_and_one_without_account_what_to_do_first(client, configuration):
    sign_in(client, "add", "view")
    assert "No data mapping yet" in text_of(client.get(list_url(configuration)))
    draft = Configuration.objects.create(name="Draft", integration_type="memory")
    page = text_of(client.get(list_url(draft)))
    assert "Connect an account first" in page
    assert "New Data Mapping" not in page


def test_the_tab_takes_the_same_number_of_queries_for_any_number_of_mappings(
    client, configuration, mapping, django_assert_num_queries
):
    sign_in(client, "view")
    client.get(list_url(configuration))
    with CaptureQueriesContext(connection) as first:
        client.get(list_url(configuration))
    for number in range(5):
        make_mapping(configuration, {"user": [("name", "voice", "ani")]}, name=f"More {number}", is_active=False)
    with django_assert_num_queries(len(first)):
        client.get(list_url(configuration))


@pytest.mark.parametrize("name", ["list", "versions"])
def test_looking_needs_both_views_and_a_signed_in_person(client, configuration, mapping, name):
    address = list_url(configuration) if name == "list" else url(name, mapping)
    assert client.get(address).status_code == 302
    for permission in VIEW:
        client.force_login(make_user(permission))
        assert client.get(address).status_code == 403


def test_versions_show_who_changed_what_and_when(client, configuration, mapping):
    set_mapping_active(mapping=mapping, is_active=False, actor=make_user(username="kim"))
    client.force_login(make_user(*VIEW))
    page = text_of(client.get(url("versions", mapping)))
    assert "Subject ← Voice Call Contact · Skill Name" in page
    assert re.search(r"Version 2</strong>.*kim.*Deactivated\..*Version 1</strong>.*First version\.", page)


@pytest.mark.parametrize(("name", "action"), ACTS)
def test_each_act_needs_configurations_edit_and_its_own_permission(client, mapping, name, action):
    assert client.post(url(name, mapping)).status_code == 302
    for permissions in ([EDIT_CONFIGURATIONS, VIEW[1]], [VIEW[0], RESOURCE.format(action)]):
        client.force_login(make_user(*permissions))
        assert client.post(url(name, mapping), {"active": "0"}).status_code == 403
    assert MemorializationMapping.objects.get().is_active


@pytest.mark.parametrize(("name", "action"), ACTS)
def test_each_act_is_for_mappings_of_this_configuration(client, mapping, name, action):
    other = make_configuration()
    address = reverse(f"memorialization_mapping_{name}", args=[other.pk, mapping.pk])
    assert sign_in(client, action).post(address).status_code == 404


@pytest.mark.parametrize("name", ["switch", "duplicate"])
def test_acts_without_a_page_of_their_own_take_posts_only(client, mapping, name):
    assert sign_in(client, "add", "change").get(url(name, mapping)).status_code == 405


def test_switching_off_and_on(client, mapping):
    sign_in(client, "change")
    for active in ("0", "1"):
        assert client.post(url("switch", mapping), {"active": active}).status_code == 302
        mapping.refresh_from_db()
        assert mapping.is_active is (active == "1")


def test_switching_on_is_refused_with_the_name_of_the_mapping_that_has_the_row(client, configuration, mapping):
    rival = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Rival", is_active=False)
    page = text_of(sign_in(client, "change").post(url("switch", rival), {"active": "1"}, follow=True))
    assert "The active mapping “Calls” already writes “Subject” for Voice Call Contact." in page
    rival.refresh_from_db()
    assert not rival.is_active


def test_duplicating_opens_the_inactive_copy(client, mapping):
    response = sign_in(client, "add", "change").post(url("duplicate", mapping))
    copy = MemorializationMapping.objects.get(name="Calls (copy)")
    assert response.url == url("edit", copy)
    assert not copy.is_active


@pytest.mark.parametrize(("name", "action"), ACTS)
def test_what_was_deleted_since_the_page_was_opened_is_not_found(client, mapping, monkeypatch, name, action):
    def delete_meanwhile(*address):
        Configuration.objects.update(state="deleted", deleted_at=mapping.created_at)
        return mapping

    monkeypatch.setattr(mapping_lists, "mapping_or_404", delete_meanwhile)
    assert sign_in(client, action).post(url(name, mapping)).status_code == 404


def test_deleting_asks_first(client, mapping):
    sign_in(client, "delete", "view")
    assert "Delete the mapping “Calls”?" in text_of(client.get(url("delete", mapping)))
    assert MemorializationMapping.objects.exists()
    client.post(url("delete", mapping))
    assert not MemorializationMapping.objects.exists()


def test_a_mapping_of_an_account_that_must_be_re_authenticated_is_still_listed(client):
    held = make_authentication(state="reauthenticate")
    mapping = make_mapping(make_configuration(authentication=held), {"ticket": [SUBJECT]}, name="Calls")
    page = text_of(sign_in(client, "view").get(list_url(mapping.configuration)))
    assert "Calls" in page
