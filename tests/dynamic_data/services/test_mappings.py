"""Saving dynamic data mappings (dynamic_data.services.mappings)."""

import threading

import pytest
from django.db import connection

from crm_integrations.card_fields import card_fields
from crm_integrations.models import AuditEntry, CatalogueSnapshot
from crm_integrations.providers.base import CRMField, FieldType
from crm_integrations.providers.errors import CRMUnavailable
from crm_integrations.services.catalogue import read_fields
from crm_integrations.services.mapping_saving import MappingChanged, MappingGone, MappingRefused
from dynamic_data.mappings.contents import EntityDraft, MappingDraft
from dynamic_data.models import DynamicDataMapping, ShownField
from dynamic_data.services.mappings import (
    create_mapping,
    delete_mapping,
    duplicate_mapping,
    set_mapping_active,
    update_mapping,
)
from tests.factories import make_configuration, make_dynamic_mapping, make_user
from tests.memory_provider import FIELDS, MemoryProvider

pytestmark = pytest.mark.django_db
FIVE = ("subject", "priority", "notes", "contact_id", "handle_time")


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def person():
    return make_user(username="alex")


def draft(*entities: tuple[str, tuple[str, ...]], name: str = "Card", is_active: bool = True) -> MappingDraft:
    return MappingDraft(name, "", is_active, tuple(EntityDraft(kind, fields) for kind, fields in entities))


def refusal(act) -> dict[str, str]:
    """What was refused: place → sentence."""
    with pytest.raises(MappingRefused) as refused:
        act()
    return {problem.json_path: problem.message for problem in refused.value.problems}


def test_a_new_mapping_is_stored_with_places_definitions_and_audit(configuration, person):
    wanted = draft(("ticket", FIVE), ("custom_object:device", ("serial",)))
    mapping = create_mapping(configuration=configuration, draft=wanted, actor=person)
    rows = ShownField.objects.filter(entity__mapping=mapping).order_by("entity__position", "position")
    assert [(row.entity.entity_type, row.crm_field, row.position) for row in rows] == [
        *(("ticket", key, place) for place, key in enumerate(FIVE)), ("custom_object:device", "serial", 0),
    ]  # fmt: skip
    assert rows[0].definition["max_length"] == 255
    assert (mapping.version, mapping.changed_by) == (1, person)
    assert AuditEntry.objects.get().action == "dynamic_mapping_created"


def test_fields_that_cannot_be_written_can_be_shown_and_comments_cannot(configuration, person):
    create_mapping(configuration=configuration, draft=draft(("ticket", ("created_at",))), actor=person)
    problems = refusal(
        lambda: create_mapping(configuration=configuration, draft=draft(("ticket", ("comment",))), actor=person)
    )
    assert "cannot be shown" in problems["entities[0].fields[0]"]


@pytest.mark.parametrize(
    ("wanted", "place", "words"),
    [
        (draft(("ticket", ("subject",)), name=""), "name", "Give the mapping a name."),
        (draft(), "entities", "Add at least one entity"),
        (draft(("ticket", ())), "entities[0].fields", "Add at least one field"),
        (draft(("ticket", (*FIVE, "amount"))), "entities[0].fields", "at most 5 fields"),
        (draft(("ticket", ("subject", "subject"))), "entities[0].fields[1]", "row 1"),
        (draft(("ticket", ("",))), "entities[0].fields[0]", "Choose a CRM field."),
        (draft(("ticket", ("lost",))), "entities[0].fields[0]", "no such field"),
        (draft(("car", ("plate",))), "entities[0].entityType", "no such entity type"),
        (
            draft(("ticket", ("subject",)), ("ticket", ("notes",))),
            "entities[1].entityType",
            "already has this entity type",
        ),
    ],
)
def test_every_rule_is_refused_with_its_place_and_nothing_is_stored(configuration, person, wanted, place, words):
    problems = refusal(lambda: create_mapping(configuration=configuration, draft=wanted, actor=person))
    assert words in problems[place]
    assert not DynamicDataMapping.objects.exists()


def test_a_record_type_is_shown_by_one_active_mapping_and_the_refusal_names_the_other(configuration, person):
    make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="First")
    wanted = draft(("user", ("name",)), ("ticket", ("notes",)), name="Second")
    problems = refusal(lambda: create_mapping(configuration=configuration, draft=wanted, actor=person))
    assert problems == {
        "entities[1].entityType": "The active mapping “First” already shows “Ticket”. "
        "Remove it there, or deactivate one of the two."
    }
    create_mapping(
        configuration=configuration, draft=draft(("ticket", ("notes",)), name="Later", is_active=False), actor=person
    )


def test_another_configuration_may_show_the_same_record_type(configuration, person):
    make_dynamic_mapping(make_configuration(), {"ticket": ["subject"]})
    create_mapping(configuration=configuration, draft=draft(("ticket", ("subject",))), actor=person)


def test_switching_on_is_refused_while_another_shows_the_record_type(configuration, person):
    make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="First")
    second = make_dynamic_mapping(configuration, {"ticket": ["notes"]}, name="Second", is_active=False)
    assert "First" in refusal(lambda: set_mapping_active(mapping=second, is_active=True, actor=person)).popitem()[1]
    assert set_mapping_active(mapping=DynamicDataMapping.objects.get(name="First"), is_active=False, actor=person)
    assert set_mapping_active(mapping=second, is_active=True, actor=person)
    second.refresh_from_db()
    assert (second.is_active, second.version) == (True, 2)


