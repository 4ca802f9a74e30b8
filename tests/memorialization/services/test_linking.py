"""Links made by people and scripts are events, and later than whatever is known."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from memorialization.events.schema import RecordLink
from memorialization.models import Interaction, InteractionEvent
from memorialization.services.linking import change_link
from memorialization.services.record_links import unlink_record
from tests.engine import take_in
from tests.factories import make_configuration, make_user
from tests.memorialization.event_payloads import voice

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
RECORD = {"entityType": "ticket", "id": "1"}


@pytest.mark.django_db
def test_unlinking_by_hand_wins_over_a_link_of_a_source_whose_clock_is_ahead():
    event = voice("ended", "15:04:00", records=[RECORD])
    take_in(make_configuration(), event, now=NOW)
    interaction = Interaction.objects.get()
    result = change_link(
        interaction=interaction, record=RECORD, is_linked=False, now=NOW + timedelta(seconds=9), origin="person"
    )
    interaction.refresh_from_db()
    assert len(result.accepted) == 1 and interaction.links == []
    assert InteractionEvent.objects.get(type="records.unlinked").origin == "person"


@pytest.mark.django_db
def test_what_names_no_record_is_rejected_with_its_field():
    take_in(make_configuration(), voice(), now=NOW)
    result = change_link(interaction=Interaction.objects.get(), record={"id": "1"}, is_linked=True, now=NOW)
    assert result.rejected[0].errors[0].field == "records[0].entityType"


@pytest.mark.django_db
def test_a_person_who_unlinks_in_the_ledger_wins_over_a_source_whose_clock_is_ahead():
    event = voice("ended", "15:04:00", records=[RECORD])
    take_in(make_configuration(), event, now=NOW)
    interaction = Interaction.objects.get()
    act = {"interaction": interaction, "record": RecordLink("ticket", "1"), "event_id": uuid.uuid4()}
    assert unlink_record(**act, actor=make_user(), now=NOW + timedelta(seconds=9))
    interaction.refresh_from_db()
    assert interaction.links == []
    assert not unlink_record(**act, actor=make_user(), now=NOW + timedelta(seconds=10))
