"""Snippets say what the API takes: their code, run in the mind, makes bodies that the parsers accept."""

import re

import pytest

from crm_integrations.workflows.bodies import Workflow
from crm_integrations.workflows.parsing import parse_body
from memorialization.events.parsing import read_payload
from memorialization.studio.snippets import StudioSettings, digital_snippets, voice_snippets

SETTINGS = StudioSettings("https://x.test/api/v1/configurations/1", ("accountid", "crm ticket"), "ticket")
VALUES = {"occurredday": "2026-11-22", "occurredtime": "15:04:58", "customeremail": "alex@example.com"}


def run(code):
    """What the code builds: nested objects out of dotted assignments, variables in braces replaced."""
    built = {}
    for path, value in re.findall(r'^\w+\.([\w.]+) = "(.*)"$', code, re.MULTILINE):
        place = built
        *parents, key = path.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "5145550123"), value)
    return built


@pytest.mark.parametrize("snippets", [voice_snippets, digital_snippets])
def test_events_are_understood_and_carry_the_variables(snippets):
    (event,) = (each for each in snippets(SETTINGS) if each.call.url.endswith("/events"))
    reading = read_payload(run(event.code))
    assert reading.event.ignored_keys == () and reading.event.flags == ()
    assert reading.event.script_variables == {"accountid": "5145550123"}
    assert event.call.body in event.code and event.code.count("DYNAMIC") == 1


@pytest.mark.parametrize("snippets", [voice_snippets, digital_snippets])
def test_workflows_take_what_the_snippets_send(snippets):
    for snippet in snippets(SETTINGS):
        address, _sign, workflow = snippet.call.url.partition("/workflows/")
        if workflow:
            asked = parse_body(Workflow(workflow), run(snippet.code))
            assert asked.circumstances.contact_id == "5145550123" and asked.circumstances.ignored == ()
            assert address == SETTINGS.api_url


def test_every_call_goes_to_the_configuration_and_none_carries_a_key():
    for snippet in [*voice_snippets(SETTINGS), *digital_snippets(SETTINGS)]:
        assert snippet.call.url.startswith(SETTINGS.api_url + "/")
        assert "Bearer" not in snippet.code


def test_without_a_type_for_cases_none_are_created():
    assert "create-case" not in [snippet.key for snippet in voice_snippets(StudioSettings("https://x.test"))]
