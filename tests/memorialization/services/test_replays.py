"""Replays: again, in the record's order, never over a newer value, and on the record who asked."""

from datetime import timedelta

import pytest

from crm_integrations.models import AuditEntry
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable
from memorialization.models import Contact, Delivery, Interaction
from memorialization.services.replays import ReplayRefused, replay_delivery
from tests.engine import NOW, account_of, lane_of, make_delivery, make_entry, make_interaction, push_all
from tests.factories import make_configuration, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def make_failed(configuration, clock, *fields, **columns):
    account_of(configuration).faults.append(AccessDenied("no right", status=403))
    delivery = make_delivery(configuration, *fields, **columns)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    return delivery


def test_a_failed_delivery_goes_again_as_a_new_revision_and_is_audited(configuration, clock):
    failed = make_failed(configuration, clock)
    person = make_user()
    replay = replay_delivery(delivery=failed, actor=person, now=clock.now)
    assert (replay.revision, replay.replay_of, replay.state) == (2, failed, "waiting")
    push_all(configuration, clock)
    replay.refresh_from_db()
    failed.refresh_from_db()
    assert (replay.state, failed.state) == ("delivered", "failed")
    entry = AuditEntry.objects.get(action="delivery_replayed")
    assert (entry.actor, entry.configuration, entry.details) == (
        person,
        configuration,
        {"delivery": failed.pk, "as": replay.pk},
    )


def test_a_replay_forgets_what_the_push_found_and_keeps_what_the_plan_left_out(configuration, clock):
    left_out = {"crm_field": "amount", "type": "decimal", "result": "left_out", "reason": "not_a_number", "params": {}}
    account_of(configuration).ignored_fields.add("subject")
    delivery = make_delivery(configuration, make_entry("subject", "Call"), left_out)
    push_all(configuration, clock)
    replay = replay_delivery(delivery=delivery, actor=None, now=clock.now)
    assert "result" not in replay.fields[0]
    assert replay.fields[1] == left_out


def test_a_replay_of_a_shortened_value_still_says_that_it_was_shortened(configuration, clock):
    shortened = make_entry("subject", "Ca…", reason="shortened_to_limit", params={"length": 9, "limit": 3})
    account_of(configuration).ignored_fields.add("subject")
    delivery = make_delivery(configuration, shortened)
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.fields[0]["reason"] == "not_shown_by_crm"
    account_of(configuration).ignored_fields.clear()
    replay = replay_delivery(delivery=delivery, actor=None, now=clock.now)
    push_all(configuration, clock)
    replay.refresh_from_db()
    found = replay.fields[0]
    assert (found["result"], found["reason"]) == ("shortened", "shortened_to_limit")
    assert found["params"] == {"length": 9, "limit": 3}


def test_a_replay_of_an_older_segment_obeys_the_marks(configuration, clock):
    failed = make_failed(configuration, clock, make_entry("subject", "old"), ended_at=NOW - timedelta(hours=1))
    make_delivery(configuration, make_entry("subject", "new"))
    push_all(configuration, clock)
    replay = replay_delivery(delivery=failed, actor=None, now=clock.now)
    push_all(configuration, clock)
    replay.refresh_from_db()
    assert replay.fields[0]["result"] == "superseded"
    assert account_of(configuration).records["ticket", "35"]["subject"] == "new"


def test_a_replay_does_not_post_the_note_twice(configuration, clock):
    delivery = make_delivery(configuration, make_entry("comment", "Note", type="comment"))
    push_all(configuration, clock)
    replay_delivery(delivery=delivery, actor=None, now=clock.now)
    push_all(configuration, clock)
    assert len(account_of(configuration).comments["ticket", "35"]) == 1


def test_what_waits_before_a_delivery_is_tried_now_with_it(configuration, clock):
    """The record's order stays: behind one that waits longer, it would not be tried."""
    older, newer = (
        make_delivery(configuration, make_entry("subject", value), ended_at=NOW - timedelta(minutes=minutes))
        for value, minutes in (("Old", 9), ("New", 0))
    )
    Delivery.objects.update(next_attempt_at=NOW + timedelta(hours=6))
    replay_delivery(delivery=newer, actor=None, now=NOW)
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_waiting_delivery_is_only_made_due_now(configuration, clock):
    account_of(configuration).faults.append(CRMUnavailable("503", may_have_applied=False))
    delivery = make_delivery(configuration)
    push_all(configuration, clock)
    assert replay_delivery(delivery=delivery, actor=None, now=clock.now) == delivery
    assert lane_of(delivery).next_due_at == clock.now
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert Delivery.objects.count() == 1


def test_a_delivery_that_is_due_already_is_not_put_off_by_a_try_now(configuration, clock):
    """Whoever asked has a clock that is ahead."""
    delivery = make_delivery(configuration)
    replay_delivery(delivery=delivery, actor=None, now=clock.now + timedelta(minutes=10))
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"state": "sending"}, "sending"),
        ({"state": "skipped", "record_id": ""}, "no_record"),
        ({"state": "skipped", "fields": [{"crm_field": "subject", "result": "blank"}]}, "nothing_to_write"),
    ],
)
def test_what_cannot_go_again_is_refused_with_a_reason(configuration, clock, columns, reason):
    delivery = make_delivery(configuration)
    Delivery.objects.filter(pk=delivery.pk).update(**columns)
    with pytest.raises(ReplayRefused) as caught:
        replay_delivery(delivery=delivery, actor=None, now=clock.now)
    assert caught.value.reason == reason
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("is_contact_gone", [False, True])
def test_one_that_was_pruned_meanwhile_is_refused(configuration, clock, is_contact_gone):
    failed = make_failed(configuration, clock)
    Delivery.objects.get(pk=failed.pk).delete()
    if is_contact_gone:
        Interaction.objects.get(pk=failed.interaction_id).delete()
        Contact.objects.all().delete()
    with pytest.raises(ReplayRefused) as caught:
        replay_delivery(delivery=failed, actor=None, now=clock.now)
    assert caught.value.reason == "pruned"
    assert AuditEntry.objects.count() == 0


def test_a_record_that_was_unlinked_is_not_written_to_again(configuration, clock):
    failed = make_failed(configuration, clock)
    failed.interaction.unlinks = [{"entity_type": "ticket", "id": "35"}]
    failed.interaction.save()
    with pytest.raises(ReplayRefused) as caught:
        replay_delivery(delivery=failed, actor=None, now=clock.now)
    assert caught.value.reason == "unlinked"


def test_a_skipped_delivery_with_a_record_and_no_lane_enters_one(configuration, clock):
    delivery = make_delivery(configuration)
    Delivery.objects.filter(pk=delivery.pk).update(state="skipped", lane=None, next_attempt_at=None)
    replay_delivery(delivery=delivery, actor=None, now=clock.now)
    push_all(configuration, clock)
    assert Delivery.objects.get(revision=2).state == "delivered"


def test_revisions_of_replays_and_plans_never_collide(configuration, clock):
    interaction = make_interaction(configuration)
    first = make_failed(configuration, clock, interaction=interaction)
    assert replay_delivery(delivery=first, actor=None, now=clock.now).revision == 2
    assert replay_delivery(delivery=first, actor=None, now=clock.now).revision == 3
