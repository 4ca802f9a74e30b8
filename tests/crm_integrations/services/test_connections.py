"""Authenticated connections: tokens renewed early, once and by one; held when a person must act."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.db import connections as db_connections
from django.utils import timezone

from crm_integrations.models import AuditEntry, Authentication, CallBudget, Configuration, CRMAccount
from crm_integrations.providers.base import CreationRequest, FieldType, LimitReport, PersonClues, SearchCriterion
from crm_integrations.providers.errors import (
    AccessDenied,
    Conflict,
    CRMUnavailable,
    GrantEnded,
    Misconfigured,
    Reauthenticate,
    RecordGone,
    RetryLater,
    ValueRefused,
)
from crm_integrations.services import authenticated_connections, tokens
from crm_integrations.services.call_budgets import BudgetSpent
from crm_integrations.services.call_gates import AccountCallGate
from crm_integrations.services.connections import open_connection, run_on_connection
from crm_integrations.services.holds import ANOTHER_USER, hold_authentication
from crm_integrations.services.tokens import (
    COOL_DOWN_LEASE,
    COOL_DOWN_S,
    AuthenticationHeld,
    TokenBusy,
    TokenUnavailable,
    renew_token,
)
from tests.factories import make_authentication, make_configuration
from tests.memory_provider import MemoryConnection, MemoryProvider

pytestmark = pytest.mark.django_db

SOMEBODY = "6f1c0c55-7f5b-4a4c-9d53-111111111111"


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    yield
    MemoryProvider.reset()


@pytest.fixture
def account():
    account = MemoryProvider.accounts["acme"]
    account.is_checking_tokens = True
    account.access_tokens, account.refresh_tokens = {"access-0"}, {"refresh-0"}
    return account


def identify(authentication):
    return run_on_connection(authentication=authentication, act=lambda live: live.identify())


def refreshes(account):
    return sum(name == "refresh" for name, _details in account.calls)


def test_a_token_that_works_is_used_as_it_is_and_the_connection_is_closed(account):
    assert identify(make_authentication()).id == "900"
    assert [name for name, _details in account.calls] == ["identify", "close"]


@pytest.mark.parametrize(("ends_in_s", "count"), [(tokens.RENEW_BEFORE_S + 60, 0), (tokens.RENEW_BEFORE_S - 1, 1)])
def test_a_token_is_renewed_before_it_ends(account, ends_in_s, count):
    authentication = make_authentication(access_expires_at=timezone.now() + timedelta(seconds=ends_in_s))
    identify(authentication)
    assert refreshes(account) == count
    authentication.refresh_from_db()
    assert authentication.token_version == count
    assert authentication.refresh_lease is None


def test_a_renewed_pair_is_saved_before_it_is_used(account, monkeypatch):
    authentication = make_authentication(access_expires_at=timezone.now())
    seen = []
    connect = MemoryProvider.connect

    def look(self, address, *, access_token, options, gate):
        seen.append(Authentication.objects.get().access_token == access_token)
        return connect(self, address, access_token=access_token, options=options, gate=gate)

    monkeypatch.setattr(MemoryProvider, "connect", look)
    identify(authentication)
    assert seen == [True]


def test_the_save_is_repeated_until_it_is_committed(account, monkeypatch):
    """The old pair is dead at the CRM, so a database that is away for a moment must not cost the new one."""
    authentication = make_authentication(access_expires_at=timezone.now())
    store, fails = tokens._store_pair, [1, 2, 3]

    def fail_three_times(*args):
        if fails:
            fails.pop()
            raise DatabaseError("away")
        store(*args)

    pauses = []
    monkeypatch.setattr(tokens, "_store_pair", fail_three_times)
    monkeypatch.setattr(tokens.time, "sleep", pauses.append)
    identify(authentication)
    assert pauses == [0.1, 0.5, 1.0]
    assert refreshes(account) == 1


def test_a_401_with_an_older_token_than_the_stored_one_only_reads_again(account):
    authentication = make_authentication()
    with open_connection(authentication=authentication) as live:
        account.access_tokens = {"access-other"}
        Authentication.objects.update(access_token="access-other", token_version=1)
        live.identify()
    assert refreshes(account) == 0


def test_a_401_with_the_stored_token_is_answered_by_one_renewal(account):
    authentication = make_authentication()
    account.access_tokens.clear()
    identify(authentication)
    assert refreshes(account) == 1


def test_a_token_that_is_refused_right_after_its_renewal_holds_the_authentication(account, monkeypatch):
    authentication = make_authentication()
    account.access_tokens.clear()
    grant = account.grant
    monkeypatch.setattr(account, "grant", lambda number: _dead(grant(number), account))
    with pytest.raises(AuthenticationHeld):
        identify(authentication)
    assert refreshes(account) == 1
    authentication.refresh_from_db()
    assert authentication.state == Authentication.State.REAUTHENTICATE
    assert authentication.refresh_token


def _dead(grant, account):
    account.access_tokens.clear()
    return grant


def test_a_refused_refresh_token_holds_the_authentication_with_the_crms_words_and_an_audit_entry(account):
    authentication = make_authentication(access_expires_at=timezone.now(), refresh_token="used up")
    with pytest.raises(GrantEnded):
        identify(authentication)
    authentication.refresh_from_db()
    assert (authentication.state, authentication.state_reason) == ("reauthenticate", "invalid_grant")
    assert AuditEntry.objects.get().action == "authentication_held"
    with pytest.raises(AuthenticationHeld) as caught:
        identify(authentication)
    assert caught.value.message == "invalid_grant"
    assert refreshes(account) == 1, "a held authentication asks the CRM nothing"


def test_a_crash_between_the_crms_answer_and_the_save_ends_in_held(account, monkeypatch):
    authentication = make_authentication(access_expires_at=timezone.now())

    def die(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tokens, "_save_pair", die)
        with pytest.raises(KeyboardInterrupt):
            identify(authentication)
    authentication.refresh_from_db()
    assert authentication.refresh_lease is not None
    Authentication.objects.update(refresh_lease_until=timezone.now())
    with pytest.raises(AuthenticationHeld):
        identify(authentication)
    authentication.refresh_from_db()
    assert authentication.state == "reauthenticate"


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (CRMUnavailable("502", may_have_applied=True), TokenUnavailable),
        (Misconfigured("invalid_client", status=401), TokenUnavailable),
        (RetryLater("429", retry_after_s=7), RetryLater),
        (AccessDenied("blocked", status=403), TokenUnavailable),
        (RecordGone("no such account", status=404), TokenUnavailable),
        (ValueRefused("what?", status=422), TokenUnavailable),
        (Conflict("busy", status=409), TokenUnavailable),
        (Reauthenticate("who?", status=401), TokenUnavailable),
    ],
)
def test_passing_trouble_with_a_renewal_is_never_a_hold_and_is_not_hammered(account, refusal, error):
    authentication = make_authentication(access_expires_at=timezone.now() - timedelta(seconds=1))
    account.refusal = refusal
    with pytest.raises(error) as caught:
        identify(authentication)
    assert not caught.value.may_have_applied
    with pytest.raises(TokenUnavailable), open_connection(authentication=authentication, patience_s=0):
        pass
    assert refreshes(account) == 1
    authentication.refresh_from_db()
    assert authentication.state == "active"


@pytest.mark.parametrize(
    "refusal",
    [
        RetryLater("429", retry_after_s=90),
        CRMUnavailable("503", may_have_applied=False, retry_after_s=90, status=503),
    ],
)
def test_a_renewal_is_not_tried_again_before_the_crm_wants_it(account, refusal):
    authentication = make_authentication(access_expires_at=timezone.now() - timedelta(seconds=1))
    account.refusal = refusal
    with pytest.raises(type(refusal)):
        identify(authentication)
    authentication.refresh_from_db()
    assert authentication.refresh_lease_until > timezone.now() + timedelta(seconds=60)


def test_a_user_who_is_gone_costs_the_tokens_and_rests_the_configurations(account):
    authentication = make_authentication()
    configuration = make_configuration(authentication=authentication)
    inactive = make_configuration(authentication=authentication, state=Configuration.State.INACTIVE)
    account.faults.append(GrantEnded("suspended", is_user_gone=True))
    with pytest.raises(AuthenticationHeld) as caught:
        identify(authentication)
    assert caught.value.is_user_gone
    authentication.refresh_from_db()
    configuration.refresh_from_db()
    inactive.refresh_from_db()
    assert authentication.state == "system_user_removed"
    assert (authentication.access_token, authentication.refresh_token) == ("", "")
    assert (configuration.state, inactive.state) == ("system_user_removed", "inactive")


def test_a_user_who_may_not_even_ask_who_they_are_holds_the_authentication_and_keeps_the_tokens(account):
    authentication = make_authentication()
    account.faults.append(AccessDenied("no", status=403))
    with pytest.raises(AuthenticationHeld):
        identify(authentication)
    authentication.refresh_from_db()
    assert (authentication.state, authentication.access_token) == ("reauthenticate", "access-0")


def test_a_hold_for_tokens_that_were_replaced_meanwhile_is_void(account):
    authentication = make_authentication(token_version=7)
    assert not authenticated_connections.hold_authentication(
        authentication_id=authentication.pk, token_version=6, reason="old"
    )
    authentication.refresh_from_db()
    assert authentication.state == "active"


def test_a_secret_that_no_key_opens_holds_the_authentication(account):
    authentication = make_authentication()
    Authentication.objects.filter(pk=authentication.pk).update(state_reason="")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_integrations_authentication SET access_token = 'v1:broken'")
    with pytest.raises(AuthenticationHeld):
        identify(authentication)
    assert Authentication.objects.defer("access_token", "refresh_token").get().state == "reauthenticate"


def test_only_one_asks_for_a_new_pair_and_the_other_is_told_to_come_back(account):
    authentication = make_authentication(access_expires_at=timezone.now() - timedelta(seconds=1))
    Authentication.objects.update(refresh_lease=SOMEBODY, refresh_lease_until=timezone.now() + timedelta(seconds=60))
    with pytest.raises(TokenBusy), open_connection(authentication=authentication, patience_s=0):
        pass
    assert refreshes(account) == 0


def test_while_somebody_renews_a_token_that_still_works_it_is_used(account):
    authentication = make_authentication(access_expires_at=timezone.now() + timedelta(seconds=60))
    Authentication.objects.update(refresh_lease=SOMEBODY, refresh_lease_until=timezone.now() + timedelta(seconds=60))
    with open_connection(authentication=authentication, patience_s=0) as live:
        assert live.identify().id == "900"
    assert refreshes(account) == 0


@pytest.mark.parametrize(
    "refusal", [CRMUnavailable("502", may_have_applied=True), RetryLater("429", retry_after_s=900)]
)
def test_while_the_renewal_fails_for_a_passing_reason_a_token_that_still_works_is_used(account, refusal):
    authentication = make_authentication(access_expires_at=timezone.now() + timedelta(seconds=60))
    account.refusal = refusal
    assert identify(authentication).id == "900"
    assert refreshes(account) == 1


def test_a_person_waits_a_moment_for_somebody_elses_renewal(account, monkeypatch):
    authentication = make_authentication(access_expires_at=timezone.now() - timedelta(seconds=1))
    Authentication.objects.update(refresh_lease=SOMEBODY, refresh_lease_until=timezone.now() + timedelta(seconds=60))

    def finish(_pause_s):
        account.access_tokens = {"access-other"}
        Authentication.objects.update(
            access_token="access-other", token_version=1, access_expires_at=None, refresh_lease=None
        )

    monkeypatch.setattr(authenticated_connections.time, "sleep", finish)
    identify(authentication)
    assert refreshes(account) == 0


def test_a_renewal_is_refused_inside_a_transaction_before_the_crm_is_asked(account, monkeypatch):
    """A rollback would lose the pair that the CRM gave."""
    from django.db import transaction

    authentication = make_authentication(access_expires_at=timezone.now())
    monkeypatch.setattr(transaction.Atomic, "_ensure_durability", True, raising=False)
    with transaction.atomic():
        outer = transaction.get_connection().atomic_blocks
        monkeypatch.setattr(outer[-1], "_from_testcase", False, raising=False)
        with pytest.raises(RuntimeError):
            renew_token(authentication_id=authentication.pk, provider=MemoryProvider(), address="acme", version=0)
    assert refreshes(account) == 0


def test_what_the_answers_said_of_limits_is_kept_for_the_account(account):
    account.limits = [LimitReport("account", 700, 699, 30.0)]
    identify(make_authentication())
    budget = CallBudget.objects.get(limit_class="account")
    assert (budget.calls, budget.reported, budget.granted, budget.foreign) == (700, 1, 1, 0)


def test_a_limit_that_is_used_up_stops_a_call_before_it_is_made(account):
    account.limits = [LimitReport("account", 700, 0, 30.0)]
    authentication = make_authentication()
    identify(authentication)
    with pytest.raises(BudgetSpent) as caught:
        identify(authentication)
    assert 28 < caught.value.retry_after_s <= 30
    assert "seconds" in caught.value.message
    assert sum(name == "identify" for name, _details in account.calls) == 1


def test_a_refusal_stops_everybody_at_once_for_as_long_as_the_crm_asks(account):
    account.faults.append(RetryLater("slow down", retry_after_s=93, limit_class="account"))
    authentication = make_authentication()
    with open_connection(authentication=authentication) as live:
        with pytest.raises(RetryLater):
            live.identify()
        budget = CallBudget.objects.get(limit_class="account")
        assert budget.block_reason == "slow down"
        with pytest.raises(BudgetSpent) as caught:
            identify(authentication)
    assert 91 < caught.value.retry_after_s <= 93


def test_an_answer_that_could_not_be_read_counts_as_a_failure_of_the_crm(account, monkeypatch):
    def garble(live):
        live._take("garbled")
        raise CRMUnavailable("no JSON", may_have_applied=False)

    monkeypatch.setattr(MemoryConnection, "identify", garble)
    with pytest.raises(CRMUnavailable):
        identify(make_authentication())
    assert CRMAccount.objects.get().circuit_failures == 1


def test_a_user_who_was_demoted_holds_the_authentication_in_words(account):
    account.may_write = False
    authentication = make_authentication()
    with open_connection(authentication=authentication) as live, pytest.raises(AuthenticationHeld):
        live.confirm_writing("ticket")
    authentication.refresh_from_db()
    assert authentication.state == Authentication.State.REAUTHENTICATE
    assert "role" in authentication.state_reason
    assert authentication.access_token


def test_a_user_who_may_still_write_is_not_held(account):
    authentication = make_authentication()
    with open_connection(authentication=authentication) as live:
        live.confirm_writing("ticket")
    authentication.refresh_from_db()
    assert authentication.state == Authentication.State.ACTIVE


def test_bulk_writes_go_through_the_same_door(account):
    account.records["ticket", "1"] = {}
    authentication = make_authentication()
    with open_connection(authentication=authentication, is_interactive=False) as live:
        assert live.bulk_limit("ticket", [FieldType.TEXT]) == 100
        handle = live.update_records("ticket", {"1": {"subject": "A"}}).handle
        assert live.read_bulk([handle])[handle].outcomes["1"].succeeded
        assert live.find_bulk("ticket", ["1"], since=timezone.now()).progress.handle == handle
    assert CallBudget.objects.get(limit_class="bulk").granted == 1


def test_no_error_and_no_log_shows_a_token(account, caplog):
    authentication = make_authentication(access_expires_at=timezone.now(), refresh_token="refresh-secret")
    with pytest.raises(GrantEnded) as caught:
        identify(authentication)
    assert "secret" not in str(caught.value) + caplog.text + repr(tokens.Token(1, "secret", None))


def test_a_refusal_that_took_its_time_is_not_followed_by_another_call(account, monkeypatch):
    """Whoever leases a record lane reckons with a bound on what one act takes."""
    authentication = make_authentication()
    account.access_tokens.clear()
    clock = iter([0.0, 10_000.0])
    with open_connection(authentication=authentication, clock=timezone.now) as live:
        monkeypatch.setattr(authenticated_connections.time, "monotonic", lambda: next(clock))
        with pytest.raises(TokenUnavailable):
            live.identify()
    assert sum(name == "identify" for name, _details in account.calls) == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_exactly_one_renewal(account, settings):
    settings.INTERACTIVE_CALLS = 8
    authentication = make_authentication(access_expires_at=timezone.now() - timedelta(seconds=1))
    start, outcomes = threading.Barrier(8), []

    def use():
        try:
            start.wait()
            with open_connection(authentication=authentication, patience_s=20) as live:
                outcomes.append(live.identify().id)
        except Exception as error:
            outcomes.append(error)
        finally:
            db_connections.close_all()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["900"] * 8
    assert refreshes(account) == 1


CASE = CreationRequest("ticket", {"subject": "s"}, {"owner_id": "7"})
QUESTIONS = {
    "find_people": lambda live: live.find_people(PersonClues(email="a@example.com")),
    "find_records": lambda live: live.find_records("ticket", [SearchCriterion("subject", "s")]),
    "find_by_external_id": lambda live: live.find_by_external_id("ticket", "k1"),
    "list_open_records": lambda live: live.list_open_records("7"),
    "create_record": lambda live: live.create_record(CASE, key="k1"),
    "show_to_agent": lambda live: live.show_to_agent("ada@example.com", "ticket", "1"),
    "get_records": lambda live: live.get_records("ticket", ["1"], named=["requester_id"]),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_asked_again_with_a_better_token(account, name):
    authentication = make_authentication()
    account.access_tokens.clear()
    run_on_connection(authentication=authentication, act=QUESTIONS[name])
    assert [called for called, _details in account.calls if called == name] == [name, name]
    assert refreshes(account) == 1


@pytest.mark.parametrize("is_search_alone", [True, False])
def test_a_search_that_is_down_alone_leaves_the_answer_usable(account, monkeypatch, is_search_alone):
    noted = []
    monkeypatch.setattr(AccountCallGate, "note_unusable", lambda gate: noted.append(gate))
    account.faults.append(CRMUnavailable("down", may_have_applied=False, is_search_alone=is_search_alone))
    with pytest.raises(CRMUnavailable):
        run_on_connection(authentication=make_authentication(), act=QUESTIONS["find_records"])
    assert len(noted) == (not is_search_alone)


def test_limits_that_cannot_be_noted_hide_nothing_of_what_was_done(account, monkeypatch):
    def break_down(self):
        raise DatabaseError("connection already closed")

    monkeypatch.setattr(AccountCallGate, "flush", break_down)
    assert identify(make_authentication())


def test_a_pair_that_is_saved_late_ends_the_hold_of_somebody_who_tried_the_old_one(account, monkeypatch):
    authentication = make_authentication(access_expires_at=timezone.now())
    store, is_away = tokens._store_pair, [True]

    def store_later(*args):
        if is_away:
            raise DatabaseError("away")
        store(*args)

    def try_meanwhile(_pause_s):
        """The database was away for longer than the lease; now it is back, and another worker is first."""
        is_away.clear()
        Authentication.objects.update(refresh_lease_until=timezone.now())
        with pytest.raises(AuthenticationHeld):
            identify(authentication)

    monkeypatch.setattr(tokens, "_store_pair", store_later)
    monkeypatch.setattr(tokens.time, "sleep", try_meanwhile)
    identify(authentication)
    stored = Authentication.objects.get()
    assert (stored.state, stored.state_reason, stored.token_version) == ("active", "", 1)
    assert stored.access_token in account.access_tokens
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["authentication_held", "authentication_released"]


def test_a_renewal_does_not_end_the_hold_of_a_token_that_acts_as_another_user(account, monkeypatch):
    authentication = make_authentication(access_expires_at=timezone.now())
    store = tokens._store_pair

    def store_after_the_hourly_check(*args):
        assert hold_authentication(authentication_id=authentication.pk, token_version=0, reason=ANOTHER_USER)
        store(*args)

    monkeypatch.setattr(tokens, "_store_pair", store_after_the_hourly_check)
    with pytest.raises(AuthenticationHeld):
        identify(authentication)
    stored = Authentication.objects.get()
    assert (stored.state, stored.state_reason) == ("reauthenticate", ANOTHER_USER)
    assert stored.access_token in account.access_tokens


@pytest.mark.parametrize("wait_s", [None, 90])
def test_nobody_waits_for_a_renewal_that_nobody_makes(account, monkeypatch, wait_s):
    authentication = make_authentication(access_expires_at=timezone.now() - timedelta(seconds=1))
    account.refusal = CRMUnavailable("503", may_have_applied=False, retry_after_s=wait_s, status=503)
    pauses = []
    monkeypatch.setattr(authenticated_connections.time, "sleep", pauses.append)
    for _try in range(2):  # the second one comes while renewals rest
        with pytest.raises(TokenUnavailable) as caught:
            identify(authentication)
        assert caught.value.retry_after_s == pytest.approx(wait_s or COOL_DOWN_S, abs=5)
    assert (pauses, refreshes(account)) == ([], 1)


def test_renewals_go_on_when_their_rest_is_over(account):
    ended = timezone.now() - timedelta(seconds=1)
    authentication = make_authentication(
        access_expires_at=ended, refresh_lease=COOL_DOWN_LEASE, refresh_lease_until=ended
    )
    assert identify(authentication).id == "900"
    assert refreshes(account) == 1


def test_nobody_waits_for_a_renewal_that_rests_while_the_token_still_works(account, monkeypatch):
    authentication = make_authentication(access_expires_at=timezone.now() + timedelta(seconds=100))
    Authentication.objects.update(refresh_lease=SOMEBODY, refresh_lease_until=timezone.now() + timedelta(minutes=15))
    pauses = []
    monkeypatch.setattr(authenticated_connections.time, "sleep", pauses.append)
    identify(authentication)
    assert pauses == []
