"""Accounts that are woken at their moment: once, by whichever timer is first, with or without a broker."""

from datetime import timedelta

import pytest

from crm_integrations.models import CRMAccount
from memorialization.services import waking
from memorialization.services.claims import accounts_with_due_lanes
from memorialization.services.waking import take_moments, wake_accounts
from tests.engine import NOW, make_delivery
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def account():
    account = make_configuration().authentication.account
    CRMAccount.objects.filter(pk=account.pk).update(wake_at=NOW)
    return account


@pytest.fixture
def hints(monkeypatch):
    sent = []
    monkeypatch.setattr(waking, "send_backlog_hint", lambda *, account_id: not sent.append(account_id))
    return sent


def test_an_account_is_woken_at_its_moment_and_once(account, hints):
    pushed = []
    assert wake_accounts(now=NOW - timedelta(seconds=1), push=pushed.append) == 0
    assert wake_accounts(now=NOW, push=pushed.append) == 1
    assert wake_accounts(now=NOW, push=pushed.append) == 0
    assert (hints, pushed) == ([account.pk], [])


def test_of_two_timers_that_see_the_same_moment_one_wins(account):
    first, second = take_moments(now=NOW), take_moments(now=NOW)
    assert [*first, *second] == [account.pk]
    assert [waking._take_moment(account.pk, NOW) for _ in range(2)] == [False, False]


def test_a_moment_that_a_turn_moved_meanwhile_is_left_alone(account):
    CRMAccount.objects.filter(pk=account.pk).update(wake_at=NOW + timedelta(seconds=5))
    assert not waking._take_moment(account.pk, NOW)
    assert CRMAccount.objects.get(pk=account.pk).wake_at == NOW + timedelta(seconds=5)


def test_without_a_broker_the_timer_pushes_by_itself(account, monkeypatch):
    monkeypatch.setattr(waking, "send_backlog_hint", lambda *, account_id: False)
    pushed = []
    wake_accounts(now=NOW, push=pushed.append)
    assert pushed == [account.pk]


def test_a_worker_that_dies_after_it_won_leaves_the_account_to_the_sweep(monkeypatch):
    configuration = make_configuration(address="dying")
    make_delivery(configuration)
    account = configuration.authentication.account
    CRMAccount.objects.filter(pk=account.pk).update(wake_at=NOW)

    def die(*, account_id):
        raise SystemExit

    monkeypatch.setattr(waking, "send_backlog_hint", die)
    with pytest.raises(SystemExit):
        wake_accounts(now=NOW, push=lambda account_id: None)
    assert CRMAccount.objects.get(pk=account.pk).wake_at is None
    assert accounts_with_due_lanes(now=NOW) == [account.pk]


def test_a_look_costs_one_read_when_nothing_is_to_be_done(account, hints, django_assert_num_queries):
    with django_assert_num_queries(1):
        wake_accounts(now=NOW - timedelta(seconds=1), push=hints.append)
