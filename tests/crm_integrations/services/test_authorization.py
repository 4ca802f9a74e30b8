"""The way through the consent page (crm_integrations.services.authorization, authentications, pending_access)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from crm_integrations.models import Authentication, AuthorizationRequest, CallBudget, Configuration
from crm_integrations.providers.base import SystemUser
from crm_integrations.providers.errors import CRMUnavailable, GrantEnded, Misconfigured, RetryLater
from crm_integrations.services import authorization, call_gates
from crm_integrations.services.authorization import (
    AuthorizationRefused,
    begin_authorization,
    finish_authorization,
    renew,
)
from crm_integrations.services.configurations import activate_configuration, create_draft, delete_configuration
from crm_integrations.services.pending_access import SESSION_KEY, find_pending_access, keep_pending_access
from crm_integrations.services.rights import read_access
from tests.factories import make_authentication, make_configuration, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def draft():
    return create_draft(integration_type="memory", name="Support", description="", actor=None)


def begin(configuration, user, **columns):
    """Start a trip and answer the state that the consent page would bring back."""
    columns = {"address": "acme", "name": "Acme", "options": {"app_id": "7"}, "now": NOW, **columns}
    url = begin_authorization(configuration=configuration, actor=user, session_key="session", **columns)
    return parse_qs(urlsplit(url).query)["state"][0]


def finish(state, user, **columns):
    columns = {"code": "code", "error": "", "session_key": "session", "now": NOW, **columns}
    return finish_authorization(state=state, actor=user, **columns)


def refusal(state, user, **columns):
    with pytest.raises(AuthorizationRefused) as caught:
        finish(state, user, **columns)
    assert not Authentication.objects.filter(name="Acme").exists()
    return caught.value.reason


def test_a_consent_stores_the_account_encrypted_and_gives_it_to_the_draft(draft, user):
    finished = finish(begin(draft, user), user)
    authentication = Authentication.objects.get()
    draft.refresh_from_db()
    assert finished.is_selected and draft.authentication == authentication and draft.state == "draft"
    assert (authentication.name, authentication.account.address, authentication.options) == (
        "Acme",
        "acme",
        {"app_id": "7"},
    )
    assert (authentication.system_user_id, authentication.system_user_name) == ("900", "System User")
    assert [line["outcome"] for line in authentication.rights] == ["pass", "unknown"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM crm_integrations_authentication")
        assert all(stored.startswith("v1:") for stored in cursor.fetchone())


def test_the_calls_of_a_consent_are_ours_and_not_those_of_others(draft, user):
    finished = finish(begin(draft, user), user)
    finish(begin(draft, user, authentication=finished.authentication), user)
    budget = CallBudget.objects.get(account=finished.authentication.account, limit_class="account")
    made = sum(name in {"identify", "check_rights"} for name, _details in MemoryProvider.accounts["acme"].calls)
    assert (budget.granted, budget.answered, budget.in_flight, budget.foreign) == (made, made, 0, 0)
    assert made == 4


@pytest.mark.parametrize("is_spent", [False, True])
def test_a_limit_that_refuses_a_consents_call_rests_for_everybody(user, monkeypatch, is_spent):
    configuration = make_configuration()
    account = configuration.authentication.account
    refused = RetryLater("slow down", retry_after_s=93, limit_class="account", status=429)
    if is_spent:
        soon = timezone.now() + MINUTE / 2
        CallBudget.objects.create(account=account, limit_class="account", window_s=60, blocked_until=soon)
    state = begin(configuration, user, authentication=configuration.authentication)
    real = MemoryProvider.finish_consent

    def finish_and_be_refused_next(self, *args, **columns):
        granted = real(self, *args, **columns)
        MemoryProvider.accounts["acme"].faults.append(refused)
        return granted

    monkeypatch.setattr(MemoryProvider, "finish_consent", finish_and_be_refused_next)
    assert refusal(state, user) == "unavailable"
    budget = CallBudget.objects.get(account=account, limit_class="account")
    assert budget.blocked_until > timezone.now() + MINUTE


def test_a_consent_stands_though_its_calls_cannot_be_counted(draft, user, monkeypatch):
    def fail(**_columns):
        raise OperationalError

    monkeypatch.setattr(call_gates, "acquire_several", fail)
    assert finish(begin(draft, user), user).is_selected


def test_neither_state_nor_session_nor_verifier_is_stored_readable(draft, user):
    state = begin(draft, user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM crm_integrations_authorizationrequest")
        stored = str(cursor.fetchone())
    assert state not in stored and "verifier-" not in stored and "'session'" not in stored


def test_a_denied_consent_stores_nothing_and_uses_the_state_up(draft, user):
    state = begin(draft, user)
    assert refusal(state, user, code="", error="access_denied") == "denied"
    assert refusal(state, user) == "used_state"


def test_another_error_of_the_consent_page_is_told_apart_from_a_denial(draft, user):
    assert refusal(begin(draft, user), user, code="", error="invalid_scope") == "not_granted"
    assert refusal(begin(draft, user), user, code="") == "not_granted"


def test_an_expired_state_is_refused(draft, user):
    assert refusal(begin(draft, user), user, now=NOW + timedelta(minutes=10)) == "expired_state"


def test_an_unknown_state_is_refused(draft, user):
    assert refusal(begin(draft, user) + "x", user) == "unknown_state"
    assert refusal("", user) == "unknown_state"


def test_a_state_works_once(draft, user):
    state = begin(draft, user)
    finish(state, user)
    with pytest.raises(AuthorizationRefused) as caught:
        finish(state, user)
    assert caught.value.reason == "used_state"
    assert Authentication.objects.count() == 1


def test_another_session_or_person_is_refused_and_does_not_use_the_state_up(draft, user):
    state = begin(draft, user)
    assert refusal(state, user, session_key="another") == "other_session"
    assert refusal(state, make_user()) == "other_session"
    assert finish(state, user).is_selected


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GrantEnded("invalid_grant", status=400), "code_refused"),
        (Misconfigured("invalid_client", status=401), "misconfigured"),
        (CRMUnavailable("time-out", may_have_applied=True), "unavailable"),
    ],
)
def test_a_code_that_cannot_be_exchanged_stores_nothing(draft, user, error, reason):
    MemoryProvider.accounts["acme"].refusal = error
    assert refusal(begin(draft, user), user) == reason


def test_missing_scopes_store_nothing_and_the_tokens_are_revoked(draft, user):
    account = MemoryProvider.accounts["acme"]
    account.scopes = ("read",)
    state = begin(draft, user)
    with pytest.raises(AuthorizationRefused) as caught:
        finish(state, user)
    assert (caught.value.reason, caught.value.detail) == ("missing_scopes", "write")
    assert not Authentication.objects.exists() and not account.access_tokens


def test_an_anonymous_or_suspended_user_stores_nothing(draft, user):
    MemoryProvider.accounts["acme"].user = SystemUser("", "", "", "")
    assert refusal(begin(draft, user), user) == "user_refused"
    assert not MemoryProvider.accounts["acme"].access_tokens


def test_a_name_taken_meanwhile_gets_a_number(draft, user):
    state = begin(draft, user)
    make_authentication(name="acme")
    assert finish(state, user).authentication.name == "Acme (2)"


def test_a_draft_that_was_activated_meanwhile_keeps_its_account(draft, user):
    first, second = begin(draft, user), begin(draft, user, name="Second")
    finish(first, user)
    draft.refresh_from_db()
    activate_configuration(configuration=draft, actor=user)
    finished = finish(second, user)
    draft.refresh_from_db()
    assert not finished.is_selected and draft.authentication.name == "Acme"
    assert Authentication.objects.count() == 2


def test_a_configuration_deleted_meanwhile_does_not_stop_the_return(draft, user):
    state = begin(draft, user)
    delete_configuration(configuration=draft, actor=user, now=NOW)
    assert finish(state, user).is_selected is False


def test_old_requests_are_forgotten(draft, user):
    begin(draft, user)
    begin(draft, user, now=NOW + timedelta(days=2))
    assert AuthorizationRequest.objects.count() == 1


@pytest.fixture
def held(user):
    authentication = make_authentication(
        name="Old", state="system_user_removed", access_token="", refresh_token="", state_reason="gone"
    )
    return make_configuration(authentication=authentication, state="system_user_removed")


def test_reauthentication_brings_the_account_and_its_configurations_back(held, user):
    deactivated = make_configuration(authentication=held.authentication, state="inactive")
    version = held.authentication.token_version
    finished = finish(begin(held, user, authentication=held.authentication), user)
    for row in (held, deactivated, held.authentication):
        row.refresh_from_db()
    assert finished.authentication == held.authentication
    assert (held.state, deactivated.state) == ("active", "inactive")
    assert (held.authentication.state, held.authentication.state_reason) == ("active", "")
    assert held.authentication.token_version == version + 1
    assert held.authentication.rights_checked_at == NOW


def test_reauthentication_ends_the_old_tokens_at_the_crm(user):
    configuration = make_configuration()
    account = MemoryProvider.accounts["acme"]
    finish(begin(configuration, user, authentication=configuration.authentication), user)
    assert ("revoke", None) in account.calls
    assert len(account.access_tokens) == 1


def test_reauthentication_by_another_user_waits_for_a_word(held, user):
    MemoryProvider.accounts["acme"].user = SystemUser("901", "Other", "other@example.com", "admin")
    finished = finish(begin(held, user, authentication=held.authentication), user)
    held.authentication.refresh_from_db()
    assert finished.authentication is None and finished.pending.user.id == "901"
    assert held.authentication.state == "system_user_removed" and held.authentication.system_user_id == "900"


def test_reauthentication_by_a_user_who_may_do_less_waits_for_a_word(user, monkeypatch):
    from crm_integrations.providers.base import Right, RightOutcome
    from tests.memory_provider import MemoryConnection

    configuration = make_configuration()
    lacks = [Right("write", RightOutcome.FAIL)]
    monkeypatch.setattr(MemoryConnection, "check_rights", lambda self, granted_scopes: lacks)
    finished = finish(begin(configuration, user, authentication=configuration.authentication), user)
    assert finished.pending is not None
    Authentication.objects.update(rights=[{"right": "write", "outcome": "fail", "detail": ""}])
    configuration.authentication.refresh_from_db()
    again = finish(begin(configuration, user, authentication=configuration.authentication), user)
    assert again.authentication is not None


def test_pending_access_survives_in_the_session_unreadable_and_only_for_minutes(held, user):
    MemoryProvider.accounts["acme"].user = SystemUser("901", "Other", "other@example.com", "admin")
    finished = finish(begin(held, user, authentication=held.authentication), user)
    session = {}
    keep_pending_access(session, request=finished.request, access=finished.pending)
    assert finished.pending.grant.access_token not in session[SESSION_KEY]
    pending = find_pending_access(session, actor=user, now=NOW)
    assert pending.access == finished.pending
    assert find_pending_access(session, actor=make_user(), now=NOW) is None
    assert find_pending_access(session, actor=user, now=NOW + timedelta(minutes=11)) is None
    renew(request=pending.request, access=pending.access, actor=user, now=NOW)
    held.authentication.refresh_from_db()
    assert (held.authentication.state, held.authentication.system_user_id) == ("active", "901")


def test_a_process_that_dies_while_the_access_is_replaced_has_decided_nothing(held, user, monkeypatch):
    MemoryProvider.accounts["acme"].user = SystemUser("901", "Other", "other@example.com", "admin")
    finished = finish(begin(held, user, authentication=held.authentication), user)
    word = {"request": finished.request, "access": finished.pending, "actor": user, "now": NOW}

    def die(**_columns):
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(authorization, "replace_access", die)
        with pytest.raises(SystemExit):
            renew(**word)
    assert renew(**word).state == "active"


def test_an_access_that_is_granted_again_with_the_same_token_is_not_ended(user, monkeypatch):
    configuration = make_configuration()
    monkeypatch.setattr(MemoryProvider, "finish_consent", lambda self, *_args, **_columns: granted)
    granted = MemoryProvider.accounts["acme"].grant(0)
    assert configuration.authentication.access_token == granted.access_token
    finish(begin(configuration, user, authentication=configuration.authentication), user)
    assert MemoryProvider.accounts["acme"].access_tokens == {granted.access_token}


def test_an_authentication_that_is_removed_meanwhile_leaves_no_access_behind(user, monkeypatch):
    configuration = make_configuration()
    state = begin(configuration, user, authentication=configuration.authentication)

    def read_while_somebody_removes(**columns):
        Configuration.objects.update(authentication=make_authentication(name="Another", address="other"))
        configuration.authentication.delete()
        return read_access(**columns)

    monkeypatch.setattr(authorization, "read_access", read_while_somebody_removes)
    with pytest.raises(AuthorizationRefused) as caught:
        finish(state, user)
    assert caught.value.reason == "removed"
    assert not MemoryProvider.accounts["acme"].access_tokens


def test_an_account_whose_stored_tokens_cannot_be_read_can_be_reauthenticated(user):
    configuration = make_configuration()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_integrations_authentication SET access_token = 'v1:lost', refresh_token = 'v1:lost'")
    configuration = Configuration.objects.get(pk=configuration.pk)
    authentication = Authentication.objects.defer("access_token", "refresh_token").get()
    assert finish(begin(configuration, user, authentication=authentication), user).authentication
    assert Authentication.objects.get().access_token.startswith("access-")
