"""Configurations as files (crm_integrations.services.configuration_files and its commands)."""

import copy
import io
import json

import pytest
from django.core.management import CommandError, call_command

from crm_integrations.models import AuditEntry, Authentication, Configuration
from crm_integrations.providers.errors import CRMUnavailable
from crm_integrations.services.catalogue import read_fields
from crm_integrations.services.configuration_files import (
    ImportRefused,
    check_file,
    export_configuration,
    import_configuration,
)
from memorialization.models import MemorializationMapping
from tests.factories import make_authentication, make_configuration, make_mapping, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db

FILE = {
    "version": 1,
    "name": "Support FR",
    "integrationType": "memory",
    "description": "For the French desk",
    "authentication": "acme (admin)",
    "externalScreenpopDomain": "https://acme.example.com",
    "settings": {
        "timeZone": "America/Toronto",
        "acwLimitMinutes": 45,
        "contactEndsFirstVoice": True,
        "memorializeOnClosed": False,
    },
    "memorializationMappings": [
        {
            "name": "Calls",
            "description": "",
            "active": True,
            "entities": [
                {
                    "entityType": "ticket",
                    "fields": [
                        {"crmField": "subject", "channel": "voice", "source": "skillName"},
                        {"crmField": "contact_id", "channel": "voice", "source": "contactId"},
                        {"crmField": "contact_id", "channel": "digital", "source": "contactId"},
                        {"crmField": "notes", "channel": "script_variable", "source": "accountid"},
                    ],
                },
                {
                    "entityType": "user",
                    "fields": [{"crmField": "last_agent", "channel": "voice", "source": "agentName"}],
                },
            ],
        },
        {
            "name": "Chats",
            "description": "Later",
            "active": False,
            "entities": [
                {"entityType": "ticket", "fields": [{"crmField": "subject", "channel": "voice", "source": "ani"}]}
            ],
        },
    ],
    "dynamicDataMappings": [],
}
MAPPINGS = "memorializationMappings"


@pytest.fixture
def authentication():
    return make_authentication(name="acme (admin)")


def with_change(*path_and_value):
    """A copy of FILE with one value put at a path."""
    *path, last, value = path_and_value
    changed = copy.deepcopy(FILE)
    place = changed
    for step in path:
        place = place[step]
    place[last] = value
    return changed


def refusal(document, **options) -> dict[str, str]:
    """What an import of the document is refused for: path → sentence."""
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(ImportRefused) as refused:
        check_file(text=text, **options)
    assert not Configuration.objects.exists()
    return {problem.json_path: problem.message for problem in refused.value.problems}


def take(document, **options) -> Configuration:
    return import_configuration(checked=check_file(text=json.dumps(document), **options), actor=None)


def test_an_import_creates_an_active_configuration_with_its_mappings(authentication):
    configuration = take(FILE)
    assert (configuration.state, configuration.authentication) == ("active", authentication)
    assert (configuration.acw_limit_minutes, configuration.contact_ends_first_voice) == (45, True)
    assert configuration.record_variables == dict(MemoryProvider.default_record_variables)
    mappings = MemorializationMapping.objects.filter(configuration=configuration)
    assert [(mapping.name, mapping.is_active, mapping.version) for mapping in mappings] == [
        ("Calls", True, 1), ("Chats", False, 1),
    ]  # fmt: skip
    assert AuditEntry.objects.filter(action="configuration_imported", configuration=configuration).exists()


def test_export_import_export_is_identical(authentication):
    first = take(FILE)
    exported = export_configuration(configuration=first)
    assert exported == FILE
    Configuration.objects.filter(pk=first.pk).update(name="The first one")
    again = export_configuration(configuration=take(json.loads(json.dumps(exported))))
    assert json.dumps(again) == json.dumps(exported)


def test_settings_of_record_matching_travel_only_when_they_are_not_the_usual_ones(authentication):
    matching = {"linkedRecords": False, "scriptVariables": True, "variables": {"ticket": "my_ticket"}}
    configuration = take(with_change("settings", "recordMatching", matching))
    assert (configuration.uses_linked_records, configuration.record_variables) == (False, {"ticket": "my_ticket"})
    assert export_configuration(configuration=configuration)["settings"]["recordMatching"] == matching


def test_every_rule_of_record_matching_travels(authentication):
    matching = {
        "linkedRecords": True, "scriptVariables": True, "variables": {"ticket": "my_ticket"},
        "writtenRecords": False, "searchRecords": True, "searchByPhone": False, "createCases": True,
        "createPeople": True, "checkCaller": True, "emailVariable": "mail", "externalIdVariable": "account",
        "phoneCountry": "CA", "caseAgeHours": 24, "closedCases": "follow_up",
    }  # fmt: skip
    configuration = take(with_change("settings", "recordMatching", matching))
    assert (configuration.phone_country, configuration.closed_case_policy) == ("CA", "follow_up")
    assert export_configuration(configuration=configuration)["settings"]["recordMatching"] == matching


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("writtenRecords", "yes"),
        ("caseAgeHours", 0),
        ("caseAgeHours", 8761),
        ("phoneCountry", "Canada"),
        ("closedCases", "reopen"),
        ("emailVariable", 7),
        ("searchAnything", True),
    ],
)
def test_a_wrong_rule_is_named_with_its_path(authentication, key, value):
    document = with_change("settings", "recordMatching", {key: value})
    assert any(f"recordMatching.{key}" in path for path in refusal(document))


