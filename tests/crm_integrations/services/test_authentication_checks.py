"""Checks of authentications: users who are gone, users who changed, rights, and passing trouble."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from crm_integrations.models import AuditEntry, Authentication
from crm_integrations.providers.base import SystemUser
from crm_integrations.providers.errors import CRMUnavailable
from crm_integrations.services.authentication_checks import check_all_authentications, check_authentication
from tests.factories import make_authentication
from tests.memory_provider import MemoryConnection, MemoryProvider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    yield
    MemoryProvider.reset()


def test_a_working_authentication_gets_its_user_and_rights_updated():
    authentication = make_authentication()
    check = check_authentication(authentication_id=authentication.pk)
    assert (check.is_held, check.trouble) == (False, "")
    authentication.refresh_from_db()
    assert authentication.system_user_name == "System User"
    assert [right["outcome"] for right in authentication.rights] == ["pass", "unknown"]
    assert authentication.rights_checked_at is not None


def test_a_user_who_is_gone_is_found_and_held():
    authentication = make_authentication()
    MemoryProvider.accounts["acme"].user = SystemUser("", "", "", "")
    assert check_authentication(authentication_id=authentication.pk).is_held
    assert Authentication.objects.get().state == "system_user_removed"


def test_a_token_that_acts_as_another_user_is_held():
    authentication = make_authentication(system_user_id="1")
    check = check_authentication(authentication_id=authentication.pk)
    assert check.is_held
    assert Authentication.objects.get().system_user_id == "1"


@pytest.mark.parametrize("asked_before", ["identify", "check_rights"])
def test_a_check_that_somebody_overtook_by_authorising_as_another_user_neither_holds_nor_stores(
    monkeypatch, asked_before
):
    authentication = make_authentication(system_user_id="1" if asked_before == "identify" else "900")
    asked = getattr(MemoryConnection, asked_before)

    def authorise_meanwhile(self, **keywords):
        Authentication.objects.update(system_user_id="901", token_version=4)
        return asked(self, **keywords)

    monkeypatch.setattr(MemoryConnection, asked_before, authorise_meanwhile)
    assert not check_authentication(authentication_id=authentication.pk).is_held
    assert Authentication.objects.get().system_user_id == "901"
    assert Authentication.objects.get().rights == []


def test_passing_trouble_holds_nothing_and_is_told():
    authentication = make_authentication()
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("503 from the CRM", may_have_applied=False))
    check = check_authentication(authentication_id=authentication.pk)
    assert (check.is_held, check.trouble) == (False, "503 from the CRM")


def test_a_surprise_with_one_does_not_keep_the_others_from_being_checked(monkeypatch, caplog):
    first, gone, last = (make_authentication(address=address) for address in ("one", "two", "three"))
    identify = MemoryConnection.identify

    def stumble(self):
        if self.account is MemoryProvider.accounts["one"]:
            Authentication.objects.filter(pk=gone.pk).delete()
            raise RuntimeError("words of a customer")
        return identify(self)

    monkeypatch.setattr(MemoryConnection, "identify", stumble)
    checks = list(check_all_authentications())
    assert [(check.authentication_id, check.trouble) for check in checks] == [
        (first.pk, "The check ended unexpectedly (RuntimeError)."),
        (last.pk, ""),
    ]
    assert checks[0].name == first.name
    assert "customer" not in caplog.text


def test_a_process_with_wrong_keys_holds_only_until_the_right_keys_are_back(settings):
    right = settings.ENCRYPTION_KEYS
    authentication = make_authentication()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert check_authentication(authentication_id=authentication.pk).is_held
    assert check_authentication(authentication_id=authentication.pk).is_held  # still the wrong ones
    settings.ENCRYPTION_KEYS = right
    assert not check_authentication(authentication_id=authentication.pk).is_held
    assert Authentication.objects.get(pk=authentication.pk).access_token == "access-0"
    assert AuditEntry.objects.filter(action="authentication_released").count() == 1


def test_the_command_ends_well_when_all_work_and_badly_when_one_is_held():
    make_authentication(name="Acme")
    out = StringIO()
    call_command("check_authentications", stdout=out)
    assert out.getvalue().splitlines() == [
        "Acme: works",
        "1 authentications checked: 0 held, 0 could not be checked now.",
    ]
    make_authentication(name="Gone", state="reauthenticate", state_reason="invalid_grant")
    with pytest.raises(CommandError, match="2 authentications checked: 1 held"):
        call_command("check_authentications", stdout=out)
    assert "Gone: held, invalid_grant" in out.getvalue()
