"""Pauses of accounts: in full, for everybody, and only ever later."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_integrations.models import CRMAccount
from crm_integrations.providers.base import LimitReport
from crm_integrations.services.account_limits import forget_past_pauses, pause_account, store_limits

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture
def account():
    return CRMAccount.objects.create(provider="memory", address="acme")


def pause(account, retry_after_s):
    pause_account(account_id=account.pk, retry_after_s=retry_after_s, limit_class="account", reason="429", now=NOW)
    account.refresh_from_db()
    return (account.paused_until - NOW).total_seconds()


@pytest.mark.parametrize(("asked_s", "paused_s"), [(93, 93), (86_400, 86_400), (None, 10), (0, 10), (-5, 10)])
def test_a_pause_lasts_as_long_as_the_crm_asked_or_ten_seconds(account, asked_s, paused_s):
    assert pause(account, asked_s) == paused_s


def test_a_pause_only_ever_moves_later(account):
    assert [pause(account, seconds) for seconds in (60, 5, 90)] == [60, 60, 90]
    assert account.pause_reason == "account: 429"


def test_pauses_that_are_over_are_forgotten_and_others_are_not(account):
    pause(account, 60)
    assert forget_past_pauses(now=NOW + timedelta(seconds=59)) == 0
    assert forget_past_pauses(now=NOW + timedelta(seconds=61)) == 1
    account.refresh_from_db()
    assert (account.paused_until, account.pause_reason) == (None, "")


def test_reports_of_one_class_leave_the_others_alone(account):
    store_limits(account_id=account.pk, reports=[LimitReport("account", 700, 10, 30)], now=NOW)
    store_limits(account_id=account.pk, reports=[LimitReport("search", 100, 99, None)], now=NOW)
    account.refresh_from_db()
    assert set(account.limits) == {"account", "search"}
    assert account.limits["account"]["resets_at"] == (NOW + timedelta(seconds=30)).isoformat()
    assert account.limits["search"]["resets_at"] is None
