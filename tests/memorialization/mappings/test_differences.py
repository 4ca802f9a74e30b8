"""What a version changed, in words (memorialization.mappings.differences)."""

from dataclasses import replace

from memorialization.mappings.contents import EntityContents, MappingContents, Row
from memorialization.mappings.differences import describe_difference
from tests.memory_provider import FIELDS

SUBJECT, NOTES = FIELDS["ticket"][0], FIELDS["ticket"][2]
TITLES = {"ticket": "Ticket", "user": "User"}
BEFORE = MappingContents(
    "Calls", "", True, (EntityContents("ticket", (Row(SUBJECT, "voice", "ani"), Row(NOTES, "voice", "skillName"))),)
)


def with_rows(*rows: Row) -> MappingContents:
    return replace(BEFORE, entities=(EntityContents("ticket", rows),))


def test_a_first_version_says_so():
    assert describe_difference(None, BEFORE, TITLES) == ["First version."]


def test_name_description_and_state_are_named():
    after = replace(BEFORE, name="Chats", description="New", is_active=False)
    assert describe_difference(BEFORE, after, TITLES) == [
        "Renamed from “Calls” to “Chats”.", "The description changed.", "Deactivated.",
    ]  # fmt: skip


def test_rows_added_changed_and_removed_are_named():
    after = with_rows(Row(SUBJECT, "voice", "dnis"), Row(SUBJECT, "script_variable", "topic"))
    assert describe_difference(BEFORE, after, TITLES) == [
        "Ticket: now Subject ← Voice Call Contact · DNIS",
        "Ticket: added Subject ← Script Variable · topic",
        "Ticket: removed Notes ← Voice Call Contact · Skill Name",
    ]


def test_entities_added_and_removed_are_named():
    user = EntityContents("user", (Row(FIELDS["user"][0], "digital", "customerName"),))
    added = replace(BEFORE, entities=(*BEFORE.entities, user))
    assert "Entity added: User." in describe_difference(BEFORE, added, TITLES)
    assert "Entity removed: User." in describe_difference(added, BEFORE, TITLES)


def test_a_new_order_and_a_new_definition_are_told_apart():
    first, second = BEFORE.entities[0].rows
    assert describe_difference(BEFORE, with_rows(second, first), TITLES) == ["The order of the fields changed."]
    longer = with_rows(replace(first, field=replace(SUBJECT, max_length=500)), second)
    assert describe_difference(BEFORE, longer, TITLES) == ["The CRM changed the definition of fields."]
