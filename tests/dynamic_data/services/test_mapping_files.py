"""The list `dynamicDataMappings` of configuration files (dynamic_data.services.mapping_files)."""

import copy
import json

import pytest

from crm_integrations.models import Configuration
from crm_integrations.providers.errors import CRMUnavailable
from crm_integrations.services.configuration_files import (
    ImportRefused,
    check_file,
    export_configuration,
    import_configuration,
)
from dynamic_data.models import DynamicDataMapping
from tests.factories import make_authentication
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
LIST = "dynamicDataMappings"
FILE = {
    "version": 1,
    "name": "Support FR",
    "integrationType": "memory",
    "description": "",
    "authentication": "acme (admin)",
    "externalScreenpopDomain": "",
    "settings": {},
    "memorializationMappings": [],
    LIST: [
        {
            "name": "Card",
            "description": "What agents see",
            "active": True,
            "entities": [
                {"entityType": "ticket", "fields": ["subject", "priority", "created_at"]},
                {"entityType": "custom_object:device", "fields": ["serial"]},
            ],
        },
        {
            "name": "Later",
            "description": "",
            "active": False,
            "entities": [{"entityType": "ticket", "fields": ["notes"]}],
        },
    ],
}


@pytest.fixture(autouse=True)
def authentication():
    return make_authentication(name="acme (admin)")


def with_change(*path_and_value):
    """A copy of FILE with one value put at a path inside the list."""
    *path, last, value = path_and_value
    changed = copy.deepcopy(FILE)
    place = changed[LIST]
    for step in path:
        place = place[step]
    place[last] = value
    return changed


def refusal(document) -> dict[str, str]:
    with pytest.raises(ImportRefused) as refused:
        check_file(text=json.dumps(document))
    assert not Configuration.objects.exists()
    return {problem.json_path: problem.message for problem in refused.value.problems}


def test_export_import_export_is_identical():
    configuration = import_configuration(checked=check_file(text=json.dumps(FILE)), actor=None)
    assert DynamicDataMapping.objects.filter(configuration=configuration).count() == 2
    assert export_configuration(configuration=configuration)[LIST] == FILE[LIST]


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (with_change(0, "colour", "red"), "[0].colour", "not known"),
        (with_change(0, "name", ""), "[0].name", "blank"),
        (with_change(1, "name", "CARD"), "[1].name", "Another mapping of this file"),
        (with_change(0, "entities", []), "[0].entities", "at least one entity"),
        (with_change(0, "entities", 0, "entityType", "car"), "[0].entities[0].entityType", "no such entity type"),
        (with_change(0, "entities", 1, "entityType", "ticket"), "[0].entities[1].entityType", "already has"),
        (with_change(0, "entities", 0, "fields", 1, "ghost"), "[0].entities[0].fields[1]", "no such field"),
        (with_change(0, "entities", 0, "fields", 1, "subject"), "[0].entities[0].fields[1]", "row 1"),
        (with_change(0, "entities", 0, "fields", 1, 7), "[0].entities[0].fields[1]", "text in quotes"),
        (with_change(0, "entities", 0, "fields", 1, " "), "[0].entities[0].fields[1]", "blank"),
        (with_change(0, "entities", 0, "fields", "subject"), "[0].entities[0].fields", "list"),
        (
            with_change(0, "entities", 0, "fields", ["subject", "priority", "notes", "amount", "tags", "topics"]),
            "[0].entities[0].fields",
            "at most 5 fields",
        ),
        (with_change(1, "active", True), "[1].entities[0].entityType", "“Card”"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 70 else "",
)
def test_every_problem_is_named_with_its_path_and_nothing_is_changed(document, path, words):
    assert words in refusal(document)[LIST + path]


def test_an_account_that_cannot_be_read_refuses_the_file():
    account = MemoryProvider.accounts["acme"]
    account.faults.extend([CRMUnavailable("down", may_have_applied=False)] * 3)
    assert any("cannot be reached" in sentence for sentence in refusal(FILE).values())


def test_what_would_be_created_is_said_in_words():
    lines = check_file(text=json.dumps(FILE)).lines
    assert "Dynamic data mapping “Card”: 4 fields" in lines
    assert "Dynamic data mapping “Later”, inactive: 1 field" in lines
