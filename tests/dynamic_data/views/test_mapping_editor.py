"""The editor of dynamic data mappings (dynamic_data.views.mapping_editor)."""

import re

import pytest
from django.urls import reverse

from crm_integrations.providers.base import CRMField, FieldType
from dynamic_data.mappings.contents import EntityDraft, MappingDraft
from dynamic_data.models import DynamicDataMapping, ShownField
from dynamic_data.services.mappings import delete_mapping, update_mapping
from tests.factories import make_configuration, make_dynamic_mapping, make_user
from tests.memory_provider import FIELDS, MemoryProvider

pytestmark = pytest.mark.django_db
EDIT_CONFIGURATIONS = "crm_integrations.change_configuration"
CREATE = (EDIT_CONFIGURATIONS, "dynamic_data.add_dynamicdatamapping")
EDIT = (EDIT_CONFIGURATIONS, "dynamic_data.change_dynamicdatamapping")
FIVE = ["subject", "priority", "notes", "contact_id", "handle_time"]


@pytest.fixture
def configuration():
    return make_configuration(name="Support")


@pytest.fixture
def editor(client):
    client.force_login(make_user(*CREATE, EDIT[1], username="alex"))
    return client


def new_url(configuration) -> str:
    return reverse("dynamic_mapping_create", args=[configuration.pk])


def edit_url(mapping) -> str:
    return reverse("dynamic_mapping_edit", args=[mapping.configuration_id, mapping.pk])


def typed(entities: dict[str, list[str]], **head: str) -> dict[str, str]:
    """What the browser posts."""
    data = {"name": "Card", "is_active": "on", "act": "save", **head}
    for number, (entity_type, fields) in enumerate(entities.items()):
        data[f"entity-{number}-type"] = entity_type
        data |= {f"entity-{number}-row-{row}-field": field for row, field in enumerate(fields)}
    return data


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<template.*?</template>", "", response.content.decode(), flags=re.S))


def chosen(response) -> list[str]:
    """The chosen fields, in the page's order."""
    return re.findall(r'<option value="(\w+)" selected', text_of(response))


@pytest.mark.parametrize("missing", CREATE)
def test_a_new_mapping_needs_configurations_edit_and_dynamic_data_create(client, configuration, missing):
    client.force_login(make_user(*(set(CREATE) - {missing}), EDIT[1]))
    assert client.get(new_url(configuration)).status_code == 403
    assert client.post(new_url(configuration), typed({"ticket": ["subject"]})).status_code == 403
    assert not DynamicDataMapping.objects.exists()


@pytest.mark.parametrize("missing", EDIT)
def test_editing_needs_configurations_edit_and_dynamic_data_edit(client, configuration, missing):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]})
    client.force_login(make_user(*(set(EDIT) - {missing}), CREATE[1]))
    assert client.get(edit_url(mapping)).status_code == 403
    assert client.post(edit_url(mapping), typed({"ticket": ["notes"]})).status_code == 403
    assert ShownField.objects.get().crm_field == "subject"


def test_people_who_are_not_signed_in_are_sent_to_sign_in(client, configuration):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]})
    for url in (new_url(configuration), edit_url(mapping)):
        response = client.get(url)
        assert (response.status_code, response.url.split("?")[0]) == (302, "/accounts/login/")


def test_a_mapping_of_another_configuration_is_not_found(editor, configuration):
    elsewhere = make_dynamic_mapping(make_configuration(), {"ticket": ["subject"]})
    assert editor.get(reverse("dynamic_mapping_edit", args=[configuration.pk, elsewhere.pk])).status_code == 404


def test_save_creates_the_mapping_and_returns_to_the_tab(editor, configuration):
    response = editor.post(new_url(configuration), typed({"ticket": ["subject", "created_at", ""]}, name=" Card "))
    assert response.url == reverse("dynamic_mapping_list", args=[configuration.pk])
    mapping = DynamicDataMapping.objects.get()
    assert (mapping.name, mapping.is_active, mapping.changed_by.username) == ("Card", True, "alex")
    assert list(ShownField.objects.values_list("crm_field", flat=True)) == ["subject", "created_at"]


