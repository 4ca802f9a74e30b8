"""`manage.py prune_history`: what it refuses, what it says, what it leaves behind."""

from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm_integrations.models import AuditEntry
from memorialization.management.commands import prune_history
from memorialization.models import Contact, Delivery, Interaction
from tests.engine import make_interaction
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def old():
    interaction = make_interaction(make_configuration())
    for model in (Contact, Interaction, Delivery):
        model.objects.update(created_at=timezone.now() - timedelta(days=40))
    return interaction


def run(*arguments):
    out = StringIO()
    call_command("prune_history", *arguments, stdout=out)
    return out.getvalue().strip().splitlines()


@pytest.mark.parametrize("days", ["29", "0", "-40", "36501", "many", "30.5", "²"])
def test_event_ids_are_kept_for_thirty_days_and_it_says_so(old, days):
    with pytest.raises(CommandError, match="ids of events are kept for 30 days"):
        run(f"--days={days}")
    assert Contact.objects.exists()


def test_days_have_to_be_given():
    with pytest.raises(CommandError, match="--days"):
        run()


def test_it_says_what_it_deleted_and_the_audit_trail_keeps_it(old):
    assert run("--days", "41")[-1] == "Deleted: nothing."
    assert run("--days", "30", "--dry-run")[-1].startswith("Would be deleted: 1 contacts, 1 interactions")
    assert not AuditEntry.objects.exists()
    assert run("--days", "30")[-1] == "Deleted: 1 contacts, 1 interactions, 0 deliveries, 0 attempts, 0 events."
    entry = AuditEntry.objects.get(action="history_pruned")
    assert entry.details["days"] == 30 and entry.details["contacts"] == 1
    assert run("--days", "30")[-1] == "Deleted: nothing."


def test_it_tells_how_far_it_is(old, monkeypatch):
    monkeypatch.setattr(prune_history, "REPORT_EVERY", 1)
    assert "1 contacts" in run("--days", "30")[0]


def test_ctrl_c_keeps_what_was_done_and_says_so(old, monkeypatch):
    def cut_off(**_keys):
        yield Counter(contacts=3)
        raise KeyboardInterrupt

    monkeypatch.setattr(prune_history, "prune_history", cut_off)
    with pytest.raises(CommandError, match="Interrupted. Deleted: 3 contacts") as caught:
        run("--days", "30")
    assert caught.value.returncode == 130
    assert AuditEntry.objects.get(action="history_pruned").details["contacts"] == 3


def test_a_count_that_is_cut_off_does_not_say_that_anything_was_deleted(old, monkeypatch):
    def cut_off(**_keys):
        yield Counter(contacts=3)
        raise KeyboardInterrupt

    monkeypatch.setattr(prune_history, "count_history", cut_off)
    with pytest.raises(CommandError, match="Interrupted. Would be deleted: 3 contacts"):
        run("--days", "30", "--dry-run")


def test_what_went_of_erased_contacts_alone_is_in_the_audit_trail_too(old):
    Contact.objects.update(erased_at=timezone.now())
    assert run("--days", "30")[-1].startswith("Deleted: 0 contacts, 1 interactions")
    assert AuditEntry.objects.get(action="history_pruned").details["interactions"] == 1
