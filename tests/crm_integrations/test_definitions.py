"""Definitions as JSON and as people read them (crm_integrations.definitions)."""

import json

import pytest

from crm_integrations import definitions
from crm_integrations.definitions import (
    display_title,
    entity_type_as_json,
    entity_type_from_json,
    field_as_json,
    field_from_json,
    title_of_key,
)
from crm_integrations.providers.base import CRMField, EntityType, FieldType
from tests.memory_provider import FIELDS


@pytest.mark.parametrize(
    "field", [field for fields in FIELDS.values() for field in fields], ids=lambda field: field.key
)
def test_a_field_survives_the_way_through_json(field):
    assert field_from_json(json.loads(json.dumps(field_as_json(field)))) == field


def test_an_entity_type_survives_the_way_through_json_and_unknown_keys_are_ignored():
    device = EntityType("custom_object:device", "Device", "Devices", is_custom=True)
    stored = json.loads(json.dumps(entity_type_as_json(device))) | {"from_a_later_version": 1}
    assert entity_type_from_json(stored) == device


def test_only_the_products_own_titles_are_translated(monkeypatch):
    monkeypatch.setattr(definitions, "gettext", lambda words: f"« {words} »")
    assert display_title(CRMField("subject", "Subject", FieldType.TEXT)) == "« Subject »"
    assert display_title(CRMField("x", "Subject", FieldType.TEXT, is_custom=True)) == "Subject"
    assert display_title(CRMField("x", "", FieldType.TEXT)) == ""


@pytest.mark.parametrize(
    ("key", "title"),
    [("ticket", "Ticket"), ("custom_object:service_car", "Service car"), ("custom_object:", "custom_object:")],
)
def test_an_entity_type_that_was_never_read_is_named_by_its_key(key, title):
    assert title_of_key(key) == title
