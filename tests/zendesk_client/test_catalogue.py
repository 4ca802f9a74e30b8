"""Zendesk's field lists become one kind of definition, and only what can be written is called writable."""

from zendesk_client.catalogue import read_keyed_fields, read_object_fields, read_ticket_fields
from zendesk_client.fields import ORGANIZATION_PROPERTIES, USER_PROPERTIES, FieldDefinition, FieldOption


def ticket_field(type_, **more):
    return {"id": 360, "type": type_, "title": "T", "active": True, "agent_can_edit": True, "removable": True, **more}


def read_one(field):
    return read_ticket_fields([field])[0]


def by_key(definitions):
    return {definition.key: definition for definition in definitions}


def test_system_ticket_fields_are_keyed_by_their_api_name():
    listed = [
        ticket_field(type_, id=number)
        for number, type_ in enumerate(
            ["subject", "description", "status", "tickettype", "priority", "group", "assignee", "custom_status"], 1
        )
    ]
    assert [definition.key for definition in read_ticket_fields(listed)][:8] == [
        "subject",
        "description",
        "status",
        "type",
        "priority",
        "group_id",
        "assignee_id",
        "custom_status_id",
    ]


def test_a_custom_ticket_field_is_keyed_by_its_id():
    definition = read_one(ticket_field("text", id=360012345678, title="Contact ID", required=True))
    assert definition == FieldDefinition(
        "custom_field_360012345678", "text", "Contact ID", max_length=65_535, required=True
    )


def test_description_is_never_writable_because_updates_ignore_it():
    assert read_one(ticket_field("description")).writable is False


def test_what_agents_cannot_edit_is_not_writable_even_when_it_is_removable():
    summary = ticket_field("text", key="standard::ticket_summary", agent_can_edit=False, removable=True)
    assert read_one(summary).writable is False
    assert read_one(ticket_field("subject", agent_can_edit=False)).writable is False


def test_a_field_that_does_not_say_whether_agents_may_edit_it_is_writable():
    field = ticket_field("subject")
    del field["agent_can_edit"]
    assert read_one(field).writable is True


def test_a_credit_card_is_never_writable():
    assert read_one(ticket_field("partialcreditcard")).writable is False


def test_a_type_this_client_does_not_know_is_shown_but_not_written():
    definition = read_one(ticket_field("hologram"))
    assert (definition.type, definition.writable) == ("hologram", False)


def test_inactive_fields_are_left_out():
    assert (
        by_key(read_ticket_fields([ticket_field("text", active=False)])).keys() == by_key(read_ticket_fields([])).keys()
    )


def test_a_tagger_is_a_dropdown_with_its_options():
    options = [{"id": 1, "name": "English", "raw_name": "English", "value": "language__en"}, {"name": "?", "value": ""}]
    definition = read_one(ticket_field("tagger", custom_field_options=options))
    assert definition.type == "dropdown"
    assert definition.options == (FieldOption("language__en", "English"),)


def test_system_options_come_from_the_account():
    options = [{"name": "Normal", "value": "normal"}, {"name": "High", "value": "high"}]
    definition = read_one(ticket_field("priority", system_field_options=options, title="Priorité"))
    assert definition.options == (FieldOption("normal", "Normal"), FieldOption("high", "High"))
    assert definition.title == "Priorité"


def test_custom_statuses_are_options_with_their_ids_as_values():
    statuses = [
        {"id": 11, "agent_label": "Waiting", "active": True},
        {"id": 12, "agent_label": "Old", "active": False},
    ]
    definition = read_one(ticket_field("custom_status", custom_statuses=statuses))
    assert definition.options == (FieldOption("11", "Waiting"),)


def test_pattern_and_lookup_target_are_kept():
    assert read_one(ticket_field("regexp", regexp_for_validation="\\A\\d+\\z")).pattern == "\\A\\d+\\z"
    target = read_one(ticket_field("lookup", relationship_target_type="zen:custom_object:car")).relationship_target
    assert target == "zen:custom_object:car"


