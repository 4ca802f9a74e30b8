"""Which records are written: the order of product page §6."""

from memorialization.events.schema import RecordLink
from memorialization.targeting import Evidence, TargetingSettings, describe_rule, find_targets

SETTINGS = TargetingSettings(record_variables={"ticket": "CRM_Ticket_Id", "user": "crm_user_id"})
TICKET, OTHER, USER = RecordLink("ticket", "1"), RecordLink("ticket", "2"), RecordLink("user", "7")


def test_linked_records_come_first_and_all_of_a_type_are_written():
    evidence = Evidence(frozenset({OTHER, TICKET, USER}), script_variables={"crm_ticket_id": "9"})
    target = find_targets(["ticket"], evidence, SETTINGS)["ticket"]
    assert (target.rule, target.ids) == ("linked", ("1", "2"))


def test_then_a_record_id_in_a_script_variable_whose_name_is_compared_in_lower_case():
    evidence = Evidence(frozenset({USER}), script_variables={"crm_ticket_id": " 35436 ", "crm_user_id": "8"})
    targets = find_targets(["ticket", "user"], evidence, SETTINGS)
    assert (targets["ticket"].rule, targets["ticket"].ids) == ("script_variable", ("35436",))
    assert (targets["user"].rule, targets["user"].ids) == ("linked", ("7",))


def test_a_number_in_the_variable_is_an_id_too():
    assert find_targets(["ticket"], Evidence(script_variables={"crm_ticket_id": 35436}), SETTINGS)["ticket"].ids


def test_none_yields_no_record_with_its_reason():
    target = find_targets(["organization"], Evidence(frozenset({TICKET})), SETTINGS)["organization"]
    assert (target.ids, target.rule, target.reason) == ((), "none", "no_record")


def test_a_variable_that_holds_no_id_is_named_in_the_reason():
    target = find_targets(["ticket"], Evidence(script_variables={"crm_ticket_id": "../users/1"}), SETTINGS)["ticket"]
    assert (target.ids, target.reason) == ((), "record_variable_unusable")
    assert target.params == {"variable": "crm_ticket_id"}


def test_each_rule_can_be_switched_off():
    evidence = Evidence(frozenset({TICKET}), script_variables={"crm_ticket_id": "9"})
    names = SETTINGS.record_variables
    assert find_targets(["ticket"], evidence, TargetingSettings(False, True, names))["ticket"].ids == ("9",)
    assert find_targets(["ticket"], evidence, TargetingSettings(False, False, names))["ticket"].ids == ()


def test_a_record_that_was_unlinked_is_not_written_because_a_variable_names_it():
    evidence = Evidence(unlinked=frozenset({TICKET}), script_variables={"crm_ticket_id": "1"})
    target = find_targets(["ticket"], evidence, SETTINGS)["ticket"]
    assert (target.ids, target.reason) == ((), "unlinked")


def test_rules_have_words():
    assert str(describe_rule("linked")) == "Records linked to the interaction"
    assert str(describe_rule("none")) == "No rule found a record"
