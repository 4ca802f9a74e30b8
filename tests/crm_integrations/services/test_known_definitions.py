"""Definitions as last read: parsed once, and anew as soon as the catalogue has read them anew."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_integrations.definitions import entity_type_as_json, field_as_json
from crm_integrations.models import CatalogueSnapshot
from crm_integrations.providers.base import CRMField, EntityType, FieldType
from crm_integrations.row_sql import read_values
from crm_integrations.services.catalogue import ENTITY_TYPES
from crm_integrations.services.known_definitions import (
    SNAPSHOTS,
    known_entity_types,
    parsed_fields,
    snapshot_stamp,
)
from tests.factories import make_authentication

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return make_authentication().account


@pytest.fixture
def snapshot(account):
    return CatalogueSnapshot.objects.create(
        account=account,
        entity_type="ticket",
        fetched_at=timezone.now(),
        definitions=[field_as_json(CRMField("subject", "Subject", FieldType.TEXT))],
    )


def titles():
    """As a statement of a caller's finds the snapshot."""
    columns = snapshot_stamp()
    [stamp] = read_values(f"SELECT {columns.names} FROM {SNAPSHOTS} snapshot", [])
    return [field.title for field in parsed_fields(*columns.read(stamp)).values()]


def test_a_second_look_reads_no_definitions(snapshot, django_assert_num_queries):
    assert titles() == ["Subject"]
    with django_assert_num_queries(1) as captured:
        assert titles() == ["Subject"]
    assert "definitions" not in captured.captured_queries[0]["sql"]


def test_what_was_read_anew_is_known_at_once(snapshot):
    assert titles() == ["Subject"]
    snapshot.definitions = [field_as_json(CRMField("subject", "Title", FieldType.TEXT))]
    snapshot.fetched_at += timedelta(minutes=15)
    snapshot.save()
    assert titles() == ["Title"]


def test_the_record_types_are_known_once_they_were_read(account, snapshot, django_assert_num_queries):
    assert known_entity_types(account_id=account.pk) == known_entity_types(account_id=None) == {}
    CatalogueSnapshot.objects.create(
        account=account,
        entity_type=ENTITY_TYPES,
        fetched_at=timezone.now(),
        definitions=[entity_type_as_json(EntityType("ticket", "Ticket", "Tickets"))],
    )
    assert list(known_entity_types(account_id=account.pk)) == ["ticket"]
    with django_assert_num_queries(1):
        assert known_entity_types(account_id=account.pk)["ticket"].title == "Ticket"
