"""Saving mappings (memorialization.services.mappings)."""

import threading

import pytest
from django.db import connection

from crm_integrations.models import AuditEntry, CatalogueSnapshot
from crm_integrations.providers.base import CRMField, FieldType
from crm_integrations.providers.errors import CRMUnavailable
from crm_integrations.services.catalogue import read_fields
from crm_integrations.services.mapping_saving import MappingChanged, MappingGone, MappingRefused
from memorialization.mappings.contents import MappingContents
from memorialization.mappings.drafts import EntityDraft, MappingDraft, RowDraft
from memorialization.models import MappedField, MappingVersion, MemorializationMapping
from memorialization.services.mappings import (
    create_mapping,
    delete_mapping,
    duplicate_mapping,
    set_mapping_active,
    update_mapping,
)
from tests.factories import make_configuration, make_mapping, make_user
from tests.memory_provider import FIELDS, MemoryProvider

pytestmark = pytest.mark.django_db

SUBJECT = ("subject", "voice", "skillName")
NOTES = ("notes", "digital", "transcriptionText")


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def person():
    return make_user(username="alex")


def draft(
    *entities: tuple[str, list[tuple[str, str, str]]], name: str = "Calls", is_active: bool = True
) -> MappingDraft:
    built = tuple(EntityDraft(kind, tuple(RowDraft(*row) for row in rows)) for kind, rows in entities)
    return MappingDraft(name, "", is_active, built)


def refusal(act) -> dict[str, str]:
    """What was refused: place → sentence."""
    with pytest.raises(MappingRefused) as refused:
        act()
    return {problem.json_path: problem.message for problem in refused.value.problems}


def test_a_new_mapping_is_stored_with_rows_definitions_version_and_audit(configuration, person):
    wanted = draft(("ticket", [SUBJECT, NOTES]), ("user", [("name", "digital", "customerName")]))
    mapping = create_mapping(configuration=configuration, draft=wanted, actor=person)
    rows = MappedField.objects.filter(entity__mapping=mapping).order_by("entity__position", "position")
    assert [(row.entity.entity_type, row.crm_field, row.channel, row.source) for row in rows] == [
        ("ticket", *SUBJECT), ("ticket", *NOTES), ("user", "name", "digital", "customerName"),
    ]  # fmt: skip
    assert rows[0].definition["max_length"] == 255
    version = mapping.versions.get()
    contents = MappingContents.from_json(version.contents)
    assert (version.number, version.created_by) == (1, person)
    assert contents.entities[0].rows[0].field == FIELDS["ticket"][0]
    assert AuditEntry.objects.get().action == "mapping_created"


