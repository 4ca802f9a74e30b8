"""The account behind a card, by one statement (crm_integrations.services.card_accounts)."""

import pytest
from django.utils import timezone

from crm_integrations.contact_links import RecordReference
from crm_integrations.definitions import entity_type_as_json
from crm_integrations.models import CatalogueSnapshot
from crm_integrations.providers.base import EntityType
from crm_integrations.services.card_accounts import CardAccount, read_card_account
from crm_integrations.services.catalogue import ENTITY_TYPES
from crm_integrations.services.contact_records import keep_found_records
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db
FIRST, SECOND = RecordReference("user", "9"), RecordReference("ticket", "1")


@pytest.fixture
def configuration():
    return make_configuration()


def keep(configuration, *records, contact_id="c1", workflow="search-ani"):
    keep_found_records(
        configuration=configuration, contact_id=contact_id, workflow=workflow, records=records, now=timezone.now()
    )


def test_an_account_comes_with_its_record_types_and_what_was_found(configuration, django_assert_num_queries):
    types = [entity_type_as_json(EntityType("ticket", "Ticket", "Tickets"))]
    CatalogueSnapshot.objects.create(
        account=configuration.authentication.account,
        entity_type=ENTITY_TYPES,
        fetched_at=timezone.now(),
        definitions=types,
    )
    keep(configuration, FIRST, SECOND)
    assert read_card_account(configuration, contact_id="c1").entity_types["ticket"].title == "Ticket"
    with django_assert_num_queries(1):
        known = read_card_account(configuration, contact_id="c1")
        assert (known.account.provider, known.account.address) == ("memory", "acme")
    assert list(known.entity_types) == ["ticket"] and known.found == (FIRST, SECOND)
    assert configuration.authentication.account is known.account


def test_what_was_found_for_others_is_not_read(configuration):
    keep(configuration, FIRST, contact_id="c2")
    keep(make_configuration(), SECOND)
    assert read_card_account(configuration, contact_id="c1").found == ()
    assert read_card_account(configuration).found == ()


def test_an_account_that_was_never_read_has_no_known_types(configuration):
    known = read_card_account(configuration)
    assert known.account == configuration.authentication.account and known.entity_types == {}


def test_without_an_account_nothing_is_known():
    draft = make_configuration(state="draft")
    draft.authentication = None
    assert read_card_account(draft) == CardAccount()