def test_what_is_wrong_is_said_at_its_row_and_nothing_typed_is_lost(editor, configuration):
    response = editor.post(new_url(configuration), typed({"ticket": ["subject", "subject"]}, name=""))
    page = text_of(response)
    assert "Give the mapping a name." in page
    assert '<a href="#entity-0-row-1-field">Ticket, row 2</a>: This field is shown already: row 1.' in page
    assert chosen(response) == ["subject", "subject"]


def test_all_readable_fields_are_offered_and_comments_are_not(editor, configuration):
    page = text_of(editor.post(new_url(configuration), typed({}, act="add-entity", adding="ticket")))
    assert '<option value="created_at">' in page
    assert '<option value="comment">' not in page


def test_the_counter_says_how_many_fields_there_are_and_a_full_card_takes_no_more(editor, configuration):
    page = text_of(editor.post(new_url(configuration), typed({"ticket": FIVE[:3]}, act="add-field 0")))
    assert "<span data-rows-count>4</span>/5" in page
    assert "data-add-row disabled" not in page
    response = editor.post(new_url(configuration), typed({"ticket": FIVE}, act="add-field 0"))
    assert "data-add-row disabled" in text_of(response)
    assert "A record type has at most 5 fields. Remove one first." in text_of(response)
    assert len(chosen(response)) == 5


def test_six_fields_that_somebody_posts_are_refused(editor, configuration):
    response = editor.post(new_url(configuration), typed({"ticket": [*FIVE, "amount"]}))
    assert "at most 5 fields" in text_of(response)
    assert not DynamicDataMapping.objects.exists()


def test_buttons_move_and_remove_rows_without_scripts(editor, configuration):
    url = new_url(configuration)
    moved = editor.post(url, typed({"ticket": ["subject", "notes"]}, act="move-down 0 0"))
    assert chosen(moved) == ["notes", "subject"]
    assert chosen(editor.post(url, typed({"ticket": ["subject", "notes"]}, act="remove-row 0 0"))) == ["notes"]
    assert chosen(editor.post(url, typed({"ticket": ["subject"]}, act="remove-entity 0"))) == []


def test_another_active_mapping_with_the_record_type_is_named(editor, configuration):
    make_dynamic_mapping(configuration, {"ticket": ["notes"]}, name="First")
    page = text_of(editor.post(new_url(configuration), typed({"ticket": ["subject"]})))
    assert "The active mapping “First” already shows “Ticket”." in page


def test_fields_that_are_gone_or_changed_are_flagged(editor, configuration):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject", "notes", "priority"]})
    MemoryProvider.accounts["acme"].fields["ticket"] = [
        *(field for field in FIELDS["ticket"] if field.key not in {"notes", "subject"}),
        CRMField("subject", "Subject", FieldType.INTEGER),
    ]
    page = text_of(editor.get(edit_url(mapping)))
    assert page.count("Field gone") == 1
    assert page.count("Type has changed") == 1
    assert "agents no longer see it" in page


def test_what_somebody_else_saved_is_never_overwritten_unasked(editor, configuration):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="Card")
    theirs = MappingDraft("Card", "", True, (EntityDraft("ticket", ("notes",)),))
    update_mapping(mapping=mapping, draft=theirs, base_version=1, actor=None)
    mine = typed({"ticket": ["amount"]}, base_version="1")
    page = text_of(editor.post(edit_url(mapping), mine))
    assert "somebody saved version 2 of this mapping" in page
    assert ShownField.objects.get().crm_field == "notes"
    editor.post(edit_url(mapping), {**mine, "seen_version": "2", "act": "overwrite"})
    assert ShownField.objects.get().crm_field == "amount"


def test_a_mapping_deleted_meanwhile_can_be_saved_again(editor, configuration):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="Card")
    delete_mapping(mapping=mapping, actor=None)
    page = text_of(editor.post(edit_url(mapping), typed({"ticket": ["subject"]}, base_version="1")))
    assert "Save creates it again" in page
    assert f'action="{new_url(configuration)}"' in page


def test_a_configuration_without_an_account_has_no_mapping_yet(editor):
    draft = make_configuration(state="draft")
    type(draft).objects.filter(pk=draft.pk).update(authentication=None)
    assert editor.get(new_url(draft)).status_code == 302