def test_saving_changes_replaces_the_rows_and_counts_the_version_up(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    wanted = draft(("ticket", [NOTES]), name="Chats")
    saved = update_mapping(mapping=mapping, draft=wanted, base_version=1, actor=person)
    assert (saved.version, saved.name) == (2, "Chats")
    assert list(MappedField.objects.values_list("crm_field", flat=True)) == ["notes"]
    assert [version.number for version in mapping.versions.all()] == [2, 1]
    assert MappingContents.from_json(mapping.versions.get(number=1).contents).name == "Calls"


def test_a_save_that_changes_nothing_or_is_sent_twice_makes_no_version(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    wanted = draft(("ticket", [NOTES]))
    for _time in range(2):
        update_mapping(mapping=mapping, draft=wanted, base_version=1, actor=person)
    mapping.refresh_from_db()
    assert (mapping.version, mapping.versions.count()) == (2, 2)


def test_a_mapping_changed_meanwhile_by_somebody_else_is_not_overwritten(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    update_mapping(mapping=mapping, draft=draft(("ticket", [NOTES])), base_version=1, actor=person)
    with pytest.raises(MappingChanged) as changed:
        update_mapping(
            mapping=mapping,
            draft=draft(("ticket", [("priority", "voice", "status")])),
            base_version=1,
            actor=make_user(),
        )
    version = mapping.versions.first()
    assert (changed.value.version, changed.value.changed_by) == (2, "alex")
    assert changed.value.changed_at == version.created_at
    assert list(MappedField.objects.values_list("crm_field", flat=True)) == ["notes"]


def test_saving_a_mapping_deleted_meanwhile_says_so(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]})
    MemorializationMapping.objects.filter(pk=mapping.pk).delete()
    with pytest.raises(MappingGone):
        update_mapping(mapping=mapping, draft=draft(("ticket", [NOTES])), base_version=1, actor=person)


def test_nothing_is_saved_in_a_configuration_that_was_deleted(configuration, person):
    type(configuration).objects.filter(pk=configuration.pk).update(state="deleted", deleted_at=configuration.created_at)
    with pytest.raises(MappingGone):
        create_mapping(configuration=configuration, draft=draft(("ticket", [SUBJECT])), actor=person)


def test_script_variables_are_kept_in_lower_case_by_the_database_too(configuration, person):
    wanted = draft(("ticket", [("subject", "script_variable", "accountid")]))
    mapping = create_mapping(configuration=configuration, draft=wanted, actor=person)
    assert mapping.entities.get().fields.get().source == "accountid"


@pytest.mark.parametrize(
    ("wanted", "place", "words"),
    [
        (draft(name=""), "name", "Give the mapping a name"),
        (draft(), "entities", "at least one entity with one field"),
        (draft(("ticket", [])), "entities[0].fields", "at least one field"),
        (draft(("ticket", [SUBJECT]), ("ticket", [NOTES])), "entities[1].entityType", "already has this entity type"),
        (draft(("planet", [SUBJECT])), "entities[0].entityType", "no such entity type"),
        (draft(("ticket", [("", "voice", "ani")])), "entities[0].fields[0].crmField", "Choose a CRM field"),
        (draft(("ticket", [("ghost", "voice", "ani")])), "entities[0].fields[0].crmField", "no such field"),
        (draft(("ticket", [("created_at", "voice", "ani")])), "entities[0].fields[0].crmField", "cannot be written"),
        (draft(("ticket", [("subject", "fax", "ani")])), "entities[0].fields[0].channel", "Choose a channel"),
        (draft(("ticket", [("subject", "voice", "")])), "entities[0].fields[0].source", "Choose the CXone"),
        (draft(("ticket", [("subject", "voice", "accountid")])), "entities[0].fields[0].source", "script variable"),
        (draft(("ticket", [("subject", "digital", "ani")])), "entities[0].fields[0].source", "does not exist"),
        (draft(("ticket", [("subject", "script_variable", "")])), "entities[0].fields[0].source", "Type the name"),
        (draft(("ticket", [("subject", "script_variable", "x" * 201)])), "entities[0].fields[0].source", "at most 200"),
        (draft(("ticket", [SUBJECT, ("subject", "voice", "ani")])), "entities[0].fields[1].crmField", "row 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_draft_that_breaks_a_rule_is_refused_at_its_place(configuration, person, wanted, place, words):
    found = refusal(lambda: create_mapping(configuration=configuration, draft=wanted, actor=person))
    assert words in found[place]
    assert not MemorializationMapping.objects.exists()


def test_one_field_may_have_a_row_for_each_channel(configuration, person):
    rows = [("subject", "voice", "ani"), ("subject", "digital", "from"), ("subject", "script_variable", "topic")]
    mapping = create_mapping(configuration=configuration, draft=draft(("ticket", rows)), actor=person)
    assert mapping.entities.get().fields.count() == 3


def test_a_name_is_taken_once_per_configuration_whatever_its_case(configuration, person):
    make_mapping(configuration, {"user": [("name", "voice", "ani")]}, name="Calls")
    wanted = draft(("ticket", [SUBJECT]), name="CALLS")
    found = refusal(lambda: create_mapping(configuration=configuration, draft=wanted, actor=person))
    assert "has this name already" in found["name"]
    assert create_mapping(configuration=make_configuration(), draft=wanted, actor=person).version == 1


def test_a_row_of_another_active_mapping_is_refused_with_the_name_of_that_mapping(configuration, person):
    make_mapping(configuration, {"ticket": [NOTES, SUBJECT]}, name="Night calls")
    wanted = draft(("user", [("name", "voice", "ani")]), ("ticket", [SUBJECT]))
    found = refusal(lambda: create_mapping(configuration=configuration, draft=wanted, actor=person))
    assert "“Night calls”" in found["entities[1].fields[0].crmField"]
    assert "“Subject” for Voice Call Contact" in found["entities[1].fields[0].crmField"]


@pytest.mark.parametrize("rows", [("subject", "digital", "from"), ("subject", "script_variable", "topic")])
def test_another_mapping_may_write_the_field_for_another_channel(configuration, person, rows):
    make_mapping(configuration, {"ticket": [SUBJECT]}, name="Night calls")
    assert create_mapping(configuration=configuration, draft=draft(("ticket", [rows])), actor=person).pk


def test_rows_of_inactive_mappings_and_of_other_configurations_do_not_count(configuration, person):
    make_mapping(configuration, {"ticket": [SUBJECT]}, name="Old", is_active=False)
    make_mapping(make_configuration(), {"ticket": [SUBJECT]}, name="Elsewhere")
    assert create_mapping(configuration=configuration, draft=draft(("ticket", [SUBJECT])), actor=person).pk


def test_an_inactive_mapping_may_repeat_rows_until_it_is_switched_on(configuration, person):
    make_mapping(configuration, {"ticket": [SUBJECT]}, name="Night calls")
    wanted = draft(("ticket", [SUBJECT]), is_active=False)
    mapping = create_mapping(configuration=configuration, draft=wanted, actor=person)
    found = refusal(lambda: set_mapping_active(mapping=mapping, is_active=True, actor=person))
    assert "“Night calls”" in found["entities[0].fields[0].crmField"]
    mapping.refresh_from_db()
    assert not mapping.is_active


def test_switching_off_and_on_makes_versions_that_say_so(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]})
    assert set_mapping_active(mapping=mapping, is_active=False, actor=person)
    assert not set_mapping_active(mapping=mapping, is_active=False, actor=person)
    mapping.refresh_from_db()
    assert (mapping.version, mapping.is_active) == (2, False)
    assert mapping.versions.get(number=2).contents["is_active"] is False
    assert AuditEntry.objects.get().action == "mapping_deactivated"


def test_a_deleted_mapping_is_gone_and_the_audit_trail_keeps_its_rows(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    delete_mapping(mapping=mapping, actor=person)
    delete_mapping(mapping=mapping, actor=person)
    entry = AuditEntry.objects.get()
    assert not MemorializationMapping.objects.exists()
    assert not MappingVersion.objects.exists()
    assert (entry.action, entry.subject) == ("mapping_deleted", "Calls")
    assert entry.details["contents"] == [{"entityType": "ticket", "fields": [list(SUBJECT)]}]


def test_a_duplicate_is_inactive_and_takes_a_free_name(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    copies = [duplicate_mapping(mapping=mapping, actor=person) for _time in range(2)]
    assert [copy.name for copy in copies] == ["Calls (copy)", "Calls (copy 2)"]
    assert not any(copy.is_active for copy in copies)
    assert copies[0].entities.get().fields.get().source == "skillName"


def test_a_field_that_is_gone_stays_in_its_row_with_the_definition_it_had(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT, NOTES]}, name="Calls")
    fields = MemoryProvider.accounts["acme"].fields["ticket"]
    fields[:] = [found for found in fields if found.key != "notes"]
    wanted = draft(("ticket", [NOTES]))
    update_mapping(mapping=mapping, draft=wanted, base_version=1, actor=person)
    kept = MappedField.objects.get(entity__mapping=mapping)
    assert (kept.crm_field, kept.definition["title"]) == ("notes", "Notes")


def test_saving_takes_the_definitions_that_the_account_has_now(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    fields = MemoryProvider.accounts["acme"].fields["ticket"]
    fields[0] = CRMField("subject", "Subject", FieldType.TEXT, max_length=80)
    saved = update_mapping(mapping=mapping, draft=draft(("ticket", [SUBJECT])), base_version=1, actor=person)
    assert saved.version == 2
    assert saved.entities.get().fields.get().definition["max_length"] == 80


def test_while_the_crm_is_down_known_rows_can_be_saved_and_new_ones_cannot(configuration, person):
    mapping = make_mapping(configuration, {"ticket": [SUBJECT]}, name="Calls")
    account = MemoryProvider.accounts["acme"]
    account.faults.extend(CRMUnavailable("down", may_have_applied=False) for _time in range(2))
    known = draft(("ticket", [("subject", "voice", "ani")]))
    assert update_mapping(mapping=mapping, draft=known, base_version=1, actor=person).version == 2
    new = draft(("ticket", [("subject", "voice", "ani"), NOTES]))
    found = refusal(lambda: update_mapping(mapping=mapping, draft=new, base_version=2, actor=person))
    assert "cannot be reached" in found["entities[0].entityType"]
    assert "“down”" in found["entities[0].entityType"]


def test_the_account_is_asked_once_per_entity_type(configuration, person):
    wanted = draft(("ticket", [SUBJECT, NOTES]), ("user", [("name", "voice", "ani")]))
    create_mapping(configuration=configuration, draft=wanted, actor=person)
    asked = [details for name, details in MemoryProvider.accounts["acme"].calls if name == "list_fields"]
    assert asked == ["ticket", "user"]
    assert CatalogueSnapshot.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_take_the_same_row_at_the_same_time_one_is_refused():
    configuration = make_configuration()
    start, outcomes = threading.Barrier(2), []

    def save(name: str) -> None:
        try:
            read_fields(authentication=configuration.authentication, entity_type="ticket")
            start.wait(timeout=10)
            create_mapping(configuration=configuration, draft=draft(("ticket", [SUBJECT]), name=name), actor=None)
            outcomes.append("saved")
        except MappingRefused as refused:
            outcomes.append(refused.problems[0].json_path)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=[name]) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["entities[0].fields[0].crmField", "saved"]
    assert MappedField.objects.count() == 1
