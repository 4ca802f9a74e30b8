"""The mapping editor's pages (memorialization.views.mapping_editor)."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm_integrations.models import CatalogueSnapshot, Configuration
from crm_integrations.providers.base import CRMField, FieldType
from crm_integrations.providers.errors import CRMUnavailable
from memorialization.models import MappedField, MemorializationMapping
from memorialization.services.mappings import delete_mapping, set_mapping_active
from tests.factories import make_configuration, make_mapping, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db

EDIT_CONFIGURATIONS = "crm_integrations.change_configuration"
CREATE = (EDIT_CONFIGURATIONS, "memorialization.add_memorializationmapping")
EDIT = (EDIT_CONFIGURATIONS, "memorialization.change_memorializationmapping")
SUBJECT = ("subject", "voice", "skillName")
LARGEST_PAGE = 300_000  # bytes


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()


@pytest.fixture
def configuration():
    return make_configuration(name="Support")


@pytest.fixture
def editor(client):
    client.force_login(make_user(*CREATE, EDIT[1], username="alex"))
    return client


def new_url(configuration) -> str:
    return reverse("memorialization_mapping_create", args=[configuration.pk])


def edit_url(mapping) -> str:
    return reverse("memorialization_mapping_edit", args=[mapping.configuration_id, mapping.pk])


def typed(entities: dict[str, list[tuple[str, str, str]]], **head: str) -> dict[str, str]:
    """What the browser posts: `entities` as tests/factories has them."""
    data = {"name": "Calls", "is_active": "on", "act": "save", **head}
    for number, (entity_type, rows) in enumerate(entities.items()):
        data[f"entity-{number}-type"] = entity_type
        for position, (field, channel, source) in enumerate(rows):
            part = "variable" if channel == "script_variable" else "source"
            prefix = f"entity-{number}-row-{position}"
            data |= {f"{prefix}-field": field, f"{prefix}-channel": channel, f"{prefix}-{part}": source}
    return data


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def without_templates(page: str) -> str:
    """The page without what the script copies."""
    return re.sub(r"<template.*?</template>", "", page)


# ---- Who may come in


@pytest.mark.parametrize("missing", CREATE)
def test_a_new_mapping_needs_configurations_edit_and_data_memorialization_create(client, configuration, missing):
    client.force_login(make_user(*(set(CREATE) - {missing}), EDIT[1]))
    assert client.get(new_url(configuration)).status_code == 403
    assert client.post(new_url(configuration), typed({"ticket": [SUBJECT]})).status_code == 403
    assert not MemorializationMapping.objects.exists()


@pytest.mark.parametrize("missing", EDIT)
def test_editing_needs_configurations_edit_and_data_memorialization_edit(client, configuration, missing):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    client.force_login(make_user(*(set(EDIT) - {missing}), CREATE[1]))
    assert client.get(edit_url(mapping)).status_code == 403
    assert client.post(edit_url(mapping), typed({"user": [("name", "voice", "ani")]})).status_code == 403
    assert MappedField.objects.get().crm_field == "subject"


def test_people_who_are_not_signed_in_are_sent_to_sign_in(client, configuration):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]})
    for url in (new_url(configuration), edit_url(mapping)):
        response = client.get(url)
        assert (response.status_code, response.url.split("?")[0]) == (302, "/accounts/login/")


def test_unknown_and_deleted_configurations_and_foreign_mappings_are_not_found(editor, configuration):
    elsewhere = make_mapping(make_configuration(), {"ticket": [SUBJECT]})
    wrong = reverse("memorialization_mapping_edit", args=[configuration.pk, elsewhere.pk])
    assert editor.get(wrong).status_code == 404
    Configuration.objects.filter(pk=configuration.pk).update(state="deleted", deleted_at=configuration.created_at)
    assert editor.get(new_url(configuration)).status_code == 404


# ---- Saving


def test_save_creates_the_mapping_and_returns_to_the_tab(editor, configuration):
    rows = {"ticket": [SUBJECT, ("notes", "script_variable", " AccountId ")], "user": [("name", "digital", "from")]}
    response = editor.post(new_url(configuration), typed(rows, name=" Calls "))
    assert response.url == reverse("memorialization_mapping_list", args=[configuration.pk])
    mapping = MemorializationMapping.objects.get()
    assert (mapping.name, mapping.is_active) == ("Calls", True)
    assert mapping.versions.get().created_by.username == "alex"
    assert MappedField.objects.get(crm_field="notes").source == "accountid"


def test_refused_input_comes_back_whole_with_the_problems_at_their_rows(editor, configuration):
    rows = {"ticket": [SUBJECT, ("subject", "voice", "ani"), ("priority", "", "status")]}
    response = editor.post(new_url(configuration), typed(rows, name="Night", description="At night"))
    page = text_of(response)
    assert not MemorializationMapping.objects.exists()
    assert 'href="#entity-0-row-1-field">Ticket, row 2</a>: “Subject” already has a row for Voice Call Contact' in page
    assert 'href="#entity-0-row-2-channel">Ticket, row 3</a>: Choose a channel.' in page
    assert 'value="Night"' in page
    assert "At night</textarea>" in page
    assert re.search(r'name="entity-0-row-2-source".*?<option value="status" selected>', page)
    assert re.search(r"data-unsaved-mark ?>", page)


@pytest.mark.parametrize("entity_type", ["", "x" * 500, "custom_object:../users", "Ticket"])
def test_what_can_be_no_entity_type_is_refused_and_neither_asked_for_nor_stored(editor, configuration, entity_type):
    response = editor.post(new_url(configuration), typed({entity_type: [SUBJECT]}))
    assert response.status_code == 200
    assert "The CRM account has no such entity type." in text_of(response)
    assert set(CatalogueSnapshot.objects.values_list("entity_type", flat=True)) <= {""}


def test_a_character_that_no_database_takes_is_left_out(editor, configuration):
    rows = {"ticket": [("notes", "script_variable", "Account\0Id")]}
    editor.post(new_url(configuration), typed(rows, name="Ca\0lls", description="\0"))
    mapping = MemorializationMapping.objects.get()
    assert (mapping.name, mapping.description) == ("Calls", "")
    assert MappedField.objects.get().source == "accountid"


def test_rows_nobody_filled_in_are_no_mistake(editor, configuration):
    editor.post(new_url(configuration), typed({"ticket": [SUBJECT, ("", "voice", "")]}))
    assert MappedField.objects.count() == 1


def test_a_card_whose_only_row_is_blank_says_what_is_missing(editor, configuration):
    page = text_of(editor.post(new_url(configuration), typed({"ticket": [("", "", "")]})))
    assert 'href="#entity-0-row-0-field">Ticket, row 1</a>: Choose a CRM field.' in page


def test_rows_are_saved_in_the_order_in_which_the_browser_sends_them(editor, configuration):
    data = {
        "name": "Calls",
        "act": "save",
        "entity-0-type": "ticket",
        "entity-0-row-1001-field": "notes",
        "entity-0-row-1001-channel": "voice",
        "entity-0-row-1001-source": "ani",
        "entity-0-row-0-field": "subject",
        "entity-0-row-0-channel": "voice",
        "entity-0-row-0-source": "skillName",
    }
    editor.post(new_url(configuration), data)
    assert list(MappedField.objects.order_by("position").values_list("crm_field", flat=True)) == ["notes", "subject"]
    assert not MemorializationMapping.objects.get().is_active


def test_the_editor_opens_on_what_is_stored(editor, configuration):
    rows = {"ticket": [SUBJECT, ("notes", "script_variable", "accountid")]}
    page = text_of(editor.get(edit_url(make_mapping(configuration, rows, name="Calls", description="All"))))
    assert '<option value="subject" selected>Subject</option>' in page
    assert '<option value="skillName" selected>' in page
    assert 'name="entity-0-row-1-variable" value="accountid"' in page
    assert 'name="base_version" value="1"' in page


def test_saving_changes_makes_the_next_version(editor, configuration):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    data = typed({"ticket": [("notes", "digital", "from")]}, base_version="1")
    assert editor.post(edit_url(mapping), data).status_code == 302
    mapping.refresh_from_db()
    assert mapping.version == 2


def test_what_somebody_else_saved_meanwhile_is_shown_and_nothing_is_lost(editor, configuration):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    set_mapping_active(mapping=mapping, is_active=False, actor=make_user(username="kim"))
    data = typed({"ticket": [("notes", "digital", "from")]}, base_version="1")
    page = text_of(editor.post(edit_url(mapping), data))
    assert "kim saved version 2 of this mapping while you were editing." in page
    assert '<option value="notes" selected>Notes</option>' in page
    assert MappedField.objects.get().crm_field == "subject"
    editor.post(edit_url(mapping), {**data, "act": "overwrite", "seen_version": "2"})
    mapping.refresh_from_db()
    assert (mapping.version, MappedField.objects.get().crm_field) == (3, "notes")


def test_a_mapping_deleted_meanwhile_can_be_saved_again_as_a_new_one(editor, configuration):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    delete_mapping(mapping=mapping, actor=None)
    response = editor.post(edit_url(mapping), typed({"ticket": [SUBJECT]}, base_version="1"))
    assert "Somebody deleted this mapping meanwhile" in text_of(response)
    assert f'action="{new_url(configuration)}"' in text_of(response)
    assert '<option value="subject" selected>Subject</option>' in text_of(response)


def test_a_draft_without_account_sends_back_to_the_tab(editor):
    draft = Configuration.objects.create(name="Draft", integration_type="memory")
    response = editor.get(new_url(draft), follow=True)
    assert response.redirect_chain[0][0] == reverse("memorialization_mapping_list", args=[draft.pk])
    assert "Connect an account first" in text_of(response)


# ---- Without scripts: buttons that bring the page back changed


def press(editor, configuration, act: str, rows, **head: str) -> str:
    return text_of(editor.post(new_url(configuration), typed(rows, act=act, **head)))


def test_add_entity_adds_a_card_with_an_empty_row_and_keeps_what_was_typed(editor, configuration):
    page = press(editor, configuration, "add-entity", {"ticket": [SUBJECT]}, name="Half done", adding="user")
    assert 'name="entity-1-type" value="user"' in page
    assert '<option value="last_agent">Last agent (last_agent)</option>' in page
    assert 'value="Half done"' in page
    assert '<option value="subject" selected>Subject</option>' in page


@pytest.mark.parametrize(
    ("adding", "sentence"),
    [("ticket", "This mapping already has this entity type."), ("", "Select an entity type first.")],
)
def test_add_entity_refuses_one_that_is_there_or_none(editor, configuration, adding, sentence):
    page = press(editor, configuration, "add-entity", {"ticket": [SUBJECT]}, adding=adding)
    assert sentence in page
    assert 'name="entity-1-type"' not in page


def test_add_field_adds_a_row_with_the_channel_of_the_row_before(editor, configuration):
    page = press(editor, configuration, "add-field 0", {"ticket": [SUBJECT]})
    assert re.search(r'name="entity-0-row-1-channel".*?<option value="voice" selected>', page)


def test_move_and_remove_change_the_rows(editor, configuration):
    rows = {"ticket": [SUBJECT, ("notes", "voice", "ani")]}
    moved = press(editor, configuration, "move-up 0 1", rows)
    assert moved.index('<option value="notes" selected>') < moved.index('<option value="subject" selected>')
    removed = press(editor, configuration, "remove-row 0 0", rows)
    assert '<option value="subject" selected>' not in removed
    gone = press(editor, configuration, "remove-entity 0", rows)
    assert 'name="entity-0-type"' not in gone


def test_choose_another_field_offers_every_field_that_can_be_written(editor, configuration):
    page = press(editor, configuration, "open-row 0 0", {"ticket": [SUBJECT]})
    assert '<option value="subject" selected>Subject (subject)</option>' in page
    assert '<optgroup label="Custom fields"><option value="notes">' in page
    assert 'value="created_at"' not in page


@pytest.mark.parametrize("act", ["remove-row 7 7", "move-up 0", "nonsense", "remove-entity x", ""])
def test_a_button_that_speaks_of_nothing_changes_nothing(editor, configuration, act):
    page = press(editor, configuration, act or " ", {"ticket": [SUBJECT]})
    assert '<option value="subject" selected>Subject</option>' in page


def test_refresh_reads_the_fields_anew(editor, configuration):
    editor.post(new_url(configuration), typed({"ticket": [("", "", "")]}, act="add-field 0"))
    MemoryProvider.accounts["acme"].fields["ticket"].append(CRMField("brand_new", "Brand new", FieldType.TEXT))
    assert "brand_new" not in press(editor, configuration, "add-field 0", {"ticket": [("", "", "")]})
    assert '<option value="brand_new">' in press(editor, configuration, "refresh 0", {"ticket": [("", "", "")]})


# ---- Words at the rows


def page_of_row(editor, configuration, *row: str) -> str:
    return without_templates(press(editor, configuration, "none", {"ticket": [row]}))


def test_a_script_variable_says_where_voice_must_be_set_up(editor, configuration):
    page = page_of_row(editor, configuration, "notes", "script_variable", "accountid")
    assert "Script variables are always lower case" in page
    assert "ACD > Contact Settings > ACD Skills > the skill > Details > Edit > Use Screen Pops" in page
    assert "must have the property ScreenPop = True" in page


def test_a_transcript_says_what_its_field_must_be_like_with_the_limit(editor, configuration):
    page = page_of_row(editor, configuration, "subject", "digital", "transcriptionText")
    assert (
        "otherwise part or none of it appears. This field takes 255 characters. It is not a multi-line field." in page
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (SUBJECT, "Fits"),
        (("subject", "digital", "transcriptionText"), "May be shortened"),
        (("priority", "voice", "dispositionName"), "Needs matching option values"),
        (("handle_time", "voice", "skillName"), "Only numbers fit"),
        (("call_date", "voice", "endTime"), "Fits"),
        (("ghost", "voice", "ani"), "Field gone"),
    ],
)
def test_every_row_says_whether_its_data_fit(editor, configuration, row, words):
    assert f"</svg>{words}</span>" in page_of_row(editor, configuration, *row)


def test_a_field_that_left_the_crm_is_flagged_on_the_mapping(editor, configuration):
    mapping = make_mapping(configuration, {"ticket": [("notes", "voice", "ani")]})
    fields = MemoryProvider.accounts["acme"].fields["ticket"]
    fields[:] = [found for found in fields if found.key != "notes"]
    page = without_templates(text_of(editor.get(edit_url(mapping))))
    assert "Field gone" in page
    assert '<option value="notes" selected>Notes</option>' in page


def test_a_crm_that_cannot_be_reached_is_said_and_what_was_typed_stays(editor, configuration):
    account = MemoryProvider.accounts["acme"]
    account.faults.extend(CRMUnavailable("down for a while", may_have_applied=False) for _time in range(2))
    page = text_of(editor.post(new_url(configuration), typed({"ticket": [SUBJECT]}, act="add-field 0")))
    assert "The CRM cannot be reached just now. Try again in a minute. The CRM says: “down for a while”" in page
    assert '<option value="subject" selected>subject</option>' in page


# ---- 400 fields, 30 rows


@pytest.fixture
def large_account():
    MemoryProvider.accounts["acme"].fields["ticket"] = [
        CRMField(f"custom_field_3600000{number:05}", f"Field number {number} of the account", FieldType.TEXT,
                 is_custom=True, max_length=1000)
        for number in range(400)
    ]  # fmt: skip


def rows_of_large_account(count: int) -> list[tuple[str, str, str]]:
    return [(f"custom_field_3600000{number:05}", "voice", "skillName") for number in range(count)]


def test_a_page_with_400_fields_and_30_rows_stays_small(editor, configuration, large_account):
    editor.post(new_url(configuration), typed({"ticket": rows_of_large_account(30)}))
    page = editor.get(edit_url(MemorializationMapping.objects.get())).content
    assert page.count(b"data-row ") == 31  # and the one that the script copies
    assert len(page) < LARGEST_PAGE


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(editor, configuration, large_account):
    counts = []
    for count in (1, 30):
        editor.post(new_url(configuration), typed({"ticket": rows_of_large_account(count)}))
        mapping = MemorializationMapping.objects.get()
        editor.get(edit_url(mapping))
        with CaptureQueriesContext(connection) as queries:
            editor.get(edit_url(mapping))
        counts.append(len(queries))
        mapping.delete()
    assert counts[0] == counts[1] <= 15