def test_saving_changes_replaces_the_fields_and_counts_the_version_up(configuration, person):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject", "notes"]}, name="Card")
    update_mapping(mapping=mapping, draft=draft(("ticket", ("notes", "subject"))), base_version=1, actor=person)
    mapping.refresh_from_db()
    assert mapping.version == 2
    assert list(mapping.entities.get().fields.values_list("crm_field", "position")) == [("notes", 0), ("subject", 1)]
    assert AuditEntry.objects.get().details["before"] == [{"entityType": "ticket", "fields": ["subject", "notes"]}]


def test_a_save_sent_twice_changes_nothing_and_one_on_an_old_version_is_refused(configuration, person):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="Card")
    update_mapping(mapping=mapping, draft=draft(("ticket", ("notes",))), base_version=1, actor=person)
    update_mapping(mapping=mapping, draft=draft(("ticket", ("notes",))), base_version=1, actor=None)
    with pytest.raises(MappingChanged) as changed:
        update_mapping(mapping=mapping, draft=draft(("ticket", ("amount",))), base_version=1, actor=None)
    assert (changed.value.version, changed.value.changed_by) == (2, "alex")


def test_a_field_that_is_gone_stays_in_the_mapping_until_somebody_removes_it(configuration, person):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject", "notes"]}, name="Card")
    account = MemoryProvider.accounts["acme"]
    account.fields["ticket"] = [field for field in FIELDS["ticket"] if field.key != "notes"]
    saved = update_mapping(mapping=mapping, draft=draft(("ticket", ("notes", "subject"))), base_version=1, actor=person)
    assert saved.version == 2


def test_an_account_that_cannot_be_read_refuses_new_fields(configuration, person):
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("down", may_have_applied=False))
    problems = refusal(
        lambda: create_mapping(configuration=configuration, draft=draft(("ticket", ("subject",))), actor=person)
    )
    assert "cannot be reached" in problems["entities[0].entityType"]


def test_a_copy_is_inactive_and_a_deleted_mapping_is_remembered_by_the_audit_trail(configuration, person):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="Card")
    copy = duplicate_mapping(mapping=mapping, actor=person)
    assert (copy.name, copy.is_active, copy.entities.get().fields.get().crm_field) == ("Card (copy)", False, "subject")
    delete_mapping(mapping=mapping, actor=person)
    delete_mapping(mapping=mapping, actor=person)
    with pytest.raises(MappingGone):
        duplicate_mapping(mapping=mapping, actor=person)
    assert AuditEntry.objects.get(action="dynamic_mapping_deleted").details["contents"] == [
        {"entityType": "ticket", "fields": ["subject"]}
    ]


# ---- What cards show


def test_cards_show_the_active_mappings_fields_in_their_order(configuration):
    make_dynamic_mapping(configuration, {"ticket": ["notes", "subject"], "user": ["name"]})
    make_dynamic_mapping(configuration, {"custom_object:device": ["serial"]}, is_active=False)
    shown = card_fields(configuration)
    assert {kind: [field.key for field in fields] for kind, fields in shown.items()} == {
        "ticket": ["notes", "subject"],
        "user": ["name"],
    }


def test_cards_know_newer_titles_and_leave_out_fields_that_are_gone(configuration):
    make_dynamic_mapping(configuration, {"ticket": ["notes", "subject"]})
    MemoryProvider.accounts["acme"].fields["ticket"] = [CRMField("subject", "Betreff", FieldType.TEXT, is_custom=True)]
    assert [field.title for field in card_fields(configuration)["ticket"]] == ["Notes", "Subject"]
    read_fields(authentication=configuration.authentication, entity_type="ticket")
    assert [field.title for field in card_fields(configuration)["ticket"]] == ["Betreff"]
    CatalogueSnapshot.objects.update(fetched_at=None)
    assert [field.title for field in card_fields(configuration)["ticket"]] == ["Notes", "Subject"]


def test_what_cards_show_is_read_by_one_statement(configuration, django_assert_num_queries):
    make_dynamic_mapping(configuration, {"ticket": ["notes", "subject"], "user": ["name"]})
    read_fields(authentication=configuration.authentication, entity_type="ticket")
    card_fields(configuration)
    with django_assert_num_queries(1):
        card_fields(configuration)


def test_a_configuration_without_an_account_shows_what_its_mappings_say():
    draft = make_configuration(state="draft")
    make_dynamic_mapping(draft, {"ticket": ["subject"]})
    draft.authentication = None
    assert [field.title for field in card_fields(draft)["ticket"]] == ["Subject"]


@pytest.mark.django_db(transaction=True)
def test_two_people_who_save_at_once_cannot_both_show_a_record_type(person):
    configuration = make_configuration()
    read_fields(authentication=configuration.authentication, entity_type="ticket")
    outcomes: list[str] = []

    def save(name: str) -> None:
        try:
            wanted = draft(("ticket", ("subject",)), name=name)
            create_mapping(configuration=configuration, draft=wanted, actor=person)
            outcomes.append("saved")
        except MappingRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=[name]) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "saved"]
