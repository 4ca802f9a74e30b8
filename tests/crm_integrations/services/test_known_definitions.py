"""Definitions as last read: parsed once, and anew as soon as the catalogue has read them anew."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_integrations.definitions import field_as_json
from crm_integrations.models import CatalogueSnapshot
from crm_integrations.providers.base import CRMField, FieldType
from crm_integrations.services.known_definitions import known_entity_types, known_fields
from tests.factories import make_authentication

pytestmark = pytest.mark.django_db


@pytest.fixture
def snapshot():
    account = make_authentication().account
    return CatalogueSnapshot.objects.create(
        account=account,
        entity_type="ticket",
        fetched_at=timezone.now(),
        definitions=[field_as_json(CRMField("subject", "Subject", FieldType.TEXT))],
    )


def titles(snapshot):
    known = known_fields(account_id=snapshot.account_id, entity_types=["ticket", "user"])
    return {entity_type: [field.title for field in fields.values()] for entity_type, fields in known.items()}


def test_a_second_look_reads_no_definitions(snapshot, django_assert_num_queries):
    assert titles(snapshot) == {"ticket": ["Subject"]}
    with django_assert_num_queries(1) as captured:
        assert titles(snapshot) == {"ticket": ["Subject"]}
    assert "definitions" not in captured.captured_queries[0]["sql"]


def test_what_was_read_anew_is_known_at_once(snapshot):
    assert titles(snapshot) == {"ticket": ["Subject"]}
    snapshot.definitions = [field_as_json(CRMField("subject", "Title", FieldType.TEXT))]
    snapshot.fetched_at += timedelta(minutes=15)
    snapshot.save()
    assert titles(snapshot) == {"ticket": ["Title"]}


def test_what_was_never_read_is_not_known(snapshot):
    CatalogueSnapshot.objects.update(fetched_at=None)
    assert titles(snapshot) == {} and known_entity_types(account_id=snapshot.account_id) == {}
