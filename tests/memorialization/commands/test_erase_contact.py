"""`manage.py erase_contact`: it says what it found, asks, erases, and says what is still under way."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm_integrations.models import AuditEntry
from memorialization.management.commands import erase_contact
from memorialization.models import Contact, Delivery, MappingVersion
from tests.engine import take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
NOW = datetime(2026, 1, 15, 16, 0, tzinfo=UTC)
NUMBER = "+15145550123"


@pytest.fixture(autouse=True)
def delivery():
    configuration = make_configuration()
    make_mapping(configuration, {"ticket": [("subject", "voice", "ani")]})
    MappingVersion.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    records = [{"entityType": "ticket", "id": "35"}]
    event = voice(at="2026-01-15T15:00:00Z", contactId="77", fields={"ani": NUMBER}, records=records)
    take_in(configuration, event, now=NOW)
    return Delivery.objects.get()


@pytest.fixture
def answer(monkeypatch):
    def give(text):
        def read(_prompt):
            if text is None:
                raise EOFError
            return text

        monkeypatch.setattr("builtins.input", read)

    return give


def run(*arguments):
    out = StringIO()
    call_command("erase_contact", *arguments, stdout=out)
    return out.getvalue().strip().splitlines()


def is_erased():
    return Contact.objects.get().erased_at is not None


def test_a_dry_run_counts_and_quotes_nothing():
    lines = run("(514) 555-0123", "--dry-run")
    assert lines[-2] == (
        "Found (1 by phone number): 1 contacts, 1 interactions, 1 deliveries, 1 events; "
        "1 of the deliveries wait and will never be sent."
    )
    assert lines[-1] == "Nothing was erased." and not is_erased()


def test_after_a_yes_it_erases_and_says_that_the_crm_keeps_what_it_has(answer):
    answer("yes")
    last = run(NUMBER)[-1]
    assert last.startswith("Erased: 1 contacts, 1 interactions, 1 deliveries, 1 events. Skipped: 1 deliveries.")
    assert "Nothing is deleted in the CRM" in last and is_erased()
    entry = AuditEntry.objects.get(action="contact_erased")
    assert entry.details["contacts"] == 1 and "5550123" not in f"{entry.subject}{entry.details}"


@pytest.mark.parametrize("text", ["", "y", "no", None])
def test_without_a_yes_nothing_is_erased(answer, text):
    answer(text)
    with pytest.raises(CommandError, match="Nothing was erased"):
        run("77")
    assert not is_erased() and not AuditEntry.objects.exists()


def test_who_is_not_known_is_not_asked_about():
    assert run("nobody@example.org")[-2:] == ["Found: nothing.", "Nothing was erased."]


def test_nobody_is_not_a_key():
    with pytest.raises(CommandError, match="Name a contact"):
        run(" ")


def test_what_is_still_being_sent_ends_in_a_failure_that_says_to_run_it_again(delivery, monkeypatch):
    monkeypatch.setattr(erase_contact, "WAIT_S", 0)
    Delivery.objects.update(state="sending")
    with pytest.raises(CommandError, match="1 deliveries are still being sent. Run the command again") as caught:
        run("77", "--yes")
    assert caught.value.returncode == 1 and is_erased()
    assert NUMBER in str(Delivery.objects.get().fields)
    Delivery.objects.update(state="delivered")
    assert "Erased: 1 contacts" in run(NUMBER, "--yes")[-1]
    assert NUMBER not in str(Delivery.objects.get().fields)


def test_it_waits_a_while_for_what_is_being_sent(delivery, monkeypatch):
    Delivery.objects.update(state="sending")
    monkeypatch.setattr(erase_contact.time, "sleep", lambda _s: Delivery.objects.update(state="delivered"))
    assert run("77", "--yes")[-1].startswith("Erased: 1 contacts, 1 interactions, 1 deliveries, 1 events.")


def test_ctrl_c_keeps_what_was_done_and_the_audit_trail_knows(monkeypatch):
    def cut_off(_seconds):
        raise KeyboardInterrupt

    Delivery.objects.update(state="sending")
    monkeypatch.setattr(erase_contact.time, "sleep", cut_off)
    with pytest.raises(CommandError, match="Interrupted. Erased: 1 contacts") as caught:
        run("77", "--yes")
    assert caught.value.returncode == 130 and AuditEntry.objects.filter(action="contact_erased").exists()


def test_a_key_that_is_an_id_of_one_and_the_number_of_another_is_not_taken_for_both_unasked(delivery, answer):
    event = voice(at="2026-01-15T15:00:00Z", contactId="5145550123", fields={"ani": "+14165550100"})
    take_in(delivery.configuration, event, now=NOW)
    with pytest.raises(CommandError, match="id of some of these contacts and the phone number of others"):
        run("5145550123", "--yes")
    assert not Contact.objects.filter(erased_at__isnull=False).exists()
    answer("yes")
    assert "Erased: 2 contacts" in run("5145550123")[-1]
