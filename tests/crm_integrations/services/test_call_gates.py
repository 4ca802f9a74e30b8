"""The gate of a connection: one transaction a call, reservations, and the rest of a record."""

from contextlib import closing
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from crm_integrations.database_clock import SteadyClock
from crm_integrations.models import CallBudget, CRMAccount
from crm_integrations.providers.limits import CallLimit, LimitReport, LimitScope
from crm_integrations.services import call_gates
from crm_integrations.services.call_budgets import BudgetSpent
from crm_integrations.services.call_gates import AT_ONCE, AccountCallGate
from tests.engine import NOW, FakeClock
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
LIMITS = (
    CallLimit("account", 3, 60),
    CallLimit("per-record", 3, 600, LimitScope.RECORD),
    CallLimit("never-told", 5, 60, LimitScope.RECORD, is_told=False),
    CallLimit("unknown", None, 60, LimitScope.RECORD, is_told=False),
)
WRITE = ("account", "per-record")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def gate(monkeypatch, clock):
    monkeypatch.setattr(MemoryProvider, "limits", LIMITS)
    account = CRMAccount.objects.create(provider="memory", address="acme", head_room_percent=0)
    return AccountCallGate(account_id=account.pk, is_interactive=False, clock=clock, limits=LIMITS)


def budget():
    return CallBudget.objects.get(limit_class="account")


def test_an_answer_is_noted_with_the_next_call(gate):
    gate.enter(WRITE)
    gate.leave(reports=[])
    assert budget().answered == 0
    gate.enter(WRITE)
    assert (budget().answered, budget().granted) == (1, 2)
    gate.leave(reports=[])
    gate.flush()
    assert (budget().answered, budget().in_flight) == (2, 0)
    assert gate.calls == 2


def test_an_answer_is_noted_even_when_the_next_call_is_refused(gate):
    gate.enter(WRITE)
    gate.leave(reports=[LimitReport("account", 3, 0, 30)])
    with pytest.raises(BudgetSpent):
        gate.enter(WRITE)
    assert (budget().answered, budget().foreign) == (1, 2)


def test_a_refusal_of_the_crm_is_noted_at_once(gate):
    gate.enter(WRITE)
    gate.leave(reports=[], refused="account", retry_after_s=93, words="slow down")
    assert budget().blocked_until == NOW + timedelta(seconds=93)


def test_a_database_that_is_away_does_not_hide_the_answer_and_loses_none(gate, monkeypatch):
    def fail(**_keys):
        raise OperationalError("gone")

    gate.enter(WRITE)
    with monkeypatch.context() as patch:
        patch.setattr(call_gates, "settle", fail)
        patch.setattr(call_gates, "acquire_several", fail)
        gate.leave(reports=[], refused="account", retry_after_s=93)
        with pytest.raises(OperationalError):
            gate.enter(WRITE)
    gate.flush()
    assert budget().blocked_until == NOW + timedelta(seconds=93)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL alone: its server hangs up")
@pytest.mark.django_db(transaction=True)
def test_a_refusal_outlives_a_connection_that_broke_during_the_call(monkeypatch):
    """The minute of the worker's clock is over as well: it asks on the broken connection first."""
    account, clock = CRMAccount.objects.create(provider="memory", address="acme"), SteadyClock()
    gate = AccountCallGate(account_id=account.pk, is_interactive=False, clock=clock, limits=LIMITS)
    gate.enter(WRITE)
    monkeypatch.setattr(clock, "ASKED_EVERY_S", 0.0)
    _end_session_of(connection)
    gate.leave(reports=[], refused="account", retry_after_s=93)
    assert budget().blocked_until is not None


def _end_session_of(wrapper):
    with closing(wrapper.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [wrapper.connection.info.backend_pid])


def test_a_reserved_call_is_used_by_the_next_of_its_kind_and_spent_once(gate):
    gate.reserve(WRITE)
    gate.reserve(WRITE)
    assert budget().granted == 1
    gate.enter(WRITE)
    gate.leave(reports=[])
    assert budget().granted == 1