def test_a_search_by_nothing_is_refused(authentication):
    document = with_change("settings", "recordMatching", {"searchRecords": True, "searchByPhone": False})
    assert list(refusal(document)) == ["settings.recordMatching.searchRecords"]


def test_a_draft_without_account_travels_as_a_draft():
    draft = Configuration.objects.create(
        name="Draft", integration_type="memory", record_variables=dict(MemoryProvider.default_record_variables)
    )
    exported = export_configuration(configuration=draft)
    Configuration.objects.filter(pk=draft.pk).update(name="Other")
    again = take(exported)
    assert (again.state, again.authentication) == ("draft", None)
    assert export_configuration(configuration=again) == exported


def test_a_file_never_holds_tokens_or_keys(authentication):
    Authentication.objects.update(access_token="secret-access", refresh_token="secret-refresh")  # noqa: S106
    assert "secret" not in json.dumps(export_configuration(configuration=take(FILE)))


FIRST_ROW = (MAPPINGS, 0, "entities", 0, "fields", 0)


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ("{", "", "not JSON: line 1"),
        ("[]", "", "one JSON object"),
        ('{"name": "a", "name": "b"}', "", "“name” stands twice"),
        (with_change("version", 2), "version", "must be 1"),
        (with_change("version", True), "version", "whole number"),
        (with_change("name", " "), "name", "must not be blank"),
        (with_change("name", 5), "name", "must be text"),
        (with_change("name", "x" * 101), "name", "at most 100"),
        (with_change("integrationType", "fax"), "integrationType", "no integration type “fax”"),
        (with_change("authentication", "ghost"), "authentication", "no authentication “ghost”"),
        (with_change("authentication", ""), "authentication", "Name an authentication"),
        (with_change("externalScreenpopDomain", "acme"), "externalScreenpopDomain", "Start with https://."),
        (with_change("colour", "red"), "colour", "not known"),
        (with_change("settings", "colour", "red"), "settings.colour", "not known"),
        (with_change("settings", []), "settings", "must be an object"),
        (with_change("settings", "timeZone", "Mars"), "settings.timeZone", "not a time zone"),
        (with_change("settings", "acwLimitMinutes", 0), "settings.acwLimitMinutes", "between 1 and 1440"),
        (with_change("settings", "memorializeOnClosed", "no"), "settings.memorializeOnClosed", "true or false"),
        (with_change(MAPPINGS, {}), MAPPINGS, "must be a list"),
        (with_change(MAPPINGS, 0, 7), f"{MAPPINGS}[0]", "must be an object"),
        (with_change(MAPPINGS, 1, "name", "calls"), f"{MAPPINGS}[1].name", "of this file"),
        (with_change(MAPPINGS, 0, "entities", []), f"{MAPPINGS}[0].entities", "at least one entity"),
        (with_change(MAPPINGS, 0, "entities", 0, "entityType", "planet"),
         f"{MAPPINGS}[0].entities[0].entityType", "no such entity type"),
        (with_change(*FIRST_ROW, "crmField", "ghost"),
         f"{MAPPINGS}[0].entities[0].fields[0].crmField", "no such field"),
        (with_change(*FIRST_ROW, "crmField", "created_at"),
         f"{MAPPINGS}[0].entities[0].fields[0].crmField", "cannot be written"),
        (with_change(*FIRST_ROW, "channel", "fax"), f"{MAPPINGS}[0].entities[0].fields[0].channel", "Choose a channel"),
        (with_change(*FIRST_ROW, "source", "transcriptUrl"),
         f"{MAPPINGS}[0].entities[0].fields[0].source", "does not exist"),
        (with_change(*FIRST_ROW, "colour", "red"), f"{MAPPINGS}[0].entities[0].fields[0].colour", "not known"),
        (with_change(MAPPINGS, 0, "entities", 0, "fields", 1, "crmField", "subject"),
         f"{MAPPINGS}[0].entities[0].fields[1].crmField", "row 1"),
        (with_change(MAPPINGS, 1, "active", True), f"{MAPPINGS}[1].entities[0].fields[0].crmField", "“Calls”"),
        (with_change("dynamicDataMappings", [{"name": "Card"}]), "dynamicDataMappings[0].entities", "at least one"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 70 else "",
)  # fmt: skip
def test_every_problem_is_named_with_its_path_and_nothing_is_changed(authentication, document, path, words):
    assert words in refusal(document)[path]


