"""Looks at lanes: one for many, good for a moment, and never the same one twice."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from memorialization.models import Delivery
from memorialization.services import lane_looks
from memorialization.services.lane_looks import LaneLooks
from tests.engine import claim_due, make_delivery
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def holds():
    configuration = make_configuration()
    for number in range(3):
        make_delivery(configuration, record_id=str(number))
    return claim_due(configuration)


def test_lanes_are_looked_at_together(holds):
    looks = LaneLooks(holds)
    with CaptureQueriesContext(connection) as captured:
        found = [looks.take(hold.lane_id) for hold in holds]
    assert [len(waiting) for waiting, _marks in found] == [1, 1, 1]
    assert len(captured) == 2


def test_a_lane_is_looked_at_anew_after_a_push(holds):
    looks = LaneLooks(holds)
    looks.take(holds[0].lane_id)
    Delivery.objects.update(state="delivered")
    assert looks.take(holds[0].lane_id) == ([], {})


def test_a_look_grows_old(holds, monkeypatch):
    looks = LaneLooks(holds)
    looks.take(holds[0].lane_id)
    Delivery.objects.update(state="skipped")
    monkeypatch.setattr(lane_looks, "GOOD_S", -1.0)
    assert looks.take(holds[1].lane_id) == ([], {})