def test_tickets_also_have_what_no_list_mentions():
    fields = by_key(read_ticket_fields([]))
    assert (fields["comment"].type, fields["comment"].writable) == ("comment", True)
    assert (fields["tags"].type, fields["tags"].writable) == ("tags", True)
    assert fields["external_id"].max_length == 255
    for key in ("id", "created_at", "updated_at", "requester_id", "organization_id"):
        assert fields[key].writable is False


def test_users_have_their_properties_and_the_accounts_own_fields():
    listed = [
        {"id": 1, "key": "last_agent", "type": "text", "title": "Last agent", "active": True},
        {
            "id": 2,
            "key": "plan",
            "type": "dropdown",
            "title": "Plan",
            "custom_field_options": [{"name": "A", "value": "a"}],
        },
        {"id": 3, "key": "off", "type": "text", "title": "Off", "active": False},
        {"id": 4, "key": "system::seen", "type": "date", "title": "Seen", "active": True, "system": True},
    ]
    fields = by_key(read_keyed_fields(listed, "user_fields", USER_PROPERTIES))
    writable = {key for key, definition in fields.items() if definition.writable}
    assert writable == {
        *("name", "phone", "alias", "details", "notes", "external_id", "time_zone", "locale", "tags"),
        *("last_agent", "plan"),
    }
    assert "off" not in fields
    assert fields["system::seen"].writable is False
    assert fields["plan"].options == (FieldOption("a", "A"),)


def test_email_role_and_organization_of_a_user_are_not_for_mappings():
    fields = by_key(read_keyed_fields([], "user_fields", USER_PROPERTIES))
    assert [fields[key].writable for key in ("email", "role", "organization_id", "suspended")] == [False] * 4


def test_a_custom_field_that_is_named_like_a_property_keeps_a_key_of_its_own():
    listed = [{"id": 1, "key": "phone", "type": "text", "title": "Second phone", "active": True}]
    fields = by_key(read_keyed_fields(listed, "user_fields", USER_PROPERTIES))
    assert fields["phone"].title == "Phone"
    assert fields["user_fields.phone"].title == "Second phone"


def test_organizations_have_their_properties():
    fields = by_key(read_keyed_fields([], "organization_fields", ORGANIZATION_PROPERTIES))
    writable = {key for key, definition in fields.items() if definition.writable}
    assert writable == {"name", "details", "notes", "external_id", "tags"}


def object_field(key, **more):
    return {"id": 1, "key": key, "type": "text", "title": key.title(), "active": True, **more}


def test_custom_objects_have_name_external_id_and_their_own_fields():
    listed = [
        object_field("standard::name", required=True, title="Car name"),
        object_field("standard::external_id"),
        object_field("standard::created_at", type="date"),
        object_field("color", required=True),
        object_field("trips", type="integer", readonly=True),
        object_field("owner", type="parent", relationship_target_type="zen:user"),
    ]
    fields = by_key(read_object_fields(listed))
    assert (fields["name"].title, fields["name"].required, fields["name"].writable) == ("Car name", True, True)
    assert fields["external_id"].writable is True
    assert fields["created_at"].writable is False
    assert (fields["color"].required, fields["color"].writable) == (True, True)
    assert fields["trips"].writable is False
    assert fields["owner"].relationship_target == "zen:user"
    assert not [key for key in fields if "standard" in key]


def test_a_name_that_zendesk_numbers_itself_is_not_writable():
    listed = [object_field("standard::name", required=True, properties={"autoincrement_enabled": True})]
    name = by_key(read_object_fields(listed))["name"]
    assert (name.writable, name.required) == (False, False)


def test_name_and_external_id_are_there_even_when_the_list_leaves_them_out():
    assert {"name", "external_id"} <= by_key(read_object_fields([object_field("color")])).keys()