def test_a_reserved_call_is_given_back_when_another_kind_comes_first(gate):
    """It would look like one under way, and an unconfirmed window lets one through."""
    gate.reserve(WRITE)
    gate.enter(["account"])
    assert (budget().granted, budget().in_flight) == (1, 1)


def test_what_was_reserved_and_not_used_goes_back(gate):
    gate.reserve(WRITE)
    gate.release()
    gate.flush()
    assert (budget().granted, budget().in_flight) == (0, 0)


def test_flushing_gives_back_what_is_still_reserved(gate):
    gate.reserve(WRITE)
    gate.flush()
    assert budget().granted == 0


def test_a_reserved_call_that_has_grown_old_is_asked_for_again(gate, clock):
    gate.reserve(WRITE)
    clock.move(seconds=61)
    gate.enter(WRITE)
    assert (budget().granted, budget().epoch) == (1, 1)


def test_a_record_rests_when_its_own_limit_is_used_up(gate, clock):
    assert gate.record_rest_s() is None
    gate.enter(WRITE)
    gate.leave(reports=[LimitReport("per-record", 30, 0, 400, LimitScope.RECORD)])
    clock.move(seconds=10)
    assert gate.record_rest_s() == 390
    gate.enter(["account"])  # reading it back is no write
    gate.leave(reports=[])
    assert gate.record_rest_s() == 390
    gate.begin_record()
    gate.enter(WRITE)
    gate.leave(reports=[LimitReport("per-record", 30, 29, 600, LimitScope.RECORD)])
    assert gate.record_rest_s() is None


@pytest.mark.parametrize("ended", [{}, {"has_failed": True}])
def test_a_record_whose_limit_no_answer_tells_is_written_at_an_even_pace(gate, clock, ended):
    gate.enter(["account", "never-told"])
    gate.leave(reports=[LimitReport("account", 3, 2, 60)], **ended)
    assert gate.record_rest_s() == 12
    clock.move(seconds=12)
    assert gate.record_rest_s() is None


def test_a_refusal_of_such_a_record_counts_for_more_than_its_pace(gate):
    gate.enter(["account", "never-told"])
    gate.leave(reports=[], refused="never-told", retry_after_s=50)
    assert gate.record_rest_s() == 50


def test_a_record_whose_limit_nobody_knows_does_not_rest(gate):
    gate.enter(["account", "unknown"])
    gate.leave(reports=[])
    assert gate.record_rest_s() is None


@pytest.mark.parametrize(("retry_after_s", "rest_s"), [(77, 77), (None, 10)])
def test_a_record_that_was_refused_rests_as_long_as_the_crm_asks(gate, retry_after_s, rest_s):
    gate.enter(WRITE)
    gate.leave(reports=[], refused="per-record", retry_after_s=retry_after_s)
    assert gate.record_rest_s() == rest_s
    assert budget().blocked_until is None


def test_an_answer_that_proves_unusable_counts_as_a_failure(gate):
    gate.enter(WRITE)
    gate.leave(reports=[])
    gate.note_unusable()
    gate.flush()
    assert CRMAccount.objects.get().circuit_failures == 1


def test_leaving_without_having_entered_is_harmless(gate):
    gate.leave(reports=[])
    gate.note_unusable()
    gate.flush()
    assert not CallBudget.objects.exists()


@pytest.fixture
def plenty(gate, monkeypatch):
    """A gate that has felt out a window of very many calls."""
    monkeypatch.setattr(MemoryProvider, "limits", (CallLimit("account", 10_000, 60), LIMITS[1]))
    call(gate, times=4 * AT_ONCE)
    gate.flush()
    return gate


def call(gate, *, times=1, **ended):
    for _ in range(times):
        gate.enter(WRITE)
        gate.leave(reports=ended.pop("reports", []), **ended)


def test_while_there_is_plenty_calls_are_granted_together_and_all_are_counted(plenty):
    with CaptureQueriesContext(connection) as captured:
        call(plenty, times=AT_ONCE)
    assert sum(query["sql"].startswith("UPDATE") and "callbudget" in query["sql"] for query in captured) == 1
    assert (budget().granted, budget().in_flight) == (5 * AT_ONCE, AT_ONCE)
    plenty.flush()
    assert (budget().granted, budget().answered, budget().in_flight) == (5 * AT_ONCE, 5 * AT_ONCE, 0)


