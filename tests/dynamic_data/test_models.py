"""What the tables themselves refuse."""

import pytest
from django.db import IntegrityError, transaction

from crm_integrations.card_fields import FIELDS_LIMIT
from dynamic_data.models import ShownEntity, ShownField
from tests.factories import make_configuration, make_dynamic_mapping

pytestmark = pytest.mark.django_db
FIVE = ["subject", "priority", "notes", "contact_id", "handle_time"]


def refuses(act) -> bool:
    try:
        with transaction.atomic():
            act()
    except IntegrityError:
        return True
    return False


def test_a_record_type_has_five_places_and_no_sixth():
    """“You can add up to five fields per record type.”"""
    mapping = make_dynamic_mapping(make_configuration(), {"ticket": FIVE})
    entity = mapping.entities.get()
    assert entity.fields.count() == FIELDS_LIMIT == 5
    assert refuses(lambda: ShownField.objects.create(entity=entity, crm_field="amount", position=5))
    assert refuses(lambda: ShownField.objects.create(entity=entity, crm_field="amount", position=4))


def test_a_field_is_shown_once_and_a_record_type_stands_once_in_a_mapping():
    mapping = make_dynamic_mapping(make_configuration(), {"ticket": ["subject"]})
    entity = mapping.entities.get()
    assert refuses(lambda: ShownField.objects.create(entity=entity, crm_field="subject", position=1))
    assert refuses(lambda: ShownEntity.objects.create(mapping=mapping, entity_type="ticket", position=1))


def test_a_name_is_taken_whatever_its_letters():
    configuration = make_configuration()
    make_dynamic_mapping(configuration, {}, name="Card")
    assert refuses(lambda: make_dynamic_mapping(configuration, {}, name="CARD"))
