"""`manage.py replay_deliveries`: the same run as the page's, in the foreground."""

import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm_integrations.models import Configuration
from memorialization.management.commands import replay_deliveries
from memorialization.models import Delivery, ReplayRun
from memorialization.services import replay_work
from memorialization.services.replay_runs import cancel_replay_run
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


@pytest.mark.parametrize("is_taking_back", [False, True])
def test_a_run_that_somebody_cancels_on_its_page_is_no_success(configuration, monkeypatch, is_taking_back):
    monkeypatch.setattr(replay_work, "SLICE", 2)
    make_failed(configuration, 5)
    find = replay_work.find_members

    def find_and_cancel(*arguments, **given):
        if given["after"]:
            run = ReplayRun.objects.get()
            cancel_replay_run(run=run, actor=None, is_taking_back=is_taking_back, now=timezone.now())
        return find(*arguments, **given)

    monkeypatch.setattr(replay_work, "find_members", find_and_cancel)
    out = StringIO()
    with pytest.raises(CommandError, match="Somebody cancelled the run") as stopped:
        call_command("replay_deliveries", stdout=out)
    assert stopped.value.returncode == 1
    assert out.getvalue().endswith("Replayed: 2; not replayed: none.\n")


def test_a_run_that_fails_is_no_success(configuration, monkeypatch):
    make_failed(configuration)
    monkeypatch.setattr(replay_work, "MOST_STALLS", 0)
    with pytest.raises(CommandError, match="The run could not go on"):
        lines_of()


def test_a_configuration_that_is_not_there_is_refused_before_anything_is_begun(configuration):
    make_failed(configuration)
    Configuration.objects.update(state="deleted", deleted_at=timezone.now())
    for named in (uuid.uuid4(), configuration.pk):
        with pytest.raises(CommandError, match="There is no configuration"):
            lines_of("--configuration", str(named))
    assert not ReplayRun.objects.exists()


def test_the_ends_of_the_calendar_are_moments_like_any_other(configuration):
    make_failed(configuration)
    assert last_line("--dry-run", "--until", "9999-12-31T23:00:00+00:00") == "1 deliveries would be replayed."
    assert last_line("--dry-run", "--since", "0001-01-01") == "1 deliveries would be replayed."


@pytest.mark.parametrize(
    "given",
    [
        ("--since", "soon"),
        ("--since", "2026-02-30"),
        ("--until", "9999-12-31T23:00:00-05:00"),
        ("--since", "0001-01-01T00:00:00+05:00"),
        ("--state", "lost"),
    ],
)
def test_what_cannot_be_read_is_refused(given):
    with pytest.raises(CommandError):
        lines_of(*given)