def test_what_was_granted_ahead_and_not_used_goes_back(plenty):
    call(plenty)
    assert budget().granted == 5 * AT_ONCE
    plenty.flush()
    assert (budget().granted, budget().in_flight) == (4 * AT_ONCE + 1, 0)


def test_a_refusal_that_another_process_met_stops_calls_that_were_granted_ahead(plenty, clock):
    call(plenty)
    CallBudget.objects.update(blocked_until=NOW + timedelta(seconds=40))
    with pytest.raises(BudgetSpent) as caught:
        plenty.enter(WRITE)
    assert caught.value.retry_after_s == 40
    assert budget().in_flight == 0


@pytest.mark.parametrize("begin", ["granted", "reserved"])
def test_a_call_that_was_granted_before_a_block_is_asked_for_anew_after_it(plenty, clock, begin):
    """The window after a block is felt out call by call, and what is called in it is counted in it."""
    plenty.enter(WRITE)
    if begin == "reserved":
        plenty.reserve(WRITE)
    CallBudget.objects.update(blocked_until=NOW + timedelta(seconds=1))
    clock.move(seconds=2)
    plenty.leave(reports=[])
    with CaptureQueriesContext(connection) as captured:
        plenty.enter(WRITE)
    assert any(query["sql"].startswith("UPDATE") and "callbudget" in query["sql"] for query in captured)


def test_a_failure_is_noted_before_the_next_call(plenty):
    call(plenty, has_failed=True)
    plenty.enter(WRITE)
    assert CRMAccount.objects.get().circuit_failures == 1


def test_no_call_of_one_window_is_made_in_the_next(plenty, clock):
    call(plenty)
    clock.move(seconds=58)
    call(plenty, times=AT_ONCE)
    clock.move(seconds=2)
    plenty.enter(WRITE)
    assert (budget().epoch, budget().granted) == (1, 1)


def test_a_person_is_granted_one_call_at_a_time(plenty):
    person = AccountCallGate(account_id=budget().account_id, is_interactive=True, clock=FakeClock())
    person.enter(["account"])
    assert budget().granted == 4 * AT_ONCE + 1


def test_calls_that_a_persons_request_is_known_to_make_are_granted_together(plenty):
    account_id = budget().account_id
    person = AccountCallGate(account_id=account_id, is_interactive=True, clock=FakeClock(), expected=2)
    with CaptureQueriesContext(connection) as captured:
        for _call in range(2):
            person.enter(["account"])
            person.leave(reports=[])
        person.flush()
    assert sum(query["sql"].startswith("UPDATE") and "callbudget" in query["sql"] for query in captured) == 2
    assert (budget().granted, budget().in_flight) == (4 * AT_ONCE + 2, 0)


def test_what_a_persons_request_did_not_need_after_all_goes_back(plenty):
    account_id = budget().account_id
    person = AccountCallGate(account_id=account_id, is_interactive=True, clock=FakeClock(), expected=3)
    person.enter(["account"])
    assert budget().granted == 4 * AT_ONCE + 3
    person.leave(reports=[])
    person.flush()
    assert (budget().granted, budget().in_flight) == (4 * AT_ONCE + 1, 0)


def test_while_calls_are_scarce_a_persons_request_is_granted_one_at_a_time(gate):
    account = CRMAccount.objects.get()
    person = AccountCallGate(account_id=account.pk, is_interactive=True, clock=FakeClock(), expected=2)
    person.enter(["account"])
    assert budget().granted == 1


def test_a_reserved_call_does_not_begin_in_a_block_that_came_meanwhile(gate, clock):
    other = AccountCallGate(account_id=CRMAccount.objects.get().pk, is_interactive=True, clock=clock, limits=LIMITS)
    gate.reserve(["account"])
    other.enter(["account"])
    other.leave(reports=[], refused="account", retry_after_s=60.0)
    clock.move(seconds=2)
    with pytest.raises(BudgetSpent):
        gate.enter(["account"])
    gate.flush()
    assert budget().in_flight == 0