def test_all_problems_are_named_at_once(authentication):
    document = with_change(*FIRST_ROW, "crmField", "ghost")
    document["name"] = ""
    document["settings"]["timeZone"] = "Mars"
    document["dynamicDataMappings"] = [{}]
    assert set(refusal(document)) == {
        "name", "settings.timeZone", "memorializationMappings[0].entities[0].fields[0].crmField",
        "dynamicDataMappings[0].name",
    }  # fmt: skip


def test_script_variables_are_put_in_lower_case(authentication):
    configuration = take(with_change(MAPPINGS, 0, "entities", 0, "fields", 3, "source", "AccountID"))
    exported = export_configuration(configuration=configuration)
    assert exported[MAPPINGS][0]["entities"][0]["fields"][3]["source"] == "accountid"


def test_a_name_that_is_taken_is_refused_whatever_its_case(authentication):
    make_configuration(name="support fr")
    with pytest.raises(ImportRefused) as refused:
        check_file(text=json.dumps(FILE))
    assert [problem.json_path for problem in refused.value.problems] == ["name"]


def test_a_name_taken_between_check_and_import_changes_nothing(authentication):
    checked = check_file(text=json.dumps(FILE))
    make_configuration(name="Support FR", authentication=authentication)
    with pytest.raises(ImportRefused):
        import_configuration(checked=checked, actor=None)
    assert (Configuration.objects.count(), MemorializationMapping.objects.count()) == (1, 0)


def test_another_authentication_can_take_the_place_of_the_files_own(authentication):
    other = make_authentication(address="sandbox", name="Sandbox")
    assert take(FILE, authentication_name="sandbox").authentication == other


def test_the_account_is_asked_live_and_one_that_cannot_answer_is_a_problem(authentication):
    for entity_type in ("ticket", "user"):
        read_fields(authentication=authentication, entity_type=entity_type)
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("down", may_have_applied=False))
    found = refusal(FILE)
    assert "“down”" in found["memorializationMappings[0].entities[0].entityType"]


def test_mappings_need_the_permission_to_create_them(authentication):
    person = make_user("crm_integrations.add_configuration")
    assert "may not create" in refusal(FILE, actor=person)[MAPPINGS]


def test_the_commands_carry_a_configuration_from_one_name_to_another(authentication, tmp_path):
    first, file, output = take(FILE), tmp_path / "support.json", io.StringIO()
    call_command("export_configuration", str(first.pk), output=file, stderr=io.StringIO())
    first.delete()
    call_command("import_configuration", str(file), stdout=output)
    assert Configuration.objects.get().name == "Support FR"
    assert output.getvalue().splitlines()[-1].startswith("Created the configuration “Support FR” (Active): ")


def test_export_writes_only_the_file_to_standard_output(authentication):
    output = io.StringIO()
    call_command("export_configuration", str(take(FILE).pk), stdout=output, stderr=io.StringIO())
    assert json.loads(output.getvalue()) == FILE


def test_a_dry_run_creates_nothing(authentication, tmp_path):
    file, output = tmp_path / "support.json", io.StringIO()
    file.write_text(json.dumps(FILE), encoding="utf-8")
    call_command("import_configuration", str(file), "--dry-run", stdout=output)
    assert not Configuration.objects.exists()
    assert "nothing was created" in output.getvalue().splitlines()[-1]
    assert "“Calls”: 5 fields" in output.getvalue()


def test_the_import_command_fails_with_every_problem_and_its_path(authentication, tmp_path):
    file, errors = tmp_path / "support.json", io.StringIO()
    file.write_text(json.dumps(with_change(*FIRST_ROW, "crmField", "ghost")), encoding="utf-8")
    with pytest.raises(CommandError, match="Nothing was changed: 1 problem"):
        call_command("import_configuration", str(file), stderr=errors)
    assert "memorializationMappings[0].entities[0].fields[0].crmField: " in errors.getvalue()


@pytest.mark.parametrize("arguments", [("export_configuration", "0190c0de-0000-7000-8000-000000000000"),
                                       ("import_configuration", "/nowhere/support.json")])  # fmt: skip
def test_commands_name_what_is_not_there(arguments):
    with pytest.raises(CommandError):
        call_command(*arguments)


def test_a_mapping_of_the_factory_comes_out_in_the_documented_shape(authentication):
    configuration = make_configuration(authentication=authentication, name="Plain")
    make_mapping(configuration, {"user": [("name", "digital", "customerName")]}, name="Names")
    assert export_configuration(configuration=configuration)[MAPPINGS] == [
        {
            "name": "Names",
            "description": "",
            "active": True,
            "entities": [
                {
                    "entityType": "user",
                    "fields": [{"crmField": "name", "channel": "digital", "source": "customerName"}],
                }
            ],
        }
    ]
