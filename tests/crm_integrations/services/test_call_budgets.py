"""The budget governor: exact among any number of workers, corrected by answers, kind to others."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from crm_integrations.models import CallBudget, CallMinute, CRMAccount
from crm_integrations.providers.limits import CallLimit, LimitReport, LimitScope
from crm_integrations.selectors.budgets import budget_states, find_pause
from crm_integrations.services.budget_books import open_book, read_book
from crm_integrations.services.call_budgets import (
    BudgetSpent,
    CallAnswer,
    acquire,
    blocked_until,
    forget_past_blocks,
    opens_at,
    set_in_flight,
    settle,
)
from crm_integrations.services.call_minutes import prune_call_minutes
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 15, 15, 0, 20, tzinfo=UTC)
LIMITS = (
    CallLimit("account", 100, 60),
    CallLimit("update", 20, 60),
    CallLimit("per-record", 3, 600, LimitScope.RECORD),
    CallLimit("bulk", 2, 60, LimitScope.IN_FLIGHT),
)
WRITE = ("account", "update", "per-record")


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    monkeypatch.setattr(MemoryProvider, "limits", LIMITS)


@pytest.fixture
def account():
    return CRMAccount.objects.create(provider="memory", address="acme")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def spend(account, *classes, seconds=0.0, is_interactive=False, answers=()):
    return acquire(
        account_id=account.pk,
        limit_classes=classes or WRITE,
        is_interactive=is_interactive,
        now=at(seconds),
        answers=answers,
    )


def answer(grant, *reports, seconds=0.0, **keys):
    settle(account_id=grant.account_id, answers=[CallAnswer(grant, at(seconds), reports, **keys)])


def drain(account, *classes, seconds=0.0, is_interactive=False):
    """Call until no more is allowed; how many."""
    for count in range(1_000):
        try:
            grant = spend(account, *classes, seconds=seconds, is_interactive=is_interactive)
        except BudgetSpent:
            return count
        answer(grant, seconds=seconds)
    raise AssertionError("no limit")


def budget(account, limit_class="account"):
    return CallBudget.objects.get(account=account, limit_class=limit_class)


def test_the_tightest_limit_counts_and_deliveries_leave_the_head_room(account):
    assert drain(account) == 18
    assert drain(account, is_interactive=True) == 2
    assert budget(account).granted == 20
    assert drain(account, "account") == 70


def test_the_head_room_can_be_changed(account):
    CRMAccount.objects.update(head_room_percent=50)
    assert drain(account) == 10


def test_a_refused_grant_spends_nothing_and_says_when_to_come_back(account):
    drain(account)
    with pytest.raises(BudgetSpent) as caught:
        spend(account, seconds=20)
    assert (caught.value.limit_class, caught.value.retry_after_s) == ("update", 40)
    assert "40 seconds" in caught.value.message
    assert budget(account).granted == 18
    assert drain(account, seconds=60) == 18


@pytest.mark.parametrize(("wait", "words"), [(1, "in 1 second."), (90, "in 90 seconds."), (91, "in 2 minutes.")])
def test_waits_are_told_in_words(wait, words):
    assert words in BudgetSpent(limit_class="account", retry_after_s=wait).message


def test_limits_of_single_records_have_no_budget_of_the_account(account):
    drain(account)
    assert set(CallBudget.objects.values_list("limit_class", flat=True)) == {"account", "update"}


def test_an_answer_corrects_the_budget(account):
    answer(spend(account), LimitReport("account", 400, 250, 30), LimitReport("update", 50, 49, 30))
    assert (budget(account).calls, budget(account).foreign) == (400, 149)
    assert budget(account, "update").calls == 50
    assert drain(account) == 44


def test_what_others_use_is_left_to_them(account):
    answer(spend(account), LimitReport("update", 20, 9, 30))  # 10 by others
    assert drain(account) == 9
    assert budget(account, "update").granted == 10


def test_an_unconfirmed_window_lets_one_through(account):
    grant = spend(account)
    with pytest.raises(BudgetSpent) as caught:
        spend(account)
    assert caught.value.retry_after_s < 1
    answer(grant)
    spend(account)
    spend(account)


def test_a_worker_that_died_with_a_grant_blocks_nobody_for_more_than_five_seconds(account):
    spend(account)
    with pytest.raises(BudgetSpent):
        spend(account, seconds=4.9)
    spend(account, seconds=5)


def test_an_answer_and_the_next_grant_take_one_transaction_and_five_statements(account):
    grant = spend(account)
    reports = (LimitReport("account", 100, 90, 30), LimitReport("update", 20, 10, 30))
    with CaptureQueriesContext(
        connection,
    ) as captured:
        spend(account, answers=[CallAnswer(grant, NOW, reports)])
    statements = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 5
    assert sum("SAVEPOINT" in query["sql"] for query in captured) <= 2  # one block, released once


def test_a_refusal_blocks_its_limit_alone_and_for_the_whole_time(account):
    answer(spend(account), refused="update", retry_after_s=93, words="slow down")
    for seconds in (0, 60, 92.9):
        assert opens_at(book=read_book(account), limit_classes=WRITE, now=at(seconds)) == at(93)
    assert opens_at(book=read_book(account), limit_classes=["account"], now=NOW) is None
    assert blocked_until(account_id=account.pk, now=NOW) is None
    assert blocked_until(account_id=account.pk, now=NOW, limit_class="update") == at(93)
    spend(account, seconds=93)
    with pytest.raises(BudgetSpent):
        spend(account, seconds=93)  # slowly again


def test_a_refusal_for_one_record_blocks_nobody_else(account):
    answer(spend(account), refused="per-record", retry_after_s=600)
    spend(account)
    assert not CallBudget.objects.filter(blocked_until__isnull=False).exists()


def test_a_block_only_ever_moves_later_and_is_forgotten_when_it_is_over(account):
    def block(seconds):
        with transaction.atomic():
            book = open_book(account_id=account.pk)
            until = book.block("account", seconds=seconds, reason="r" * 500, now=NOW)
            book.save()
        return until

    assert [block(None), block(60), block(5)] == [at(10), at(60), at(60)]
    assert len(budget(account).block_reason) == 200
    assert find_pause(budget_states(account_id=account.pk, now=NOW)).blocked_until == at(60)
    assert find_pause(budget_states(account_id=account.pk, now=at(61))) is None
    assert forget_past_blocks(now=at(59)) == 0
    assert forget_past_blocks(now=at(61)) == 1
    assert budget(account).block_reason == ""


def test_bulk_writes_take_places_that_their_keeper_frees(account):
    CRMAccount.objects.update(head_room_percent=0)
    took = LimitReport("bulk", 2, 1, 60)
    answer(spend(account, "account", "bulk"), took)
    answer(spend(account, "account", "bulk"), refused="account", retry_after_s=0.001)  # nothing was started
    answer(spend(account, "account", "bulk", seconds=1), has_failed=True, seconds=1)  # may have been
    with pytest.raises(BudgetSpent) as caught:
        spend(account, "account", "bulk", seconds=1)
    assert caught.value.limit_class == "bulk"
    set_in_flight(account_id=account.pk, limit_class="bulk", count=1, now=at(1))
    spend(account, "account", "bulk", seconds=1)


def test_a_full_house_of_others_blocks_bulk_writes_and_nothing_else(account):
    answer(spend(account, "account", "bulk"), LimitReport("bulk", 2, 0, 60), refused="bulk", retry_after_s=60)
    assert opens_at(book=read_book(account), limit_classes=("account", "bulk"), now=at(1)) == at(60)
    spend(account, seconds=1)


def test_calls_are_counted_by_minute_and_forgotten_after_a_day(account):
    first = spend(account)
    answer(first)
    second = spend(account)
    answer(second, seconds=45, refused="update", retry_after_s=1)
    third = spend(account, "account", seconds=46)
    answer(third, seconds=46, has_failed=True)
    minute = NOW.replace(second=0)
    counted = {(row.limit_class, row.minute): (row.calls, row.limited, row.failed) for row in CallMinute.objects.all()}
    assert counted == {
        ("account", minute): (1, 0, 0),
        ("update", minute): (1, 0, 0),
        ("account", minute + timedelta(minutes=1)): (2, 0, 1),
        ("update", minute + timedelta(minutes=1)): (1, 1, 0),
    }
    assert prune_call_minutes(now=minute + timedelta(hours=24, seconds=30)) == 2


def test_a_limit_that_was_only_reported_is_shown_and_counts_when_it_is_asked_for(account):
    answer(spend(account, "account"), LimitReport("search", 50, 0, 30))
    shown = {state.limit_class: (state.limit, state.used) for state in budget_states(account_id=account.pk, now=NOW)}
    assert shown == {"account": (100, 1), "search": (50, 50)}
    with pytest.raises(BudgetSpent):
        spend(account, "account", "search")


def test_pages_show_who_used_what(account):
    answer(spend(account), LimitReport("update", 20, 14, 30))
    states = {state.limit_class: state for state in budget_states(account_id=account.pk, now=NOW)}
    update = states["update"]
    assert (update.limit, update.used, update.foreign, update.left, update.reserved) == (20, 6, 5, 14, 0)
    assert states["account"].reserved == 10
    later = {state.limit_class: state for state in budget_states(account_id=account.pk, now=at(31))}
    assert later["update"].used == 0


def test_a_grant_that_was_given_back_is_neither_spent_nor_counted(account):
    answer(spend(account), is_given_back=True)
    assert budget(account).granted == budget(account).in_flight == 0
    assert not CallMinute.objects.exists()


def test_the_budgets_of_an_account_that_is_gone_are_nobodys(account):
    grant = spend(account)
    account.delete()
    answer(grant)
    assert not CallBudget.objects.exists()


def test_a_kind_of_crm_that_is_no_longer_installed_has_no_documented_limits():
    account = CRMAccount.objects.create(provider="gone", address="acme")
    answer(spend(account, "account"), LimitReport("account", 5, 4, 60))
    assert drain(account, "account") == 4


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_exactly_what_is_allowed(limits):
    account = CRMAccount.objects.create(provider="memory", address="acme", head_room_percent=0)
    answer(spend(account, "account"), LimitReport("account", 100, 99, 60))
    granted, errors, start = [], [], threading.Barrier(8)

    def work():
        try:
            start.wait()
            answers = []
            for _ in range(40):
                try:
                    grant = spend(account, "account", answers=answers)
                except BudgetSpent:
                    answers = []
                    continue
                granted.append(grant)
                answers = [CallAnswer(grant, NOW)]
            settle(account_id=account.pk, answers=answers)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    spent = budget(account)
    assert len(granted) + 1 == spent.granted == spent.answered <= 100
    assert drain(account, "account") == 100 - spent.granted
    assert CallMinute.objects.get().calls == 100
