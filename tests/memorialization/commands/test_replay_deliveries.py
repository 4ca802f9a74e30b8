"""`manage.py replay_deliveries`: the same run as the page's, in the foreground."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from memorialization.management.commands import replay_deliveries
from memorialization.models import Delivery, ReplayRun
from memorialization.services import replay_work
from tests.engine import make_delivery
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    return make_configuration()


def make_failed(configuration, count=1):
    made = [make_delivery(configuration, record_id=str(number)) for number in range(count)]
    pks = [delivery.pk for delivery in made]
    Delivery.objects.filter(pk__in=pks).update(state="failed", next_attempt_at=None, reason="gave_up")
    return made


def lines_of(*arguments):
    out = StringIO()
    call_command("replay_deliveries", *arguments, stdout=out)
    return out.getvalue().strip().splitlines()


def last_line(*arguments):
    return lines_of(*arguments)[-1]


def test_it_counts_and_replays_what_it_is_asked_for(configuration):
    make_failed(configuration)
    other = make_configuration(address="other")
    make_failed(other)
    assert last_line("--dry-run") == "2 deliveries would be replayed."
    assert last_line("--dry-run", "--until", "2001-01-01") == "0 deliveries would be replayed."
    assert last_line("--dry-run", "--since", "2001-01-01T10:00:00-05:00") == "2 deliveries would be replayed."
    assert last_line("--dry-run", "--since", "2999-01-01") == "0 deliveries would be replayed."
    assert last_line("--dry-run", "--reason", "no_record") == "0 deliveries would be replayed."
    assert last_line("--configuration", str(other.pk)) == "Replayed: 1; not replayed: none."
    assert last_line("--dry-run") == "1 deliveries would be replayed."
    assert last_line("--state", "delivered", "--dry-run") == "0 deliveries would be replayed."
    assert ReplayRun.objects.get().actor_name == "Agent Integrations"


def test_it_names_what_is_left_out_and_replays_nothing_twice(configuration):
    failed = make_failed(configuration, 2)
    Delivery.objects.filter(pk=failed[0].pk).update(record_id="")
    assert last_line() == "Replayed: 1; not replayed: 1 no_record."
    assert last_line() == "Replayed: 0; not replayed: 1 no_record, 1 replayed."


def test_it_says_how_far_it_is(configuration, monkeypatch):
    monkeypatch.setattr(replay_work, "SLICE", 2)
    monkeypatch.setattr(replay_deliveries, "REPORT_EVERY", 2)
    make_failed(configuration, 5)
    run = ReplayRun.objects.order_by("pk").last
    lines = lines_of()
    assert lines == [
        f"Replay run {run().pk}.", "2 of 5 …", "4 of 5 …", "Replayed: 5; not replayed: none."
    ]  # fmt: skip


def test_ctrl_c_cancels_the_run(configuration, monkeypatch):
    monkeypatch.setattr(replay_work, "SLICE", 2)
    monkeypatch.setattr(replay_deliveries, "REPORT_EVERY", 2)
    make_failed(configuration, 5)

    class Terminal(StringIO):
        def write(self, text):
            if text.startswith("2 of"):
                raise KeyboardInterrupt
            return super().write(text)

    out = Terminal()
    with pytest.raises(CommandError, match="Cancelled; nothing more is queued"):
        call_command("replay_deliveries", stdout=out)
    assert out.getvalue().endswith("Replayed: 2; not replayed: none.\n")
    run = ReplayRun.objects.get()
    assert (run.state, run.replayed, run.lease) == ("cancelled", 2, None)


@pytest.mark.parametrize("given", [("--since", "soon"), ("--since", "2026-02-30"), ("--state", "lost")])
def test_what_cannot_be_read_is_refused(given):
    with pytest.raises(CommandError):
        lines_of(*given)
