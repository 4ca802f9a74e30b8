"""A row made quickly is the row that Django would make."""

import pytest

from crm_integrations.new_rows import new_row
from memorialization.models import Contact, Delivery, Interaction
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db


def test_a_new_row_is_what_calling_the_model_makes():
    contact = Contact.objects.create(configuration=make_configuration(), contact_id="1")
    given = {"configuration_id": contact.configuration_id, "contact": contact, "channel": "voice"}
    quick, plain = new_row(Interaction, **given), Interaction(**given)
    assert {**vars(quick), "_state": None} == {**vars(plain), "_state": None}
    assert quick.contact is contact and quick._state.adding and quick.pk is None
    quick.save()
    assert Interaction.objects.get().contact_id == contact.pk


def test_rows_share_no_container():
    first, second = new_row(Delivery), new_row(Delivery)
    first.fields.append("one")
    assert second.fields == [] and new_row(Delivery).fields == []
